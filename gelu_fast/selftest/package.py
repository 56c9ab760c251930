# SPDX-License-Identifier: BSD-3-Clause
"""The one door through which the checks reach gelu_fast. With --control each result comes back with a fault, small and
in one place; every check must notice it."""

from functools import partial

import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS

FORM_NAMES = {"exact": "none", "tanh": "tanh", "sigmoid": "sigmoid"}

faulty = False  # set by --control
_results = 0  # since the check began: two results that are compared must not have the same fault


def begin():
    global _results
    _results = 0


def call(name, *inputs, method="__call__", **given):
    """The result of a function or ufunc, or of a method of a ufunc."""
    result = getattr(getattr(gelu_fast, name), method)(*inputs, **given)
    return _with_fault(result) if faulty else result


def call_function(ufunc, *inputs, **given):
    """By the function that chooses the ufunc, whose form `approx` tells; location and scale by their names."""
    function = UFUNCS[ufunc][0]
    if function.endswith("_mu_sigma"):
        given |= {"mu": inputs[-2], "sigma": inputs[-1]}
        inputs = inputs[:-2]
    return call(function.removesuffix("_mu_sigma"), *inputs, **given)


def ways(ufunc):
    """The ways in, and what they are called: the ufunc, and the function that chooses it, which has a shorter way for
    plain arrays."""
    function, form = UFUNCS[ufunc]
    approx = FORM_NAMES[form]
    by_function = partial(call_function, ufunc, approx=approx)
    return (ufunc, partial(call, ufunc)), (f"{function}, approx={approx!r}", by_function)


def n_inputs(ufunc):
    return getattr(gelu_fast, ufunc).nin


def call_in_place(name, operand, *inputs):
    """`ufunc.at`, which returns nothing."""
    getattr(gelu_fast, name).at(operand, *inputs)
    if faulty:
        _with_fault(operand)


def random_words(key, block, n_blocks):
    """64 words a block of the generator of stochastic_gelu."""
    words = _core._random_words(key, block, n_blocks)
    return _with_fault(words) if faulty else words


def docstring(name):
    text = getattr(gelu_fast, name).__doc__
    return text.translate(str.maketrans("0123456789", "1234567890")) if faulty else text


def _with_fault(result):
    if isinstance(result, tuple):
        return tuple(_with_fault(each) for each in result)
    global _results
    _results += 1
    array = result if isinstance(result, np.ndarray) else np.array(result)
    if array.size:
        # Of the first ones, the element nearest to 1, which no check allows more than some ULP.
        distance = np.abs(np.abs(array.flat[:1000].astype(np.float64)) - 1)
        at = np.where(distance == distance, distance, np.inf).argmin() if array.size > 1 else 0
        array.flat[at] = _changed(array.flat[at])
    return array if isinstance(result, np.ndarray) else array[()]


def _changed(number):
    """Some units of the last place further from zero; another truth value; a number for NaN."""
    if isinstance(number, np.bool):
        return ~number
    if number != number:
        return type(number)(1)
    one = np.array([number], number.dtype.newbyteorder("="))
    one.view(f"u{one.itemsize}")[0] += np.uint8(2 + _results % 5)
    return one[0]
