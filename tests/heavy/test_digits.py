# SPDX-License-Identifier: BSD-3-Clause
"""The experiment of examples/digits.py: its derivatives against float64, its parts of the digits, its intervals, and
the page that tells its results."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from needs import example, needs

needs("scikit-learn", "tqdm", "matplotlib")

from scipy.special import log_softmax, ndtr  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

SCRIPT, digits = example("digits")
ROOT = Path(__file__).parents[2]
RANDOM = "stochastic GELU", "ReLU + dropout"

each_method = pytest.mark.parametrize("name", digits.METHODS)


# ---- the same network again, in float64: weights, biases and slopes are shared, and the masks that were drawn ----


def activate(name, x, layer):
    """The activation of a hidden layer; `layer` is the example's, after its forward pass in training."""
    if name == "stochastic GELU":
        return x * layer.mask
    if name == "ReLU + dropout":
        return np.where(x > 0, x, 0) * np.where(layer.mask > 0, 1 / layer.kept, 0)
    if name == "PReLU":
        return np.where(x > 0, x, x * layer.parameters[0].astype(np.float64))
    return {
        "GELU": lambda: x * ndtr(x),
        "ReLU": lambda: np.where(x > 0, x, 0),
        "ELU": lambda: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    }[name]()


def logits(name, network, x):
    """The logits, and a list of the activations' inputs."""
    given = []
    for i, layer in enumerate(network.layers):
        if i % 2:
            given.append(x)
            x = activate(name, x, layer)
        else:
            weight, bias = (parameter.astype(np.float64) for parameter in layer.parameters)
            x = np.einsum("di,io->do", x, weight) + bias
    return x, given


def cross_entropy(name, network, x, labels):
    scores, _ = logits(name, network, x)
    return -np.mean([row[label] for row, label in zip(log_softmax(scores, axis=1), labels)])


def by_differences(name, network, x, labels, step=1e-5):
    """The derivatives of the loss by every parameter, from central differences."""
    derivatives = []
    for layer in network.layers:
        for i, own in enumerate(layer.parameters):
            parameter = layer.parameters[i] = own.astype(np.float64)
            derivatives.append(np.empty_like(parameter))
            for place in np.ndindex(parameter.shape):
                value = parameter[place]
                losses = []
                for parameter[place] in (value - step, value + step):
                    losses.append(cross_entropy(name, network, x, labels))
                parameter[place] = value
                derivatives[-1][place] = (losses[1] - losses[0]) / (2 * step)
            layer.parameters[i] = own
    return derivatives


@pytest.mark.parametrize("dtype, close", [(np.float64, 1e-9), (np.float32, 1e-6)])
@each_method
def test_gradients(name, dtype, close):
    rng = np.random.default_rng(5)
    network = digits.Network((5, 7, 6, 3), digits.METHODS[name].activation, 0.4, rng)
    for layer in network.layers:
        layer.parameters = [rng.normal(scale=0.5, size=p.shape).astype(dtype) for p in layer.parameters]
    x, labels = rng.normal(size=(9, 5)).astype(dtype), rng.integers(3, size=9)
    loss, gradients = network.gradients(x, labels, np.random.default_rng(0))
    assert all(array.dtype == dtype for array in gradients)

    exact = name, network, x.astype(np.float64)
    for given, layer in zip(logits(*exact)[1], network.layers[1::2], strict=True):
        assert given.min() < -0.5 and given.max() > 0.5, "both sides of zero should count"
        assert np.abs(given).min() > 2e-4, "no difference may straddle ReLU's corner"
        if name in RANDOM:
            assert 0 < np.count_nonzero(layer.mask[given > 0]) < np.count_nonzero(given > 0)
    assert loss == pytest.approx(cross_entropy(*exact, labels), rel=close)
    expected = by_differences(*exact, labels)
    assert len(expected) == (8 if name == "PReLU" else 6)
    for found, wanted in zip(gradients, expected, strict=True):
        assert found.shape == wanted.shape and np.abs(wanted).max() > 1e-3
        np.testing.assert_allclose(found, wanted, rtol=0, atol=close)


