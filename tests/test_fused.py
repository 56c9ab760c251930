# SPDX-License-Identifier: BSD-3-Clause
"""Functions of several inputs: gelu_backward, bias_gelu, geglu, geglu_backward, and those with location and scale."""

from functools import partial
from itertools import product

import dask.array as da
import numpy as np
import oracle
import pandas as pd
import pytest
import xarray as xr
from accuracy import WORKING, composed_balls, errors_of, judge, wide_inputs
from cases import (
    FLOATS,
    OF_SEVERAL,
    WAYS_IN,
    assert_same,
    every_level,
    one_form_each,
    outputs_of,
    rounded_factor,
    some_inputs,
    through_function,
)
from curves import curves_of

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS
from gelu_fast._functions import FUNCTIONS

every_form = pytest.mark.parametrize("name", OF_SEVERAL)


@pytest.fixture(params=one_form_each(OF_SEVERAL))
def name(request):
    return request.param


@pytest.fixture(params=WAYS_IN)
def call(request, name):
    return WAYS_IN[request.param](name)


# ---- accuracy ----


@every_level
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@every_form
def test_accuracy(name, dtype, report):
    inputs = wide_inputs(name, 200_000, dtype, 5)
    working = WORKING[np.dtype(dtype).name]
    if rounded := rounded_factor(name):  # to the working type
        wide = [x.astype(working) for x in inputs]
        grad = rounded(*wide[1:])
        exact = [(np.float64(wide[0]) * grad, np.ones(grad.shape), np.ones(grad.shape))]
    else:
        exact = oracle.composed(name, inputs, working)
    results = outputs_of(getattr(gelu_fast, name)(*inputs))
    for output, (got, (value, factor, larger)) in enumerate(zip(results, exact, strict=True)):
        assert got.dtype == dtype
        keep = np.isfinite(value)
        may_be_zero = np.abs(factor) < float(np.finfo(working).smallest_subnormal) / 2
        errors = errors_of(name, got, value, 0.0, 0, may_be_zero, inputs, dtype, larger, output)[keep]
        kept = [x[keep] for x in inputs]
        judge(name, got[keep], errors, kept, report)
        # Infinity times a factor that counts as zero may be NaN.
        assert ((np.isnan(got) == np.isnan(value)) | may_be_zero).all()


@every_level
@every_form
def test_accuracy_float64(name, report):
    inputs = wide_inputs(name, 2_000, np.float64, 6)
    results = outputs_of(getattr(gelu_fast, name)(*inputs))
    if rounded := rounded_factor(name):
        grad = rounded(*inputs[1:])
        with np.errstate(over="ignore", under="ignore"):
            np.testing.assert_array_equal(results[0], inputs[0] * grad)
        return
    z, outputs = oracle.terms(name, inputs, np.float64)
    finite = np.isfinite(z) & np.all([np.isfinite(part) for output in outputs for part in output], axis=0)
    inputs = [x[finite] for x in inputs]
    larger = [larger for _, _, larger in oracle.composed(name, inputs, np.float64)]
    for output, (high, low, shift, may_be_zero) in enumerate(composed_balls(name, inputs)):
        got = results[output][finite]
        rest = (low, shift, may_be_zero > 0, inputs, np.float64, larger[output], output)
        errors = errors_of(name, got, high, *rest)
        judge(name, got, errors, inputs, report)


