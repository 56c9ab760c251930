# SPDX-License-Identifier: BSD-3-Clause
"""Compute every coefficient of the kernels and write them as hex floats.

    python tools/fit.py            rewrite gelu_fast/kernels/coeffs_*.h and tables/*.c
    python tools/fit.py --check    exit 1 if the committed files differ from what is computed

All arithmetic is ball arithmetic of PREC bits (python-flint); a constant is rounded once, when it is
written. A polynomial is the least-squares fit of the relative error at Chebyshev nodes; its largest error
is within a small factor of the minimax polynomial's. Coefficients are rounded one after another, lowest
degree first, and after each rounding the others are fitted again, so that they absorb the rounding error.
"""

import argparse
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

from flint import arb, arb_mat, ctx

PREC = 320
KERNELS = Path(__file__).resolve().parent.parent / "gelu_fast" / "kernels"
FORMS = ("erf", "tanh", "sigmoid")
# The curves of functions.h: name (that of the ufunc without gelu_) -> function and form.
CURVES = {
    prefix + form: (function, form)
    for function, prefix in (("value", ""), ("gate", "gate_"), ("grad", "grad_"))
    for form in FORMS
}

ctx.prec = PREC
PI = arb.pi()
LN2 = arb(2).log()
TANH_A = 2 * (2 / PI).sqrt()  # 2u = A t + B t^3
TANH_B = TANH_A * arb("0.044715")
SIGMOID_C = arb("1.702")

# For gelu alone: the inner segments end at about this t. In them gelu(x) = x/2 - T(|x|), in the outer ones
# max(x, 0) - T(|x|). The outer ones must begin beyond x = 0.387, where gelu(x) = 1/4: just below, T(x) = -gelu(-x) is
# above 1/8, so that it has the same ULP as gelu(x), and its rounding would add half an ULP.
INNER = 0.394
LANES = 32  # segments of a table in registers: a permute of two AVX-512 registers chooses among 32 numbers


@dataclass(frozen=True)
class Real:
    """A floating-point type, and how the curves are approximated in it."""

    name: str
    suffix: str
    bits: int  # precision, the implied bit included
    min_exponent: int  # the smallest subnormal is 2**min_exponent
    ln2_hi_bits: int  # so few that n * LN2_HI is exact for every n that occurs
    exp_terms: int
    mills_terms: int
    mills_from: float  # t where the tail of erf begins, with any table
    terms: int  # coefficients of a segment in memory
    width: dict  # form -> width of a segment in memory
    end: dict  # form -> end of the last one: few inputs should lie beyond, and the table should fit in the cache
    lane_terms: int = 0  # coefficients of a segment in registers; 0: this type has no table in registers
    lane_width: dict = field(default_factory=dict)  # curve or form -> width of a segment in registers

    def round(self, value):
        """The number of this type that is nearest to a ball's midpoint, as a Python float."""
        mid = value.mid()
        if mid == 0:
            return 0.0
        exponent = math.frexp(float(mid))[1] - self.bits
        scaled = mid * arb(2) ** (-exponent)
        return math.ldexp(int((scaled + arb(0.5)).floor().unique_fmpz()), exponent)

    def hex(self, number):
        if number == 0:
            return "0" + self.suffix.replace("f", ".f")
        mantissa, exponent = float(number).hex().split("p")
        return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}{self.suffix}"

    def ulp(self, value):
        return 2.0 ** (math.frexp(value)[1] - self.bits)


F32 = Real(
    "f32",
    "f",
    24,
    -149,
    14,
    exp_terms=6,
    mills_terms=6,
    mills_from=5,
    terms=4,
    width={"erf": 1 / 128, "tanh": 1 / 128, "sigmoid": 1 / 128},
    end={"erf": 6.5, "tanh": 5.5, "sigmoid": 8},
    lane_terms=7,
    lane_width={
        "erf": 43 / 256,
        "tanh": 81 / 512,
        "sigmoid": 5 / 16,
        "gate_tanh": 39 / 256,
        "grad_sigmoid": 1 / 4,
    },
)
F64 = Real(
    "f64",
    "",
    53,
    -1074,
    41,
    exp_terms=11,
    mills_terms=14,
    mills_from=6,
    terms=8,
    width={"erf": 1 / 64, "tanh": 3 / 256, "sigmoid": 5 / 256},
    end={"erf": 6, "tanh": 5, "sigmoid": 8},
)