def test_large_logits():
    """The loss is right, even where exp() of a logit would overflow."""
    network = digits.Network((1, 2), digits.Gelu, 0, np.random.default_rng(0))
    network.layers[0].parameters[0] = np.array([[1000, 0]], np.float32)
    loss, gradients = network.gradients(np.ones((1, 1), np.float32), np.array([1]), None)
    assert loss == 1000
    np.testing.assert_array_equal(gradients[0], [[1, -1]])


# ---- the random methods ----


def test_evaluation_is_exact():
    """In evaluation, the stochastic form is GELU and dropout is absent, bit for bit; that is the mean in training."""
    x = np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32)
    for random, plain in ("stochastic GELU", "GELU"), ("ReLU + dropout", "ReLU"):
        layer, other = (digits.METHODS[name].activation(50, 0.25) for name in (random, plain))
        expected = other.forward(x, None)
        np.testing.assert_array_equal(layer.forward(x, None), expected)
        rng = np.random.default_rng(2)
        draws = np.array([layer.forward(x, rng) for _ in range(400)])
        assert not np.array_equal(draws[0], draws[1])
        error = (draws.mean(axis=0, dtype=np.float64) - expected) / (np.abs(x) / math.sqrt(len(draws)))
        assert np.abs(error).max() < 5 and np.abs(error.mean()) < 0.05
    factors = draws[:, x > 0] / x[x > 0]
    assert np.isclose(factors, 0).any(axis=0).all() and np.isclose(factors, 1 / 0.75).any(axis=0).all()
    assert (np.isclose(factors, 0) | np.isclose(factors, 1 / 0.75)).all()


# ---- the digits ----


def test_parts():
    """No digit is in two parts, each part has every class, and those to learn from alone give the scale."""
    parts = digits.split()
    assert [len(labels) for _, labels in parts] == [900, 300, 597]
    assert len(np.unique(np.concatenate([pixels for pixels, _ in parts]), axis=0)) == 1797
    whole = np.bincount(np.concatenate([labels for _, labels in parts])) / 1797
    for pixels, labels in parts:
        assert pixels.dtype == np.float32
        np.testing.assert_allclose(np.bincount(labels) / len(labels), whole, atol=0.01)
    pool = parts[0]
    few, same, other = (digits.draw_digits(pool, 100, seed)[0] for seed in (0, 0, 1))
    assert len(few) == 100 and np.array_equal(few, same) and not np.array_equal(few, other)
    assert digits.draw_digits(pool, 900, 0) is pool


def test_test_part_is_only_read(monkeypatch):
    """Anything may be held out, and the network that is trained stays the same."""
    learn, _, (pixels, labels) = digits.split()
    networks = []

    class Kept(digits.Network):
        def __init__(self, *args):
            super().__init__(*args)
            networks.append(self)

    monkeypatch.setattr(digits, "Network", Kept)
    for held in (pixels, labels), (pixels[:7] * 3, labels[:7]):
        digits.train(digits.QUICK, (64, 8, 10), "GELU", 0.02, 0, learn, held, 3)
    for a, b in zip(*(network.parameters for network in networks), strict=True):
        np.testing.assert_array_equal(a, b)


@each_method
def test_learns(name):
    learn, _, held = digits.split()
    plan = digits.Plan(steps=300)
    with threadpool_limits(1):
        right, loss = digits.train(plan, (64, 32, 10), name, 0.05, 0.1, learn, held, 0)
    assert right.mean() > 0.93 and loss < 0.3


@each_method
def test_seed(name):
    """A seed gives the same numbers again, and other seeds other ones. Weights and order are the same for all."""
    learn, choose, _ = digits.split()

    def run(seed, method=name, rate=0.02):
        return digits.train(digits.QUICK, (64, 8, 10), method, rate, 0.25, learn, choose, seed)[1]

    assert run(3) == run(3) != run(4)
    assert run(3) != run(3, "GELU" if name != "GELU" else "ReLU")
    assert run(3, rate=0) == pytest.approx(run(3, "ReLU", rate=0), abs=0.5)


