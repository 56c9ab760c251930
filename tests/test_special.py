# SPDX-License-Identifier: BSD-3-Clause
"""Limits, zeros, NaN, and the silence of floating-point warnings."""

import numpy as np
import pytest

FLOATS = [np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", FLOATS)
def test_limits(ufunc, dtype):
    x = np.array([np.inf, -np.inf, 0.0, -0.0], dtype)
    y = ufunc(x)
    np.testing.assert_array_equal(y, np.array([np.inf, -0.0, 0.0, -0.0], dtype))
    np.testing.assert_array_equal(np.signbit(y), [False, True, False, True])


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_comes_from_nan_alone(ufunc, dtype):
    info = np.finfo(dtype)
    edges = [info.max, info.tiny, info.smallest_subnormal, 1, 4, 30, 88, 104, 710, 746, 1e4, np.inf]
    x = np.concatenate([edges, np.negative(edges), [0.0, -0.0]]).astype(dtype)
    assert not np.isnan(ufunc(x)).any()
    for nan in (np.nan, -np.nan):
        for position in range(40):
            x = np.ones(40, dtype)
            x[position] = nan
            np.testing.assert_array_equal(np.isnan(ufunc(x)), np.isnan(x))


@pytest.mark.parametrize("dtype", FLOATS)
def test_large_arguments(ufunc, dtype):
    """gelu(x) is x, to the bit, where the gate rounds to 1; and -0.0 where x * gate underflows."""
    largest = float(np.finfo(dtype).max)
    x = np.append(np.geomspace(1000, largest / 2, 500), largest).astype(dtype)
    np.testing.assert_array_equal(ufunc(x), x)
    np.testing.assert_array_equal(ufunc(-x), np.zeros_like(x))
    assert np.signbit(ufunc(-x)).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 7, 1000, 100_000])
def test_no_warning_for_any_number(ufunc, dtype, n):
    """Overflow, underflow, invalid: nothing is reported, whatever the kernel did inside."""
    info = np.finfo(dtype)
    values = np.array(
        [0, -0.0, 1, -1, -5.2, -9, -12.8, -14.1, -20, -30, -38.5, -60, -87.5, -100, -430, -700, 6e4, -6e4]
        + [info.max, info.min, info.tiny, -info.tiny, info.smallest_subnormal, -info.smallest_subnormal]
        + [np.inf, -np.inf, np.nan],
        dtype,
    )
    for value in values:
        with np.errstate(all="raise"):
            ufunc(np.full(n, value))
    with np.errstate(all="raise"):
        ufunc(np.resize(values, n))
        ufunc(np.resize(values, 3 * n)[::3])


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_flags_that_others_raised_are_kept(ufunc):
    """A cast that overflows, in the first of NumPy's buffers, is reported, as for NumPy's own functions."""
    x = np.ones(20_000)
    x[0] = 1e300
    out = np.empty(x.shape, np.float32)
    for function in (np.cbrt, ufunc):
        with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
            function(x, dtype=np.float32, casting="same_kind")
    for function in (np.positive, ufunc):
        with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
            function(x, out=out)


def test_value_at_one(ufunc, form):
    """Literature values, to catch a form taken for another."""
    exact = {
        "gelu_erf": 0.8413447460685429,
        "gelu_tanh": 0.8411919906082768,
        "gelu_sigmoid": 0.8457957659328212,
    }
    assert abs(ufunc(1.0) - exact[form]) < 1e-15
