# SPDX-License-Identifier: BSD-3-Clause
"""The calls of gelu_fast that are timed: functions, forms and types, as a user calls them. peers.py adds what others
have; compare.py imports this beside an older gelu_fast, so nothing here needs a private name of it."""

from functools import lru_cache

import numpy as np

import gelu_fast

FORMS = ("exact", "tanh", "sigmoid")
DTYPES = ("float32", "float64", "float16", "bfloat16")
# Other functions by the names of their cases, exact unless the name has a form: function, types.
MORE = {
    "gate": ("gelu_gate", ("float32", "float64")),
    "grad": ("gelu_grad", ("float32", "float64")),
    "grad, tanh": ("gelu_grad", ("float32", "float64")),
    "backward": ("gelu_backward", ("float32", "float64", "bfloat16")),
    "backward, tanh": ("gelu_backward", ("float32", "float64", "bfloat16")),
    "bias": ("bias_gelu", ("float32",)),
    "geglu": ("geglu", ("float32",)),
    "geglu backward": ("geglu_backward", ("float32",)),
    "mu, sigma": ("gelu", ("float32",)),
    "gate, mu, sigma": ("gelu_gate", ("float32",)),
    "grad, mu, sigma": ("gelu_grad", ("float32",)),
    "backward, mu, sigma": ("gelu_backward", ("float32",)),
    "stochastic": ("stochastic_gelu", ("float32",)),
}
# Timed on each of distributions.py's data, in all types.
ON_DATA = (*FORMS, "gate", "grad", "backward", "bias", "geglu", "geglu backward")
MU_SIGMA = tuple(form for form in MORE if form.endswith("mu, sigma"))
INPUTS = {"gelu_backward": ("dy", "x"), "geglu": ("x", "up"), "geglu_backward": ("dy", "x", "up")}
UNITS = 3072  # elements of a bias, and of a row of x
APPROX = {"tanh": True, "sigmoid": "sigmoid", "grad, tanh": True, "backward, tanh": True}


@lru_cache(maxsize=2)
def _drawn(size, dtype):
    return np.random.default_rng(1).standard_normal(size, "float32").astype(dtype)


def other(x):
    """The incoming gradient, or the other input: the same array for all peers."""
    return _drawn(x.size, x.dtype)


def size_on_data(form):
    """The size at which data are compared: of a bias, rows of as many elements or nearly."""
    return 21 * UNITS if form == "bias" else 65536


def rows(x):
    return None if x is None else x.reshape(-1, UNITS)


def ours(form, x, y):
    """gelu_fast's function, called as a user calls it: a keyword by way of partial() or *args takes 100 to 200 ns
    more."""
    name, _ = MORE.get(form, ("gelu", ()))
    gelu, approx = getattr(gelu_fast, name), APPROX.get(form, False)
    if form == "stochastic":
        rng = np.random.default_rng(0)
        return lambda: gelu(x, rng, out=y)
    if form == "bias":
        x, y, bias = rows(x), rows(y), other(x)[:UNITS]
        return lambda: gelu(x, bias, out=y)
    inputs = [x if of == "x" else other(x) for of in INPUTS.get(name, ("x",))]
    if form in MU_SIGMA:
        return lambda: gelu(*inputs, mu=0.25, sigma=1.5, out=y)
    if len(inputs) == 3:
        dy, gate, up = inputs
        both = None if y is None else (y, np.empty_like(y))
        return lambda: gelu(dy, gate, up, approx, out=both)[0]
    if len(inputs) == 2:
        first, second = inputs
        return lambda: gelu(first, second, approx, out=y)
    if approx is False:
        return (lambda: gelu(x)) if y is None else lambda: gelu(x, out=y)
    return (lambda: gelu(x, approx)) if y is None else lambda: gelu(x, approx, out=y)
