# SPDX-License-Identifier: BSD-3-Clause
"""The judges of accuracy: inputs where kernels err most, and how far results may be from oracle.py's exact values."""

import numpy as np
import oracle

import gelu_fast
from gelu_fast._bounds import NEAR_ZERO, OF_LARGEST_TERM, UFUNCS, ULP, UNIT_NEAR_ZERO, ZEROS

N_FLOAT64 = 200_000  # make exhaustive takes 10^7
WORKING = {"float16": np.float32, "float32": np.float32, "float64": np.float64}

# ---- functions of one input ----


def every_float16():
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return x[np.isfinite(x)]


def borders(step, end):
    """Multiples of a step. The kernels pass from one segment to the next, and to the tail, at multiples of 1/8192 for
    float32, and of 1/1024 for float64. A float32's tail ends at a multiple of 1/16 (coeffs_*.h)."""
    return np.arange(step, end, step)


def some_float32():
    """Every 1021st float32, and all float32 near the places where a kernel's path changes."""
    every_1021st = np.arange(0, 1 << 32, 1021, dtype=np.uint64).astype(np.uint32)
    windows = [
        (np.array(places, np.float32).view(np.uint32).astype(np.int64)[:, None] + np.arange(-n, n)).ravel()
        for places, n in (
            ([0, 2.0**-126, 2.0**-125, 2.0**-60], 3000),
            (borders(1 / 8192, 10), 3),
            (borders(1 / 16, 64), 100),
        )
    ]
    windows = np.concatenate(windows).clip(0, 0x7F7FFFFF).astype(np.uint32)
    x = np.concatenate([every_1021st, windows, windows | np.uint32(1 << 31)]).view(np.float32)
    return x[np.isfinite(x)]


def some_float64(name, n, seed):
    """n points: random bits, the tail up to where results vanish, the middle, and points near the segments' borders."""
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


def right_signs(name, x, got, exact):
    """Whether signs are right. gelu has the sign of x, even where it is zero; other results, where not zero, have the
    sign of the exact value."""
    if UFUNCS[name][0] == "gelu":
        return np.signbit(got) == np.signbit(x)
    return (got == 0) | (np.signbit(got) == np.signbit(exact))


def judge(name, got, errors, inputs, report):
    """Assert that the errors, in ULP, are within the bound, and that none is NaN."""
    worst, bound = int(errors.argmax()), ULP[name][got.dtype.name]
    where = ", ".join(float(x[worst]).hex() for x in inputs)
    report(f"{name} {got.dtype}: {errors[worst]:.4f} ULP at {where} of {got.size} inputs, bound {bound}")
    assert not np.isnan(errors).any()
    assert errors[worst] <= bound + oracle.UNCERTAINTY[got.dtype.name]


def judge_one_input(ufunc, name, x, exact, report):
    """`exact` is what `oracle.error` takes: (high, low, shift), or the first of these."""
    got = ufunc(x)
    assert got.dtype == x.dtype
    judge(name, got, oracle.error(got, *exact, unit=oracle.least_unit(name, x)), [x], report)
    assert right_signs(name, x, got, exact[0]).all()


# ---- functions of several ----


def wide_inputs(name, n, dtype, seed):
    """Ordinary numbers, numbers in all of the curve's tail, and factors and numbers of any size."""
    rng = np.random.default_rng(seed)
    info = np.finfo(dtype)
    largest = np.dtype(dtype).type(np.inf).view(f"u{info.dtype.itemsize}")
    tail = {"exact": 15, "tanh": 11, "sigmoid": 65}[UFUNCS[name][1]] * (2.7 if dtype == np.float64 else 1)
    tail = min(tail, 500)

    def any_size():
        return rng.integers(1, largest, n, dtype=f"u{info.dtype.itemsize}").view(dtype) * rng.choice(
            [-1, 1], n
        )

    def mixed(*parts):
        return rng.permutation(np.concatenate(parts)).astype(dtype)

    inputs = []
    for _ in range(getattr(gelu_fast, name).nin):
        with np.errstate(over="ignore"):
            usual = (rng.normal(0, 1, n), rng.uniform(-9, 9, n), rng.uniform(-0.6, 0.6, n))
            usual = mixed(*usual, rng.uniform(-tail, 1, n), any_size())
        inputs.append(usual)
    if "mu_sigma" in name:
        inputs[-2] = mixed(rng.normal(0, 2, 4 * n), np.zeros(n))
        inputs[-1] = mixed(np.exp(rng.normal(0, 1.5, 4 * n)), np.ones(n)).clip(info.tiny * 4)
    return inputs


def errors_of(name, got, exact, low, shift, may_be_zero, inputs, dtype, larger, output):
    """Errors in ULP, or in the larger units that _bounds.py allows. Where a factor may count as zero, a result of zero
    is right, and so is the computed product."""
    working = WORKING[np.dtype(dtype).name]
    unit = np.zeros(got.shape)
    if UFUNCS[name][0] in OF_LARGEST_TERM:
        unit = oracle.ulp(np.where(np.isfinite(larger), larger, 0), dtype)
    if name in ZEROS and output == 0:
        z, outputs = oracle.terms(name, inputs, working)
        near = np.abs(z - ZEROS[name]) <= NEAR_ZERO
        unit = np.where(near, np.abs(outputs[0][0]) * UNIT_NEAR_ZERO[np.dtype(dtype).name], 0.0)
    unit = np.ldexp(unit, np.int64(shift))
    errors = oracle.error(got, exact, low, shift, unit)
    return np.where(may_be_zero & (got == 0), 0.0, errors)


def composed_balls(name, inputs):
    """oracle.composed_balls, kept in build/."""
    return oracle.cached(
        name, b"".join(x.tobytes() for x in inputs), lambda: np.array(oracle.composed_balls(name, inputs))
    )
