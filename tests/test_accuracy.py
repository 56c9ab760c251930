# SPDX-License-Identifier: BSD-3-Clause
"""Every result is within the bound that gelu_fast/_bounds.py promises. `make exhaustive` tries all float32 and 10^7
float64."""

import numpy as np
import oracle
import pytest
from accuracy import N_FLOAT64, every_float16, judge_one_input, some_float32, some_float64
from cases import every_level

pytestmark = every_level


def test_float16_all(ufunc, name, report):
    """Every float16 is correctly rounded, whatever its neighbours are. NumPy rounds the exact float64 once."""
    x = every_float16()
    exact = oracle.in_float64(name, x.astype(np.float64))
    with np.errstate(under="ignore"):
        want = exact.astype(np.float16)
    np.testing.assert_array_equal(ufunc(x), want)
    for other in (-10, -100, 0, 8):
        beside = np.full(2 * x.size, other, np.float16)
        beside[::2] = x
        np.testing.assert_array_equal(ufunc(beside)[::2], want)
    judge_one_input(ufunc, name, x, (exact,), report)


def test_float32_subset(ufunc, name, report):
    x = some_float32()
    judge_one_input(ufunc, name, x, (oracle.in_float64(name, x.astype(np.float64)),), report)


def test_float64(ufunc, name, report):
    x = some_float64(name, N_FLOAT64, 42)
    judge_one_input(ufunc, name, x, oracle.in_balls(name, x), report)


def test_oracle_in_float64_is_good_enough(name, report):
    """The oracle that judges float32 has an error of at most 5e-13, also in the tail."""
    x = np.concatenate([np.linspace(-100, 20, 4001), -np.logspace(-40, 1.1, 2000)])
    high, low, shift = oracle.in_balls(name, x)
    normal = (high != 0) & (shift == 0) & (np.abs(x - oracle.ZEROS.get(name, np.inf)) > oracle.NEAR_ZERO)
    relative = np.abs((oracle.in_float64(name, x) - high) - low)[normal] / np.abs(high[normal])
    report(f"oracle of {name}: {relative.max():.1e} relative")
    assert relative.max() < 5e-13


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_judge_convicts(dtype):
    """An error of 3 ULP is measured as 3 ULP, in normal and in subnormal results."""
    for exact in (1.5, 2.0**-20, float(np.finfo(dtype).smallest_subnormal) * 7):
        wrong = np.array([exact], dtype) + 3 * np.spacing(dtype(exact))
        assert oracle.error(wrong, np.array([exact]))[0] == 3
