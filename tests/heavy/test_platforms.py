# SPDX-License-Identifier: BSD-3-Clause
"""Other systems and CPUs, by zig's C compiler: tests/kernel_driver.c runs the kernels, which must give this machine's
bits; the package's C compiles and links. docs/platforms.md says what is not run."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from accuracy import some_float32, some_float64, wide_inputs
from cases import OF_ONE_INPUT, assert_same, on_level, outputs_of
from drivers import build_driver, through
from needs import absent, command, needs, tool
from sources import ROOT, sources_on

needs("ziglang", "abi3info", "ml_dtypes", "Cython")

import abi3info  # noqa: E402
import ml_dtypes  # noqa: E402

from gelu_fast import _core  # noqa: E402

cross = tool("cross")

# -O1 compiles in less time than -O3; no warning of loops that Clang leaves as they are.
FLAGS = ["-O1", "-Wno-pass-failed"]
# Name -> target of zig, machine of setup.py, ISA levels that are compared, and what starts a program.
RUN = {
    "musl": ("x86_64-linux-musl", "x86_64", ["baseline", "x86-64-v3"], []),
    "windows": ("x86_64-windows-gnu", "x86_64", ["x86-64-v3"], ["wine"]),
    "riscv64": ("riscv64-linux-musl", "riscv64", ["baseline"], ["qemu-riscv64-static", "qemu-riscv64"]),
    "s390x": ("s390x-linux-musl", "s390x", ["baseline"], ["qemu-s390x-static", "qemu-s390x"]),
}
LEVELS = [(name, level) for name, (_, _, levels, _) in RUN.items() for level in levels]
# Controls of the driver: MXCSR that rounds down, up, to zero, that flushes results, or operands; rounding modes.
CONTROLS = {
    "musl": ["3f80", "5f80", "7f80", "9f80", "1fc0"],
    "windows": ["3f80", "5f80", "7f80", "9f80", "1fc0"],
    "riscv64": ["1", "2", "3"],
    "s390x": ["1", "2", "3"],
}
BITS = {2: np.uint16, 4: np.uint32, 8: np.uint64}


@pytest.fixture(scope="module")
def driver_of(tmp_path_factory):
    """driver_of(name): the command that runs the driver of a platform, which is built once."""
    built = {}

    def driver(name):
        target, machine, _, starters = RUN[name]
        debian = "wine wine64" if name == "windows" else "qemu-user-static"
        start = [command(*starters, debian=debian)] if starters else []
        if name not in built:
            folder = tmp_path_factory.mktemp(name)
            built[name] = build_driver(machine, shlex.join(cross.compiler(target)), folder, *FLAGS)
        return [*start, built[name]]

    return driver


@pytest.fixture(autouse=True, scope="module")
def surroundings(tmp_path_factory):
    """zig has no OpenMP. Wine keeps its files in a folder of this test, and says nothing of itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GELU_FAST_OPENMP", "0")
        patch.setenv("WINEPREFIX", str(tmp_path_factory.mktemp("wine")))
        patch.setenv("WINEDEBUG", "-all")
        wine = shutil.which("wine")
        if wine is None:
            yield
            return
        # A shell that stays: else each program starts Wine's services, which hold its output open for seconds.
        with subprocess.Popen([wine, "cmd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
            shell.stdout.readline()
            yield
            shell.stdin.close()
            shell.wait()
            shell.stdout.close()


@pytest.fixture(params=LEVELS, ids=lambda each: "-".join(each))
def platform_level(request, driver_of):
    """The name of a platform, function(name, x, ...) on it, and on this machine, on one ISA level."""
    name, level = request.param
    if level not in _core.available_isa_levels:
        absent(f"needs a CPU of {level}, whose results are compared")
    there = through(*driver_of(name), level, big_endian=name == "s390x")
    with on_level(level):
        yield name, there, lambda ufunc, *inputs: _core.ufuncs[ufunc](*inputs)


def inputs_of(ufunc, dtype):
    """Special values, and numbers of all sizes."""
    dtype = np.dtype(dtype)
    if ufunc not in OF_ONE_INPUT:
        kind = np.dtype(np.float32) if dtype == ml_dtypes.bfloat16 else dtype
        return [x.astype(dtype) for x in wide_inputs(ufunc, 2000, kind, 7)]
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-8, -1e-8, 1.0, -1.0], np.float32).astype(dtype)
    if dtype.itemsize == 2:
        return [np.arange(0, 1 << 16, 7, np.uint16).view(dtype)]
    return [
        np.append(some_float32()[::301] if dtype == np.float32 else some_float64(ufunc, 3000, 42), special)
    ]