def gate_tail(form, t):
    """P(t) = 1 - gate(t) = gate(-t)."""
    if form == "erf":
        return (t / arb(2).sqrt()).erfc() / 2
    v = TANH_A * t + TANH_B * t**3 if form == "tanh" else SIGMOID_C * t
    return 1 / (1 + v.exp())


def grad_tail(form, t):
    """1 - grad(t) = grad(-t), where grad is the derivative of gelu: P(t) + t P'(t)."""
    p = gate_tail(form, t)
    if form == "erf":
        return p - t * (-t * t / 2).exp() / (2 * PI).sqrt()
    slope = TANH_A + 3 * TANH_B * t * t if form == "tanh" else SIGMOID_C
    return p - t * p * (1 - p) * slope


def tail(curve, t):
    """T(t), from which the kernels compute the curve: -gelu(-t), gate(-t) or grad(-t)."""
    function, form = CURVES[curve]
    if function == "grad":
        return grad_tail(form, t)
    return gate_tail(form, t) * (t if function == "value" else 1)


def size(curve, t):
    """The magnitude that an error at t is divided by: the smaller of the function's magnitudes at t and at -t. The
    gradient has a zero near -3/4; for t < 1 its magnitude counts as 1/256 or more."""
    near_zero = CURVES[curve][0] == "grad" and t < 1
    return abs(tail(curve, t)).max(arb(1) / 256 if near_zero else arb(0))


def first(predicate, step):
    """The least multiple of `step` for which the monotone predicate holds."""
    high = 1
    while not predicate(arb(high) * step):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if predicate(arb(middle) * step) else (middle, high)
    return high * step


def cutoff(curve, real):
    """The t from which on T(t) rounds to zero."""
    return first(lambda t: t > 1 and size(curve, t) < arb(2) ** (real.min_exponent - 1), 1 / 16)


def far(curve, real, bits):
    """The t from which on T(t) is below 2^-bits of a last place of x, or of 1."""
    unit = arb(2) ** -(real.bits + bits)
    value = CURVES[curve][0] == "value"
    return first(lambda t: t > 1 and size(curve, t) < unit * (t if value else 1), 1 / 16)


def fit(function, weight, low, high, terms, real):
    """Coefficients, lowest degree first, of the polynomial that has the least error divided by `weight`, and
    the largest of these quotients."""
    nodes = 3 * terms
    xs = [
        ((low + high) / 2 + (high - low) / 2 * arb.cos_pi(arb(2 * i + 1) / (2 * nodes))).mid()
        for i in range(nodes)
    ]
    left, weights, fixed = [function(x) for x in xs], [weight(x) for x in xs], []
    for lowest in range(terms):
        # (A^T A) c = A^T b: rows x^j / weight; b is the function less the terms that are fixed, over weight
        a = arb_mat([[x**j / w for j in range(lowest, terms)] for x, w in zip(xs, weights)])
        b = arb_mat([[y / w] for y, w in zip(left, weights)])
        c = (a.transpose() * a).solve(a.transpose() * b)
        fixed.append(arb(real.round(c[0, 0])))
        left = [y - fixed[-1] * x**lowest for x, y in zip(xs, left)]
    worst = max(
        abs(((sum((c * x**j for j, c in enumerate(fixed)), arb(0)) - function(x)) / weight(x)).mid())
        for x in (low + (high - low) * (arb(i) + 0.5) / 37 for i in range(37))
    )
    return fixed, float(worst)


def relative_fit(function, *args):
    return fit(function, function, *args)


def exp_quotient(r):
    """(exp(r) - 1 - r) / r^2, by its series, as the numerator cancels near zero."""
    term, total = arb(1) / 2, arb(0)
    for k in range(3, 60):
        total += term
        term *= r / k
    return total


def mills(z):
    """t exp(t^2/2) Phi(-t) for z = 1/t^2, which is t times Mills' ratio over sqrt(2 pi)."""
    t = 1 / z.sqrt()
    return (t * t / 2).exp() * size("erf", t)


def table(curve, t, inner):
    """T(t), in the inner segments less t/2: gelu(x) = x/2 - T(|x|) there, and max(x, 0) - T(|x|) in the others."""
    return tail(curve, t) - t / 2 if inner else tail(curve, t)