@every_level
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_form
def test_special_values(name, dtype):
    """Where an input is zero, infinite or NaN, the result is that of the composition in NumPy, including the signs of
    zeros; but it is never a NaN that GELU does not make."""
    info = np.finfo(dtype)
    values = [
        0.0,
        -0.0,
        1.5,
        -1.5,
        np.inf,
        -np.inf,
        np.nan,
        3 * info.tiny,
        -7 * info.tiny,
        30.0,
        -30.0,
    ]
    values += [float(info.max), -float(info.max)]
    ufunc = getattr(gelu_fast, name)
    inputs = [np.array(x, dtype) for x in zip(*product(values, repeat=ufunc.nin if ufunc.nin < 4 else 3))]
    if ufunc.nin == 4:
        inputs.append(np.full_like(inputs[0], 2))
    function, form = UFUNCS[name]
    form = {"exact": False}.get(form, form)
    gate_of = partial(gelu_fast.gelu_gate, approx=form)
    with np.errstate(all="ignore"):
        if not function.endswith("_mu_sigma"):
            z, outputs = oracle.terms(name, inputs, dtype)
            of_one = [getattr(gelu_fast, f"gelu_{curve}")(z.astype(dtype)) for curve in curves_of(name)]
            want = [a.astype(dtype) * y for (a, *_), y in zip(outputs, of_one)]
        else:
            *dy, x, mu, sigma = inputs
            distance, scale = x - mu, np.where(sigma > 0, sigma, np.nan)
            z = np.where(np.isinf(distance), distance * scale, distance / scale)
            gate = gate_of(z)
            want = {
                "gelu_mu_sigma": np.where((gate == 0) & (x < 0), -0.0, x * gate),
                "gelu_gate_mu_sigma": gate,
            }
            want = [want.get(function)]
    got = outputs_of(ufunc(*inputs))
    for one, other in zip(got, want):
        if other is None:  # the derivative: its NaNs and its limits alone
            rounded = rounded_factor(name)
            grad = rounded(*inputs[1:]) if rounded else one
            assert (np.isnan(grad) == np.isnan(z)).all()
            np.testing.assert_array_equal(grad[np.isneginf(z)], 0)
            np.testing.assert_array_equal(grad[np.isposinf(z)], 1)
            continue
        other = other.astype(dtype)
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
        number = ~np.isnan(one)
        np.testing.assert_array_equal(np.isinf(one), np.isinf(other))
        np.testing.assert_array_equal(np.signbit(one[number]), np.signbit(other[number]))
        np.testing.assert_allclose(
            one[number], other[number], rtol=4 * info.eps, atol=4 * info.smallest_subnormal
        )


@every_level
@every_form
def test_no_warning(name):
    """np.errstate raises an error for each warning, so the call is enough."""
    inputs = wide_inputs(name, 1000, np.float32, 3)
    with np.errstate(all="raise"):
        getattr(gelu_fast, name)(*inputs)


# ---- location and scale ----


@every_level
@pytest.mark.parametrize("function", ["gelu", "gelu_gate", "gelu_grad", "gelu_backward"])
@pytest.mark.parametrize("approx", [False, "tanh", "sigmoid"])
def test_defaults_of_location_and_scale(function, approx):
    chooser = getattr(gelu_fast, function)
    inputs = some_inputs("gelu_backward_erf", 1000, np.float32)
    inputs = inputs if function == "gelu_backward" else inputs[1:]
    plain = chooser(*inputs, approx)
    assert_same(chooser(*inputs, approx, mu=0, sigma=1.0), plain)
    ones = np.ones(1000, np.float32)
    np.testing.assert_allclose(chooser(*inputs, approx, mu=ones - 1, sigma=ones), plain, rtol=3e-7, atol=3e-7)


@pytest.mark.parametrize("function", ["gelu", "gelu_gate", "gelu_grad", "gelu_backward"])
@pytest.mark.parametrize(
    "sigma", [0, 0.0, -1.0, np.nan, np.float32(-2), np.array([1.0, 0.0, 2.0]), [1.0, np.nan, 1.0]]
)
def test_sigma_must_be_above_zero(function, sigma):
    chooser = getattr(gelu_fast, function)
    x, out = np.ones(3), np.full(3, 7.0)
    inputs = (x, x) if function == "gelu_backward" else (x,)
    with pytest.raises(ValueError, match="sigma must be above 0"):
        chooser(*inputs, sigma=sigma, out=out)
    assert (out == 7.0).all()


@every_level
def test_the_ufunc_gives_nan_for_such_a_sigma():
    for sigma in (0.0, -0.0, -1.0, np.nan):
        for function in ("gelu", "gelu_gate", "gelu_grad"):
            assert np.isnan(getattr(gelu_fast, f"{function}_mu_sigma_erf")(1.0, 0.0, sigma))


@every_level
@pytest.mark.parametrize("approx", [False, "tanh", "sigmoid"])
def test_small_sigma_is_relu(approx):
    x = np.concatenate([-np.logspace(-3, 2, 500), np.logspace(-3, 2, 500)])
    y = gelu_fast.gelu(x, approx, sigma=1e-6)
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(gelu_fast.gelu_grad(x, approx, sigma=1e-6), x > 0)


def test_sigma_of_xarray_is_looked_into():
    with pytest.raises(ValueError, match="sigma must be above 0"):
        gelu_fast.gelu(np.ones(2), sigma=xr.DataArray([-1.0, 1.0], dims="x"))


