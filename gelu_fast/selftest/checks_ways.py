# SPDX-License-Identifier: BSD-3-Clause
"""Ways in: however a function is called, it gives what its ufunc gives for arrays of one type. It is called with each
spelling of a form and with none, with mu or sigma alone, with one array for both halves, and with other types, kinds
and shapes of operands."""

from functools import partial

import numpy as np

from gelu_fast._bounds import UFUNCS
from gelu_fast.selftest import package
from gelu_fast.selftest.checks_arrays import mixed_inputs
from gelu_fast.selftest.formats import formats
from gelu_fast.selftest.judge import outputs_of

SPELLINGS = {"exact": (False, "none"), "tanh": (True, "tanh"), "sigmoid": ("sigmoid",)}
INTEGERS = "bool", "int8", "uint8", "int16", "uint16", "int32", "int64"
MANY = 101, 103  # rows and columns


def ways_in(ufunc, check):
    function, form = UFUNCS[ufunc]
    for name in ("float32", "float64"):
        (format,) = formats()[name]
        inputs = mixed_inputs(ufunc, format, 24)
        want = package.call(ufunc, *inputs)
        text = f"{function} {name}, {{}}"
        for approx in SPELLINGS[form]:
            got = package.call_function(ufunc, *inputs, approx=approx)
            check.same(text.format(f"approx={approx!r}"), inputs, got, want)
        if form == "exact":
            check.same(text.format("no approx"), inputs, package.call_function(ufunc, *inputs), want)
        for called, call in package.ways(ufunc):
            text = f"{called} {name}, {{}}"
            _shapes(text, call, ufunc, format, check)
            _types(text, call, ufunc, inputs, check)
    (float64,) = formats()["float64"]
    inputs = mixed_inputs(ufunc, float64, 24)
    for called, call in package.ways(ufunc):
        _python_numbers(f"{called}, {{}}", call, ufunc, inputs, check)
        _integers(f"{called}, {{}}", call, ufunc, check)
    if function == "geglu":
        _halves(ufunc, check)
    if function.endswith("_mu_sigma"):
        _location_or_scale(ufunc, inputs, check)


def _shapes(text, call, ufunc, format, check):
    """Empty arrays, and more rows and columns than small arrays have."""
    n_inputs = package.n_inputs(ufunc)
    for shape in ((0,), (3, 0, 2)):
        empty = np.empty(shape, format.dtype)
        for y in outputs_of(call(*[empty] * n_inputs)):
            check.same(text.format(f"shape {shape}"), [], y, empty)
    few = mixed_inputs(ufunc, format, MANY[0])
    column = [y[:, None] for y in outputs_of(package.call(ufunc, *few))]
    want = tuple(np.repeat(y, MANY[1], axis=1) for y in column)
    inputs = [np.repeat(x[:, None], MANY[1], axis=1) for x in few]
    check.same(text.format(f"shape {MANY}"), inputs, outputs_of(call(*inputs)), want)
    turned = outputs_of(call(*[x.T for x in inputs]))
    check.same(text.format("transposed"), inputs, tuple(y.T for y in turned), want)


def _types(text, call, ufunc, inputs, check):
    """dtype= and casting; one input in float16; one input that is a Python number, which takes the others' type."""
    mine = inputs[0].dtype
    for other in {np.dtype(np.float32), np.dtype(np.float64)} - {mine}:
        want = package.call(ufunc, *[x.astype(other) for x in inputs])
        got = call(*inputs, dtype=other, casting="same_kind")
        check.same(text.format(f"dtype={other}"), inputs, got, want)
    if len(inputs) == 1:
        return
    for i, x in enumerate(inputs):
        half = x.astype(np.float16)
        want = package.call(ufunc, *inputs[:i], half.astype(mine), *inputs[i + 1 :])
        got = call(*inputs[:i], half, *inputs[i + 1 :])
        check.same(text.format(f"input {i} of float16"), inputs, got, want)
        want = package.call(ufunc, *inputs[:i], np.full_like(x, 1.5), *inputs[i + 1 :])
        got = call(*inputs[:i], 1.5, *inputs[i + 1 :])
        check.same(text.format(f"input {i} is 1.5"), inputs, got, want)


def _python_numbers(text, call, ufunc, inputs, check):
    lists = [x.tolist() for x in inputs]
    check.same(text.format("lists"), inputs, call(*lists), package.call(ufunc, *inputs))
    for numbers in zip(*lists):
        want = package.call(ufunc, *map(np.float64, numbers))
        check.same(text.format("Python numbers"), numbers, call(*numbers), want)


def _integers(text, call, ufunc, check):
    """Integers are promoted as numpy.exp promotes them."""
    rng = np.random.default_rng(8)
    for name in INTEGERS:
        inputs = [rng.integers(1, 5, 24).astype(name) for _ in range(package.n_inputs(ufunc))]
        promoted = np.exp(inputs[0]).dtype
        want = package.call(ufunc, *[x.astype(promoted) for x in inputs])
        check.same(text.format(name), inputs, call(*inputs), want)


def _halves(ufunc, check):
    """One array in place of two: its second half is the gate, the first is what GELU of the gate multiplies."""
    (float32,) = formats()["float32"]
    (x,) = mixed_inputs(ufunc, float32, 4 * 6 * 8)[:1]
    for shape, axis in (((192,), -1), ((24, 8), -1), ((24, 8), 0), ((4, 6, 8), 1), ((4, 6, 8), -3)):
        both = x.reshape(shape)
        up, gate = np.split(both, 2, axis=axis)
        want = package.call(ufunc, gate.copy(), up.copy())
        for approx in SPELLINGS[UFUNCS[ufunc][1]]:
            got = package.call("geglu", both, axis=axis, approx=approx)
            check.same(f"geglu of one array of shape {shape}, axis={axis}", [gate, up], got, want)
    if UFUNCS[ufunc][1] == "exact":
        want = package.call(ufunc, x[96:], x[:96])
        check.same("geglu of one array alone", [x[96:], x[:96]], package.call("geglu", x), want)


def _location_or_scale(ufunc, inputs, check):
    """mu or sigma alone, as an array and as a number; the other has its default."""
    function, form = UFUNCS[ufunc]
    name, approx = function.removesuffix("_mu_sigma"), SPELLINGS[form][-1]
    *others, mu, sigma = inputs
    for of_mu, of_sigma in ((mu, sigma), (np.float64(0.75), np.float64(1.25))):
        for given in ({"mu": of_mu}, {"sigma": of_sigma}):
            operands = [*others, given.get("mu", np.float64(0)), given.get("sigma", np.float64(1))]
            got = package.call(name, *others, approx=approx, **given)
            check.same(f"{name}, {', '.join(given)} alone", operands, got, package.call(ufunc, *operands))


def checks(ufuncs, options):
    for ufunc in ufuncs:
        yield "ways in", ufunc, "", partial(ways_in, ufunc)
