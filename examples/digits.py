#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Does GELU help? Small networks learn to read digits, in plain NumPy, with GELU and with five other activations.

    pip install ".[examples]"
    python examples/digits.py [--quick] [--write [DIR]] [--draw [DIR]]

The digits are the 1797 of 8 x 8 pixels that come with scikit-learn. GELU is compared with its stochastic form (in
training; the exact form afterwards), with ReLU, ReLU and dropout, PReLU and ELU: in a small and in a larger network,
with few and with many digits to learn from. Each method gets the learning rate that reads a validation part of the
digits best, then 10 seeds; the digits that count are in neither part. The experiment takes some minutes on one core.
`--write` stores its results in DIR/benchmarks/results/digits.json and draws DIR/docs/idea/digits.svg, `--draw` draws
the picture again from the results. DIR is this checkout by default. docs/idea/digits.md tells the results.
"""

import argparse
import math
import sys
from datetime import date
from importlib import metadata
from typing import NamedTuple

import stored

try:
    import matplotlib.pyplot as plt
    import numpy as np
    from scipy.stats import t as student
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    import gelu_fast
    from gelu_fast import gelu, gelu_backward, stochastic_gelu
    from gelu_fast.selftest.machine import cpu_name
except ModuleNotFoundError as error:
    sys.exit(f'{error}\nThis example needs an extra: pip install ".[examples]"')

RESULTS, PICTURE = "benchmarks/results/digits.json", "docs/idea/digits.svg"
POOL, VALIDATION = 900, 300  # digits to learn from, and to choose by; the other 597 are the test
MOMENTUM = 0.9
REFERENCE = "GELU"  # the method that the others are compared with


class Plan(NamedTuple):
    """The size of the experiment."""

    networks: tuple = ((64, 32, 10), (64, 256, 256, 10))  # pixels, hidden layers, classes
    digits: tuple = (100, POOL)  # to learn from
    seeds: int = 10
    tuning_seeds: int = 3  # other ones, for each trial
    steps: int = 600
    batch: int = 50
    rates: tuple = tuple(0.00375 * 2 ** (k / 2) for k in range(15))  # to choose from
    dropouts: tuple = (0.1, 0.25, 0.5)


QUICK = Plan(((64, 8, 10), (64, 9, 8, 10)), (50, 200), 2, 1, 30, 25, (0.01, 0.02, 0.05, 0.1), (0.1, 0.5))


# ---- layers: forward keeps what backward needs, backward leaves the parameters' gradients in `grads` ----
#
# `rng` is a Generator in training, and None in evaluation. All activations are made by (units, dropout).


class Linear:
    def __init__(self, rng, n_in, n_out):
        # He's initialization, made for ReLU: a layer's output varies as much as its input.
        weight = rng.standard_normal((n_in, n_out), np.float32) * math.sqrt(2 / n_in)
        self.parameters = [weight, np.zeros(n_out, np.float32)]

    def forward(self, x, rng):
        self.x = x
        weight, bias = self.parameters
        return x @ weight + bias

    def backward(self, dy):
        self.grads = [self.x.T @ dy, dy.sum(axis=0)]
        return dy @ self.parameters[0].T


class Gelu:
    parameters = grads = ()

    def __init__(self, units, dropout):
        pass

    def forward(self, x, rng):
        self.x = x
        return gelu(x)

    def backward(self, dy):
        return gelu_backward(dy, self.x)


class StochasticGelu(Gelu):
    """x times a mask m in training, where m is 1 with probability Φ(x), else 0; its mean, GELU, in evaluation."""

    def forward(self, x, rng):
        if rng is None:
            return gelu(x)
        y, self.mask = stochastic_gelu(x, rng, return_mask=True)
        return y

    def backward(self, dy):
        return dy * self.mask  # m is held fixed


class Relu(Gelu):
    def forward(self, x, rng):
        self.mask = x > 0
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * self.mask


class DroppedRelu(Relu):
    """ReLU and dropout: in training, units are 0 with probability `dropout`; the others grow, to keep the mean."""

    def __init__(self, units, dropout):
        self.kept = 1 - dropout

    def forward(self, x, rng):
        if rng is None:
            return np.maximum(x, 0)
        kept = rng.random(x.shape, np.float32) < self.kept
        self.mask = ((x > 0) & kept) * np.array(1 / self.kept, x.dtype)
        return x * self.mask


class Prelu(Gelu):
    """x above 0, and below it x times a slope that each unit learns."""

    def __init__(self, units, dropout):
        self.parameters = [np.full(units, 0.25, np.float32)]

    def forward(self, x, rng):
        self.x = x
        return np.where(x > 0, x, self.parameters[0] * x)

    def backward(self, dy):
        self.grads = [(dy * np.minimum(self.x, 0)).sum(axis=0)]
        return dy * np.where(self.x > 0, np.ones_like(self.parameters[0]), self.parameters[0])


class Elu(Gelu):
    """x above 0, exp(x) - 1 below."""

    def forward(self, x, rng):
        self.x = x
        return np.maximum(x, 0) + np.expm1(np.minimum(x, 0))

    def backward(self, dy):
        return dy * np.exp(np.minimum(self.x, 0))


class Method(NamedTuple):
    activation: type
    color: str


METHODS = {
    "GELU": Method(Gelu, "#0072B2"),
    "stochastic GELU": Method(StochasticGelu, "#56B4E9"),
    "ReLU": Method(Relu, "#555555"),
    "ReLU + dropout": Method(DroppedRelu, "#D55E00"),
    "PReLU": Method(Prelu, "#009E73"),
    "ELU": Method(Elu, "#E69F00"),
}


# ---- the network ----


class Network:
    """
    Linear layers with an activation between them; softmax and cross-entropy follow the last one.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, of units in each hidden layer, of classes.
    activation : callable
        ``activation(units, dropout)`` makes the layer that follows a hidden layer.
    dropout : float
    rng : numpy.random.Generator
        Draws the initial weights.
    """

    def __init__(self, sizes, activation, dropout, rng):
        self.layers = []
        for n_in, n_out in zip(sizes, sizes[1:]):
            self.layers += [Linear(rng, n_in, n_out), activation(n_out, dropout)]
        del self.layers[-1]

    @property
    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters]

    def logits(self, x, rng=None):
        for layer in self.layers:
            x = layer.forward(x, rng)
        return x

    def gradients(self, x, labels, rng):
        """The mean cross-entropy of a batch, and its derivatives by each element of `self.parameters`."""
        logs = log_softmax(self.logits(x, rng))
        right = np.arange(len(labels)), labels
        loss = -logs[right].mean()
        dy = np.exp(logs)
        dy[right] -= 1
        dy /= len(labels)
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return float(loss), [g for layer in self.layers for g in layer.grads]


def log_softmax(scores):
    scores = scores - scores.max(axis=1, keepdims=True)  # exp() cannot overflow
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


# ---- the digits ----


def split():
    """(pixels, labels) of three parts that share no digit: to learn from, to choose by, to judge by. Each has the
    same share of every class."""
    pixels, labels = load_digits(return_X_y=True)
    pixels = pixels.astype(np.float32)
    learn, rest, of_learn, of_rest = train_test_split(
        pixels, labels, train_size=POOL, stratify=labels, random_state=0
    )
    choose, judge, of_choose, of_judge = train_test_split(
        rest, of_rest, train_size=VALIDATION, stratify=of_rest, random_state=0
    )
    return (learn, of_learn), (choose, of_choose), (judge, of_judge)


def draw_digits(pool, n, seed):
    """`n` digits of `pool`, as many of each class; all of them if there are no more."""
    pixels, labels = pool
    if n >= len(labels):
        return pool
    chosen, _ = train_test_split(np.arange(len(labels)), train_size=n, stratify=labels, random_state=seed)
    return pixels[chosen], labels[chosen]


# ---- training ----


def train(plan, sizes, method, rate, dropout, learn, held, seed):
    """
    Train a network by gradient descent with momentum.

    Parameters
    ----------
    plan : Plan
    sizes : sequence of int
        As for `Network`.
    method : str
        A key of METHODS.
    rate : float
        Learning rate at the start; it falls to 0 linearly.
    dropout : float
        Used by the method with dropout alone.
    learn, held : pair of ndarray
        Pixels and labels to learn from, and to read afterwards.
    seed : int
        Decides the initial weights and the order of the digits, the same for all methods, and random masks.

    Returns
    -------
    right : ndarray of bool
        Which of the digits `held` the network reads right.
    loss : float
        Their mean cross-entropy.
    """
    pixels, labels = learn
    # Each pixel gets mean 0; all have one scale, so that pixels that are nearly always blank stay faint.
    mean = pixels.mean(axis=0)
    deviation = (pixels - mean).std()
    pixels = (pixels - mean) / deviation
    rng, masks = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    network = Network(sizes, METHODS[method].activation, dropout, rng)
    parameters = network.parameters
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    order = np.concatenate(
        [rng.permutation(len(labels)) for _ in range(math.ceil(plan.steps * plan.batch / len(labels)))]
    )
    with np.errstate(over="ignore", invalid="ignore"):  # a rate that is too large diverges, and is not chosen
        for i in range(plan.steps):
            batch = order[i * plan.batch : (i + 1) * plan.batch]
            _, gradients = network.gradients(pixels[batch], labels[batch], masks)
            for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
                velocity *= MOMENTUM
                velocity -= rate * (1 - i / plan.steps) * gradient
                parameter += velocity
        logs = log_softmax(network.logits((held[0] - mean) / deviation))
    loss = -logs[np.arange(len(logs)), held[1]].mean()
    return logs.argmax(axis=1) == held[1], float(loss)


# ---- the experiment ----


def trials(plan, method):
    """Pairs of learning rate and dropout to choose from: as many for each method."""
    if METHODS[method].activation is not DroppedRelu:
        return [(rate, 0.0) for rate in plan.rates]
    n = len(plan.dropouts)
    return [(rate, dropout) for rate in plan.rates[n // 2 :: n] for dropout in plan.dropouts]


def quantile(seeds, comparisons=1):
    """Student's, for 95 % intervals that hold together (Bonferroni)."""
    return student.ppf(1 - 0.025 / comparisons, seeds - 1)


