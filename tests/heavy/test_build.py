# SPDX-License-Identifier: BSD-3-Clause
"""Real builds: with harmful flags, without OpenMP, without a compiler; and an application frozen by PyInstaller."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import numpy as np
import pytest
from needs import needs

import gelu_fast
from gelu_fast._bounds import UFUNCS

needs("pyinstaller")

ROOT = Path(__file__).parents[2]
CC = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC"))
# All flags by which a compiler departs from IEEE arithmetic, or flushes subnormal numbers to zero.
FLAGS = ["-Ofast", "-ffast-math", "-funsafe-math-optimizations", "-fassociative-math", "-freciprocal-math"]
FLAGS += ["-ffinite-math-only", "-fno-signed-zeros", "-ffp-contract=fast"]
ONLY_GCC = ["-fsingle-precision-constant"]
ONLY_X86 = ["-mfpmath=387"]
# Three compilers: one without OpenMP's header and library, as Clang without libomp; one without Python's header; and
# one that appends -ffast-math to all flags.
NO_OPENMP = "case \" $* \" in *' -fopenmp '*) echo 'omp.h: No such file' >&2; exit 1;; esac"
NO_HEADERS = """for arg; do case $arg in
    *.c) grep -q Python.h "$arg" && { echo 'Python.h: No such file' >&2; exit 1; }
esac; done"""
FAST_MATH = 'set -- "$@" -ffast-math'
OBSTACLES = {
    "OpenMP": (
        NO_OPENMP,
        "or set GELU_FAST_OPENMP=0: then gelu_fast is built without OpenMP, and uses one thread by default.",
    ),
    "Python.h": (NO_HEADERS, "Install the headers of Python (Debian: python3-dev)."),
    "IEEE arithmetic": (
        FAST_MATH,
        "Take -ffast-math, -Ofast, -mdaz-ftz and the like out of the compiler's settings.",
    ),
}


def knows(flag):
    command = [*CC, flag, "-E", "-x", "c", os.devnull]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Build a wheel from the checkout's sources, as pip does, in an environment of its own."""
    work = tmp_path_factory.mktemp("build")
    subprocess.run([sys.executable, "-m", "venv", work / "venv"], check=True)
    python = work / "venv/bin/python"
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", *requires], check=True)
    shutil.copytree(ROOT / "gelu_fast", work / "source/gelu_fast", ignore=shutil.ignore_patterns("*.so"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, work / "source")
    shutil.copytree(ROOT / "licenses", work / "source/licenses")

    def build(wheels, **env):
        command = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, work / "source"]
        env = {name: value for name, value in {**os.environ, **env}.items() if value is not None}
        return subprocess.run(command, env=env, capture_output=True, text=True)

    return build


