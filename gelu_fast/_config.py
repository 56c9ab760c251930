# SPDX-License-Identifier: BSD-3-Clause
"""The configuration: version, ISA level, OpenMP, threads, cache, compiler."""

import math

import numpy as np

from gelu_fast import _core
from gelu_fast._machine import cache_bytes

__version__ = "0.1.0"

# The month of an OpenMP specification, as compilers report it -> its version.
_OPENMP_VERSIONS = {201511: "4.5", 201811: "5.0", 202011: "5.1", 202111: "5.2", 202411: "6.0"}


def _openmp():
    if not _core.openmp_version:
        return "none (one thread by default)"
    runtime = "libgomp" if _core.compiler.startswith("GCC") else "libomp"
    return f"{_OPENMP_VERSIONS.get(_core.openmp_version, _core.openmp_version)} ({runtime})"


def _cache():
    size = cache_bytes()
    return (
        "unknown"
        if size == math.inf
        else f"{size / 2**20:g} MiB; the results of larger calls are written past it"
    )


def show_config():
    """
    Print what runs: version, ISA levels, OpenMP, threads, cache, compiler.

    The ISA level is chosen at import: the best that the CPU has, or the one that the environment variable
    ``GELU_FAST_ISA`` names.
    """
    rows = {
        "gelu_fast": __version__,
        "NumPy": np.__version__,
        "ISA level": f"{_core.isa_level} (available: {', '.join(_core.available_isa_levels)})",
        "OpenMP": _openmp(),
        "threads": _core.get_num_threads(),
        "cache": _cache(),
        "compiler": _core.compiler,
    }
    for name, value in rows.items():
        print(f"{name:<10} {value}")
