# SPDX-License-Identifier: BSD-3-Clause
"""THE cases for tests of an array's path: functions, the two ways in, inputs, refused inputs, outputs; and the
comparison of two results."""

from contextlib import contextmanager
from functools import partial
from itertools import cycle

import numpy as np
import pytest

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import FORMS, UFUNCS, UNARY
from gelu_fast._functions import FUNCTIONS

every_level = pytest.mark.usefixtures("isa_level")  # for tests whose results depend on the ISA level


@contextmanager
def on_level(name):
    """Compute on this ISA level; the level of before comes back."""
    before = _core.isa_level
    _core._use_level(name)
    try:
        yield
    finally:
        _core._use_level(before)


@contextmanager
def rounded(to):
    """Round float32 as GELU_FAST_ROUNDING names it; the rounding of before comes back."""
    before = _core.rounding
    _core._use_rounding(to)
    try:
        yield
    finally:
        _core._use_rounding(before)


FLOATS = [np.float16, np.float32, np.float64]
OF_ONE_INPUT = [name for name, (function, _) in UFUNCS.items() if function in UNARY]
OF_SEVERAL = [name for name in UFUNCS if name not in OF_ONE_INPUT]


def one_form_each(names):
    """Each function in one form, the forms in turn: for tests of an array's path, which is the same for all forms."""
    functions = dict.fromkeys(UFUNCS[name][0] for name in names)
    return [f"{function}_{form}" for function, form in zip(functions, cycle(FORMS))]


def through_function(name):
    """The function that chooses the ufunc of this name, called with the ufunc's inputs. It has a path of its own for
    plain arrays."""
    function, form = UFUNCS[name]
    chooser = getattr(gelu_fast, function.removesuffix("_mu_sigma"))
    chooser = partial(chooser, approx={"exact": False}.get(form, form))
    if not function.endswith("_mu_sigma"):
        return chooser
    return lambda *inputs, **given: chooser(*inputs[:-2], mu=inputs[-2], sigma=inputs[-1], **given)


def rounded_factor(name):
    """If the ufunc multiplies its first input with the rounded result of another ufunc, that ufunc; else None."""
    function, _ = UFUNCS[name]
    times = FUNCTIONS[function].times
    return times and getattr(gelu_fast, name.replace(function, times))


WAYS_IN = {"ufunc": lambda name: getattr(gelu_fast, name), "function": through_function}


def some_inputs(name, n, dtype, seed=1):
    """Ordinary numbers; sigma is above 0."""
    rng = np.random.default_rng(seed)
    inputs = [rng.normal(0, 3, n).astype(dtype) for _ in range(getattr(gelu_fast, name).nin)]
    if "mu_sigma" in name:
        inputs[-1] = (np.abs(inputs[-1]) + 0.25).astype(dtype)
    return inputs


# Inputs that no loop takes.
REFUSED = [
    np.array([1 + 2j]),
    np.array([1 + 2j], np.complex64),
    np.array([None]),
    np.array([1.0], object),
    np.array(["1.0"]),
    np.array([b"1.0"]),
    np.array(["2026-11-23"], "datetime64[D]"),
    np.array([3], "timedelta64[s]"),
    np.array([1.0], np.longdouble),
    np.array([(1.0, 2)], "f8,i4"),
    np.array([b"x"], "V1"),
    "1.0",
    None,
    {},
]


# ---- results ----


def outputs_of(result):
    return result if isinstance(result, tuple) else (result,)


def bits(array):
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def assert_same(a, b):
    """All outputs have the same types, shapes and bits."""
    a, b = outputs_of(a), outputs_of(b)
    assert len(a) == len(b)
    for one, other in zip(a, b):
        one, other = np.asarray(one), np.asarray(other)
        assert one.dtype == other.dtype and one.shape == other.shape
        np.testing.assert_array_equal(bits(one), bits(other))


def check_places(call, x, expected):
    """Call it in place, and with outputs of several alignments: it writes nothing beside them."""
    in_place = x.copy()
    call(in_place, out=in_place)
    assert_same(in_place, expected)
    for start in (0, 1, 5, 17):
        room = np.full(x.size + 40, 7, x.dtype)
        call(x, out=room[start : start + x.size])
        assert_same(room[start : start + x.size], expected)
        assert (room[:start] == 7).all() and (room[start + x.size :] == 7).all()
