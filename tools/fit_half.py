# SPDX-License-Identifier: BSD-3-Clause
"""The coefficients of float16 and bfloat16 (gelu_fast/kernels/half.h), which tools/fit.py writes.

Fits come first, as in fit.py. A model of the kernels in NumPy, bit by bit, with FMA and without, then finds the inputs
that round wrongly, a dozen of float16's; each in turn moves the polynomial of its curve's exponential by as little as
sets it right (a projection, Kaczmarz 1937), until all inputs are right at once. Of CHAINS that begin at different
places the first to arrive gives the coefficients."""

import math
from dataclasses import dataclass

import fit
import numpy as np
from fit import F32, LN2, SIGMOID_C, TANH_A, TANH_B
from flint import arb, arb_mat, ctx

ATTEMPTS, CHAINS, STEPS = 10, 64, 100
LEAST = 2.0**-14  # half.h
f32 = np.float32
FIRST = f32(1.5 * 2**23)


@dataclass(frozen=True)
class Half:
    """A type of two bytes, and how its curves are approximated."""

    name: str
    mantissa_bits: int
    least_exponent: int  # of normal numbers
    lift: int  # E is computed times 2^lift
    limit: float
    exp2_terms: int  # at least 7 beside the zero of a logistic gradient
    end: float  # N/D holds to here
    error: float  # of T at most, relative: what the bounds of products leave to it
    vanishes: int  # exponent of the T that no product of two factors makes a number; 0: as for float32

    def cutoff(self, curve):
        """From here on T is 0 beside x and 1, and for every factor."""
        exponent = self.vanishes or F32.min_exponent - 1
        return fit.first(lambda t: t > 1 and fit.size(curve, t) < arb(2) ** exponent, 1 / 16)

    def inputs(self):
        """The positive numbers."""
        shift = 23 - self.mantissa_bits
        bits = np.arange((self.least_exponent + 127 << 23) + (1 << 23) >> shift, 0x7F800000 >> shift)
        normal = (bits << shift).astype(np.uint32).view(f32)
        step = 2.0 ** (self.least_exponent - self.mantissa_bits)
        subnormal = (np.arange(1, 2 << self.mantissa_bits) * step).astype(f32)
        every = np.concatenate([subnormal, normal])
        return every[every < 2.0 ** (1 - self.least_exponent)]

    def unit(self, y):
        """The distance of the numbers around y."""
        exponent = np.frexp(y)[1] - 1
        return np.ldexp(1.0, np.maximum(exponent, self.least_exponent) - self.mantissa_bits)

    def nearest(self, y):
        y = y.astype(np.float64)
        return np.rint(y / self.unit(y)) * self.unit(y)


FLOAT16 = Half("f16", 10, -14, 0, 1 - 2.0**-24, exp2_terms=7, end=8.8, error=2.0**-15.4, vanishes=-58)
BFLOAT16 = Half("bf16", 7, -126, 40, 1.0, exp2_terms=6, end=14.6, error=2.0**-18, vanishes=0)


# ---- the fits ----


