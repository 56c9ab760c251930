# SPDX-License-Identifier: BSD-3-Clause
"""The network of examples/train.py: its derivatives against float64, and its accuracy for held-out digits."""

import re
import subprocess
import sys

import numpy as np
import pytest
from needs import example, needs

needs("scikit-learn", "tqdm", "matplotlib")

from scipy.special import log_softmax, ndtr  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

SCRIPT, train = example("train")
ACTIVATIONS = {
    "GELU": lambda x: x * ndtr(x),
    "ReLU": lambda x: np.where(x > 0, x, 0),
    "ELU": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
}


@pytest.fixture(scope="module")
def trained():
    """For each seed, the network with GELU and its record of each epoch, trained as in the script."""
    runs = []
    with threadpool_limits(1):
        for seed in range(train.SEEDS):
            networks, epochs = zip(*train.train(train.ACTIVATIONS["GELU"], seed))
            runs.append((networks[-1], epochs))
    return runs


# ---- the same network again, in float64; only weights and biases are shared ----


def logits(weights, biases, x, activation):
    """The logits, and a list of the activation's inputs."""
    given = []
    for weight, bias in zip(weights[:-1], biases[:-1]):
        given.append(np.einsum("di,io->do", x, weight) + bias)
        x = activation(given[-1])
    return np.einsum("di,io->do", x, weights[-1]) + biases[-1], given


def cross_entropy(weights, biases, x, labels, activation):
    scores, _ = logits(weights, biases, x, activation)
    return -np.mean([row[label] for row, label in zip(log_softmax(scores, axis=1), labels)])


def by_differences(weights, biases, x, labels, activation, step=1e-5):
    """The derivatives of the loss by every weight and bias, from central differences."""
    derivatives = []
    for parameter in (*weights, *biases):
        derivatives.append(np.empty_like(parameter))
        for place in np.ndindex(parameter.shape):
            value = parameter[place]
            losses = []
            for parameter[place] in (value - step, value + step):
                losses.append(cross_entropy(weights, biases, x, labels, activation))
            parameter[place] = value
            derivatives[-1][place] = (losses[1] - losses[0]) / (2 * step)
    return derivatives


@pytest.mark.parametrize("dtype, close", [(np.float64, 1e-9), (np.float32, 1e-6)])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients(name, dtype, close):
    rng = np.random.default_rng(5)
    network = train.Network((6, 8, 7, 4), train.ACTIVATIONS[name], rng)
    network.weights = [weight.astype(dtype) for weight in network.weights]
    network.biases = [rng.normal(size=bias.shape).astype(dtype) for bias in network.biases]
    x, labels = rng.normal(size=(9, 6)).astype(dtype), rng.integers(4, size=9)
    loss, weights, biases = network.gradients(x, labels)
    assert all(array.dtype == dtype for array in (*weights, *biases))

    exact = [[array.astype(np.float64) for array in arrays] for arrays in (network.weights, network.biases)]
    exact += [x.astype(np.float64), labels, ACTIVATIONS[name]]
    for given in logits(*exact[:3], exact[4])[1]:
        assert given.min() < -1 and given.max() > 1, "both sides of zero should count"
        assert np.abs(given).min() > 1e-3, "no difference may straddle ReLU's corner"
    assert loss == pytest.approx(cross_entropy(*exact), rel=close)
    for found, expected in zip((*weights, *biases), by_differences(*exact), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=close)


def test_large_logits():
    """The loss is right, even where exp() of a logit would overflow."""
    network = train.Network((1, 2), train.ACTIVATIONS["GELU"], np.random.default_rng(0))
    network.weights = [np.array([[1000, 0]], np.float32)]
    loss, weights, _ = network.gradients(np.ones((1, 1), np.float32), np.array([1]))
    assert loss == 1000
    np.testing.assert_array_equal(weights[0], [[1, -1]])


# ---- learning ----


