# SPDX-License-Identifier: BSD-3-Clause
"""The exact functions, more precise than the results that they judge: float64 for float16 and float32, balls of
250 bits (Arb, through python-flint) for float64. Neither shares a formula with the kernels: no exp times a quotient, no
table, no reflection. Gate and slope are computed here; gelu_fast/_functions.py says how each function is made of
them."""

import hashlib
import operator
import os
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from multiprocessing import get_context
from pathlib import Path
from tempfile import NamedTemporaryFile

import flint
import numpy as np
from scipy.special import erfc

from gelu_fast._bounds import FORMS, NEAR_ZERO, OF_LARGEST_TERM, UFUNCS, UNARY, UNIT_NEAR_ZERO, ZEROS
from gelu_fast._functions import FUNCTIONS

SQRT_2_PI = np.sqrt(2 / np.pi)
# The largest error of the oracle itself, in ULP of the type that it judges.
UNCERTAINTY = {"float16": 1e-9, "float32": 1e-5, "float64": 1e-10}
IN_DOUBT = 1e-12  # twice the largest error of float64's values, relative to them (test_accuracy.py)
TINY = 2.0**-40  # below it, gate and gradient are 1/2 and gelu is just above x/2, as far as float32 shows
BEYOND = 64.0  # from there on they are 0 or 1, and gelu is x or -0: the gate of -64 is below 2^-156
CACHE = Path(__file__).resolve().parent.parent / "build" / "oracle"


def _gate_and_slope(form, x):
    """The gate and its derivative for a float64 array."""
    if form == "exact":
        return erfc(-x / np.sqrt(2)) / 2, np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    tanh = form == "tanh"
    v = 2 * SQRT_2_PI * (x + 0.044715 * (x * x * x)) if tanh else 1.702 * x
    gate = 1 / (1 + np.exp(-v))
    slope = gate / (1 + np.exp(v)) * (2 * SQRT_2_PI * (1 + 3 * 0.044715 * (x * x)) if tanh else 1.702)
    return gate, np.where(np.abs(x) > 1e4, 0.0, slope)  # also where the square overflows


def _times(factor, y):
    """factor * y; 0 where y is 0, even if the factor is infinite."""
    return np.where(y == 0, np.copysign(0.0, factor), factor * y)


def _terms_of(factors, gate_and_slope, times):
    return [times(factor, y) for factor, y in zip(factors, gate_and_slope)]


def _value_at(function, x, gate_and_slope, times):
    """The function's value at x, from gate and slope at x."""
    _, (a, *factors) = FUNCTIONS[function].exact(x)
    return a * reduce(operator.add, _terms_of(factors, gate_and_slope, times))


def in_float64(ufunc, x):
    """The function of a float64 array. Its relative error is about 1e-13, which is 1e-6 ULP of float32; for a gradient
    near its zero this is the absolute error."""
    function, form = UFUNCS[ufunc]
    with np.errstate(all="ignore"):
        return _value_at(function, x, _gate_and_slope(form, x), _times)


@np.errstate(all="ignore")
def nearest_float32(form, x):
    """{ufunc: the float32 nearest to it at each float32}, for the functions of one input. Ufuncs name the form so."""
    wide = x.astype(np.float64)
    size = np.abs(wide)
    tiny, elsewhere = size < TINY, np.flatnonzero((size >= TINY) & (size < BEYOND))
    just_above_half = (wide / 2 + size * 2.0**-50).astype(np.float32)  # a tie of subnormal numbers goes up
    nearest = np.empty((len(UNARY), *x.shape), np.float32)
    nearest[:] = np.where(tiny, np.float32(0.5), x > 0)  # gate and gradient
    nearest[0] = np.where(tiny, just_above_half, np.where(x > 0, x, np.float32(-0.0)))
    nearest[0, x == 0] = x[x == 0]
    nearest[:, x != x] = np.nan
    if elsewhere.size:
        wide = wide[elsewhere]
        gate_and_slope = _gate_and_slope(FORMS[form], wide)
        for i, function in enumerate(UNARY):
            nearest[i, elsewhere] = _nearest_float32(f"{function}_{form}", wide, gate_and_slope)
    return {f"{function}_{form}": values for function, values in zip(UNARY, nearest)}


