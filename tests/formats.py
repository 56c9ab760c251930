# SPDX-License-Identifier: BSD-3-Clause
"""Types of two bytes and of one: the meaning of their bits, and the nearest number. Both are derived from the
definitions of the formats, as ml_dtypes rounds a float64 twice, first to float32. With them, the judge of functions of
several inputs."""

import ml_dtypes  # noqa: F401  (np.dtype then knows its types by name)
import numpy as np
import oracle
from cases import rounded_factor

from gelu_fast._bounds import OF_LARGEST_TERM, UFUNCS


class Format:
    """A type, defined by the bits of its exponent and mantissa, its bias, and `kind`, the bit patterns that are not
    finite: "ieee", the last binade, which begins with infinity; "fn", the last pattern; "fnuz", the pattern of -0.0."""

    def __init__(self, name, exponent_bits, mantissa_bits, bias, kind):
        self.name, self.kind, self.mantissa_bits = name, kind, mantissa_bits
        self.dtype = np.dtype(name)
        self.bits = np.dtype(f"u{self.dtype.itemsize}")
        self.every = np.arange(1 << 8 * self.bits.itemsize, dtype=self.bits).view(self.dtype)
        half = self.every.size // 2
        exponent, mantissa = np.divmod(np.arange(half), 1 << mantissa_bits)
        self.subnormal = 2.0 ** (1 - bias - mantissa_bits)
        size = np.where(exponent == 0, mantissa, (mantissa + 2**mantissa_bits) * 2.0 ** (exponent - 1))
        size *= self.subnormal
        self.numbers = size[: {"ieee": half - 2**mantissa_bits, "fn": half - 1, "fnuz": half}[kind]]
        self.largest, self.beyond = self.numbers[-1], 2 * self.numbers[-1] - self.numbers[-2]
        size[self.numbers.size :] = np.nan
        if kind == "ieee":
            size[self.numbers.size] = np.inf
        self.meanings = np.concatenate([size, -size])
        if kind == "fnuz":
            self.meanings[half] = np.nan

    def __repr__(self):
        return self.name

    def wide(self, x):
        """The numbers as float64."""
        return self.meanings[np.asarray(x).view(self.bits)]

    def middles(self):
        """The middles between neighbours; an exact value above the last middle overflows."""
        return (self.numbers + np.append(self.numbers[1:], self.beyond)) / 2

    def nearest(self, exact):
        """Each float64 rounded once to nearest, ties to even."""
        middles, size = self.middles(), np.abs(exact)
        place = np.searchsorted(middles, size)
        in_the_middle = size == middles[place.clip(max=middles.size - 1)]
        place += in_the_middle & (place % 2 == 1)
        rounded = np.append(self.numbers, np.inf if self.kind == "ieee" else np.nan)[place]
        rounded = np.where(np.isnan(exact), np.nan, np.copysign(rounded, exact))
        return rounded + 0.0 if self.kind == "fnuz" else rounded

    def error(self, got, exact, of=None):
        """Distance from the exact value, in ULP of it or of `of`. Infinity counts as the number after the largest."""
        size = np.abs(exact if of is None else of).clip(max=self.largest)
        binade = (size.view(np.int64) & (0x7FF << 52)).view(np.float64)
        ulp = np.maximum(binade * 2.0**-self.mantissa_bits, self.subnormal)
        wide, exact = (y.clip(-self.beyond, self.beyond) for y in (self.wide(got), exact))
        return np.abs(wide - exact) / ulp


FLOAT16 = Format("float16", 5, 10, 15, "ieee")
BFLOAT16 = Format("bfloat16", 8, 7, 127, "ieee")
ONE_BYTE = [
    Format("float8_e4m3fn", 4, 3, 7, "fn"),
    Format("float8_e5m2", 5, 2, 15, "ieee"),
    Format("float8_e4m3fnuz", 4, 3, 8, "fnuz"),
    Format("float8_e5m2fnuz", 5, 2, 16, "fnuz"),
    Format("float8_e4m3b11fnuz", 4, 3, 11, "fnuz"),
    Format("float8_e4m3", 4, 3, 7, "ieee"),
    Format("float8_e3m4", 3, 4, 3, "ieee"),
]
FORMATS = [BFLOAT16, *ONE_BYTE]


def exact_of_several(name, inputs):
    """For each output, its exact value, the value whose ULP counts, and the factor that may count as zero. Intermediate
    numbers are rounded to float32, as in the kernels."""
    inputs = [x.astype(np.float32) for x in inputs]
    if factor := rounded_factor(name):
        dy, *rest = inputs
        exact = np.float64(dy) * factor(*rest)
        return [(exact, exact, np.ones(exact.shape))]
    results = []
    for exact, factor, larger in oracle.composed(name, inputs, np.float32):
        of = np.maximum(np.abs(exact), larger) if UFUNCS[name][0] in OF_LARGEST_TERM else exact
        results.append((exact, of, factor))
    return results


def errors_of_several(format, y, exact, of, factor):
    """Errors in ULP. A factor below half of float32's smallest subnormal may count as zero; times infinity it then
    gives NaN."""
    errors = format.error(y, exact, of)
    got = format.wide(y)
    right_nan = np.isnan(got) & np.isnan(exact)
    of_zero = np.where(np.isfinite(exact), got == 0, np.isnan(got))
    return np.where(right_nan | of_zero & (np.abs(factor) < 2.0**-150), 0.0, errors)


# ---- all pairs of numbers of two bytes ----

OF_PAIRS = [
    name for name, (function, _) in UFUNCS.items() if function in ("gelu_backward", "bias_gelu", "geglu")
]
TWO_BYTES = {"float16": FLOAT16, "bfloat16": BFLOAT16}


def pairs(name, format, row):
    """The two inputs: one number for the curve, and every number as the other input."""
    inputs = [np.full_like(format.every, format.every[row]), format.every]
    return inputs[::-1] if UFUNCS[name][0] == "gelu_backward" else inputs


def judge_pairs(name, format, row, got):
    """The largest error among pairs(name, format, row), in ULP, and its pair. A wrong sign counts as infinite error."""
    inputs = pairs(name, format, row)
    is_sum = UFUNCS[name][0] == "bias_gelu"
    # For a product the curve is computed once.
    once = [x if is_sum or x is format.every else x[:1] for x in inputs]
    ((exact, of, factor),) = exact_of_several(name, once)
    errors = errors_of_several(format, got, exact, of, factor)
    wrong_sign = np.signbit(got) != np.signbit(exact)
    errors[wrong_sign & ~np.isnan(exact) & (np.abs(factor) >= 2.0**-150)] = np.inf
    errors[np.isnan(errors)] = np.inf
    worst = int(errors.argmax())
    return float(errors[worst]), ", ".join(float(x[worst]).hex() for x in inputs)