def test_held_out_digits():
    """No held-out digit is among the training digits, or contributes to their scaling. A quarter of each class is held
    out."""
    for seed in range(train.SEEDS):
        x_train, x_held, labels_train, labels_held = train.load(seed)
        assert x_train.dtype == x_held.dtype == np.float32
        assert len(labels_train) == len(x_train) and len(labels_held) == len(x_held) == 450
        assert len(np.unique(np.concatenate([x_train, x_held]), axis=0)) == 1797  # no digit occurs twice
        counts = np.bincount(labels_train), np.bincount(labels_held)
        np.testing.assert_allclose(counts[1] / np.add(*counts), 0.25, atol=0.01)
        np.testing.assert_allclose(x_train.mean(axis=0), 0, atol=1e-5)
        assert x_train.std() == pytest.approx(1, abs=1e-5)
        assert np.abs(x_held.mean(axis=0)).max() > 0.01


def test_accuracy(trained, report):
    accuracies = []
    for seed, (network, epochs) in enumerate(trained):
        assert len(epochs) == train.EPOCHS
        assert all(array.dtype == np.float32 for array in (*network.weights, *network.biases))
        _, x, _, labels = train.load(seed)
        scores, _ = logits(network.weights, network.biases, x.astype(np.float64), ACTIVATIONS["GELU"])
        accuracies.append(np.mean(np.argmax(scores, axis=1) == labels))
        # The same accuracy; float32 may choose the other of the two best classes for one digit.
        assert epochs[-1].accuracy == pytest.approx(accuracies[-1], abs=1.5 / len(labels))
        assert epochs[-1].loss < epochs[0].loss / 10
    report(f"held-out digits read with GELU: {100 * min(accuracies):.2f} % at the least")
    assert min(accuracies) >= 0.97


def test_seed():
    """All that is random depends on the seed alone, not on the activation or on earlier runs."""

    def start(activation, seed):
        network, epoch = next(train.train(activation, seed, epochs=1))
        return network.weights[0].tobytes(), epoch.loss

    relu = train.ACTIVATIONS["ReLU"]
    assert start(relu, 3) == start(relu, 3)
    assert start(relu, 3) != start(relu, 4)
    # Another activation with the values of ReLU gives the same bits: digits, weights, order and noise are the same.
    assert start((lambda x: (x > 0) * x, lambda dy, x: (x > 0) * dy), 3) == start(relu, 3)


# ---- the script ----


def test_script(trained, tmp_path):
    picture = tmp_path / "curves.png"
    ended = subprocess.run([sys.executable, SCRIPT, picture], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    total = len(ACTIVATIONS) * train.SEEDS * train.EPOCHS
    assert f"| {total}/{total} [" in ended.stderr  # the progress bar reached its end
    assert "Warning" not in ended.stderr

    number = r" +(\d+\.\d+)"
    row = rf"^{{}}{number} %{number} to{number}{number}{number} ms{number} ms{number} %$"
    for name in ACTIVATIONS:
        found = re.search(row.format(name), ended.stdout, re.MULTILINE)
        assert found, ended.stdout
        median, worst, best, loss, seconds, spent, share = map(float, found.groups())
        assert 90 < worst <= median <= best <= 100 and loss > 0
        assert 0 < spent < seconds and 0 < share < 100
        if name == "GELU":
            assert worst >= 97
            accuracies = [100 * epochs[-1].accuracy for _, epochs in trained]
            expected = min(accuracies), np.median(accuracies), max(accuracies)
            assert (worst, median, best) == pytest.approx(expected, abs=0.01)


def test_short_run(tmp_path):
    picture = tmp_path / "short.png"
    arguments = [sys.executable, SCRIPT, picture, "--epochs", "1", "--seeds", "1"]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    assert "| 3/3 [" in ended.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")

    ended = subprocess.run([*arguments[:-1], "0"], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 2 and "one seed at the least" in ended.stderr


@pytest.mark.parametrize("package", ["sklearn", "tqdm", "matplotlib"])
def test_names_the_extra(package):
    code = f"import runpy, sys; sys.modules[{package!r}] = None; runpy.run_path({str(SCRIPT)!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 1
    assert ended.stderr.endswith('This example needs an extra: pip install "gelu_fast[examples]"\n')
    assert package in ended.stderr
