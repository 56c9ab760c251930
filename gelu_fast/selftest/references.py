# SPDX-License-Identifier: BSD-3-Clause
"""The exact functions, independent of the kernels and more precise than what they judge, by NumPy and the standard
library alone. The kernels have polynomials, in segments and in the tail; here are the power series of the distribution
function and its continued fraction, and the logistic function as it is written.

Float64, by math.erfc and numpy.exp, judges float32 and smaller types: gate and slope to 2e-13 of their value, 4e-6 ULP
of float32. Decimals of 50 digits judge float64: gate and slope to 1e-38. A gradient near its zero, and a sum of
location and scale, are as exact as their larger term. tests/test_selftest.py shows it against balls of Arb. How a
function comes from gate and slope stands in _functions.py."""

import math
import operator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from functools import reduce

import numpy as np

from gelu_fast._bounds import OF_LARGEST_TERM, UFUNCS
from gelu_fast._functions import FUNCTIONS

DIGITS = 50
DECIMALS = Context(prec=DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
CUBIC, SIGMOID = Decimal("0.044715"), Decimal("1.702")
# Beyond, gate and slope are 0 or 1 and 0: sigmoid's are exp(-1702).
ALL_DECIDED = 1e3
SERIES_UP_TO, FRACTION_STEPS = 6, 80


def _logistic(form, x, number, sqrt):
    """Argument of the logistic function that is the gate, and that argument's derivative."""
    if form == "sigmoid":
        return number(SIGMOID) * x, number(SIGMOID)
    factor, cubic = sqrt(8 / number(PI)), number(CUBIC)
    return factor * (x + cubic * x * x * x), factor * (1 + 3 * cubic * x * x)


def _erfc(x):
    """math.erfc of a float64 array; elsewhere than between 2**-30 and 40 it is 1 - 2 x / sqrt(pi), or 0 or 2."""
    size = np.abs(x)
    result = np.where(size < 1, 1 - x * (2 / math.sqrt(math.pi)), 1 - np.sign(x))
    between = np.flatnonzero((size >= 2.0**-30) & (size < 40))
    result[between] = np.fromiter(map(math.erfc, x[between].tolist()), np.float64, between.size)
    return result


def gate_and_slope(form, x):
    """The gate and its derivative, of a one-dimensional float64 array without NaN."""
    x = x.clip(-ALL_DECIDED, ALL_DECIDED)
    with np.errstate(all="ignore"):
        if form == "exact":
            return _erfc(x * -math.sqrt(0.5)) / 2, np.exp(x * x / -2) * (1 / math.sqrt(2 * math.pi))
        v, slope_of_v = _logistic(form, x, float, math.sqrt)
        gate = 1 / (1 + np.exp(-v))
        return gate, gate / (1 + np.exp(v)) * slope_of_v


def _normal(x):
    """The normal distribution function and its density."""
    t = abs(x)
    density = (t * t / -2).exp() / (2 * PI).sqrt()
    if t <= SERIES_UP_TO:  # t + t**3/3 + t**5/(3*5) + ...
        total = term = t
        k = 1
        while term > total.scaleb(-DIGITS):
            k += 2
            term = term * t * t / k
            total += term
        below = Decimal("0.5") - density * total
    else:  # 1/(t + 1/(t + 2/(t + 3/(t + ...
        fraction = t
        for k in range(FRACTION_STEPS, 0, -1):
            fraction = t + k / fraction
        below = density / fraction
    return (below if x < 0 else 1 - below), density


def decimal_gate_and_slope(form, x):
    """The same of one float64, which is finite, as decimals."""
    if abs(x) > ALL_DECIDED:
        return Decimal(x > 0), Decimal(0)
    x = Decimal(x)
    if form == "exact":
        return _normal(x)
    v, slope_of_v = _logistic(form, x, Decimal, Decimal.sqrt)
    odds = (-v).exp()
    gate = 1 / (1 + odds)
    return gate, gate * gate * odds * slope_of_v


def _gate_and_slope_of(form, z, dtype):
    """Of float64 numbers; arrays of decimals if it is float64 that is to be judged."""
    if dtype != np.float64:
        return gate_and_slope(form, z)
    pairs = [decimal_gate_and_slope(form, x) for x in z.tolist()]
    return np.array(pairs, object).reshape(-1, 2).T


def of_one_input(function, x, *gate_and_slope):
    """The exact values, from gate and slope at x."""
    _, (a, *factors) = FUNCTIONS[function].exact(x)
    exact = a * reduce(operator.add, map(operator.mul, factors, gate_and_slope))
    if exact.dtype == object:
        return exact
    # GELU is more than x/2, if by too little for float64: the middle between two subnormal numbers goes up.
    return np.where((exact == x / 2) & (x != 0), np.nextafter(exact, np.inf), exact)


def exact_gates(form, x, dtype):
    """Finite numbers of a type as they are multiplied with exact values, and gate and slope there."""
    wide = x.astype(np.float64)
    with localcontext(DECIMALS):
        gate, slope = _gate_and_slope_of(form, wide, dtype)
    return (as_decimals(wide) if dtype == np.float64 else wide), gate, slope


as_decimals = np.frompyfunc(Decimal, 1, 1)


def terms(function, inputs, working):
    """z, and for each output the factors (a, b, c) of a * (b * gate(z) + c * slope(z)), without c where it is zero: by
    the operations of _functions.py in the type that is computed in; all float64."""
    with np.errstate(all="ignore"):
        z, *outputs = FUNCTIONS[function].exact(*[x.astype(working) for x in inputs])
    wide = [[np.broadcast_to(np.float64(factor), z.shape) for factor in output] for output in outputs]
    return z.astype(np.float64), wide


def of_several_inputs(ufunc, inputs, format):
    """For each output: exact values; the larger of the two terms; and where what is multiplied is below half of the
    smallest subnormal number, and may count as zero."""
    function, form = UFUNCS[ufunc]
    z, outputs = terms(function, inputs, format.working)
    least = np.finfo(format.working).smallest_subnormal
    with localcontext(DECIMALS), np.errstate(all="ignore"):
        gate, slope = _gate_and_slope_of(form, z, format.dtype)
        least = Decimal(float(least)) / 2 if gate.dtype == object else np.float64(least) / 2
        for output in outputs:
            a, *factors = map(as_decimals, output) if gate.dtype == object else output
            both = [*map(operator.mul, factors, (gate, slope))]
            of_one, larger = reduce(operator.add, both), reduce(np.maximum, map(np.abs, both))
            crucial = gate if function in OF_LARGEST_TERM else of_one
            yield a * of_one, abs(a) * larger, np.abs(crucial) < least
