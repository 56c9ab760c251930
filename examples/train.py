#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
A small network that learns to read digits, in plain NumPy, with GELU and its gradient from gelu_fast.

    pip install "gelu_fast[examples]"
    python examples/train.py [FILE] [--epochs N] [--seeds N]

The digits are the 1797 of 8 x 8 pixels that come with scikit-learn. The same network is trained with GELU, with
ReLU and with ELU, several times. A table says how well each of them reads digits that it has not seen, and
which share of the time the activation takes; a picture shows loss and accuracy after each epoch. It is written
to FILE, or to train.png beside this script.
"""

import argparse
import math
import sys
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

try:
    import matplotlib.pyplot as plt
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    from gelu_fast import gelu, gelu_backward
except ModuleNotFoundError as error:
    sys.exit(f'{error}\nThis example needs an extra: pip install "gelu_fast[examples]"')

# These settings, the same for all three activations, were chosen among a dozen by the accuracy on held-out
# digits, so the table is a little optimistic.
SIZES = (64, 128, 128, 10)  # pixels, two hidden layers, classes
SEEDS = 7
EPOCHS = 60
BATCH = 64
RATE = 0.05  # learning rate at the start; it falls to 0 linearly
MOMENTUM = 0.9
DECAY = 0.0005  # weight decay
NOISE = 0.6  # standard deviation of the noise that training adds to the pixels, whose own is 1


# ---- three activations to choose from: y = forward(x), and dx = backward(dy, x), which may overwrite dy ----


def gelu_back(dy, x):
    return gelu_backward(dy, x, out=dy)


def relu(x):
    return np.maximum(x, 0)


def relu_back(dy, x):
    return np.multiply(dy, x > 0, out=dy)


def elu(x):
    """x above 0, exp(x) - 1 below."""
    return np.maximum(x, 0) + np.expm1(np.minimum(x, 0))


def elu_back(dy, x):
    return np.multiply(dy, np.exp(np.minimum(x, 0)), out=dy)


ACTIVATIONS = {"GELU": (gelu, gelu_back), "ReLU": (relu, relu_back), "ELU": (elu, elu_back)}
LOOKS = {"GELU": ("#0072B2", "-"), "ReLU": ("#D55E00", "--"), "ELU": ("#009E73", ":")}


# ---- the digits ----


def load(seed):
    """
    The digits. A quarter of each class is held out.

    Returns
    -------
    x_train, x_held : ndarray of float32, (digits, 64)
        Scaled by the mean and deviation of the training digits alone.
    labels_train, labels_held : ndarray of int, (digits,)
    """
    x, labels = load_digits(return_X_y=True)
    x_train, x_held, labels_train, labels_held = train_test_split(
        x.astype(np.float32), labels, test_size=0.25, stratify=labels, random_state=seed
    )
    # Each pixel gets mean 0; all have one scale, so that pixels that are nearly always blank stay faint.
    mean = x_train.mean(axis=0)
    deviation = (x_train - mean).std()
    return (x_train - mean) / deviation, (x_held - mean) / deviation, labels_train, labels_held


# ---- the network ----


class Network:
    """
    Dense layers with an activation between them; softmax and cross-entropy follow the last one.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, of units in each hidden layer, of classes.
    activation : pair of callables
        ``forward(x)`` and ``backward(dy, x)``, both elementwise; the latter may overwrite `dy`.
    rng : numpy.random.Generator
        Draws the initial weights.
    """

    def __init__(self, sizes, activation, rng):
        self.activation = activation
        # He's initialization, made for ReLU: a layer's output varies as much as its input.
        self.weights = [
            rng.standard_normal((m, n), np.float32) * math.sqrt(2 / m) for m, n in zip(sizes, sizes[1:])
        ]
        self.biases = [np.zeros(n, np.float32) for n in sizes[1:]]

    def forward(self, x):
        """The inputs and the outputs of all dense layers; the last output is the logits."""
        activate, _ = self.activation
        inputs, outputs = [], []
        for weight, bias in zip(self.weights, self.biases):
            inputs.append(activate(outputs[-1]) if outputs else x)
            outputs.append(inputs[-1] @ weight + bias)
        return inputs, outputs

    def classify(self, x):
        """The class of each row of `x`."""
        return self.forward(x)[1][-1].argmax(axis=1)

    def gradients(self, x, labels):
        """
        The mean cross-entropy of a batch, and its derivatives.

        Returns
        -------
        loss : float
        weights, biases : list of ndarray
            The derivatives by each element of `self.weights` and `self.biases`.
        """
        _, backward = self.activation
        inputs, outputs = self.forward(x)
        scores = outputs[-1] - outputs[-1].max(axis=1, keepdims=True)  # exp() cannot overflow
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))  # logarithms of the probabilities
        right = np.arange(len(labels)), labels
        loss = -logs[right].mean()

        dy = np.exp(logs)
        dy[right] -= 1
        dy /= len(labels)
        weights, biases = [], []
        for i in reversed(range(len(self.weights))):
            weights.insert(0, inputs[i].T @ dy)
            biases.insert(0, dy.sum(axis=0))
            if i > 0:
                dy = backward(dy @ self.weights[i].T, outputs[i - 1])
        return float(loss), weights, biases


# ---- training ----


class Stopwatch:
    """A function that adds up the seconds spent in it."""

    def __init__(self, function):
        self.function = function
        self.seconds = 0.0

    def __call__(self, *args):
        start = perf_counter()
        y = self.function(*args)
        self.seconds += perf_counter() - start
        return y


class Epoch(NamedTuple):
    """The record of an epoch."""

    loss: float  # mean over the batches, with noise, and with the weights at each batch
    accuracy: float  # on the digits held out
    seconds: float  # of training, without the evaluation
    spent: float  # of these, in the activation, forward and backward


def train(activation, seed, epochs=EPOCHS):
    """
    Train a network, by gradient descent with momentum, and yield it with a record after each epoch.

    Parameters
    ----------
    activation : pair of callables
        As for `Network`.
    seed : int
        Decides which digits are held out, the initial weights, the order of the digits, and the noise. All
        activations get the same.
    epochs : int, optional

    Yields
    ------
    network : Network
        The same one every time.
    epoch : Epoch
    """
    x_train, x_held, labels_train, labels_held = load(seed)
    rng = np.random.default_rng(seed)
    watches = [Stopwatch(function) for function in activation]
    network = Network(SIZES, watches, rng)
    parameters = network.weights + network.biases
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    batches = math.ceil(len(x_train) / BATCH)

    for i in range(epochs):
        for watch in watches:
            watch.seconds = 0.0
        losses = []
        start = perf_counter()
        for j, chosen in enumerate(np.array_split(rng.permutation(len(x_train)), batches)):
            x = x_train[chosen]  # a copy, with new noise each time, so that it is hard to learn by heart
            x += NOISE * rng.standard_normal(x.shape, np.float32)
            loss, weights, biases = network.gradients(x, labels_train[chosen])
            losses.append(loss)
            rate = RATE * (1 - (i * batches + j) / (epochs * batches))
            for parameter, velocity, gradient in zip(parameters, velocities, weights + biases):
                velocity *= MOMENTUM
                velocity -= rate * (gradient + DECAY * parameter)
                parameter += velocity
        seconds = perf_counter() - start
        spent = sum(watch.seconds for watch in watches)

        accuracy = np.mean(network.classify(x_held) == labels_held)
        yield network, Epoch(float(np.mean(losses)), float(accuracy), seconds, spent)


# ---- results ----


def report(runs):
    """Print the table; `runs` holds for each activation an array (seeds, epochs, fields of Epoch)."""
    print(f"{'':6}{'held-out accuracy':>28}{'training':>12}{'time per':>12}{'activation':>20}")
    print(f"{'':6}{'median':>12}{'worst to best':>16}{'loss':>12}{'epoch':>12}{'in it':>11}{'share':>9}")
    for name, run in runs.items():
        last = Epoch(*run[:, -1].T)
        every = Epoch(*run.reshape(-1, len(Epoch._fields)).T)
        accuracy = 100 * last.accuracy
        between = f"{accuracy.min():.2f} to {accuracy.max():.2f}"
        print(
            f"{name:6}{np.median(accuracy):10.2f} %{between:>16}{np.median(last.loss):12.4f}"
            f"{1e3 * np.median(every.seconds):9.2f} ms{1e3 * np.median(every.spent):8.2f} ms"
            f"{100 * np.median(every.spent / every.seconds):7.1f} %"
        )


def draw(runs, file):
    """Draw loss and accuracy over the epochs: the median of the seeds as a line, their range shaded."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for name, run in runs.items():
        color, style = LOOKS[name]
        curves = Epoch(*np.moveaxis(run, 2, 0))
        for axes, curve in ((left, curves.loss), (right, 100 * curves.accuracy)):
            epochs = np.arange(1, curve.shape[1] + 1)
            low, high = curve.min(axis=0), curve.max(axis=0)
            axes.fill_between(epochs, low, high, color=color, alpha=0.12, linewidth=0)
            axes.plot(epochs, np.median(curve, axis=0), style, color=color, label=name)
    left.set(title="training loss", yscale="log")
    right.set(title="accuracy on held-out digits, %")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=100)