def zero(form):
    """Where the gradient is zero, less its sign."""
    low, high = arb(0.5), arb(1)
    for _ in range(2 * ctx.prec // 3):
        middle = ((low + high) / 2).mid()
        low, high = (middle, high) if fit.grad_tail(form, middle) > 0 else (low, middle)
    return low


ZERO = zero("erf")


def smooth(function, t):
    """T(t) exp(t^2/2) of the gate, and of the gradient over t0 - t."""
    if function == "gate":
        return fit.gate_tail("erf", t) * (t * t / 2).exp()
    return fit.grad_tail("erf", t) * (t * t / 2).exp() / (ZERO - t)


def weight(half, t):
    """The relative error at t that counts as one: more where results are subnormal, for all factors up to 2^32."""
    if not half.vanishes:
        return arb(1)
    T = fit.gate_tail("erf", t) * t.max(arb(1) / 2)
    return (
        (arb(2) ** half.least_exponent / T).max(arb(1)).min(arb(32)).max(arb(2) ** (half.vanishes + 12) / T)
    )


def quotient(half, function, n_terms, d_terms, rounds=12):
    """N and D, highest degree first. Each round solves for N - D y, relative to the D of the round before (Loeb, 1957),
    with weights that grow with the errors (Lawson, 1961)."""
    nodes, at_0 = 6 * (n_terms + d_terms - 1), arb(F32.round(smooth(function, arb(0))))  # N/D there
    xs = [
        (arb(half.end) * ((1 - arb.cos_pi(arb(2 * i + 1) / (2 * nodes))) / 2) ** arb(1.5)).mid()
        for i in range(nodes)
    ]
    ys = [smooth(function, t).mid() for t in xs]
    allowed = [(weight(half, t) * y).mid() for t, y in zip(xs, ys)]
    ds, grown, best = [arb(1)] * nodes, [arb(1)] * nodes, (None, [], [])
    for _ in range(rounds):
        a, b = [], []
        for t, y, w, d, g in zip(xs, ys, allowed, ds, grown):
            k = g.sqrt() / (d * w)
            a.append([k * t**j for j in range(1, n_terms)] + [-k * y * t**j for j in range(1, d_terms)])
            b.append([k * (y - at_0)])
        a, b = arb_mat(a), arb_mat(b)
        c = (a.transpose() * a).solve(a.transpose() * b)
        c = [at_0, *(c[i, 0].mid() for i in range(c.nrows()))]
        n, d = c[:n_terms], [arb(1), *c[n_terms:]]
        ns, ds = ([sum((x * t**j for j, x in enumerate(p)), arb(0)).mid() for t in xs] for p in (n, d))
        errors = [abs((top / bottom - y) / w).mid() for top, bottom, y, w in zip(ns, ds, ys, allowed)]
        worst = max(errors)
        if best[0] is None or worst < best[0]:
            best = worst, n, d
        grown = [(g * (e / worst + arb(0.001))).mid() for g, e in zip(grown, errors)]
    _, n, d = best
    return [F32.round(x) for x in reversed(n)], [F32.round(x) for x in reversed(d)]


def exp2_minus(terms):
    """2^-r on |r| <= 1/2, highest degree first; 1 at 0."""
    half = arb("0.50005")

    def away(r):
        return r if abs(r) > arb(2) ** -40 else arb(2) ** -40

    c, _ = fit.fit(
        lambda r: ((-away(r) * LN2).exp() - 1) / away(r),
        lambda r: (-r * LN2).exp() / abs(away(r)),
        -half,
        half,
        terms - 1,
        F32,
    )
    return [*(float(x) for x in reversed(c)), 1.0]


def parts(value, bits):
    """A constant, its first bits, and what these lack."""
    whole = F32.round(value)
    exponent = math.frexp(whole)[1] - bits
    high = math.ldexp(round(math.ldexp(whole, -exponent)), exponent)
    return [whole, high, F32.round(value - arb(high))]


# h = v/ln 2, whose first part times t, or t^2, is exact: numbers of float16 have 11 bits, their squares 22.
EXPONENTS = {
    "erf": parts(1 / (2 * LN2), 2),
    "tanh": [*parts(TANH_A / LN2, 13), F32.round(TANH_B / LN2)],
    "sigmoid": parts(SIGMOID_C / LN2, 13),
}
# 1 - t v', less its 1: coefficients of t in two parts, and of t^3.
FALLS = {
    "tanh": [*parts(-TANH_A, 13)[1:], F32.round(-3 * TANH_B)],
    "sigmoid": [*parts(-SIGMOID_C, 13)[1:], 0.0],
}
ZERO_HI, ZERO_LO = parts(ZERO, 24)[1:]


def vanishing(curve):
    """The first multiple of 1/128, as float16 has them here, from which on T as a float32 is 0."""
    least = arb(2) ** (F32.min_exponent - 1)
    return fit.first(lambda t: t > 1 and fit.size(curve, t) < least, 1 / 128)


# ---- the kernels' arithmetic ----


def twice(a, b, c):
    """a b + c without FMA."""
    return a * b + c


def fused(a, b, c):
    """a b + c, rounded once: the sum of float64 is rounded to odd."""
    a, b, c = np.broadcast_arrays(*(np.asarray(x, f32).astype(np.float64) for x in (a, b, c)))
    product = a * b
    total = product + c
    back = total - product
    lost = (product - (total - back)) + (c - back)
    bits = total.view(np.int64)
    odd = (bits - (np.signbit(lost) != np.signbit(total))) | 1
    return np.where(lost != 0, odd, bits).view(np.float64).astype(f32)


def horner(fma, x, coefficients):
    p = f32(coefficients[0]) if np.ndim(coefficients[0]) == 0 else coefficients[0]
    for c in coefficients[1:]:
        p = fma(p, x, c if np.ndim(c) else f32(c))
    return p


class Curve:
    """One curve of a type, as half.h computes it."""

    def __init__(self, half, curve, times=False):
        self.half, self.times = half, times
        self.function, self.form = fit.CURVES[curve]
        end = half.cutoff(curve)
        t = half.inputs()
        t = t[(t >= (LEAST if self.function == "value" else 2.0**-40)) & (t < end)]
        self.x = np.concatenate([t, -t])
        t = t.astype(np.float64)
        self.T, self.slope, self.r = self.exact(t)
        limit, signed = (t, -1) if self.function == "value" else (1, 1)
        self.y = np.concatenate([limit - self.T, signed * self.T])
        self.T, self.slope, self.r = (np.concatenate([a, a]) for a in (self.T, self.slope, self.r))

        self.scale = np.abs(self.T) + 0.05 * (self.function == "grad") * (np.abs(self.x) < 1.5)

    def only(self, chosen):
        self.x, self.y = self.x[chosen], self.y[chosen]

    def exact(self, t):
        """T, its derivative by log E, and r."""
        if self.form == "erf":
            P = np.array([math.erfc(u) for u in t / math.sqrt(2)]) / 2
            v = t * t / 2
            T = {"value": t * P, "gate": P, "grad": P - t * np.exp(-v) / math.sqrt(2 * math.pi)}[
                self.function
            ]
            slope = T
        else:
            a, b = (1.702, 0.0) if self.form == "sigmoid" else (math.sqrt(8 / math.pi), 0.044715)
            v, s = a * (t + b * t**3), a * (t + 3 * b * t**3)
            E = np.exp(-v)
            P = E / (1 + E)
            T = {"value": t * P, "gate": P, "grad": P * (1 - s / (1 + E))}[self.function]
            slope = T / (1 + E)
            if self.function == "grad":
                slope = T + P / (1 + E) * E - 2 * T * P
        h = v / math.log(2)
        self.P = np.concatenate([P, P])
        return T, slope, h - np.rint(h)

    def kernel(self, fma, c):
        """Results in float32 for coefficients c, or chains of them."""
        t, below, one = np.abs(self.x), self.x <= 0, f32(2.0**self.half.lift)
        first, a = FIRST - f32(self.half.lift), c["V"]
        if self.form == "tanh":
            cube = t * t * t
            shifted = fma(cube, a[3], t * a[0]) + first
            r = fma(t, a[2], fma(cube, a[3], fma(t, a[1], first - shifted)))
        else:
            u = t * t if self.form == "erf" else t
            shifted = fma(u, a[0], first)
            r = fma(u, a[2], fma(u, a[1], first - shifted))
        E = (horner(fma, r, c["EXP2"]).view(np.int32) - (shifted.view(np.int32) << 23)).view(f32)
        if self.form == "erf":
            n, d = horner(fma, t, c["N"]), horner(fma, t, c["D"])
            if self.function == "value":
                n = t * n
            if self.function == "grad":
                n = ((f32(ZERO_HI) - t) + f32(ZERO_LO)) * n
            T = n / d * E
            if self.function == "gate":
                T = np.where(below, T, one - T)
        elif self.function == "value":
            T = t * one / (one + E) * E
        elif self.function == "gate":
            T = np.where(below, E, one) * one / (one + E)
        else:
            falls = t * c["FALLS"][1]
            if self.form == "tanh":
                falls = fma(cube, c["FALLS"][2], falls)
            high = fma(t, c["FALLS"][0], f32(1))
            n = one * (high + falls) + E
            if self.times:
                n = fma(one * t, c["FALLS"][3], (one * high + E) + one * falls)
            d = one + E
            T = n * one / (d * d) * E
        T = (T.astype(np.float64) * 2.0**-self.half.lift).astype(f32)
        if self.function == "value":
            return np.maximum(self.x, f32(0)) - T
        if self.function == "gate":
            return T
        return np.where(below, T, f32(self.half.limit) - T)

    def lacks(self, c):
        """For each chain and input, what a result lacks to lie a little beyond the middle between two numbers, on the
        exact value's side; 0 where it rounds right."""
        half, size = self.half, np.abs(self.y)
        unit, ulp = half.unit(self.y), np.ldexp(1.0, np.maximum(np.frexp(self.y)[1], -125) - 24)
        middle, right = np.copysign((np.floor(size / unit) + 0.5) * unit, self.y), half.nearest(self.y)
        lacks = np.zeros(1)
        for fma in (twice, fused):
            y = self.kernel(fma, c)
            more = (half.nearest(y) != right) * (np.abs(y - middle) + 0.35 * ulp)
            lacks = np.maximum(lacks, more)
        return lacks * np.sign(self.y - middle)


def directions(curve, start):
    """Ways to move the coefficients that change log T independently of each other, by one on average; and how each
    changes T at the inputs. Where N and D move together T hardly changes, but is rounded otherwise."""
    t, knobs = np.abs(curve.x).astype(np.float64), {}
    top = len(start["EXP2"]) - 1
    for j in range(top + 1):
        knobs["EXP2", j] = curve.r ** (top - j) * 2.0**curve.r * curve.slope
    if curve.form == "erf":
        for name, sign in ("N", 1), ("D", -1):
            terms = [t ** (len(start[name]) - 1 - j) for j in range(len(start[name]))]
            whole = sum(c * x for c, x in zip(start[name], terms))
            for j, x in enumerate(terms[: len(terms) - (name == "D")]):
                knobs[name, j] = sign * x / whole * curve.slope
    else:
        knobs["V", 2] = -math.log(2) * t * curve.slope
    if "FALLS" in start:
        knobs["FALLS", 1] = t * curve.P * (1 - curve.P)
    if curve.form == "tanh":
        knobs["V", 3] = -math.log(2) * t**3 * curve.slope
    some = slice(None, None, max(1, len(t) // 300))
    ways = []
    for i, (knob, change) in enumerate(knobs.items()):  # Gram and Schmidt's way; no knob moves without limit
        relative = (change / curve.scale)[some]
        own = math.sqrt(1e-9 * float((relative**2).sum()))
        move, change = (
            {knob: arb(1)},
            [arb(x) for x in [*relative, *(own * (i == j) for j in range(len(knobs)))]],
        )
        for other_move, other in ways:
            by = sum((a * b for a, b in zip(change, other)), arb(0)) / len(relative)
            change = [(a - by * b).mid() for a, b in zip(change, other)]
            for k, c in other_move.items():
                move[k] = (move.get(k, arb(0)) - by * c).mid()
        norm = (sum((a * a for a in change), arb(0)) / len(relative)).sqrt()
        ways.append(({k: (c / norm).mid() for k, c in move.items()}, [(a / norm).mid() for a in change]))
    moves = [{k: F32.round(c) for k, c in move.items()} for move, _ in ways]
    return [(move, sum(c * knobs[k] for k, c in move.items())) for move in moves]


@np.errstate(all="ignore")  # some chains leave
def settle(half, curve, start):
    """Coefficients by which every input rounds right, from those that are fitted."""
    every, near = Curve(half, curve), Curve(half, curve)
    if not every.lacks(start).any():
        return start
    distance = np.abs(np.abs(every.y) / half.unit(every.y) % 1 - 0.5) * half.unit(every.y)
    chosen = np.flatnonzero(distance < 2.0**-20 * every.scale)
    near.only(chosen)
    sign = np.where((every.function == "value") | (every.x > 0), -1.0, 1.0)
    ways = [(move, (sign * change)[chosen]) for move, change in directions(every, start)]
    for attempt in range(ATTEMPTS):
        random = np.random.RandomState(attempt)  # its stream is frozen
        c = {name: [np.full(CHAINS, x) for x in values] for name, values in start.items()}
        for move, _ in ways:
            amount = random.standard_normal(CHAINS) * 2.0**-25 * (np.arange(CHAINS) > 0)
            for (name, j), by in move.items():
                c[name][j] = c[name][j] + by * amount
        chains = np.arange(CHAINS)
        for _ in range(STEPS):
            lacks = near.lacks({name: [x.astype(f32)[:, None] for x in values] for name, values in c.items()})
            for chain in np.flatnonzero(~lacks.any(1)):
                found = {name: [float(f32(x[chain])) for x in values] for name, values in c.items()}
                if not every.lacks(found).any():
                    return found
            i = (np.abs(lacks / near.y) * random.random_sample(lacks.shape)).argmax(1)
            lacks, size = lacks[chains, i], sum(change[i] ** 2 for _, change in ways)
            for move, change in ways:
                for (name, j), by in move.items():
                    c[name][j] = c[name][j] + by * change[i] * lacks / size
    raise ArithmeticError(f"{half.name} {curve}: no coefficients found that round every input right")


def for_products(half, form, start):
    """Coefficients of a gradient that is multiplied by a factor. At 0 it is exactly 1/2, as ties ask for. Beside its
    zero the relative error counts: a logistic one gets one more, tiny coefficient of t, that with the least error."""
    curve = Curve(half, f"grad_{form}", times=True)
    curve.only(np.flatnonzero((curve.x < 0) & (np.abs(curve.y) > 2.0**-120)))
    found, moves = start, np.arange(-256, 257) * 2.0**-34
    if form != "erf":
        found = start | {"FALLS": [*start["FALLS"], moves.astype(f32)[:, None]]}
    kernels = [curve.kernel(fma, found).astype(np.float64) for fma in (twice, fused)]
    errors = np.max([np.abs(np.atleast_2d(y) / curve.y - 1).max(1) for y in kernels], axis=0)
    if errors.min() > half.error:
        raise ArithmeticError(f"{half.name} grad_{form}: relative error 2^{math.log2(errors.min()):.2f}")
    if form == "erf":
        assert f32(ZERO_HI) * f32(start["N"][-1]) == 0.5
        return start
    return start | {"FALLS": [*start["FALLS"], float(moves[errors.argmin()])]}


def coefficients(half):
    """Curve -> name -> coefficients."""
    found = {}
    quotients = {"gate": quotient(half, "gate", 4, 5), "grad": quotient(half, "grad", 4, 4)}
    for curve, (function, form) in fit.CURVES.items():
        terms = max(half.exp2_terms, 7 if function == "grad" and form != "erf" else 0)
        start = {"EXP2": exp2_minus(terms), "V": EXPONENTS[form]}
        if form == "erf":
            start["N"], start["D"] = quotients["grad" if function == "grad" else "gate"]
        elif function == "grad":
            start["FALLS"] = FALLS[form]
        found[curve] = settle(half, curve, start)
        if function == "grad":
            found[f"times_{form}"] = for_products(half, form, start)
    return found


def header():
    """The text of coeffs_half.h."""
    lines = [
        "/* SPDX-License-Identifier: BSD-3-Clause */",
        "/* Written by tools/fit.py and fit_half.py; change these, not this. half.h says what each is for. */",
        "#ifndef GELU_COEFFS_HALF_H",
        "#define GELU_COEFFS_HALF_H",
        "",
        f"#define HALF_ZERO_HI {F32.hex(ZERO_HI)} /* t0 of erf, where the gradient is zero */",
        f"#define HALF_ZERO_LO {F32.hex(ZERO_LO)} /* and what is left of it */",
    ]
    named: dict[tuple, str] = {}  # an array that stands there already has one more name
    for half in (FLOAT16, BFLOAT16):
        lines.append("")
        for curve, by_name in coefficients(half).items():
            for key, at in ("CUTOFF", half.cutoff), ("VANISHING", vanishing):
                if curve in fit.CURVES and not (key == "VANISHING" and fit.CURVES[curve][0] == "gate"):
                    lines.append(f"#define {half.name}_{key}_{curve} {F32.hex(at(curve))} /* {at(curve)} */")
            for name, values in by_name.items():
                array, numbers = f"{half.name}_{name}_{curve}", tuple(map(F32.hex, values))
                if numbers in named:
                    lines.append(f"#define {array} {named[numbers]}")
                    continue
                named[numbers] = array
                lines += [f"static const f32 {array}[] = {{", *(f"    {number}," for number in numbers), "};"]
    return "\n".join([*lines, "", "#endif", ""])
