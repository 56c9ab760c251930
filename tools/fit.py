# SPDX-License-Identifier: BSD-3-Clause
"""Compute every coefficient of the kernels and write them as hex floats.

    python tools/fit.py            rewrite gelu_fast/kernels/coeffs_f32.h and coeffs_f64.h
    python tools/fit.py --check    exit 1 if the committed files differ from what is computed

All arithmetic is ball arithmetic of PREC bits (python-flint); a constant is rounded once, when it is
written. Polynomials are least-squares fits of the relative error at Chebyshev nodes, which is within a
small factor of minimax; coefficients are rounded one after another, lowest degree first, and those that
are left absorb what was lost.
"""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from flint import arb, arb_mat, ctx

PREC = 600
KERNELS = Path(__file__).resolve().parent.parent / "gelu_fast" / "kernels"

ctx.prec = PREC
PI = arb.pi()
LN2 = arb(2).log()
SEGMENTS = 32  # what a two-register permute of AVX-512 holds
SEGMENT_WIDTH = {"erf": 11 / 64, "tanh": 21 / 128, "sigmoid": 11 / 32}
TANH_A = 2 * (2 / PI).sqrt()  # 2u = A t + B t^3
TANH_B = TANH_A * arb("0.044715")
SIGMOID_C = arb("1.702")


@dataclass(frozen=True)
class Real:
    """A floating-point type, and how many terms its polynomials need."""

    name: str
    suffix: str
    bits: int  # precision, the implied bit included
    min_exponent: int  # the smallest subnormal is 2**min_exponent
    ln2_hi_bits: int  # leaves n * LN2_HI exact for every n that occurs
    exp_terms: int
    erfcx_terms: int
    segment_terms: int  # 0: no table of segments for this type

    def round(self, value):
        """The nearest number of this type to a ball, as a Python float."""
        mid = value.mid()
        if mid == 0:
            return 0.0
        exponent = math.frexp(float(mid))[1] - self.bits
        scaled = mid * arb(2) ** (-exponent)
        return math.ldexp(int((scaled + arb(0.5)).floor().unique_fmpz()), exponent)

    def hex(self, number):
        mantissa, exponent = number.hex().split("p")
        return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}{self.suffix}"


F32 = Real("f32", "f", 24, -149, 14, exp_terms=5, erfcx_terms=11, segment_terms=7)
F64 = Real("f64", "", 53, -1074, 41, exp_terms=11, erfcx_terms=24, segment_terms=0)


def gate_tail(form, t):
    """P(t) = 1 - gate(t) = gate(-t), the quantity that all forms are computed from."""
    if form == "erf":
        return (t / arb(2).sqrt()).erfc() / 2
    v = TANH_A * t + TANH_B * t**3 if form == "tanh" else SIGMOID_C * t
    return 1 / (1 + v.exp())


def cutoff(form, real):
    """The least multiple of 1/16 beyond which gelu(-t) rounds to zero and gelu(t) to t."""
    sixteenths, smallest = 0, arb(2) ** (real.min_exponent - 1)
    for step in (256, 16, 1):
        while True:
            t = arb(sixteenths + step) / 16
            if t * gate_tail(form, t) < smallest:
                break
            sixteenths += step
    return (sixteenths + 1) / 16


def fit(function, low, high, terms, real, first=None):
    """Coefficients, lowest degree first, of the polynomial that is relatively nearest to `function`.

    `first` rounds the constant term, if not `real.round` does."""
    nodes = 4 * terms
    xs = [
        (low + high) / 2 + (high - low) / 2 * arb.cos_pi(arb(2 * i + 1) / (2 * nodes)) for i in range(nodes)
    ]
    xs = [x.mid() for x in xs]
    ys = [function(x) for x in xs]
    fixed = []
    while len(fixed) < terms:
        # (A^T A) c = A^T b with rows x^j / y, right-hand side what the fixed terms leave of 1
        powers = range(len(fixed), terms)
        a = arb_mat([[x**j / y for j in powers] for x, y in zip(xs, ys)])
        b = arb_mat([[1 - sum((c * x**j for j, c in enumerate(fixed)), arb(0)) / y] for x, y in zip(xs, ys)])
        c = (a.transpose() * a).solve(a.transpose() * b)
        fixed.append(first(c[0, 0]) if first and not fixed else arb(real.round(c[0, 0])))
    worst = max(
        abs((sum((c * x**j for j, c in enumerate(fixed)), arb(0)) / function(x) - 1).mid())
        for x in (low + (high - low) * arb(i) / 1000 for i in range(1001))
    )
    return fixed, float(worst)


def exp_quotient(r):
    """(exp(r) - 1 - r) / r^2, by its series: the quotient itself cancels near zero."""
    term, total = arb(1) / 2, arb(0)
    for k in range(3, 60):
        total += term
        term *= r / k
    return total


def erfcx_quotient(s):
    """M(t)/s with M(t) = exp(t^2/2) Phi(-t) = erfcx(t/sqrt 2)/2, in s = 1/(t + 4)."""
    t = 1 / s - 4
    return (t * t / 2).exp() * gate_tail("erf", t) / s


