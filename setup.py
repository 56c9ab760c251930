# SPDX-License-Identifier: BSD-3-Clause
"""The compiled part of the package; everything else stands in pyproject.toml."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from glob import glob

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

KERNELS = "gelu_fast/kernels/"

# Machine -> ISA level -> flags of its kernels, compiled from kernels/isa_<level>.c. levels.c says how the
# CPU is asked for each.
ISA_FLAGS = {
    "x86_64": {"baseline": [], "x86_v3": ["-march=x86-64-v3"], "x86_v4": ["-march=x86-64-v4"]},
    "aarch64": {"neon": []},
    "arm64": {"neon": []},
}.get(sysconfig.get_platform().rsplit("-", 1)[-1], {"baseline": []})

# SCHEDULE, before registers are given out: or GCC leaves the vectors of a group (kernels/simd.h) one after the other.
# Clang does so anyway, and does not know the flags.
SCHEDULE = ["-fschedule-insns", "-fsched-pressure"]
COMPILER = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
PROBE = [*COMPILER, *SCHEDULE, "-fsyntax-only", "-x", "c", os.devnull]
if shutil.which(COMPILER[0]) is None or subprocess.run(PROBE, capture_output=True).returncode != 0:
    SCHEDULE = []

# No value may depend on what the compiler contracts or reorders: fma() is written where it is meant, and
# -ffast-math never.
FLAGS = ["-O3", "-g0", "-fvisibility=hidden", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
OPENMP = ["-fopenmp"] if sys.platform.startswith("linux") else []  # elsewhere untested: one thread

# One wheel for every CPython from 3.11 on, but for the free-threaded ones, which have no stable ABI yet.
ABI3 = not sysconfig.get_config_var("Py_GIL_DISABLED")
MACROS = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")]

headers = sorted(glob(KERNELS + "*.h"))

setup(
    libraries=[
        (
            f"gelu_fast_{level}",
            {
                "sources": [f"{KERNELS}isa_{level}.c"],
                "obj_deps": {"": headers},
                "cflags": FLAGS + SCHEDULE + flags,
            },
        )
        for level, flags in ISA_FLAGS.items()
    ],
    ext_modules=cythonize(
        Extension(
            "gelu_fast._core",
            ["gelu_fast/_core.pyx", KERNELS + "levels.c", KERNELS + "tables.c", KERNELS + "pool.c"],
            depends=headers,
            include_dirs=[numpy.get_include(), "gelu_fast"],
            define_macros=MACROS + [("Py_LIMITED_API", "0x030B0000")] * ABI3,
            extra_compile_args=FLAGS + OPENMP,
            extra_link_args=OPENMP,
            py_limited_api=ABI3,
        ),
        build_dir="build",
    ),
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if ABI3 else {},
)