def assert_same_numbers(ours, theirs):
    """The payload of a NaN is up to the CPU."""
    for mine, other in zip(outputs_of(ours), outputs_of(theirs)):
        with np.errstate(invalid="ignore"):  # signalling NaN
            number, bits = mine == mine, BITS[mine.itemsize]
            np.testing.assert_array_equal(number, other == other)
        np.testing.assert_array_equal(mine[number].view(bits), other[number].view(bits))


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16], ids=lambda t: t.__name__
)
def test_bits(platform_level, dtype):
    _, there, here = platform_level
    for ufunc in _core.ufuncs:
        inputs = inputs_of(ufunc, dtype)
        of_type = "bf16" if dtype is ml_dtypes.bfloat16 else None
        assert_same_numbers(there(ufunc, *inputs, of_type=of_type), here(ufunc, *inputs))


def test_float32_rounded_to_nearest(platform_level):
    _, there, here = platform_level
    before = _core.rounding
    for ufunc in _core.ufuncs:
        inputs = inputs_of(ufunc, np.float32)
        _core._use_rounding("nearest")
        try:
            expected = here(ufunc, *inputs)
        finally:
            _core._use_rounding(before)
        assert_same_numbers(there(ufunc, *inputs, of_type="nearest"), expected)


def test_floating_point_environments(platform_level):
    """The result is that of the default one; the driver judges that the caller's control word and flags stay."""
    name, there, _ = platform_level
    for dtype in (np.float32, np.float64):
        for ufunc in ("gelu_erf", "geglu_sigmoid", "gelu_grad_mu_sigma_tanh"):
            inputs = wide_inputs(ufunc, 300, np.dtype(dtype), 8)
            expected = there(ufunc, *inputs)
            for control in CONTROLS[name]:
                assert_same(there(ufunc, *inputs, control=(control,)), expected)


def test_random_words_decisions_and_strides(driver_of):
    """All platforms agree with musl's baseline, and its words are those of this machine."""
    output = {
        (name, level): subprocess.run([*driver_of(name), level], capture_output=True, check=True).stdout
        for name, level in LEVELS
        if level in _core.available_isa_levels
    }
    first = output["musl", "baseline"]
    blocks = [0, 1, (1 << 28) - 3, (1 << 40) + 1]
    assert first.startswith(b"".join(_core._random_words([1, 2, 3, 4], at, 200).tobytes() for at in blocks))
    assert len(first) > 10**6
    assert [key for key, other in output.items() if other != first] == []


# ---- what is compiled and not run ----


# In place of CPython's PC/pyconfig.h, which no package carries: what the limited API asks of it.
PYCONFIG_OF_WINDOWS = """
#define MS_WIN32
#define MS_WIN64
#define MS_WINDOWS
#define HAVE_DECLSPEC_DLL
#define Py_ENABLE_SHARED 1
#define HAVE_PY_SSIZE_T 1
typedef long long Py_ssize_t;
#define PY_SSIZE_T_MAX LLONG_MAX
#include <limits.h>
#define SIZEOF_VOID_P 8
#define SIZEOF_SIZE_T 8
#define SIZEOF_SHORT 2
#define SIZEOF_INT 4
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define SIZEOF_DOUBLE 8
#define SIZEOF_FLOAT 4
#define SIZEOF_WCHAR_T 2
#define SIZEOF_TIME_T 8
#define SIZEOF_FPOS_T 8
#define ALIGNOF_MAX_ALIGN_T 8
#define HAVE_STDINT_H 1
#define HAVE_STDDEF_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_WCHAR_H 1
#define WITH_DOC_STRINGS 1
"""


@pytest.fixture(scope="module")
def cython_output(tmp_path_factory):
    path = tmp_path_factory.mktemp("cython") / "_core.c"
    subprocess.run(
        [sys.executable, "-m", "cython", "-3", ROOT / "gelu_fast" / "_core.pyx", "-o", path], check=True
    )
    return path


def headers_of_numpy(platform, folder):
    """The folder of NumPy's headers, from its wheel for another platform."""
    ask = [
        "--no-deps",
        "--only-binary=:all:",
        f"--platform={platform}",
        "--python-version=3.11",
        "--dest",
        folder,
    ]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    subprocess.run([*pip, *ask, f"numpy=={np.__version__}"], check=True)
    (wheel,) = folder.glob("numpy-*.whl")
    shutil.unpack_archive(wheel, folder / "numpy", "zip")
    return folder / "numpy" / "numpy" / "_core" / "include"


