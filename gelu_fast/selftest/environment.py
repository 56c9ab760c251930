# SPDX-License-Identifier: BSD-3-Clause
"""The floating-point environment of this thread, set by the C library's functions, as a caller may set it."""

import ctypes
import platform
import sys
from contextlib import contextmanager
from itertools import product

_X86 = platform.machine() == "x86_64"
UNKNOWN = ""  # if this module does not know the platform, the reason
if not sys.platform.startswith("linux") or platform.machine() not in ("x86_64", "aarch64"):
    UNKNOWN = f"the layout of fenv_t is unknown on {sys.platform}, {platform.machine()}"
else:
    try:
        _LIBM = ctypes.CDLL("libm.so.6")
    except OSError:
        UNKNOWN = "the C library is not glibc"
# Offset in fenv_t of the word that controls vector instructions: MXCSR, or FPCR.
_OFFSET = 28 if _X86 else 0
_ROUNDING = (
    {"nearest": 0, "down": 1, "up": 2, "zero": 3} if _X86 else {"nearest": 0, "up": 1, "down": 2, "zero": 3}
)
_ROUNDING_SHIFT = 13 if _X86 else 22
_FLUSH = {"flush": 1 << 15, "zeros": 1 << 6} if _X86 else {"flush": 1 << 24}
_CONTROL = 0xFFC0 if _X86 else 0xFFFFFFFF
_ALL_FLAGS = 0x3D if _X86 else 0x1F

# None; invalid; division by zero (x86) or overflow (aarch64); all.
FLAGS = (0, 1, 4, _ALL_FLAGS)

ENVIRONMENTS = [
    (rounding, *flush)
    for rounding, flush in product(
        _ROUNDING, dict.fromkeys([(), *[(name,) for name in _FLUSH], tuple(_FLUSH)])
    )
    if (rounding, flush) != ("nearest", ())
]


def _word(buffer):
    return ctypes.c_uint32.from_buffer(buffer, _OFFSET)


def control():
    """The control bits of this thread."""
    buffer = ctypes.create_string_buffer(64)
    _LIBM.fegetenv(buffer)
    return _word(buffer).value & _CONTROL


def flags():
    """The exception flags of this thread."""
    return _LIBM.fetestexcept(_ALL_FLAGS)


def raise_flags(which):
    _LIBM.feclearexcept(_ALL_FLAGS)
    _LIBM.feraiseexcept(which)


@contextmanager
def environment(rounding="nearest", *flush):
    before = ctypes.create_string_buffer(64)
    _LIBM.fegetenv(before)
    inside = ctypes.create_string_buffer(before.raw, 64)
    word = _word(inside)
    word.value &= ~(3 << _ROUNDING_SHIFT)
    word.value |= _ROUNDING[rounding] << _ROUNDING_SHIFT | sum(_FLUSH[name] for name in flush)
    _LIBM.fesetenv(inside)
    try:
        yield
    finally:
        _LIBM.fesetenv(before)