def interval(differences):
    """
    The half width of a 95 % interval of the mean of `differences`, (seeds, digits).

    Both the seeds and the test digits are samples; one difference shares its seed with a row and its digit with a
    column. The variance of the mean is clustered in both ways (Cameron, Gelbach and Miller, 2011).
    """
    by_seed, by_digit = (
        differences.mean(axis=axis).var(ddof=1) / differences.shape[1 - axis] for axis in (1, 0)
    )
    variance = max(by_seed + by_digit - differences.var(ddof=1) / differences.size, by_seed, by_digit)
    return quantile(len(differences)) * math.sqrt(variance)


def experiment(plan):
    """The results, as the file has them."""
    pool, choose, judge = split()
    per_method = len(trials(plan, REFERENCE)) * plan.tuning_seeds + plan.seeds
    settings = [(sizes, n) for n in plan.digits for sizes in plan.networks]
    rows = []
    # One thread: such small matrices gain little by a second one.
    with threadpool_limits(1), tqdm(total=len(settings) * len(METHODS) * per_method, unit="run") as bar:
        for sizes, n in settings:
            right = {}
            for method in METHODS:
                bar.set_description(f"{name_of(sizes)}, {n} digits, {method}")

                def run(trial, held, seed, method=method, sizes=sizes, n=n):
                    bar.update()
                    return train(plan, sizes, method, *trial, draw_digits(pool, n, seed), held, seed)

                found = {}
                for trial in trials(plan, method):
                    tried = [run(trial, choose, plan.seeds + i) for i in range(plan.tuning_seeds)]
                    wrong = sum(np.count_nonzero(~its_right) for its_right, _ in tried)
                    found[trial] = wrong, sum(loss for _, loss in tried)
                best = min(found, key=found.get)
                right[method] = np.array([run(best, judge, seed)[0] for seed in range(plan.seeds)])
                difference = 100.0 * (right[method].astype(float) - right[REFERENCE])
                rows.append(
                    {
                        "network": name_of(sizes),
                        "digits": n,
                        "method": method,
                        "rate": best[0],
                        "dropout": best[1],
                        "validation": 100 * (1 - found[best][0] / plan.tuning_seeds / len(choose[1])),
                        "accuracy": [100 * share for share in right[method].mean(axis=1).tolist()],
                        "difference": difference.mean(),
                        "interval": interval(difference),
                    }
                )
    about = {
        "CPU": cpu_name(),
        "date": date.today().isoformat(),
        "versions": {
            "gelu_fast": gelu_fast.__version__,
            **{name: metadata.version(name) for name in ("numpy", "scikit-learn")},
        },
        "digits to choose by": len(choose[1]),
        "digits to judge by": len(judge[1]),
        "trials": len(trials(plan, REFERENCE)),
        "wider together": widening(plan),
        **plan._asdict(),
    }
    return {"about": about, "rows": rows}