@pytest.mark.parametrize("dtype", ["i1", "f2", "f4", "f8"])
def test_a_default_does_not_change_the_type(dtype):
    x = np.ones(3, dtype)
    for given in (dict(mu=1), dict(sigma=2), dict(mu=1, sigma=2)):
        assert gelu_fast.gelu(x, **given).dtype == gelu_fast.gelu(x).dtype


def test_location_and_scale_are_broadcast():
    x, mu = np.random.default_rng(1).normal(size=(4, 5)), np.arange(5.0)
    sigma = np.array([[1.0], [0.5], [2.0], [3.0]])
    y = gelu_fast.gelu(x, mu=mu, sigma=sigma)
    for i, j in np.ndindex(x.shape):
        assert y[i, j] == gelu_fast.gelu(x[i, j], mu=mu[j], sigma=sigma[i, 0])
    lazy = gelu_fast.gelu(da.from_array(x, chunks=2), mu=mu, sigma=sigma)
    np.testing.assert_array_equal(lazy.compute(), y)
    of_lazy = gelu_fast.gelu(x, sigma=da.from_array(-sigma, chunks=2))  # a lazy sigma is not checked
    assert np.isnan(of_lazy.compute()).all()
    assert gelu_fast.gelu(x.astype("f4"), mu=0.5).dtype == np.float32
    assert gelu_fast.gelu(x.astype("f2"), sigma=2).dtype == np.float16


# ---- halves ----


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_geglu_of_one_array(axis):
    x = np.random.default_rng(1).normal(size=(4, 6, 8)).astype(np.float32)
    up, gate = np.split(x, 2, axis)
    for approx in (False, "tanh", "sigmoid"):
        assert_same(gelu_fast.geglu(x, approx=approx, axis=axis), gelu_fast.geglu(gate, up, approx))
    out = np.empty(up.shape, np.float32)
    assert gelu_fast.geglu(x, axis=axis, out=out) is out
    assert_same(out, gelu_fast.geglu(gate, up))
    lazy = gelu_fast.geglu(da.from_array(x, chunks=(2, 2, 2)), axis=axis)
    np.testing.assert_array_equal(lazy.compute(), out)


def test_geglu_halves_are_torchs():
    """The first half is multiplied by GELU of the second."""
    assert gelu_fast.geglu([3.0, 1.0]) == 3 * gelu_fast.gelu(1.0)
    assert gelu_fast.geglu(np.array([1, 2, 3, 4])).dtype == np.float64


def test_geglu_of_lists_and_masked_arrays():
    values = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert_same(gelu_fast.geglu(values.tolist()), gelu_fast.geglu(values))
    masked = gelu_fast.geglu(np.ma.masked_greater(values, 3))
    assert masked.mask.tolist() == [[False, True]]


@pytest.mark.parametrize("up", [True, False, "tanh", np.str_("tanh")])
def test_approx_in_the_place_of_up(up):
    with pytest.raises(TypeError, match="approx is given by its name"):
        gelu_fast.geglu(np.ones(4), up)


@pytest.mark.parametrize("up", [np.False_, np.True_, np.array(True), np.array([True, False, True, True])])
def test_booleans_of_numpy_are_numbers(up):
    gate = np.random.default_rng(1).normal(size=4).astype(np.float32)
    for approx in (False, "tanh", "sigmoid"):
        assert_same(
            gelu_fast.geglu(gate, up, approx), gelu_fast.geglu(gate, np.asarray(up, np.float32), approx)
        )
    assert_same(gelu_fast.geglu(up, gate), gelu_fast.geglu(np.asarray(up, np.float32), gate))


@pytest.mark.parametrize("function", [name for name, row in FUNCTIONS.items() if row.call])
def test_signature(function):
    """signature= works as for a ufunc, with letters or with types."""
    ufunc = getattr(gelu_fast, f"{function}_erf")
    n_in, letters = ufunc.nin, f"{'f' * ufunc.nin}->{'f' * ufunc.nout}"
    chooser, inputs = getattr(gelu_fast, function), some_inputs("gelu_mu_sigma_erf", 20, np.float64)[:n_in]
    want = outputs_of(chooser(*(x.astype(np.float32) for x in inputs)))
    types = tuple(np.float32 if c == "f" else None for c in letters.replace("->", ""))
    for signature in (letters, types, (*types[:n_in], *(None for _ in want))):
        assert_same(chooser(*inputs, signature=signature), want)
    for y in outputs_of(chooser(*inputs, signature=None)):
        assert y.dtype == np.float64
    out = [np.full(20, 7.0) for _ in want]
    for wrong in ("F->F", letters.replace("f", "F"), "g", "", 3):
        with pytest.raises((ValueError, TypeError)):
            chooser(*inputs, signature=wrong, out=out[0] if len(out) == 1 else tuple(out))
    with pytest.raises(TypeError):
        chooser(*inputs, signature=letters, dtype=np.float32)
    with pytest.raises(TypeError):
        chooser(*inputs, signature=letters, casting="safe")
    assert all((y == 7).all() for y in out)


