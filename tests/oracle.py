# SPDX-License-Identifier: BSD-3-Clause
"""The exact functions, more precisely than what they judge: float64 for float16 and float32, balls of 250
bits (Arb, through python-flint) for float64. Neither shares a formula with the kernels: no exp times a
quotient, no table, no reflection."""

import hashlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import flint
import numpy as np
from scipy.special import erfc

from gelu_fast._bounds import NEAR_ZERO, UFUNCS, UNIT_NEAR_ZERO, ZEROS

SQRT_2_PI = np.sqrt(2 / np.pi)
# How far off, in ULP of what is judged, an oracle may itself be.
UNCERTAINTY = {"float16": 1e-9, "float32": 1e-5, "float64": 1e-10}
CACHE = Path(__file__).resolve().parent.parent / "build" / "oracle"


def in_float64(ufunc, x):
    """The function of a float64 array, to about 1e-13 relative (a gradient near its zero: absolute), which is 1e-6
    ULP of float32."""
    function, form = UFUNCS[ufunc]
    with np.errstate(all="ignore"):
        if form == "exact":
            gate, slope = erfc(-x / np.sqrt(2)) / 2, np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
        else:
            tanh = form == "tanh"
            v = 2 * SQRT_2_PI * (x + 0.044715 * (x * x * x)) if tanh else 1.702 * x
            gate = 1 / (1 + np.exp(-v))
            slope = gate / (1 + np.exp(v)) * (2 * SQRT_2_PI * (1 + 3 * 0.044715 * (x * x)) if tanh else 1.702)
        if function == "gelu":
            return np.where(np.isneginf(x), -0.0, x * gate)
        if function == "gelu_gate":
            return gate
        return np.where(np.abs(x) > 100, gate, gate + x * slope)


def _ball(ufunc, x):
    function, form = UFUNCS[ufunc]
    x, one, pi = flint.arb(x), flint.arb(1), flint.arb.pi()
    if form == "exact":
        v, slope_of_v = x * x / 2, None
    elif form == "tanh":
        cubic = flint.arb("0.044715")
        v, slope_of_v = (8 / pi).sqrt() * (x + cubic * x**3), (8 / pi).sqrt() * (1 + 3 * cubic * x**2)
    else:
        v, slope_of_v = flint.arb("1.702") * x, flint.arb("1.702")
    if abs(v) > 2000:  # exp(-2000) is out of float64's sight, and exp(1e900) out of Arb's
        return (x if function == "gelu" else one) if x > 0 else flint.arb(0)
    if form == "exact":
        gate, slope = (-x / flint.arb(2).sqrt()).erfc() / 2, (-v).exp() / (2 * pi).sqrt()
    else:
        gate = 1 / (1 + (-v).exp())
        slope = gate / (1 + v.exp()) * slope_of_v
    return {"gelu": x * gate, "gelu_gate": gate, "gelu_grad": gate + x * slope}[function]


def balls(ufunc, xs):
    """The function of a float64 array as (high + low) / 2**shift, where high and low are normal float64."""
    flint.ctx.prec = 250
    high, low, shift = np.empty((3, len(xs)))
    tiny = flint.arb(2) ** -800
    for i, x in enumerate(xs):
        ball = _ball(ufunc, float(x))
        if abs(ball) < tiny**2:  # so near to zero that the ball may be all radius
            high[i] = low[i] = shift[i] = 0.0
            continue
        assert ball.rel_accuracy_bits() > 110
        shift[i] = 400 if abs(ball) < tiny else 0
        ball *= flint.arb(2) ** int(shift[i])
        high[i] = float(ball.mid())
        low[i] = float((ball - high[i]).mid())
    return high, low, shift


def in_balls(ufunc, x):
    """The function of a float64 array as `balls` gives it, computed once and kept in build/."""
    key = hashlib.sha256(Path(__file__).read_bytes() + x.tobytes()).hexdigest()[:20]
    path = CACHE / f"{ufunc}-{key}.npy"
    if path.exists():
        return np.load(path)
    # spawned: a process that has imported JAX must not be forked
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(balls, [ufunc] * 64, np.array_split(x, 64)))
    result = np.concatenate(parts, axis=1)
    CACHE.mkdir(parents=True, exist_ok=True)
    np.save(path, result)
    return result


def ulp(exact, dtype, shift=0):
    """The spacing of `dtype` in the binade of each exact value, or of subnormals; times 2**shift."""
    info = np.finfo(dtype)
    binade = (np.asarray(exact).view(np.int64) & (0x7FF << 52)).view(np.float64)
    return np.maximum(binade * 2.0**-info.nmant, np.ldexp(1.0, info.minexp - info.nmant + np.int64(shift)))


def units(ufunc, x):
    """What an error counts in at the least: nothing, but near the zero of a gradient."""
    near = np.abs(x.astype(np.float64) - ZEROS.get(ufunc, np.inf)) <= NEAR_ZERO
    return np.where(near, UNIT_NEAR_ZERO[x.dtype.name], 0.0)


def error(got, exact, low=0.0, shift=0, unit=0.0):
    """Distance of each result from the exact value (exact + low) / 2**shift, in ULP of its own type, or in units if
    these are larger.

    Where the exact value lies beyond the type's largest number, infinity is 0 ULP away."""
    info = np.finfo(got.dtype)
    shift = np.asarray(shift, np.int64)
    wide = got.astype(np.float64)
    if shift.any():
        wide = np.ldexp(wide, shift)
    with np.errstate(invalid="ignore"):
        distance = np.abs((wide - exact) - low) / np.maximum(ulp(exact, got.dtype, shift), unit)
    beyond = np.flatnonzero(np.isinf(wide))
    overflows = np.abs(exact[beyond]) >= 2.0**info.maxexp if info.bits < 64 else np.isinf(exact[beyond])
    right = overflows & (wide[beyond] == np.copysign(np.inf, exact[beyond]))
    distance[beyond[right]] = 0.0
    return distance