def compiler(path, obstacle):
    path.write_text(f'#!/bin/sh\n{obstacle}\nexec {shlex.join(CC)} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="module")
def built(build, tmp_path_factory):
    """The package, built in the worst environment: every flag above in every variable, and no OpenMP."""
    work = tmp_path_factory.mktemp("built")
    flags = " ".join(filter(knows, FLAGS + ONLY_GCC + ONLY_X86))
    assert "-Ofast" in flags
    env = dict.fromkeys(("CFLAGS", "CPPFLAGS", "LDFLAGS", "OPT", "ARCHFLAGS"), flags)
    cc = compiler(work / "cc", NO_OPENMP)
    done = build(work, CC=f"{cc} {flags}", GELU_FAST_OPENMP="0", **env)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = work.glob("*.whl")
    shutil.unpack_archive(wheel, work / "package", "zip")
    return work / "package"


def run(package, code, **options):
    env = {**os.environ, "PYTHONPATH": str(package), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=env, capture_output=True, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_flags_leave_the_process_alone(built):
    """Subnormal numbers stay, as inputs and as results, in this thread and in threads that it starts."""
    code = """
import threading
import numpy as np
def look():
    tiny, smallest = np.float32(1e-40), np.finfo("f4").tiny
    print(tiny * np.float32(1) == tiny, smallest / np.float32(4) > 0, 5e-324 * 1.0 > 0)
look()
import gelu_fast
assert gelu_fast.__file__.startswith(%r), gelu_fast.__file__
look()
thread = threading.Thread(target=look)
thread.start()
thread.join()
"""
    assert run(built, code % str(built)).decode().split() == ["True"] * 9


def all_results():
    """The results of every ufunc for numbers of every size and sign, NaN and infinity, in each of NumPy's types."""
    rng = np.random.default_rng(0)
    everything = []
    for dtype in (np.float16, np.float32, np.float64):
        info = np.finfo(dtype)
        x = np.concatenate([rng.normal(0, 4, 20_000), [0.0, -0.0, np.inf, -np.inf, np.nan, 13.5, -13.5, -38]])
        x = np.concatenate([x.astype(dtype), rng.uniform(-1, 1, 5000).astype(dtype) * info.tiny])
        for name in UFUNCS:
            ufunc = getattr(gelu_fast, name)
            inputs = [x, x[::-1].copy(), np.roll(x, 5), np.roll(x, 11)][: ufunc.nin]
            if "mu_sigma" in name:
                inputs[-1] = np.abs(inputs[-1])
            results = ufunc(*inputs)
            for result in results if ufunc.nout > 1 else [results]:
                everything.append(np.where(np.isnan(result), dtype(np.nan), result).tobytes())
    return b"".join(everything)


def test_flags_change_no_bit(built):
    places = [str(Path(__file__).parent), str(ROOT / "tests")]
    code = f"import sys; sys.path += {places}; import test_build; sys.stdout.buffer.write(test_build.all_results())"
    with np.errstate(all="ignore"):
        assert run(built, code) == all_results()


def test_without_openmp(built):
    code = """
import os, numpy as np, gelu_fast
before = len(os.listdir("/proc/self/task"))
x = np.linspace(-5, 5, 1 << 18)
assert (gelu_fast.gelu(x) == [gelu_fast.gelu(v) for v in x]).all()
print(gelu_fast.get_num_threads())
gelu_fast.show_config()
gelu_fast.set_num_threads(3)
assert (gelu_fast.gelu(x) == gelu_fast.gelu(x.copy())).all()
print(gelu_fast.get_num_threads(), len(os.listdir("/proc/self/task")) - before)
"""
    threads, *config, asked = run(built, code).decode().splitlines()
    assert threads == "1" and asked == "3 2"
    assert "OpenMP     none (one thread by default)" in config and "threads    1" in config
    assert b"gomp" not in subprocess.run(["ldd", *built.glob("gelu_fast/*.so")], capture_output=True).stdout


@pytest.mark.parametrize("flag", ["-ffast-math", "-ffinite-math-only", *ONLY_X86, *ONLY_GCC])
def test_sources_refuse_a_compiler_that_keeps_flags(flag):
    if not knows(flag):
        pytest.skip(f"{CC[0]} does not know {flag}")
    source = ROOT / "gelu_fast/kernels/isa_baseline.c"
    done = subprocess.run([*CC, flag, "-fsyntax-only", source], capture_output=True, text=True)
    assert done.returncode != 0
    assert "gelu_fast needs" in done.stderr and flag in done.stderr
    assert subprocess.run([*CC, "-fsyntax-only", source]).returncode == 0


# ---- errors say what is missing, and what to do ----


@pytest.mark.parametrize("cc", [None, "/nowhere/cc -O1"])
def test_no_compiler(build, tmp_path, cc):
    done = build(tmp_path, PATH=str(tmp_path), CC=cc)
    assert done.returncode != 0
    assert (
        f"The C compiler, {cc or sysconfig.get_config_var('CC')}, cannot build" in done.stderr + done.stdout
    )
    assert "Install one (Debian: gcc and libc6-dev), or name it in CC." in done.stderr + done.stdout


def test_no_clang_cl(build, tmp_path):
    """As on Windows: setuptools' class for its compilers, in an environment that says where the SDK is."""
    (tmp_path / ".pydistutils.cfg").write_text("[build]\ncompiler = msvc\n")
    told = {"_PYTHON_HOST_PLATFORM": "win-amd64", "DISTUTILS_USE_SDK": "1", "CC": "gcc"}
    done = build(tmp_path, HOME=str(tmp_path), PATH=str(tmp_path), **told)
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "The C compiler, clang-cl, cannot build" in output
    assert "Install clang-cl (Visual Studio, C++ Clang tools), and put it on the PATH." in output


@pytest.mark.parametrize("obstacle, advice", OBSTACLES.values(), ids=OBSTACLES)
def test_something_is_missing(build, tmp_path, obstacle, advice):
    done = build(tmp_path, CC=compiler(tmp_path / "cc", obstacle), GELU_FAST_OPENMP=None)
    assert done.returncode != 0
    assert advice in done.stdout + done.stderr


def test_openmp_is_wanted_or_not(build, tmp_path):
    done = build(tmp_path, GELU_FAST_OPENMP="off")
    assert done.returncode != 0
    assert "GELU_FAST_OPENMP must be 0 (without OpenMP) or 1, not 'off'" in done.stdout + done.stderr


# ---- frozen ----


def test_pyinstaller(tmp_path):
    script = tmp_path / "app.py"
    script.write_text(
        "from gelu_fast import gelu, stochastic_gelu\nprint(gelu(-9.0), stochastic_gelu([1.0] * 9, 1))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "PyInstaller", script.name], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    app = tmp_path / "dist/app/app"
    done = subprocess.run([app], cwd="/", env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{gelu_fast.gelu(-9.0)} {gelu_fast.stochastic_gelu([1.0] * 9, 1)}\n"
