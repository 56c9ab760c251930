# SPDX-License-Identifier: BSD-3-Clause
"""Every result within the bound that gelu_fast/_bounds.py promises; `make exhaustive` does all of float32."""

import numpy as np
import oracle
import pytest

import gelu_fast
from gelu_fast._bounds import ULP


def judge(form, x, exact, low, report):
    got = getattr(gelu_fast, form)(x)
    assert got.dtype == x.dtype
    errors = oracle.error(got, exact, low)
    worst = int(errors.argmax())
    bound = ULP[form][x.dtype.name]
    report(
        f"{form} {x.dtype.name}: {errors[worst]:.4f} ULP at {float(x[worst]).hex()}"
        f" of {x.size} inputs, bound {bound}"
    )
    assert not np.isnan(errors).any()
    assert errors[worst] <= bound
    np.testing.assert_array_equal(np.signbit(got), np.signbit(x))


def every_float16():
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return x[np.isfinite(x)]


def some_float32():
    """Every 1021st float32; all in a window around each place where a kernel's path changes."""
    bits = np.arange(0, 1 << 32, 1021, dtype=np.uint64).astype(np.uint32)
    places = [
        0,
        2.0**-126,
        5.1577,
        5.168,
        5.4033,
        5.4141,
        10.8067,
        10.828,
        10.8125,
        14.375,
        63.5625,
        0.3466,
        1.0,
        4.0,
        12.0,
    ]
    centers = np.array(places, dtype=np.float32).view(np.uint32).astype(np.int64)
    windows = (centers[:, None] + np.arange(-3000, 3000)).clip(0, 0x7F7FFFFF).ravel().astype(np.uint32)
    x = np.concatenate([bits, windows, windows | np.uint32(1 << 31)]).view(np.float32)
    return x[np.isfinite(x)]


def some_float64(form):
    """10^6 points: bits log-uniform, the tail to where results vanish, the middle, and subnormals."""
    rng = np.random.default_rng(42)
    tail = {"gelu_erf": 38.6, "gelu_tanh": 21.3, "gelu_sigmoid": 440.0}[form]
    return np.concatenate(
        [
            np.exp(rng.uniform(np.log(1e-308), np.log(1e308), 200_000)) * rng.choice([-1, 1], 200_000),
            rng.uniform(-tail, -5, 300_000),
            rng.uniform(-5, 5, 400_000),
            rng.uniform(5, 40, 95_000),
            rng.integers(1, 1 << 52, 5_000).view(np.float64) * rng.choice([-1, 1], 5_000),
        ]
    )


def test_float16_all(form, report):
    x = every_float16()
    judge(form, x, oracle.in_float64(form, x.astype(np.float64)), 0.0, report)


def test_float32_subset(form, report):
    x = some_float32()
    judge(form, x, oracle.in_float64(form, x.astype(np.float64)), 0.0, report)


def test_float64(form, report):
    x = some_float64(form)
    assert x.size >= 10**6
    high, low = oracle.in_balls(form, x)
    judge(form, x, high, low, report)


def test_oracle_in_float64_is_good_enough(form, report):
    """What judges float32 is itself right to 1e-12, tail included."""
    x = np.concatenate([np.linspace(-100, 20, 4001), -np.logspace(-40, 1.1, 2000)])
    high, low = oracle.in_balls(form, x)
    normal = np.abs(high) > 1e-290
    relative = np.abs((oracle.in_float64(form, x) - high) - low)[normal] / np.abs(high[normal])
    report(f"oracle of {form}: {relative.max():.1e} relative")
    assert relative.max() < 1e-12


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_judge_convicts(dtype):
    """An error of 3 ULP is seen as such, in normal and in subnormal results."""
    for exact in (1.5, 2.0**-20, float(np.finfo(dtype).smallest_subnormal) * 7):
        wrong = np.array([exact], dtype) + 3 * np.spacing(dtype(exact))
        assert oracle.error(wrong, np.array([exact]))[0] == 3