def test_same_start(monkeypatch):
    """A method that draws masks, and computes as ReLU does, gives ReLU's bits: weights and order are the same."""

    class Drawing(digits.Relu):
        def forward(self, x, rng):
            if rng is not None:
                rng.random(x.shape)
            return super().forward(x, rng)

    monkeypatch.setitem(digits.METHODS, "drawing", digits.Method(Drawing, "#000000"))
    learn, choose, _ = digits.split()
    runs = [
        digits.train(digits.QUICK, (64, 8, 10), name, 0.02, 0, learn, choose, 3)[1]
        for name in ("ReLU", "drawing")
    ]
    assert runs[0] == runs[1]


# ---- choosing and judging ----


def test_same_budget():
    plan = digits.Plan()
    for of, n in (digits.QUICK, 4), (plan, 15):
        budgets = {name: digits.trials(of, name) for name in digits.METHODS}
        assert {len(set(trials)) for trials in budgets.values()} == {n}
    assert {rate for rate, _ in budgets["ReLU + dropout"]} < {rate for rate, _ in budgets["GELU"]}
    assert {dropout for _, dropout in budgets["ReLU + dropout"]} == set(plan.dropouts)


def test_choice(monkeypatch):
    """Each method gets the trial with the fewest errors on the validation part, at seeds that are not judged."""
    calls = []

    def train(plan, sizes, method, rate, dropout, learn, held, seed):
        calls.append((method, rate, len(held[1]), seed))
        assert {row.tobytes() for row in learn[0]}.isdisjoint(row.tobytes() for row in held[0])
        right = np.zeros(len(held[1]), bool)
        right[: 200 if rate == 0.02 else 199] = True
        return right, 0.0 if rate == 0.01 else 1.0  # a smaller loss does not outweigh an error

    monkeypatch.setattr(digits, "train", train)
    results = digits.experiment(digits.QUICK)
    assert {row["rate"] for row in results["rows"]} == {0.02}
    assert all(row["validation"] == pytest.approx(200 / 3) for row in results["rows"])
    chosen_by, judged = ({seed for *_, n, seed in calls if n == size} for size in (300, 597))
    assert judged == {0, 1} and chosen_by == {2}
    assert all(rate == 0.02 for _, rate, n, _ in calls if n == 597)


def test_interval():
    """With effects of seeds and of digits, 95 % of the intervals hold the true mean; fewer would by seeds alone."""
    rng = np.random.default_rng(0)
    held, by_seeds = 0, 0
    for _ in range(400):
        seeds, of_digits, noise = (
            rng.normal(size=(10, 1)),
            rng.normal(size=(1, 40)),
            rng.normal(size=(10, 40)),
        )
        differences = 0.2 * seeds + 2 * of_digits + noise
        held += abs(differences.mean()) <= digits.interval(differences)
        by_seeds += abs(differences.mean()) <= 2.26 * differences.mean(axis=1).std(ddof=1) / math.sqrt(10)
    assert 0.93 <= held / 400 <= 0.99
    assert by_seeds / 400 < 0.6


# ---- the script, and its page ----