def widening(plan):
    """How much wider intervals are that hold for all comparisons together."""
    comparisons = len(plan.digits) * len(plan.networks) * (len(METHODS) - 1)
    return quantile(plan.seeds, comparisons) / quantile(plan.seeds)


def name_of(sizes):
    return "-".join(map(str, sizes))


# ---- results ----


def report(results):
    print(
        f"{'accuracy, %':45}{'mean':>8}{'sd':>7}{'minus GELU, 95 % interval':>29}{'rate':>10}{'dropout':>9}"
    )
    for row in results["rows"]:
        name = f"{row['network']}, {row['digits']} digits, {row['method']}"
        accuracy = row["accuracy"]
        print(
            f"{name:45}{np.mean(accuracy):8.2f}{np.std(accuracy, ddof=1):7.2f}"
            f"{row['difference']:+16.2f} ± {row['interval']:<10.2f}{row['rate']:10.4f}{row['dropout']:9.2f}"
        )


def draw(results, file):
    """A panel for each network and number of digits: a dot for each seed, a line at their mean."""
    rows = results["rows"]
    networks, numbers = (list(dict.fromkeys(row[key] for row in rows)) for key in ("network", "digits"))
    plt.rcParams.update({"svg.hashsalt": "digits", "svg.fonttype": "none", "font.family": "sans-serif"})
    shape = len(networks), len(numbers)
    figure, panels = plt.subplots(
        *shape, figsize=(9, 6), layout="constrained", sharex="col", sharey=True, squeeze=False
    )
    for row in rows:
        panel = panels[networks.index(row["network"]), numbers.index(row["digits"])]
        place, color = list(METHODS).index(row["method"]), METHODS[row["method"]].color
        heights = place + np.linspace(-0.22, 0.22, len(row["accuracy"]))
        panel.plot(row["accuracy"], heights, "o", color=color, markersize=5, alpha=0.75, markeredgewidth=0)
        panel.plot([np.mean(row["accuracy"])] * 2, [place - 0.38, place + 0.38], color=color, linewidth=2.5)
        if row["method"] == REFERENCE:
            panel.axvline(np.mean(row["accuracy"]), color=color, linewidth=0.8, linestyle=":", zorder=0)
    for i, network in enumerate(networks):
        for j, n in enumerate(numbers):
            panels[i, j].set_title(f"{n} digits to learn from, network {network}", fontsize=10)
            panels[i, j].spines[["top", "right", "left"]].set_visible(False)
            panels[i, j].tick_params(axis="y", length=0)
    panels[0, 0].set_yticks(range(len(METHODS)), METHODS)
    panels[0, 0].invert_yaxis()
    for panel in panels[-1]:
        panel.set_xlabel("test digits read right, %")
    figure.savefig(file, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description="GELU and five other activations learn to read digits.")
    parser.add_argument("--quick", action="store_true", help="tiny networks, whose results mean nothing")
    stored.add_options(parser, "results")
    options = parser.parse_args()
    into = options.draw or options.write
    if not options.draw:
        results = experiment(QUICK if options.quick else Plan())
        report(results)
        if into:
            stored.write(results, into / RESULTS)
    if into:
        stored.draw(draw, into / RESULTS, into / PICTURE)


if __name__ == "__main__":
    main()