def segment(curve, real, inner, center, constant, low, high, terms):
    """Coefficients c1, c2 ... of T(t) = constant + c1 d + c2 d^2 + ..., d = t - center, on low <= t <= high,
    and the largest error relative to size() there."""
    skip = 1 if inner and center == 0 else 0  # the series of T(t) begins with t^2 there, so c1 is 0

    def function(d):
        return (table(curve, center + d, inner) - constant) / d ** (1 + skip)

    def weight(d):
        return size(curve, center + d) / d ** (1 + skip)

    c, worst = fit(function, weight, arb(low) - center, arb(high) - center, terms - 1 - skip, real)
    return [0.0] * skip + [float(x) for x in c], worst


def inner_segments(curve, width):
    """The last inner segment; -1 if there is none."""
    return math.ceil(INNER / width - 0.5) if CURVES[curve][0] == "value" else -1


def segments_in_memory(curve, real):
    """Segment k: (k - 1/2) width <= t <= (k + 1/2) width. Its center is (k - 1) width, of the first one 0. All
    but the first lie beside their center, so that the polynomial can absorb the rounding of its constant term."""
    form = CURVES[curve][1]
    width, end = real.width[form], real.end[form]
    last, last_inner = math.ceil(end / width - 0.5), inner_segments(curve, width)
    rows, errors = [], []
    for k in range(last + 1):
        inner, center = k <= last_inner, arb(max(k - 1, 0)) * width
        constant = real.round(table(curve, center, inner))
        low, high = max(k - 0.5, 0) * width, (k + 0.5) * width
        c, error = segment(curve, real, inner, center, constant, low, high, real.terms)
        rows.append([constant, *c])
        errors.append(error)
    rows.append([0.0] * real.terms)  # for all numbers beyond
    return width, end, last_inner, "ROWS", rows, max(errors)


def segments_in_registers(curve, real):
    """Segment k: (k - 1/2) width <= t <= (k + 1/2) width. Its center is a number of `real` near its middle for
    which T(t) is very nearly a number of `real` too (Gal and Bachelis, ACM TOMS 17, 1991)."""
    width = real.lane_width.get(curve, real.lane_width[CURVES[curve][1]])
    last_inner = inner_segments(curve, width)
    columns, errors = [], []
    for k in range(LANES):
        inner, center = k <= last_inner, arb(0)
        constant = arb(real.round(table(curve, center, inner)))
        if k > 0:
            step = 8 * real.ulp(k * width)
            candidates = [arb(k * width + i * step) for i in range(-200, 200)]
            values = [table(curve, t, inner) for t in candidates]
            _, center, constant = min(
                (float(abs((v - real.round(v)) / v).mid()), t, arb(real.round(v)))
                for t, v in zip(candidates, values)
            )
        slack = width / 1024  # kernels round t / width to k with an error, so t may lie just outside
        low, high = max(0, (k - 0.5) * width - slack), (k + 0.5) * width + slack
        c, error = segment(curve, real, inner, center, constant, low, high, real.lane_terms)
        columns.append([float(center), float(constant), *c])
        errors.append(error)
    end = (LANES - 0.5625) * width
    return width, end, last_inner, "LANES", list(zip(*columns)), max(errors)


def accuracy(error):
    return f"relative error {error:.2g} = 2^{math.log2(error):.1f}"