def main():
    parser = argparse.ArgumentParser(description="Train a small network with GELU, with ReLU and with ELU.")
    parser.add_argument("file", nargs="?", type=Path, default=Path(__file__).with_name("train.png"))
    parser.add_argument("--epochs", type=int, default=EPOCHS, metavar="N", help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="default: %(default)s")
    args = parser.parse_args()
    if min(args.epochs, args.seeds) < 1:
        parser.error("it takes one epoch and one seed at the least")

    runs = {name: [] for name in ACTIVATIONS}
    # One thread for all: such small matrices gain little by a second one, and in some processes the system put
    # both threads of the BLAS on one core: then training took 16 times as long.
    with threadpool_limits(1), tqdm(total=len(runs) * args.seeds * args.epochs, unit="epoch") as bar:
        for seed in range(args.seeds):
            for name, activation in ACTIVATIONS.items():  # in turns, so that other load affects all alike
                bar.set_description(f"{name}, seed {seed}")
                runs[name].append([])
                for _, epoch in train(activation, seed, args.epochs):
                    runs[name][-1].append(epoch)
                    bar.update()
    runs = {name: np.array(run) for name, run in runs.items()}

    learnt, held = (len(x) for x in load(0)[:2])
    print(f"{learnt} digits to learn from, {held} held out (one of them is {100 / held:.2f} %);")
    print(f"epochs: {args.epochs}; medians over the seeds, {args.seeds}, and of times over the epochs too:\n")
    report(runs)
    draw(runs, args.file)


if __name__ == "__main__":
    main()