def _nearest_float32(ufunc, x, gate_and_slope):
    """Balls decide where float64 leaves doubt."""
    exact = _value_at(UFUNCS[ufunc][0], x, gate_and_slope, _times)
    doubt = IN_DOUBT * exact
    if ufunc in ZEROS:
        doubt[np.abs(x - ZEROS[ufunc]) <= NEAR_ZERO] = IN_DOUBT
    below, nearest = (exact - doubt).astype(np.float32), (exact + doubt).astype(np.float32)
    at = np.flatnonzero((below != nearest) & np.isfinite(x))
    if at.size:
        high, low, _ = balls(ufunc, x[at])
        below, above = (np.nextafter(high, to).astype(np.float32) for to in (-np.inf, np.inf))
        off = (high - (np.float64(below) + above) / 2) + low  # from the midpoint, if there is one
        assert ((below == above) | (np.abs(off) > np.abs(high) * 2.0**-100)).all()
        nearest[at] = np.where(off < 0, below, above)
    return nearest


def _gate_and_slope_balls(form, x):
    """Gate and slope of one finite number as balls; (1, 0) or (0, 0) where they differ too little from that."""
    x, one, pi = flint.arb(x), flint.arb(1), flint.arb.pi()
    if form == "exact":
        v, slope_of_v = x * x / 2, None
    elif form == "tanh":
        cubic = flint.arb("0.044715")
        v, slope_of_v = (8 / pi).sqrt() * (x + cubic * x**3), (8 / pi).sqrt() * (1 + 3 * cubic * x**2)
    else:
        v, slope_of_v = flint.arb("1.702") * x, flint.arb("1.702")
    if abs(v) > 2000:  # exp(-2000) is far below float64's range, and exp(1e900) beyond Arb's
        return (one if x > 0 else flint.arb(0)), flint.arb(0)
    if form == "exact":
        return (-x / flint.arb(2).sqrt()).erfc() / 2, (-v).exp() / (2 * pi).sqrt()
    gate = 1 / (1 + (-v).exp())
    return gate, gate / (1 + v.exp()) * slope_of_v


def _ball(ufunc, x):
    function, form = UFUNCS[ufunc]
    return _value_at(function, flint.arb(x), _gate_and_slope_balls(form, x), operator.mul)


# ---- curves: gelu, its gate, its gradient, or the gate's slope, by the names of the kernels ----


def _of_curve(curve, x, gate_and_slope, times):
    *what, form = curve.removeprefix("rounded_").split("_")
    if what == ["slope"]:
        return gate_and_slope(FORMS[form])[1]
    return _value_at("_".join(["gelu", *what]), x, gate_and_slope(FORMS[form]), times)


def curve(name, x):
    """A curve for a float64 array, with a relative error of about 1e-13 (a gradient near its zero: absolute)."""
    with np.errstate(all="ignore"):
        return _of_curve(name, x, lambda form: _gate_and_slope(form, x), _times)


def curve_errors(name, x, value, lost, lifted, unit):
    """(value + lost) 2**-lifted - exact, relative to the exact value, or to `unit` where that is larger; computed one
    number after the other."""
    flint.ctx.prec = 250
    errors = np.empty(x.size)
    for i in range(x.size):
        at = float(x[i])
        exact = _of_curve(
            name, flint.arb(at), lambda form, at=at: _gate_and_slope_balls(form, at), operator.mul
        )
        off = (flint.arb(value[i]) + flint.arb(lost[i])) * flint.arb(2) ** int(-lifted[i]) - exact
        errors[i] = float((off / abs(exact).max(flint.arb(unit[i]))).mid())
    return errors


# ---- functions of several inputs ----


def terms(ufunc, inputs, working):
    """The intermediate numbers, rounded to `working` as in the kernels; the rest of the formula is then exact. They are
    z, and for each output the (a, b, c) of a (b gate(z) + c slope(z)), without c where it is zero; all float64."""
    with np.errstate(all="ignore"):
        z, *outputs = FUNCTIONS[UFUNCS[ufunc][0]].exact(*[np.asarray(x, working) for x in inputs])
    wide = [
        tuple(np.broadcast_to(np.float64(f), np.broadcast_shapes(np.shape(f), z.shape)) for f in output)
        for output in outputs
    ]
    return np.float64(z), wide


def composed(ufunc, inputs, working):
    """For each output: its exact value, with an error of about 1e-13 of its larger term; the factor that may count as
    zero, if it is below half of the smallest subnormal, and so make the output zero; and the larger term."""
    z, outputs = terms(ufunc, inputs, working)
    results = []
    with np.errstate(all="ignore"):
        gate, slope = _gate_and_slope(UFUNCS[ufunc][1], z)
        for a, *factors in outputs:
            both = _terms_of(factors, (gate, slope), _times)
            curve_value, larger = reduce(operator.add, both), reduce(np.maximum, map(np.abs, both))
            crucial = gate if UFUNCS[ufunc][0] in OF_LARGEST_TERM else curve_value
            results.append((a * curve_value, crucial, np.abs(a) * larger))
    return results


