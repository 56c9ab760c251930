# SPDX-License-Identifier: BSD-3-Clause
"""reduce, accumulate, reduceat, at and outer, and every overlap of the memory that a call reads and writes: results are
those of computing one element after the other."""

from functools import reduce
from itertools import accumulate, combinations_with_replacement, product

import ml_dtypes
import numpy as np
import pytest
from cases import assert_same, every_level, one_form_each

import gelu_fast
from gelu_fast import _core

REDUCING = [name for name, ufunc in _core.ufuncs.items() if (ufunc.nin, ufunc.nout) == (2, 1)]
DTYPES = [
    np.float16,
    np.float32,
    np.float64,
    ml_dtypes.bfloat16,
    ml_dtypes.float8_e5m2,
    ml_dtypes.float8_e4m3fnuz,
]


@pytest.fixture(params=one_form_each(REDUCING))
def ufunc(request):
    return getattr(gelu_fast, request.param)


@pytest.fixture(params=DTYPES, ids=lambda dtype: dtype.__name__)
def x(request):
    """Factors near 1 of both signs, so that results do not stay at 0 or infinity; zeros of both signs, and the tail."""
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(1, 1, 800), rng.uniform(-7, 7, 100), [0.0, -0.0, -20.0, np.inf, np.nan]])
    return rng.permutation(x).astype(request.param)


def one_by_one(ufunc, x, *initial):
    return np.asarray(reduce(ufunc, x, *initial)).astype(x.dtype)


def running(ufunc, x):
    return np.array(list(accumulate(x, ufunc)), x.dtype)


def layouts(x):
    room = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = room[1:].view(x.dtype)
    unaligned[...] = x
    return [x, x[:1], x[:2], x[:7], x[:64], x[::2], x[::-1], x[::-3], unaligned]


def test_reduce(ufunc, x):
    for v in layouts(x):
        assert_same(ufunc.reduce(v), one_by_one(ufunc, v))
        out = np.empty((), x.dtype)
        ufunc.reduce(v, out=out)
        assert_same(out, one_by_one(ufunc, v))
        first = x.dtype.type(0.75)
        assert_same(ufunc.reduce(v, initial=first), one_by_one(ufunc, v, first))
        where = np.arange(v.size) % 3 != 1
        got = ufunc.reduce(v, initial=first, where=where, keepdims=True)
        assert_same(got, one_by_one(ufunc, v[where], first)[None])


def test_reduce_of_axes(ufunc, x):
    m = x[:900].reshape(9, 10, 10)
    for v in (m, m.T, m[::-1, ::2], np.asfortranarray(m)):
        for axis in (0, 1, 2, -1):
            expected = np.apply_along_axis(lambda row: one_by_one(ufunc, row), axis, v)
            assert_same(ufunc.reduce(v, axis=axis), expected)
            expected = np.apply_along_axis(lambda row: running(ufunc, row), axis, v)
            assert_same(ufunc.accumulate(v, axis=axis), expected)
    with pytest.raises(ValueError, match="not reorderable"):
        ufunc.reduce(m, axis=(0, 1))
    with pytest.raises(ValueError, match="no identity"):
        ufunc.reduce(x[:0])


def test_accumulate(ufunc, x):
    for v in layouts(x):
        assert_same(ufunc.accumulate(v), running(ufunc, v))
        out = np.zeros(2 * v.size, x.dtype)
        ufunc.accumulate(v, out=out[::2])
        assert_same(out[::2].copy(), running(ufunc, v))
        assert (out[1::2] == 0).all()
        in_place = v.copy()
        ufunc.accumulate(in_place, out=in_place)
        assert_same(in_place, running(ufunc, v))


def test_reduceat(ufunc, x):
    starts = [0, 5, 3, 64, 64, 100, 800, 2]
    expected = [
        one_by_one(ufunc, x[start : stop if stop > start else start + 1])
        for start, stop in zip(starts, [*starts[1:], x.size])
    ]
    assert_same(ufunc.reduceat(x, starts), np.array(expected, x.dtype))