@pytest.mark.parametrize("function", ["gelu", "gelu_gate", "gelu_grad"])
def test_signature_with_location_and_scale(function):
    x = np.linspace(-3, 3, 20)
    y = getattr(gelu_fast, function)(x, mu=0.25, sigma=2, signature="fff->f")
    assert_same(y, getattr(gelu_fast, function)(x.astype(np.float32), mu=0.25, sigma=2))


def test_geglu_of_no_halves():
    out = np.full(2, 7.0)
    with pytest.raises(ValueError, match="axis 0 of length 3 has no halves"):
        gelu_fast.geglu(np.ones(3), out=out)
    with pytest.raises(np.exceptions.AxisError):
        gelu_fast.geglu(np.ones((2, 2)), axis=2, out=out)
    with pytest.raises(np.exceptions.AxisError):
        gelu_fast.geglu(1.0)
    assert (out == 7.0).all()


# ---- arrays of any shape and layout ----

LAYOUTS = {
    "bias": lambda x, i: x[:, :] if i == 0 else x[0],
    "column": lambda x, i: x[:, :] if i == 0 else x[:, :1],
    "rows that do not join": lambda x, i: x[:, : x.shape[1] // 2] if i == 0 else x[:, x.shape[1] // 2 :],
    "transposed": lambda x, i: x.T if i == 0 else np.asfortranarray(x).T,
    "strided": lambda x, i: x[::2, ::3] if i == 0 else x[1::2, 2::3] if x.shape[1] % 3 == 0 else x[::2, ::3],
    "reversed": lambda x, i: x[::-1, ::-1] if i == 0 else x,
    "scalar": lambda x, i: x if i == 0 else x[0, 0],
    "0-d": lambda x, i: x if i == 0 else x[0, 0].reshape(()),
    "one row": lambda x, i: x[:1] if i == 0 else x,
    "row times column": lambda x, i: x[:1] if i == 0 else x[:, :1],
    "empty": lambda x, i: x[:0] if i == 0 else x[0],
}


@every_level
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_layouts(name, call, dtype, layout):
    """Every element depends on its own inputs alone."""
    shape = (30, 48)
    inputs = [x.reshape(shape) for x in some_inputs(name, shape[0] * shape[1], dtype)]
    operands = [LAYOUTS[layout](x, i) for i, x in enumerate(inputs)]
    whole = [np.ascontiguousarray(x) for x in np.broadcast_arrays(*operands)]
    want = tuple(y.reshape(whole[0].shape) for y in outputs_of(call(*(x.ravel() for x in whole))))
    got = outputs_of(call(*operands))
    assert_same(got, want)
    for y, like in zip(got, outputs_of(np.add(operands[0], operands[1]))):
        assert y.strides == like.strides or layout == "strided"
    room = [np.full((want[0].shape[0] * 2, want[0].shape[1] * 2), 9.0, dtype) for _ in want]
    for step in (1, 2):
        out = [r[::step, ::step][: want[0].shape[0], : want[0].shape[1]] for r in room]
        given = out[0] if len(out) == 1 else tuple(out)
        for result, y in zip(outputs_of(call(*operands, out=given)), out):
            assert result is y
        assert_same(tuple(out), want)
        for r, y in zip(room, out):
            y[...] = 9
            assert (r == 9).all()


@every_level
def test_one_element_at_a_time(name, call):
    inputs = some_inputs(name, 50, np.float32)
    whole = outputs_of(call(*inputs))
    for i in range(50):
        single = outputs_of(call(*(x[i] for x in inputs)))
        assert_same(single, tuple(y[i] for y in whole))


@every_level
@pytest.mark.parametrize("dtype", FLOATS)
def test_in_place(name, call, dtype):
    """The output may be any of the inputs."""
    for n in (1, 17, 1000, 100_001):
        n_in = getattr(gelu_fast, name).nin
        want = outputs_of(call(*some_inputs(name, n, dtype)))
        for i in range(n_in):
            inputs = some_inputs(name, n, dtype)
            out = [inputs[(i + j) % n_in] for j in range(len(want))]
            call(*inputs, out=out[0] if len(out) == 1 else tuple(out))
            assert_same(tuple(out), want)


@every_level
@pytest.mark.parametrize("shift", [1, 16, 5000])
def test_overlap(name, call, threads, shift):
    """Each output in turn overlaps the last input; it begins before that input or after it."""
    n = 70_000
    for forward, overlapping in product((True, False), range(getattr(gelu_fast, name).nout)):
        inputs = some_inputs(name, n, np.float32)
        base = np.concatenate([inputs[-1], inputs[-1][:shift]])
        x, out = (base[shift:], base[:-shift]) if forward else (base[:-shift], base[shift:])
        want = outputs_of(call(*inputs[:-1], x.copy()))
        outs = [out if i == overlapping else np.empty(n, np.float32) for i in range(len(want))]
        call(*inputs[:-1], x, out=outs[0] if len(outs) == 1 else tuple(outs))
        assert_same(tuple(outs), want)


@every_level
def test_an_output_that_meets_itself(name, threads):
    """Rows of windows overlap: the functions leave them to the ufunc, which computes one row after the other."""
    base = some_inputs(name, 60_000, np.float32)[0]
    n_out = getattr(gelu_fast, name).nout
    results = []
    for call in (getattr(gelu_fast, name), through_function(name)):
        rooms = [base.copy() for _ in range(n_out)]
        windows = [
            np.lib.stride_tricks.sliding_window_view(room, 1000, writeable=True)[:40] for room in rooms
        ]
        inputs = [windows[0], *(np.abs(base[:1000]) + 1 for _ in range(getattr(gelu_fast, name).nin - 1))]
        call(*inputs, out=windows[0] if n_out == 1 else tuple(windows))
        results.append(tuple(rooms))
    assert_same(*results)


@every_level
def test_threads(name, call, threads, stream_from):
    """Results are the same with any number of threads, for rows and pieces, written past the cache or not."""
    shape = (41, 3001)
    inputs = [x.reshape(shape) for x in some_inputs(name, shape[0] * shape[1], np.float32)]
    inputs = [x if i == 0 else x[0] for i, x in enumerate(inputs)]
    parts = [outputs_of(call(*(x[i] if x.ndim == 2 else x for x in inputs))) for i in range(shape[0])]
    want = tuple(np.stack(part) for part in zip(*parts))
    assert_same(outputs_of(call(*inputs)), want)
    out = [np.empty(shape, np.float32) for _ in want]
    call(*inputs, out=out[0] if len(out) == 1 else tuple(out))
    assert_same(tuple(out), want)
    room = [np.full((shape[0] + 1, shape[1] + 7), 9.0, np.float32) for _ in want]
    out = [r[1:, 1 : 1 + shape[1]] for r in room]
    call(*inputs, out=out[0] if len(out) == 1 else tuple(out))
    assert_same(tuple(out), want)
    for r in room:
        assert (r[0] == 9).all() and (r[:, 0] == 9).all() and (r[:, 1 + shape[1] :] == 9).all()


def test_rows_are_written_past_the_cache():
    """The rows of a call with a bias are streamed like those of one contiguous piece."""
    x, bias = np.ones((64, 1024), np.float32), np.ones(1024, np.float32)
    out = np.empty_like(x)
    before, count = _core._stream_from(0), _core._streamed()
    try:
        gelu_fast.bias_gelu(x, bias, out=out)
    finally:
        _core._stream_from(before)
    assert _core._streamed() == count + 1


# ---- types, errors, other libraries ----


@every_form
def test_types(name):
    ufunc = getattr(gelu_fast, name)
    letters = ["".join([c * ufunc.nin, "->", c * ufunc.nout]) for c in "efd"]
    assert ufunc.types == letters
    assert ufunc.nout == (2 if "geglu_backward" in name else 1)


@pytest.mark.parametrize("chars", ["fd", "ef", "if", "ee", "id", "?e", "df"])
def test_promotion(name, call, chars):
    inputs = some_inputs(name, 20, np.float64)
    inputs = [np.abs(x).clip(1).astype(chars[min(i, 1)]) for i, x in enumerate(inputs)]
    common = np.result_type(*inputs)
    if common.kind in "bi":
        common = np.exp(np.zeros(1, common)).dtype
    want = call(*(x.astype(common) for x in inputs))
    assert_same(call(*inputs), want)


def test_python_numbers(name, call):
    """A Python number takes the array's type, as everywhere in NumPy."""
    for dtype in FLOATS:
        inputs = some_inputs(name, 20, dtype)
        for number in (1, 2.5):
            filled = [np.full(20, number, dtype) for _ in inputs[1:]]
            assert_same(call(inputs[0], *[number] * len(filled)), call(inputs[0], *filled))


@pytest.mark.parametrize("bad", ["shape", "integer", "readonly", "list", "inputs", "complex"])
def test_errors_leave_out_alone(name, call, bad):
    inputs = some_inputs(name, 12, np.float64)
    n_out = getattr(gelu_fast, name).nout
    room = [np.full(12, 7.0) for _ in range(n_out)]
    out = list(room)
    error = TypeError
    if bad == "shape":
        out[0], error = room[0][:-1], ValueError
    elif bad == "integer":
        out[0] = room[0].view(np.int64)
    elif bad == "readonly":
        out[0] = room[0].view()
        out[0].flags.writeable = False
        error = ValueError
    elif bad == "list":
        out[0] = room[0].tolist()
    elif bad == "inputs":
        inputs[0], error = inputs[0][:-1], ValueError
    else:
        inputs[0] = inputs[0] + 1j
    with pytest.raises(error):
        call(*inputs, out=out[0] if n_out == 1 else tuple(out))
    assert all((r == 7.0).all() for r in room)


def test_bad_approx():
    x, out = np.ones(3), np.full(3, 7.0)
    for chooser in (gelu_fast.gelu_backward, gelu_fast.bias_gelu, gelu_fast.geglu):
        with pytest.raises(ValueError, match="approx must be"):
            chooser(x, x, "erf", out=out)
    with pytest.raises(ValueError, match="approx must be"):
        gelu_fast.geglu_backward(x, x, x, None, out=(out, out.copy()))
    with pytest.raises(ValueError, match="approx must be"):
        gelu_fast.geglu(np.ones(4), approx=1, out=out[:2])
    assert (out == 7.0).all()


def test_where_and_casting(name, call):
    inputs = some_inputs(name, 40, np.float64)
    where = np.arange(40) % 3 == 0
    want = outputs_of(call(*inputs))
    out = [np.full(40, 7.0) for _ in want]
    call(*inputs, out=out[0] if len(out) == 1 else tuple(out), where=where)
    for y, w in zip(out, want):
        assert_same(y[where], w[where])
        assert (y[~where] == 7.0).all()
    for y in outputs_of(call(*inputs, dtype=np.float32)):
        assert y.dtype == np.float32
    with pytest.raises(TypeError):
        call(*inputs, dtype=np.float32, casting="safe")
    swapped = [x.astype(">f8") for x in inputs]
    assert_same(call(*swapped), want)


def test_other_libraries(name, call):
    inputs = [x.reshape(6, 10) for x in some_inputs(name, 60, np.float64)]
    want = call(*inputs)
    lazy = [da.from_array(x, chunks=(3, 10)) for x in inputs]
    if isinstance(want, tuple):
        with pytest.raises((TypeError, NotImplementedError)):  # dask has no ufuncs of two outputs
            call(*lazy)
    else:
        y = call(*lazy)
        assert isinstance(y, da.Array)
        np.testing.assert_array_equal(y.compute(), want)
        series = [pd.Series(x[0], index=range(5, 15)) for x in inputs]
        pd.testing.assert_series_equal(call(*series), pd.Series(want[0], index=range(5, 15)))
        arrays = [
            xr.DataArray(inputs[0], dims=("a", "b")),
            *(xr.DataArray(x[0], dims="b") for x in inputs[1:]),
        ]
        y = call(*arrays)
        assert isinstance(y, xr.DataArray)
        np.testing.assert_array_equal(y.values, call(inputs[0], *(x[0] for x in inputs[1:])))


@every_form
def test_what_ufuncs_can(name):
    ufunc = getattr(gelu_fast, name)
    if ufunc.nin == 2:
        x, y = some_inputs(name, 6, np.float64)
        np.testing.assert_array_equal(ufunc.outer(x, y), ufunc(x[:, None], y))
    else:
        with pytest.raises(ValueError, match="outer product only supported for binary functions"):
            ufunc.outer(1.0, 2.0)