def segment_tables(real):
    """P(t) = c0_hi + (c0_lo + c1 d + c2 d^2 + ...) on SEGMENTS segments, d = t - k width, k = round(t/width).

    c0_hi is a multiple of 2^-24, so that 1 - c0_hi is exact."""

    grid = arb(2) ** real.bits

    def first(c0):
        hi = (c0.mid() * grid + arb(0.5)).floor() / grid
        return hi + arb(real.round(c0 - hi))

    yield f"#define {real.name}_SEGMENTS {SEGMENTS}"
    for form, width in SEGMENT_WIDTH.items():
        rows, errors = [], []
        for center in (arb(k) * width for k in range(SEGMENTS)):

            def tail(d, form=form, center=center):
                return gate_tail(form, center + d)

            half = arb(width) / 2
            c, worst = fit(tail, -half, half, real.segment_terms, real, first)
            hi = (c[0] * grid + arb(0.5)).floor() / grid
            rows.append([float(hi), float(c[0] - hi)] + [float(x) for x in c[1:]])
            errors.append(worst)
        near = 31.4375 * width  # not 31.5: the segment number is computed with a rounding
        loss = float(near * gate_tail(form, arb(near)) * arb(2) ** (real.bits - math.frexp(near)[1]))
        error = f"relative error {max(errors):.2g} = 2^{math.log2(max(errors)):.1f}"
        yield ""
        yield f"#define {real.name}_SEGMENT_WIDTH_{form} {real.hex(width)} /* {width} */"
        yield f"#define {real.name}_NEAR_{form} {real.hex(near)} /* {near}: gelu(t) is t to {loss:.2f} ULP */"
        yield f"/* P(t) of {form}: c0_hi, c0_lo, c1, c2 ... of each segment; {error} */"
        yield f"static const {real.name} {real.name}_SEGMENT_{form}[][{SEGMENTS}] = {{"
        for column in zip(*rows):
            yield "    {" + ", ".join(real.hex(c) for c in column) + "},"
        yield "};"


def header(real):
    lines = [
        "/* SPDX-License-Identifier: BSD-3-Clause */",
        "/* Written by tools/fit.py; change that, not this. */",
        f"#ifndef GELU_COEFFS_{real.name.upper()}_H",
        f"#define GELU_COEFFS_{real.name.upper()}_H",
        "",
    ]

    def scalar(name, value, meaning):
        number = value if isinstance(value, float) else real.round(value)
        lines.append(f"#define {real.name}_{name} {real.hex(number)} /* {meaning} */")
        return number

    def pair(name, value, meaning, hi_bits=real.bits):
        hi = real.round(value)
        if hi_bits < real.bits:
            hi = math.ldexp(round(math.ldexp(hi, hi_bits - math.frexp(hi)[1])), math.frexp(hi)[1] - hi_bits)
        scalar(name + "_HI", hi, meaning)
        scalar(name + "_LO", value - arb(hi), "and what is left of it")

    def array(name, result, meaning, constant_apart=False):
        coefficients, worst = result
        lines.append("")
        lines.append(f"/* {meaning}; relative error {worst:.2g} = 2^{math.log2(worst):.1f} */")
        lines.append(f"static const {real.name} {real.name}_{name}[] = {{")
        constant = float(coefficients.pop(0)) if constant_apart else None
        lines.extend(f"    {real.hex(float(c))}, /* {float(c):+.9g} */" for c in reversed(coefficients))
        lines.append("};")
        if constant_apart:
            scalar(name + "_0", constant, "the constant term")

    scalar("LOG2E", 1 / LN2, "1/ln 2")
    pair("LN2", LN2, f"ln 2, the first {real.ln2_hi_bits} bits", real.ln2_hi_bits)
    pair("TANH_A", TANH_A, "2 sqrt(2/pi)")
    pair("TANH_B", TANH_B, "0.044715 times that")
    pair("SIGMOID", SIGMOID_C, "1.702")
    cutoffs = {}
    for form in ("erf", "tanh", "sigmoid"):
        cutoffs[form] = scalar(
            f"CUTOFF_{form}", cutoff(form, real), f"{cutoff(form, real)}: gelu(-t) is 0 and gelu(t) is t"
        )
    half_ln2 = LN2 / 2 * arb("1.001")
    array(
        "EXP",
        fit(exp_quotient, -half_ln2, half_ln2, real.exp_terms, real),
        "(exp(r) - 1 - r)/r^2 on |r| <= ln(2)/2, highest degree first",
    )
    s_min = 1 / (arb(cutoffs["erf"]) + 4)
    center = 0.125
    scalar("ERFCX_CENTER", center, "1/(t + 4) minus this is exact for t <= 12")
    array(
        "ERFCX",
        fit(
            lambda u: erfcx_quotient(u + center), s_min - center, arb(1) / 4 - center, real.erfcx_terms, real
        ),
        "(t + 4) exp(t^2/2) Phi(-t) in u = 1/(t + 4) - ERFCX_CENTER, highest degree first",
        constant_apart=True,
    )
    if real.segment_terms:
        lines.extend(segment_tables(real))
    return "\n".join(lines + ["", "#endif", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    stale = []
    for real in (F32, F64):
        path, text = KERNELS / f"coeffs_{real.name}.h", header(real)
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"tools/fit.py computes something else than what stands in {', '.join(stale)}")


if __name__ == "__main__":
    main()