def header(real, tables):
    """The text of coeffs_<real>.h; adds the lines of the tables that it declares to `tables`, by function."""
    name = real.name
    lines = [
        "/* SPDX-License-Identifier: BSD-3-Clause */",
        "/* Written by tools/fit.py; change that, not this. */",
        f"#ifndef GELU_COEFFS_{name.upper()}_H",
        f"#define GELU_COEFFS_{name.upper()}_H",
        "",
    ]

    def scalar(key, value, meaning=None):
        number = real.round(value) if isinstance(value, arb) else value
        text = number if isinstance(number, int) else real.hex(number)
        lines.append(f"#define {name}_{key} {text}" + f" /* {meaning} */" * (meaning is not None))
        return number

    def pair(key, value, meaning, hi_bits=real.bits):
        hi = real.round(value)
        if hi_bits < real.bits:
            hi = math.ldexp(round(math.ldexp(hi, hi_bits - math.frexp(hi)[1])), math.frexp(hi)[1] - hi_bits)
        scalar(key + "_HI", hi, meaning)
        scalar(key + "_LO", value - arb(hi), "and what is left of it")

    def polynomial(key, result, meaning):
        coefficients, worst = result
        lines.append(f"/* {meaning}, highest degree first; {accuracy(worst)} */")
        lines.append(f"static const {name} {name}_{key}[] = {{")
        lines.extend(f"    {real.hex(c)}, /* {float(c):+.9g} */" for c in reversed(coefficients))
        lines.append("};")

    scalar("LOG2E", 1 / LN2, "1/ln 2")
    pair("LN2", LN2, f"ln 2, the first {real.ln2_hi_bits} bits", real.ln2_hi_bits)
    pair("TANH_A", TANH_A, f"2 sqrt(2/pi), the first {real.bits // 2} bits", real.bits // 2)
    pair("TANH_B", TANH_B, "0.044715 times that")
    pair("TANH_3B", 3 * TANH_B, "3 times that")
    pair("SIGMOID", SIGMOID_C, "1.702")
    pair("MILLS_0", 1 / (2 * PI).sqrt(), "t exp(t^2/2) Phi(-t) for t to infinity")
    half_ln2 = LN2 / 2 * arb("1.001")
    result = relative_fit(exp_quotient, -half_ln2, half_ln2, real.exp_terms, real)
    polynomial("EXP", result, "(exp(r) - 1 - r)/r^2 on |r| <= ln(2)/2")
    low, high = 1 / arb(cutoff("erf", real)) ** 2, 1 / arb(real.mills_from) ** 2
    at_infinity = arb(real.round(1 / (2 * PI).sqrt()))
    at_infinity += arb(real.round(1 / (2 * PI).sqrt() - at_infinity))
    result = fit(
        lambda z: (mills(z) - at_infinity) / z, lambda z: mills(z) / z, low, high, real.mills_terms, real
    )
    polynomial("MILLS", result, "(t exp(t^2/2) Phi(-t) - MILLS_0)/z in z = 1/t^2")

    def segments(curve, meaning, width, end, inner, table_name, rows, error):
        scalar(f"END_{curve}", arb(end), f"{end}: the segments' end")
        scalar(f"WIDTH_{curve}", width, f"{width}")
        scalar(f"INNER_{curve}", inner, "the last inner segment" if inner >= 0 else "no inner segments")
        declaration = f"TABLE const {name} {name}_{table_name}_{curve}[{len(rows)}][{len(rows[0])}]"
        lines.append(f"extern {declaration}; /* {meaning} */")
        lines_of_rows = (f"    {{{', '.join(map(real.hex, row))}}}," for row in rows)
        function = tables.setdefault(CURVES[curve][0], [])
        function += ["", f"/* {accuracy(error)} */", f"{declaration} = {{", *lines_of_rows, "};"]

    scalar("TERMS", real.terms, "coefficients of a segment in memory")
    if real.lane_terms:
        scalar("LANE_TERMS", real.lane_terms, "coefficients of a segment in registers")
    for curve in CURVES:
        lines.append("")
        scalar(f"CUTOFF_{curve}", cutoff(curve, real), f"{cutoff(curve, real)}: from here on T(t) is 0")
        for key, bits, where in ("FAR", 2, "in a sum"), ("FAR_TIMES", 6, "in the parts of a product"):
            scalar(
                f"{key}_{curve}", arb(far(curve, real, bits)), f"for x from here on T does not count {where}"
            )
        if real.lane_terms:
            lines.append("#ifdef TABLE_IN_REGISTERS")
            segments(curve, "centers, T(t) there, c1, c2 ...", *segments_in_registers(curve, real))
            lines.append("#else")
        segments(curve, "T(t): c0, c1 ... of each segment", *segments_in_memory(curve, real))
        if real.lane_terms:
            lines.append("#endif")
    return "\n".join(lines + ["", "#endif", ""])


def files():
    """Name -> text of all files that are written."""
    import fit_half

    written = {"coeffs_half.h": fit_half.header()}
    for real in (F32, F64):
        tables = {}
        written[f"coeffs_{real.name}.h"] = header(real, tables)
        for function, lines in tables.items():
            head = [
                "/* SPDX-License-Identifier: BSD-3-Clause */",
                "/* Written by tools/fit.py; change that, not this. The segments of T(t): table_in_memory.h. */",
                f'#include "../{real.name}.h"',
            ]
            written[f"tables/{real.name}_{function}.c"] = "\n".join([*head, *lines, ""])
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    written = files()
    there = (f"tables/{path.name}" for path in KERNELS.glob("tables/*.c"))
    stale = [name for name in there if name not in written]
    for name, text in written.items():
        path = KERNELS / name
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit(f"{', '.join(stale)}: not what tools/fit.py computes; run `make coefficients`")


if __name__ == "__main__":
    main()