def link_extension(target, driver, cython_output, folder, python, numpy, *link):
    """The path of the extension module, of the C that Cython writes and the objects that a driver is made of."""
    compiler = cross.compiler(target)
    *_, (_, flags) = sources_on("x86_64", shlex.join(compiler))
    flags = [flag.replace(np.get_include(), str(numpy)) for flag in flags]
    include = ["-I", ROOT / "gelu_fast", "-I", python]
    objects = [path for path in Path(driver).parent.glob("*.o") if path.stem != "kernel_driver"]
    for command_line in (
        [*flags, *include, "-O0", "-w", "-c", cython_output, "-o", folder / "_core.o"],
        ["-shared", folder / "_core.o", *objects, *link, "-o", folder / "_core.module"],
    ):
        done = subprocess.run([*compiler, *command_line], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return folder / "_core.module"


@pytest.mark.parametrize("target, machine", [("aarch64-macos", "arm64"), ("x86_64-macos", "x86_64")])
def test_driver_and_extension_link_for_macos(target, machine, cython_output, tmp_path):
    """Python's headers are those of this machine: C's types have the same sizes there."""
    compiler = shlex.join(cross.compiler(target))
    driver = build_driver(machine, compiler, tmp_path, *FLAGS, system="macosx-14.0")
    headers = sysconfig.get_path("include"), headers_of_numpy(f"macosx_14_0_{machine}", tmp_path)
    module = link_extension(
        target, driver, cython_output, tmp_path, *headers, "-Wl,-undefined,dynamic_lookup"
    )
    assert module.read_bytes()[:4] == b"\xcf\xfa\xed\xfe"  # Mach-O of 64 bits


def test_extension_links_for_windows(driver_of, cython_output, tmp_path):
    """It needs the functions of Python's stable ABI, and the C library."""
    headers, library = tmp_path / "python", tmp_path / "python3.lib"
    shutil.copytree(sysconfig.get_path("include"), headers, ignore=shutil.ignore_patterns("pyconfig.h"))
    (headers / "pyconfig.h").write_text(PYCONFIG_OF_WINDOWS)
    symbols = [s.name for s in abi3info.FUNCTIONS] + [f"{s.name} DATA" for s in abi3info.DATAS]
    (tmp_path / "python3.def").write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *symbols, ""]))
    dlltool = [sys.executable, "-m", "ziglang", "dlltool", "-m", "i386:x86-64"]
    subprocess.run([*dlltool, "-d", tmp_path / "python3.def", "-l", library], check=True)
    driver = driver_of("windows")[-1]
    target = RUN["windows"][0]
    numpy = headers_of_numpy("win_amd64", tmp_path)
    module = link_extension(target, driver, cython_output, tmp_path, headers, numpy, library)
    assert module.read_bytes()[:2] == b"MZ" and b"python3.dll" in module.read_bytes()


# ---- what setup.py does elsewhere ----


REFUSED = """
    linux-mips64 linux-ppc64le linux-i686 linux-amd64 musllinux-1.2-aarch64 macosx-10.9-ppc64 win-arm64 win32
    mingw_x86_64 cygwin-3.5.4-x86_64 freebsd-14.1-release-amd64 openbsd-7.6-amd64 android-24-x86_64 aix
"""


@pytest.mark.parametrize("platform", REFUSED.split())
def test_a_platform_on_which_nothing_was_run_is_refused(platform):
    env = os.environ | {"_PYTHON_HOST_PLATFORM": platform}
    done = subprocess.run(
        [sys.executable, "setup.py", "--name"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert f"gelu_fast was never tried on {platform}; docs/platforms.md lists" in done.stderr


def levels_of(system, machine, compiler="cc"):
    *levels, _ = sources_on(machine, compiler, system=system)
    return {sources[0].rpartition("isa_")[2]: flags for sources, flags in levels}


def test_a_universal_python_builds_for_its_machine():
    for machine, levels in (("arm64", ["neon.c"]), ("x86_64", ["baseline.c", "x86_v3.c", "x86_v4.c"])):
        with mock.patch("platform.machine", return_value=machine):
            assert list(levels_of("macosx-11.0", "universal2")) == levels


def test_clang_cl_gets_its_own_flags():
    levels = levels_of("win", "amd64")
    assert levels["x86_v3.c"][-1] == "/clang:-march=x86-64-v3"
    assert all(flag.startswith("/clang:") for flags in levels.values() for flag in flags)
    assert "/clang:-ffp-contract=off" in levels["baseline.c"]