def test_script(tmp_path):
    arguments = [sys.executable, SCRIPT, "--quick", "--write", tmp_path]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    runs = 4 * len(digits.METHODS) * 6
    assert f"| {runs}/{runs} [" in ended.stderr  # the progress bar reached its end
    assert "Warning" not in ended.stderr
    results = json.loads((tmp_path / digits.RESULTS).read_text())
    assert len(results["rows"]) == 4 * len(digits.METHODS)
    for row in results["rows"]:
        name = f"{row['network']}, {row['digits']} digits, {row['method']}"
        found = re.search(rf"^{re.escape(name)} +(\S+) +\S+ +(\S+) ± (\S+)", ended.stdout, re.MULTILINE)
        mean, difference, half_width = map(float, found.groups())
        assert mean == pytest.approx(np.mean(row["accuracy"]), abs=0.006)
        reference = next(
            other
            for other in results["rows"]
            if other["method"] == "GELU" and all(other[key] == row[key] for key in ("network", "digits"))
        )
        expected = np.mean(row["accuracy"]) - np.mean(reference["accuracy"])
        assert difference == pytest.approx(expected, abs=0.006)
        assert half_width == pytest.approx(row["interval"], abs=0.006)
    picture = (tmp_path / digits.PICTURE).read_bytes()
    assert picture.startswith(b"<?xml") and all(name.encode() in picture for name in digits.METHODS)

    (tmp_path / digits.PICTURE).unlink()
    drawn = [sys.executable, SCRIPT, "--draw", tmp_path]
    ended = subprocess.run(drawn, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0 and ended.stdout == "", ended.stderr
    assert (tmp_path / digits.PICTURE).read_bytes() == picture


def dots(svg):
    """How often each color is that of a dot."""
    colors = re.findall(r'<use xlink:href="#\w+"[^>]*style="[^"]*fill: (#\w{6})', svg)
    return {color: colors.count(color) for color in set(colors)}


def test_picture_is_that_of_the_results(tmp_path):
    results = json.loads((ROOT / digits.RESULTS).read_text())
    digits.draw(results, tmp_path / "new.svg")
    old, new = ((path).read_text() for path in (ROOT / digits.PICTURE, tmp_path / "new.svg"))
    per_method = sum(len(row["accuracy"]) for row in results["rows"]) // len(digits.METHODS)
    assert dots(old) == dots(new) == {method.color.lower(): per_method for method in digits.METHODS.values()}
    at = [
        re.findall(r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="fill', svg) for svg in (old, new)
    ]
    assert len(at[0]) == len(at[1]) > 0
    np.testing.assert_allclose(np.array(at[0], float), np.array(at[1], float), atol=1.5)


def test_what_the_page_says():
    """docs/idea/digits.md tells the results in words. Where a new run contradicts them, the words must change."""
    results = json.loads((ROOT / digits.RESULTS).read_text())
    found = {(row["method"], row["digits"], row["network"]): row for row in results["rows"]}
    small, large = map(digits.name_of, digits.Plan().networks)
    below, above = set(), set()
    for key, row in found.items():
        if abs(row["difference"]) > row["interval"]:
            (below if row["difference"] < 0 else above).add(key)
        assert abs(row["difference"]) <= row["interval"] * results["about"]["wider together"]
    assert above == {("ReLU + dropout", 100, small), ("ReLU + dropout", 100, large)}
    assert below == {
        ("PReLU", 900, small),
        ("PReLU", 900, large),
        ("ELU", 900, large),
        ("ELU", 100, large),
    }
    for method, n, network in above:
        assert 0.5 < found[method, n, network]["difference"] < 1.5
    for method in "PReLU", "ELU":
        assert -0.75 < found[method, 900, large]["difference"] < -0.5
    relu = [found["ReLU", n, network] for n in (100, 900) for network in (small, large)]
    assert all(row["interval"] < 0.4 for row in relu)
    random = [found["stochastic GELU", n, network] for n in (100, 900) for network in (small, large)]
    assert sum(row["difference"] < 0 for row in random) == 3
    dropouts = [row["dropout"] for row in results["rows"] if row["method"] == "ReLU + dropout"]
    assert sum(dropout in (0.1, 0.5) for dropout in dropouts) == 3
    rates = sorted({row["rate"] for row in results["rows"]})
    assert digits.Plan().rates[0] < rates[0] and rates[-1] < digits.Plan().rates[-1]
    assert results["about"]["wider together"] == pytest.approx(digits.widening(digits.Plan()))


def test_results_are_those_of_the_plan():
    results = json.loads((ROOT / digits.RESULTS).read_text())
    plan = json.loads(json.dumps(digits.Plan()._asdict()))
    assert {key: results["about"][key] for key in plan} == plan
    assert len(results["rows"]) == 4 * len(digits.METHODS)


@pytest.mark.parametrize("package", ["sklearn", "tqdm", "matplotlib"])
def test_names_the_extra(package):
    code = f"import runpy, sys; sys.modules[{package!r}] = None; runpy.run_path({str(SCRIPT)!r})"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPT.parent, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 1
    assert ended.stderr.endswith('This example needs an extra: pip install ".[examples]"\n')
    assert package in ended.stderr