def test_at(ufunc, x):
    where = np.random.default_rng(5).integers(0, 40, 300)
    got, expected = x[:40].copy(), x[:40].copy()
    ufunc.at(got, where, x[40:340])
    for i, value in zip(where, x[40:340]):
        expected[i] = ufunc(expected[i], value)
    assert_same(got, expected)


def test_at_of_one_input(x):
    for name in ("gelu_erf", "gelu_grad_tanh"):
        one = getattr(gelu_fast, name)
        got, expected = x[:40].copy(), x[:40].copy()
        one.at(got, [3, 3, 0, 39])
        for i in (3, 3, 0, 39):
            expected[i] = one(expected[i])
        assert_same(got, expected)


def test_outer(ufunc, x):
    expected = np.array([[ufunc(a, b) for b in x[-13:]] for a in x[:11]], x.dtype)
    assert_same(ufunc.outer(x[:11], x[-13:]), expected)


def test_other_types_in_the_end(ufunc):
    """Casts on the way in and out pass through NumPy's buffers."""
    x = np.random.default_rng(6).normal(1, 1, 20_000)
    assert_same(ufunc.reduce(x.astype("f4"), dtype="f8"), one_by_one(ufunc, x.astype("f4").astype("f8")))
    assert_same(ufunc.accumulate(x, dtype="f4"), running(ufunc, x.astype("f4")))
    assert_same(ufunc.accumulate(np.arange(1, 7, dtype="i4")), running(ufunc, np.arange(1.0, 7)))
    assert_same(ufunc.reduce(x.astype(">f8")), one_by_one(ufunc, x))


def test_a_long_reduction_on_threads(ufunc):
    """A reduction is a sequential chain, with any number of threads; chains along the other axis are independent."""
    x = np.random.default_rng(7).normal(1, 1, (2, 100_000)).astype("f4")
    try:
        for n in (1, 4):
            gelu_fast.set_num_threads(n)
            assert_same(ufunc.reduce(x[0]), one_by_one(ufunc, x[0]))
            assert_same(ufunc.accumulate(x[0]), running(ufunc, x[0]))
            assert_same(ufunc.accumulate(x, axis=0), np.array([x[0], ufunc(*x)]))
    finally:
        gelu_fast.set_num_threads(None)


# Where operands begin in one piece of memory, and their steps, both in elements.
PLACES = [
    (40, 1),
    (41, 1),
    (39, 1),
    (43, 1),
    (38, 2),
    (40, 2),
    (41, 2),
    (40, -1),
    (39, -1),
    (40, -2),
    (60, 0),
]


@every_level
@pytest.mark.parametrize("name", ["gelu_erf", "geglu_tanh", "geglu_backward_erf"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_overlaps_of_every_kind(name, dtype):
    """NumPy's rule: results are as if nothing overlapped. Outputs lie before, behind and between the inputs."""
    ufunc = getattr(gelu_fast, name)
    memory = np.random.default_rng(8).normal(0, 3, 128).astype(dtype)

    def view(start, step, room):
        return np.lib.stride_tricks.as_strided(room[start:], (20,), (step * room.itemsize,))

    outputs = [place for place in PLACES if place[1] != 0]
    for inputs in combinations_with_replacement(PLACES, ufunc.nin):
        for places in product(outputs, repeat=ufunc.nout) if ufunc.nout == 1 else zip(outputs, outputs[3:]):
            room = memory.copy()
            operands = [view(*place, room) for place in inputs]
            out = tuple(view(*place, room) for place in places)
            if ufunc.nout == 2 and np.shares_memory(*out):
                continue  # more than one result is right
            expected = ufunc(*[x.copy() for x in operands])
            ufunc(*operands, out=out)
            assert_same(tuple(y.copy() for y in out), expected)
