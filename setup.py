# SPDX-License-Identifier: BSD-3-Clause
"""The compiled part of the package; pyproject.toml has everything else."""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_clib import build_clib
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, LinkError, OptionError

KERNELS = "gelu_fast/kernels/"

PLATFORM = sysconfig.get_platform()
# A universal Python of macOS: build for this machine alone, as the other one has other ISA levels.
if PLATFORM.endswith("-universal2"):
    PLATFORM = os.environ["_PYTHON_HOST_PLATFORM"] = f"macosx-11.0-{platform.machine()}"
    os.environ["ARCHFLAGS"] = f"-arch {platform.machine()}"

# System -> machine -> ISA level -> flags of its kernels, which kernels/isa_<level>.c compiles. levels.c says how the
# CPU is asked for each. docs/platforms.md says what was run on which platform.
BASELINE, NEON = {"baseline": []}, {"neon": []}
X86_64 = BASELINE | {"x86_v3": ["-march=x86-64-v3"], "x86_v4": ["-march=x86-64-v4"]}
SYSTEM, _, rest = PLATFORM.partition("-")
MACHINE = rest.rpartition("-")[2]  # a version may stand between them
ISA_FLAGS = {
    "linux": {"x86_64": X86_64, "aarch64": NEON, "riscv64": BASELINE, "s390x": BASELINE},
    "musllinux": {"x86_64": X86_64},  # as tools/cross.py says it
    "macosx": {"x86_64": X86_64, "arm64": NEON},
    "win": {"amd64": X86_64},
}
if MACHINE not in ISA_FLAGS.get(SYSTEM, {}):
    raise OptionError(
        f"gelu_fast was never tried on {PLATFORM}; docs/platforms.md lists the platforms that it is for"
    )

# On Windows setuptools knows cl alone, which has no vectors. clang-cl takes its arguments, and GCC's as /clang:<flag>.
CLANG_CL = SYSTEM == "win"
COMPILER = (
    ["clang-cl"] if CLANG_CL else shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
)


def known(*flags):
    """The flags that the compiler knows; none if there is no compiler, which CheckedKernels reports later."""
    if CLANG_CL or shutil.which(COMPILER[0]) is None:
        return []
    probe = [*COMPILER, "-E", "-x", "c", os.devnull]
    return [flag for flag in flags if subprocess.run([*probe, flag], capture_output=True).returncode == 0]


def as_taken(flags):
    """The flags as the compiler takes them."""
    return [f"/clang:{flag}" for flag in flags] if CLANG_CL else flags


