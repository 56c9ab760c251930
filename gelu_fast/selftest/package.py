# SPDX-License-Identifier: BSD-3-Clause
"""The checks call gelu_fast through these functions alone. With --control they put a small fault into one place of each
result, which every check must notice."""

from functools import partial

import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS

FORM_NAMES = {"exact": "none", "tanh": "tanh", "sigmoid": "sigmoid"}

faulty = False  # set by --control
_results = 0  # since the check began, so that two results that are compared have different faults


def begin():
    global _results
    _results = 0


def call(name, *inputs, method="__call__", **given):
    """The result of a function or ufunc, or of a method of a ufunc."""
    result = getattr(getattr(gelu_fast, name), method)(*inputs, **given)
    return _with_fault(result) if faulty else result


def call_function(ufunc, *inputs, **given):
    """The result of the function that chooses the ufunc, for the `approx` of its form. mu and sigma, the ufunc's last
    inputs, become keywords."""
    function = UFUNCS[ufunc][0]
    if function.endswith("_mu_sigma"):
        given |= {"mu": inputs[-2], "sigma": inputs[-1]}
        inputs = inputs[:-2]
    return call(function.removesuffix("_mu_sigma"), *inputs, **given)


def ways(ufunc):
    """(name, callable) of both ways in: the ufunc, and the function that chooses it, which passes plain arrays to the
    kernels without NumPy's ufunc."""
    function, form = UFUNCS[ufunc]
    approx = FORM_NAMES[form]
    by_function = partial(call_function, ufunc, approx=approx)
    return (ufunc, partial(call, ufunc)), (f"{function}, approx={approx!r}", by_function)


def n_inputs(ufunc):
    return getattr(gelu_fast, ufunc).nin


def call_in_place(name, operand, *inputs):
    """Call `ufunc.at`, which changes its operand and returns nothing."""
    getattr(gelu_fast, name).at(operand, *inputs)
    if faulty:
        _with_fault(operand)


def random_words(key, block, n_blocks):
    """Words of stochastic_gelu's generator, 64 a block."""
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
        # Among the first 1000, the element nearest to 1, as every check allows it some ULP at most.
        distance = np.abs(np.abs(array.flat[:1000].astype(np.float64)) - 1)
        at = np.where(distance == distance, distance, np.inf).argmin() if array.size > 1 else 0
        array.flat[at] = _changed(array.flat[at])
    return array if isinstance(result, np.ndarray) else array[()]


def _changed(number):
    """A number some units of the last place further from zero; the other bool; 1 in place of NaN."""
    if isinstance(number, np.bool):
        return ~number
    if number != number:
        return type(number)(1)
    one = np.array([number], number.dtype.newbyteorder("="))
    one.view(f"u{one.itemsize}")[0] += np.uint8(2 + _results % 5)
    return one[0]
