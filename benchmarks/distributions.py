# SPDX-License-Identifier: BSD-3-Clause
"""The data on which GELU is timed: name -> how it is drawn. A kernel may be slow on what N(0,1) does not have."""

import numpy as np

NORMAL = "N(0,1)"

# A draw takes a random generator, the number of elements, and the smallest subnormal number of the type.


def _normal(sigma):
    return lambda rng, n, tiny: sigma * rng.standard_normal(n)


def _outliers(size):
    return lambda rng, n, tiny: np.where(
        rng.random(n) < 0.01, rng.choice((-size, size), n), rng.standard_normal(n)
    )


def _all(value):
    return lambda rng, n, tiny: np.full(n, value)


def _some_subnormal(rng, n, tiny):
    return np.where(rng.random(n) < 0.1, tiny * rng.integers(1, 100, n), rng.standard_normal(n))


# Pre-activations of models: wide, with outliers, zeros or subnormal numbers.
ORDINARY = {
    "N(0,2)": _normal(2.0),
    "N(0,3)": _normal(3.0),
    "1% +-8": _outliers(8.0),
    "1% +-20": _outliers(20.0),
    "1% +-50": _outliers(50.0),
    "all 8": _all(8.0),
    "half zeros": lambda rng, n, tiny: np.where(rng.random(n) < 0.5, 0.0, rng.standard_normal(n)),
    "all zeros": _all(0.0),
    "10% subnormal": _some_subnormal,
    "t(2)": lambda rng, n, tiny: rng.standard_t(2, n),
}
EXTREME = {
    "N(0,6)": _normal(6.0),
    "U(-15,15)": lambda rng, n, tiny: rng.uniform(-15, 15, n),
    "all -10": _all(-10.0),
    "all -100": _all(-100.0),
    "all subnormal": lambda rng, n, tiny: np.full(n, 99 * tiny),
    "all NaN": _all(np.nan),
    "all inf": _all(np.inf),
    "all -inf": _all(-np.inf),
}
DISTRIBUTIONS = {NORMAL: _normal(1.0)} | ORDINARY | EXTREME
GROUPS = {
    "ordinary data": tuple(ORDINARY),
    "extreme data": tuple(EXTREME),
    "any data": tuple(DISTRIBUTIONS),
}


def draw(name, size, dtype):
    """The same numbers in each call, rounded to the type."""
    tiny = float(np.ones(1, f"u{dtype.itemsize}").view(dtype)[0])
    return DISTRIBUTIONS[name](np.random.default_rng(0), size, tiny).astype(dtype)