# IEEE arithmetic, whatever CC, CFLAGS, CPPFLAGS and LDFLAGS say: these flags come last and undo the others.
# kernels/simd.h checks the outcome. The linker gets them as well: with -ffast-math, -Ofast and -mdaz-ftz, compilers
# link code that makes the whole process flush subnormal numbers to zero.
TAKEN_BACK = """
    -fno-fast-math -fno-unsafe-math-optimizations -fno-associative-math -fno-reciprocal-math -fno-finite-math-only
    -fhonor-nans -fhonor-infinities -fsigned-zeros -fno-approx-func -fno-single-precision-constant
    -fdenormal-fp-math=ieee -mfpmath=sse -mno-daz-ftz
"""
IEEE = as_taken(
    [*known(*TAKEN_BACK.split()), "-O3", "-ffp-contract=off"]
)  # fma() is written where it is meant
LINK = [] if CLANG_CL else IEEE
# tools/sanitize.py sets these, for line numbers and a fast compilation; they come last of all.
DEBUG = shlex.split(os.environ.get("GELU_FAST_CFLAGS") or "")
FLAGS = [*IEEE, *as_taken(["-g0", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math"]), *DEBUG]
# Schedule before register allocation, or GCC computes the vectors of a group (kernels/simd.h) one after the other.
# Clang interleaves them anyway, and does not know the flags.
SCHEDULE = known("-fschedule-insns", "-fsched-pressure")

# Other systems than Linux get one thread, as OpenMP is untested there.
openmp_wanted = os.environ.get("GELU_FAST_OPENMP") or "1"
if openmp_wanted not in ("0", "1"):
    raise OptionError(f"GELU_FAST_OPENMP must be 0 (without OpenMP) or 1, not {openmp_wanted!r}")
OPENMP = ["-fopenmp"] if sys.platform.startswith("linux") and openmp_wanted == "1" else []


# Load a library; exit with status 3 if the process then flushes subnormal numbers. A library for another machine does
# not load, and passes.
LOAD = """
import ctypes, sys
try:
    ctypes.CDLL(sys.argv[1])
except OSError:
    sys.exit()
sys.exit(0 if float("5e-324") * 1.0 else 3)
"""


def choose(compiler):
    if CLANG_CL:
        compiler.initialize()
        compiler.cc = COMPILER[0]


class Extensions(build_ext):
    def build_extensions(self):
        choose(self.compiler)
        super().build_extensions()


class CheckedKernels(build_clib):
    """Build the kernels, after a trial of the compiler whose errors say what to do."""

    def build_libraries(self, libraries):
        choose(self.compiler)
        self.attempt(
            "int one;",
            [],
            "Install clang-cl (Visual Studio, C++ Clang tools), and put it on the PATH."
            if CLANG_CL
            else "Install one (Debian: gcc and libc6-dev), or name it in CC.",
        )
        self.attempt("#include <Python.h>", [], "Install the headers of Python (Debian: python3-dev).")
        if OPENMP:
            self.attempt(
                "#include <omp.h>\nint threads(void) { return omp_get_max_threads(); }",
                OPENMP,
                "Install its OpenMP (of Clang libomp; Debian: libomp-dev), name another compiler in CC, or set "
                "GELU_FAST_OPENMP=0: then gelu_fast is built without OpenMP, and uses one thread by default.",
            )
        one_by_one = super().build_libraries
        with ThreadPoolExecutor() as pool:  # beside each other, as GCC takes up to a minute for each level
            list(pool.map(lambda library: one_by_one([library]), libraries))

    def attempt(self, program, flags, advice):
        include = [sysconfig.get_path("include"), sysconfig.get_path("platinclude")]
        with TemporaryDirectory() as work:
            source, library = Path(work, "attempt.c"), Path(work, "attempt.so")
            source.write_text(program + "\n")
            try:
                objects = self.compiler.compile(
                    [str(source)], output_dir="/", include_dirs=include, extra_postargs=IEEE + flags
                )
                self.compiler.link_shared_object(objects, str(library), extra_postargs=LINK + flags)
                if subprocess.run([sys.executable, "-c", LOAD, library]).returncode == 3:
                    advice = (
                        "Take -ffast-math, -Ofast, -mdaz-ftz and the like out of the compiler's settings."
                    )
                    raise LinkError(
                        "a library linked with it makes the process flush subnormal numbers to zero"
                    )
            except (CCompilerError, ExecError, OSError) as error:
                raise CCompilerError(
                    f"The C compiler, {shlex.join(COMPILER + flags)}, cannot build this:\n{program}\n"
                    f"({error})\n{advice}"
                ) from None


# One wheel for every CPython from 3.11 on, except free-threaded builds, which have no stable ABI yet.
ABI3 = not sysconfig.get_config_var("Py_GIL_DISABLED")
MACROS = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")]

HERE = Path(__file__).parent
headers = sorted(glob(KERNELS + "**/*.h", root_dir=HERE, recursive=True))
tables = sorted(glob(KERNELS + "tables/*.c", root_dir=HERE))


def readme_for_pypi():
    """README.md for PyPI, which has the text alone: links to other files of the project lead to those of this version.
    While the project has no public address, the links' texts stay, and no pictures."""
    source = tomllib.loads((HERE / "pyproject.toml").read_text())["project"].get("urls", {}).get("Source")
    version = re.search('__version__ = "(.+)"', (HERE / "gelu_fast/_config.py").read_text())[1]

    def absolute(link):
        picture, text, target = link.groups()
        if source is None:
            return "" if picture else text
        return f"{picture}[{text}]({source}/{'raw' if picture else 'blob'}/v{version}/{target})"

    readme = (HERE / "README.md").read_text(encoding="utf-8")
    return re.sub(r"(?<![\w`])(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)", absolute, readme)


setup(
    long_description=readme_for_pypi(),
    long_description_content_type="text/markdown",
    cmdclass={"build_clib": CheckedKernels, "build_ext": Extensions},
    libraries=[
        (
            f"gelu_fast_{level}",
            {
                "sources": [f"{KERNELS}isa_{level}.c"],
                "obj_deps": {"": headers},
                "cflags": FLAGS + SCHEDULE + as_taken(flags),
            },
        )
        for level, flags in ISA_FLAGS[SYSTEM][MACHINE].items()
    ],
    ext_modules=cythonize(
        Extension(
            "gelu_fast._core",
            ["gelu_fast/_core.pyx", KERNELS + "levels.c", KERNELS + "pool.c", *tables],
            depends=[*headers, "gelu_fast/include/gelu_fast.h", *glob("gelu_fast/*.pxi")],
            include_dirs=[numpy.get_include(), "gelu_fast"],
            define_macros=MACROS + [("Py_LIMITED_API", "0x030B0000")] * ABI3,
            extra_compile_args=FLAGS + OPENMP,
            extra_link_args=LINK + OPENMP,
            py_limited_api=ABI3,
        ),
        build_dir="build",
    ),
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if ABI3 else {},
)
