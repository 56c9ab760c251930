# SPDX-License-Identifier: BSD-3-Clause
"""The storage types that are checked: NumPy's floats, and those of ml_dtypes where it is installed."""

from functools import cache

import numpy as np

from gelu_fast import _core
from gelu_fast._bounds import FORMS, UFUNCS, ULP, ULP_NEAREST, ULP_ONE_BYTE, UNARY

# The types of ml_dtypes that gelu_fast takes; an older ml_dtypes has fewer of them.
OF_ML_DTYPES = {
    "bfloat16": ["bfloat16"],
    "one-byte types": [
        "float8_e4m3fn",
        "float8_e5m2",
        "float8_e4m3fnuz",
        "float8_e5m2fnuz",
        "float8_e4m3b11fnuz",
        "float8_e4m3",
        "float8_e3m4",
    ],
}


REFERENCE_ERROR = 1e-5  # of references.py, in ULP of float32


class Format:
    """A storage type: its numbers, and its working type, in which the functions compute; stochastic_gelu decides in
    another one."""

    def __init__(self, dtype, info):
        self.dtype, self.name = dtype, dtype.name
        self.bits = np.dtype(f"u{dtype.itemsize}")
        self.mantissa_bits, self.least_exponent = info.nmant, int(info.minexp)
        self.largest, self.smallest = dtype.type(info.max), dtype.type(info.smallest_subnormal)
        self.deciding = np.dtype(np.float64 if dtype == np.float64 else np.float32)
        self.is_nearest = dtype == np.float32 and _core.rounding == "nearest"
        self.working = np.dtype(np.float64) if self.is_nearest else self.deciding
        self.has_infinity = bool(np.isinf(self.rounded(np.array([np.inf]))[0]))
        self.has_minus_zero = bool(self.rounded(np.array([-0.0])).view(self.bits)[0] != 0)

    def bound(self, ufunc):
        if self.is_nearest:
            return ULP_NEAREST[ufunc] + REFERENCE_ERROR
        if self.dtype.itemsize > 1:
            return ULP[ufunc][self.name]
        return ULP_ONE_BYTE if UFUNCS[ufunc][0] in UNARY else ULP[ufunc]["bfloat16"]

    def every(self):
        """All values of a type of one or two bytes, NaN and infinities included."""
        return np.arange(1 << 8 * self.dtype.itemsize, dtype=self.bits).view(self.dtype)

    def rounded(self, x):
        """float64 numbers rounded to this type; ml_dtypes rounds them to float32 first."""
        with np.errstate(all="ignore"):
            return np.asarray(x).astype(self.dtype)


@cache
def formats():
    """Name -> types: float16, float32, float64, and if ml_dtypes works, OF_ML_DTYPES."""
    groups = {name: [Format(np.dtype(name), np.finfo(name))] for name in ("float16", "float32", "float64")}
    if not why_no_ml_dtypes():
        import ml_dtypes

        for group, names in OF_ML_DTYPES.items():
            types = [np.dtype(getattr(ml_dtypes, name)) for name in names if hasattr(ml_dtypes, name)]
            groups[group] = [Format(dtype, ml_dtypes.finfo(dtype)) for dtype in types]
    return groups


@cache
def why_no_ml_dtypes():
    try:
        import ml_dtypes
    except ModuleNotFoundError:
        return "ml_dtypes is not installed"
    except Exception as error:
        return f"ml_dtypes is installed but fails: {type(error).__name__}: {error}"
    return "" if hasattr(ml_dtypes, "bfloat16") else "ml_dtypes is installed but empty"


def every_format():
    return [format for group in formats().values() for format in group]


def all_formats():
    """All types; of those of one byte, which are computed alike, only the first that has infinity, to save time."""
    return [next(format for format in group if format.has_infinity) for group in formats().values()]


def in_turn(items, ufunc, quick):
    """All items; with --quick a third for each form of a function, as forms differ in their numbers alone."""
    return items[[*FORMS.values()].index(UFUNCS[ufunc][1]) :: 3] if quick else items
