# SPDX-License-Identifier: BSD-3-Clause
"""Every result within the bound that gelu_fast/_bounds.py promises; `make exhaustive` does all of float32
and 10^7 of float64."""

import numpy as np
import oracle
import pytest

from gelu_fast._bounds import UFUNCS, ULP


def judge(ufunc, name, x, exact, report):
    """`exact` as `oracle.error` takes it: (high, low, shift) or its beginning."""
    got = ufunc(x)
    assert got.dtype == x.dtype
    errors = oracle.error(got, *exact, unit=oracle.units(name, x))
    worst = int(errors.argmax())
    bound = ULP[name][x.dtype.name]
    report(
        f"{name} {x.dtype.name}: {errors[worst]:.4f} ULP at {float(x[worst]).hex()}"
        f" of {x.size} inputs, bound {bound}"
    )
    assert not np.isnan(errors).any()
    assert errors[worst] <= bound + oracle.UNCERTAINTY[x.dtype.name]
    assert right_signs(name, x, got, exact[0]).all()


def right_signs(name, x, got, exact):
    """gelu has the sign of x, zeros included; the others that of the exact value."""
    if UFUNCS[name][0] == "gelu":
        return np.signbit(got) == np.signbit(x)
    return (got == 0) | (np.signbit(got) == np.signbit(exact))


def every_float16():
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return x[np.isfinite(x)]


def borders(step, end):
    """Wherever a kernel passes from one segment to the next: a multiple of 1/4096 for float32, of 1/1024 for
    float64 (tools/fit.py)."""
    return np.arange(step, end, step)


def some_float32():
    """Every 1021st float32, and all near a place where a kernel's path changes."""
    bits = np.arange(0, 1 << 32, 1021, dtype=np.uint64).astype(np.uint32)
    ends = [
        0,
        2.0**-126,
        2.0**-125,
        2.0**-60,
        *(4.9238, 4.9735, 5.2588, 5.2805, 7.8594, 9.6055, 9.8242),
        *(10.6875, 10.8125, 10.9375, 14.1875, 14.375, 14.5625, 61.125, 63.5625, 63.875),
    ]
    windows = [
        (
            np.array(places, dtype=np.float32).view(np.uint32).astype(np.int64)[:, None] + np.arange(-n, n)
        ).ravel()
        for places, n in ((ends, 3000), (borders(1 / 4096, 10), 10))
    ]
    windows = np.concatenate(windows).clip(0, 0x7F7FFFFF).astype(np.uint32)
    x = np.concatenate([bits, windows, windows | np.uint32(1 << 31)]).view(np.float32)
    return x[np.isfinite(x)]


def some_float64(name, n, seed):
    """n points: bits log-uniform, the tail to where results vanish, the middle, near segments' borders."""
    rng = np.random.default_rng(seed)
    tail = {"exact": 38.6, "tanh": 21.6, "sigmoid": 441.5}[UFUNCS[name][1]]
    near = rng.choice(borders(1 / 1024, 22), n // 5) * (
        1 + rng.choice([-1, 1], n // 5) * 2.0 ** rng.uniform(-52, -9, n // 5)
    )
    return np.concatenate(
        [
            rng.integers(1, 0x7FEF << 48, n // 5).view(np.float64) * rng.choice([-1, 1], n // 5),
            rng.uniform(-tail, -5, n // 5),
            rng.uniform(-9, 9, n // 5),
            near * rng.choice([-1, 1], n // 5),
            rng.uniform(-1.5, 1.5, n // 10),
            rng.integers(1, 1 << 53, n // 10).view(np.float64) * rng.choice([-1, 1], n // 10),
        ]
    )


def test_float16_all(ufunc, name, report):
    """Correctly rounded, all of them, beside whatever: NumPy rounds float64 to float16 once."""
    x = every_float16()
    exact = oracle.in_float64(name, x.astype(np.float64))
    with np.errstate(under="ignore"):
        want = exact.astype(np.float16)
    np.testing.assert_array_equal(ufunc(x), want)
    for other in (-10, -100, 0, 8):
        beside = np.full(2 * x.size, other, np.float16)
        beside[::2] = x
        np.testing.assert_array_equal(ufunc(beside)[::2], want)
    judge(ufunc, name, x, (exact,), report)


def test_float32_subset(ufunc, name, report):
    x = some_float32()
    judge(ufunc, name, x, (oracle.in_float64(name, x.astype(np.float64)),), report)


def test_float64(ufunc, name, report):
    x = some_float64(name, 10**6, 42)
    assert x.size == 10**6
    judge(ufunc, name, x, oracle.in_balls(name, x), report)


def test_oracle_in_float64_is_good_enough(name, report):
    """What judges float32 is itself right to 5e-13, tail included."""
    x = np.concatenate([np.linspace(-100, 20, 4001), -np.logspace(-40, 1.1, 2000)])
    high, low, shift = oracle.in_balls(name, x)
    normal = (high != 0) & (shift == 0) & (np.abs(x - oracle.ZEROS.get(name, np.inf)) > oracle.NEAR_ZERO)
    relative = np.abs((oracle.in_float64(name, x) - high) - low)[normal] / np.abs(high[normal])
    report(f"oracle of {name}: {relative.max():.1e} relative")
    assert relative.max() < 5e-13


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_judge_convicts(dtype):
    """An error of 3 ULP is seen as such, in normal and in subnormal results."""
    for exact in (1.5, 2.0**-20, float(np.finfo(dtype).smallest_subnormal) * 7):
        wrong = np.array([exact], dtype) + 3 * np.spacing(dtype(exact))
        assert oracle.error(wrong, np.array([exact]))[0] == 3
