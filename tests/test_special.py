# SPDX-License-Identifier: BSD-3-Clause
"""Limits, zeros, NaN, and the silence of floating-point warnings."""

import ml_dtypes
import numpy as np
import oracle
import pytest
from cases import FLOATS, every_level

import gelu_fast
from gelu_fast._bounds import UNIT_NEAR_ZERO, ZEROS

pytestmark = every_level


@pytest.mark.parametrize("dtype", FLOATS)
def test_limits(ufunc, function, dtype):
    x = np.array([np.inf, -np.inf, 0.0, -0.0], dtype)
    want = oracle.in_float64(ufunc.__name__, np.float64(x)).astype(dtype)
    y = ufunc(x)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(want))


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
def test_large_arguments(ufunc, function, dtype):
    """gelu(x) is exactly x where the gate rounds to 1, and -0.0 where x * gate underflows. The other functions have
    their limits there."""
    largest = float(np.finfo(dtype).max)
    x = np.append(np.geomspace(1000, largest / 2, 500), largest).astype(dtype)
    limit = oracle.in_float64(ufunc.__name__, np.array([np.inf])).astype(dtype)
    np.testing.assert_array_equal(ufunc(x), x if function == "gelu" else np.broadcast_to(limit, x.shape))
    np.testing.assert_array_equal(ufunc(-x), np.zeros_like(x))
    assert (np.signbit(ufunc(-x)) == (function == "gelu")).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_half_of_a_subnormal_number(ufunc, function, dtype):
    """gelu(x) is slightly above x/2, so a tie between two subnormal numbers rounds up; the other functions have their
    values at 0."""
    n = np.arange(-1000, 1001)
    y = ufunc(np.finfo(dtype).smallest_subnormal * n.astype(dtype))
    want = -(-n // 2) * np.finfo(dtype).smallest_subnormal
    if function != "gelu":
        want = oracle.in_float64(ufunc.__name__, np.zeros(1)).astype(dtype)
    np.testing.assert_array_equal(y, np.broadcast_to(want, n.shape))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_exact_products_round_to_even(dtype):
    """From 15 on gelu(gate) is the gate itself, so that a product is exact in float32, and may be a tie."""

    def numbers(*ends):
        return np.arange(*np.array(ends, dtype).view(np.uint16), dtype=np.uint16).view(dtype)

    gates, factors = numbers(15, 100)[:, None], numbers(1, 2)
    exact = gates.astype(np.float64) * factors.astype(np.float64)
    want = exact.astype(dtype)
    tie = np.abs(want.astype(np.float64) - exact) == np.spacing(want).astype(np.float64) / 2
    assert tie.sum() > 100
    np.testing.assert_array_equal(gelu_fast.geglu(gates, factors), want)
    np.testing.assert_array_equal(gelu_fast.geglu(gates, -factors), -want)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [1, 7, 1000, 100_000])
def test_no_warning_for_any_number(ufunc, dtype, n):
    """Overflow, underflow and invalid are never reported, whatever the kernel computes inside."""
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
def test_flags_that_others_raised_are_kept(ufunc, function):
    """A cast that overflows in the first of NumPy's buffers is reported, as for NumPy's own functions."""
    x = np.ones(20_000)
    x[0] = 1e300
    out = np.empty(x.shape, np.float32)
    for call in (np.cbrt, ufunc):
        with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
            call(x, dtype=np.float32, casting="same_kind")
    for call in (np.positive, ufunc) if function == "gelu" else ():  # the others are at most about 1
        with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
            call(x, out=out)


@pytest.mark.parametrize("name", [name for name in ZEROS if name.startswith("gelu_grad")])
def test_zero_of_a_gradient(ufunc, name):
    """The zero is where docstrings and docs/accuracy.md say, to the last bit of float64, and the sign changes there."""
    assert abs(ufunc(ZEROS[name])) <= UNIT_NEAR_ZERO["float64"]
    assert ufunc(ZEROS[name] - 1e-9) < 0 < ufunc(ZEROS[name] + 1e-9)


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("gelu_erf", 0.8413447460685429),
        ("gelu_tanh", 0.8411919906082768),
        ("gelu_sigmoid", 0.8457957659328212),
        ("gelu_gate_erf", 0.8413447460685429),
        ("gelu_gate_tanh", 0.8411919906082768),
        ("gelu_gate_sigmoid", 0.8457957659328212),
        ("gelu_grad_erf", 1.0833154705876864),
        ("gelu_grad_tanh", 1.0829640838457826),
        ("gelu_grad_sigmoid", 1.067779606556334),
    ],
)
def test_value_at_one(ufunc, name, exact):
    """Values from the literature; they show a function or a form in the place of another."""
    assert abs(ufunc(1.0) - exact) < 1e-15
