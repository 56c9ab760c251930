# SPDX-License-Identifier: BSD-3-Clause
"""A value's result has the same bits at every position and on every path of computation."""

import numpy as np
import pytest
from cases import FLOATS, OF_ONE_INPUT, assert_same, check_places, every_level, one_form_each

import gelu_fast
from gelu_fast import _core

pytestmark = every_level

N = 100_003


@pytest.fixture(params=one_form_each(OF_ONE_INPUT))
def name(request):
    return request.param


@pytest.fixture(params=FLOATS)
def x(request):
    """Values of every kind, so that neighbours take different paths through the kernels."""
    rng = np.random.default_rng(11)
    dtype = request.param
    largest = float(np.finfo(dtype).max)
    kinds = [
        rng.normal(0, 2, N),
        rng.uniform(-40, 0, N),
        np.exp(rng.uniform(-60, np.log(largest), N)).clip(max=largest),
        -np.exp(rng.uniform(-60, 8, N)),
        rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, -100.0], N),
    ]
    return np.choose(rng.integers(0, len(kinds), N), kinds).astype(dtype)


@pytest.fixture
def expected(call, x):
    """The result of each value computed alone."""
    return np.array([call(value) for value in x], x.dtype)


@pytest.mark.parametrize("name", OF_ONE_INPUT)  # neighbours take different paths through each curve
def test_position(call, x, expected):
    assert_same(call(x), expected)
    for length in [*range(1, 150), 767, 768, 769, 4097]:
        for start in (0, 1, 3, 1000):
            assert_same(call(x[start : start + length]), expected[start : start + length])


def test_stride(call, x, expected):
    for step in (2, 3, 16, 1000, -1, -3):
        assert_same(call(x[::step]), expected[::step].copy())
    assert_same(call(x[: N // 7 * 7].reshape(-1, 7).T), expected[: N // 7 * 7].reshape(-1, 7).T.copy())


def test_alignment(call, x, expected):
    itemsize = x.itemsize
    room = np.zeros(x.nbytes + 64, np.uint8)
    for offset in {0, 1, itemsize, 32 + itemsize}:
        moved = room[offset : offset + x.nbytes].view(x.dtype)
        moved[...] = x
        assert_same(call(moved), expected)
        out = np.zeros(x.nbytes + 64, np.uint8)[offset : offset + x.nbytes].view(x.dtype)
        call(x, out=out)
        assert_same(out.copy(), expected)


def test_what_is_streamed(call):
    """Only results of calls that are larger than the cache, contiguous and not in place are written past the cache."""
    x = np.ones(100_000, np.float32)
    y = np.empty_like(x)
    before = _core._stream_from()

    def streamed(x, out, n_bytes, threads=1):
        gelu_fast.set_num_threads(threads)
        _core._stream_from(n_bytes)
        count = _core._streamed()
        call(x, out=out)
        return _core._streamed() - count

    try:
        for threads in (1, 2):
            assert streamed(x, y, 2 * x.nbytes - 1, threads) == 1
            assert streamed(x, y, 2 * x.nbytes, threads) == 0
            assert streamed(x, x, 0, threads) == 0
        assert streamed(x[::-1], x[::-1], 0) == 0
        assert streamed(x[1:], x[:-1], 0) == 0
        assert streamed(np.ones(200_000, np.float32)[::2], y, 0) == 0
    finally:
        _core._stream_from(before)
        gelu_fast.set_num_threads(None)


def test_threads(call, x, threads, stream_from, expected):
    count = _core._streamed()
    assert_same(call(x), expected)
    out = np.empty_like(x)
    assert_same(call(x, out=out), expected)
    assert (_core._streamed() > count) == (stream_from == 0)
    assert_same(call(x[::2]), expected[::2].copy())
    check_places(call, x, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 9, 17, 33])
def test_short_rows(n, dtype, threads, stream_from):
    """Rows may end before their first aligned element; nothing beside them is written."""
    x, bias = np.split(np.random.default_rng(n).normal(0, 3, (2001, n)).astype(dtype), [2000])
    expected = gelu_fast.bias_gelu(x, bias)
    for start in (0, 1, 3):
        room = np.full((2000, 40), 7, dtype)
        out = room[:, start : start + n]
        gelu_fast.bias_gelu(x, bias, out=out)
        assert_same(out.copy(), expected)
        out[...] = 7
        assert (room == 7).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_two_outputs(dtype, threads, stream_from):
    """Two outputs have the same alignment, or different ones; nothing beside them is written."""
    n = 64 * 600
    inputs = np.random.default_rng(2).normal(0, 3, (3, n)).astype(dtype)
    expected = gelu_fast.geglu_backward(*inputs)
    for first, second in ((0, 0), (0, 1), (1, 0), (3, 3), (5, 9)):
        room = np.full(3 * n, 7, dtype)
        out = room[first:][:n], room[n + 64 + second :][:n]
        gelu_fast.geglu_backward(*inputs, out=out)
        for y, want in zip(out, expected):
            assert_same(y.copy(), want)
            y[...] = 7
        assert (room == 7).all()


def test_buffering(call, x, expected):
    """Casts and byte orders pass through NumPy's buffers of some 8192 elements."""
    assert_same(call(x.astype(x.dtype.newbyteorder())), expected)
    out = np.empty_like(x)
    call(x, out=out, where=np.ones(x.shape, bool))
    assert_same(out, expected)
