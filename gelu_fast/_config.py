# SPDX-License-Identifier: BSD-3-Clause
"""The configuration: version, ISA level, rounding, OpenMP, threads, cache, compiler."""

import math
from pathlib import Path

import numpy as np

from gelu_fast import _core
from gelu_fast._machine import cache_bytes

__version__ = "0.1.0"

_PACKAGE = Path(__file__).parent

# The month of an OpenMP specification, as compilers report it -> its version.
_OPENMP_VERSIONS = {201511: "4.5", 201811: "5.0", 202011: "5.1", 202111: "5.2", 202411: "6.0"}


def _openmp():
    if not _core.openmp_version:
        return "none (one thread by default)"
    runtime = "libgomp" if _core.compiler.startswith("GCC") else "libomp"
    in_wheel = [
        f": {path.parent.name}/{path.name}" for path in _PACKAGE.parent.glob("gelu_fast.libs/lib*omp*")
    ]
    return f"{_OPENMP_VERSIONS.get(_core.openmp_version, _core.openmp_version)} ({''.join([runtime, *in_wheel])})"


def _cache():
    size = cache_bytes()
    return (
        "unknown"
        if size == math.inf
        else f"{size / 2**20:g} MiB; the results of larger calls may be written past it"
    )


def get_include():
    """
    The directory of ``gelu_fast.h``, the C interface, for the include path of a compiler.

    Returns
    -------
    str

    Notes
    -----
    The header says how to use the interface. For Cython, ``from gelu_fast cimport gelu`` and so on declares it.

    See Also
    --------
    numpy.get_include
    """
    return str(_PACKAGE / "include")


def show_config():
    """
    Print what runs: version, ISA levels, rounding, OpenMP, threads, cache, compiler.

    The ISA level is chosen at import: the best that the CPU has, or the one that the environment variable
    ``GELU_FAST_ISA`` names.

    How float32 is rounded is chosen at import, too, by ``GELU_FAST_ROUNDING``: ``fast``, the default, within the bounds
    that the docstrings state, or ``nearest``. With the latter, float32 is computed in float64 and takes its time. Then
    `gelu`, `gelu_gate` and `gelu_grad` give the nearest float32 to the exact value for every float32, so they have the
    same bits on every CPU; the other functions are within 0.5001 ULP (of the largest term, where they add two). Other
    types, and `stochastic_gelu`, stay as they are.
    """
    rows = {
        "gelu_fast": __version__,
        "NumPy": np.__version__,
        "ISA level": f"{_core.isa_level} (available: {', '.join(_core.available_isa_levels)})",
        "rounding": f"{_core.rounding} (of float32; available: {', '.join(_core.roundings)})",
        "OpenMP": _openmp(),
        "threads": _core.get_num_threads(),
        "cache": _cache(),
        "compiler": _core.compiler,
    }
    for name, value in rows.items():
        print(f"{name:<10} {value}")
