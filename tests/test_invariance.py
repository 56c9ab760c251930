# SPDX-License-Identifier: BSD-3-Clause
"""A value's result is the same to the bit wherever it stands and however it is computed."""

import numpy as np
import pytest

FLOATS = [np.float16, np.float32, np.float64]
N = 100_003


@pytest.fixture(params=FLOATS)
def x(request):
    """Values of every kind, so that neighbours differ in the path they take."""
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
def expected(ufunc, x):
    """Each value computed alone."""
    return np.array([ufunc(value) for value in x], x.dtype)


def same(a, b):
    return a.dtype == b.dtype and np.array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}"))


def test_position(ufunc, x, expected):
    assert same(ufunc(x), expected)
    for length in [*range(1, 70), 511, 512, 513, 4097]:
        for start in (0, 1, 3, 1000):
            assert same(ufunc(x[start : start + length]), expected[start : start + length])


def test_stride(ufunc, x, expected):
    for step in (2, 3, 16, 1000, -1, -3):
        assert same(ufunc(x[::step]), expected[::step].copy())
    assert same(ufunc(x[: N // 7 * 7].reshape(-1, 7).T), expected[: N // 7 * 7].reshape(-1, 7).T.copy())


def test_alignment(ufunc, x, expected):
    itemsize = x.itemsize
    room = np.zeros(x.nbytes + 64, np.uint8)
    for offset in {0, 1, itemsize, 32 + itemsize}:
        moved = room[offset : offset + x.nbytes].view(x.dtype)
        moved[...] = x
        assert same(ufunc(moved), expected)
        out = np.zeros(x.nbytes + 64, np.uint8)[offset : offset + x.nbytes].view(x.dtype)
        ufunc(x, out=out)
        assert same(out.copy(), expected)


def test_threads(ufunc, x, threads, expected):
    assert same(ufunc(x), expected)
    assert same(ufunc(x[::2]), expected[::2].copy())
    in_place = x.copy()
    ufunc(in_place, out=in_place)
    assert same(in_place, expected)


def test_buffering(ufunc, x, expected):
    """Casts and byte orders pass through NumPy's buffers of some 8192 elements."""
    assert same(ufunc(x.astype(x.dtype.newbyteorder())), expected)
    out = np.empty_like(x)
    ufunc(x, out=out, where=np.ones(x.shape, bool))
    assert same(out, expected)