def composed_balls(ufunc, inputs):
    """The same for float64, one element after the other: the exact value as (high, low, shift), and whether the factor
    is so small that it may count as zero."""
    flint.ctx.prec = 250
    z, outputs = terms(ufunc, inputs, np.float64)
    results = []
    for a, *factors in outputs:
        result = np.empty((4, z.size))
        for i in range(z.size):
            gate, slope = _gate_and_slope_balls(UFUNCS[ufunc][1], float(z[i]))
            exact_factors = [flint.arb(float(factor[i])) for factor in factors]
            curve_value = reduce(operator.add, _terms_of(exact_factors, (gate, slope), operator.mul))
            result[:3, i] = _parts(flint.arb(float(a[i])) * curve_value)
            crucial = gate if UFUNCS[ufunc][0] in OF_LARGEST_TERM else curve_value
            result[3, i] = abs(crucial) < flint.arb(2) ** -1075
        results.append(result)
    return results


def _parts(ball):
    """(high, low, shift) of high + low = ball 2**shift, where high and low are normal float64."""
    tiny = flint.arb(2) ** -800
    if abs(ball) < tiny**2:  # so near to zero that the radius may be as large as the midpoint
        return 0.0, 0.0, 0.0
    assert ball.rel_accuracy_bits() > 110
    shift = 400 if abs(ball) < tiny else 0
    ball *= flint.arb(2) ** shift
    high = float(ball.mid())
    return high, float((ball - high).mid()), shift


def balls(ufunc, xs):
    """The function of a float64 array as (high + low) / 2**shift, where high and low are normal float64."""
    flint.ctx.prec = 250
    return np.array([_parts(_ball(ufunc, float(x))) for x in xs]).reshape(-1, 3).T


def cached(name, of, compute):
    """compute(), an array that takes long, kept in build/ until the bytes `of` or this file change. However many
    processes write the file, each reader gets it whole."""
    key = hashlib.sha256(Path(__file__).read_bytes() + of).hexdigest()[:20]
    path = CACHE / f"{name}-{key}.npy"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=CACHE, delete=False) as file:
            np.save(file, compute())
        os.replace(file.name, path)
    return np.load(path)


def in_balls(ufunc, x):
    """`balls` of a float64 array, computed by several processes and kept."""

    def compute():
        # spawned: a process that has imported JAX must not be forked
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(balls, [ufunc] * 64, np.array_split(x, 64)))
        return np.concatenate(parts, axis=1)

    return cached(ufunc, x.tobytes(), compute)


def ulp(exact, dtype, shift=0):
    """The spacing of `dtype` in the binade of each exact value, or that of subnormals; times 2**shift."""
    info = np.finfo(dtype)
    binade = (np.asarray(exact).view(np.int64) & (0x7FF << 52)).view(np.float64)
    return np.maximum(binade * 2.0**-info.nmant, np.ldexp(1.0, info.minexp - info.nmant + np.int64(shift)))


def least_unit(ufunc, x):
    """The least unit of an error: 0, but above 0 near the zero of a gradient."""
    near = np.abs(x.astype(np.float64) - ZEROS.get(ufunc, np.inf)) <= NEAR_ZERO
    return np.where(near, UNIT_NEAR_ZERO[x.dtype.name], 0.0)


def error(got, exact, low=0.0, shift=0, unit=0.0):
    """Distance of each result from the exact value (exact + low) / 2**shift, in ULP of its own type, or in units where
    these are larger.

    Infinity counts as the number that would follow the type's largest one, and is 0 ULP from exact values beyond it."""
    info = np.finfo(got.dtype)
    shift = np.asarray(shift, np.int64)
    wide = got.astype(np.float64)
    if shift.any():
        wide = np.ldexp(wide, shift)
    with np.errstate(invalid="ignore"):
        distance = np.abs((wide - exact) - low) / np.maximum(ulp(exact, got.dtype, shift), unit)
    beyond = np.flatnonzero(np.isinf(wide))
    of_same_sign = wide[beyond] == np.copysign(np.inf, exact[beyond])
    last = np.float64(ulp(float(info.max), got.dtype))
    after = np.maximum(0, (float(info.max) - np.abs(exact[beyond])) / last + 1)
    distance[beyond] = np.where(of_same_sign, after, np.inf)
    return distance
