# SPDX-License-Identifier: BSD-3-Clause
"""The ISA level is the requested one, or the import fails; show_config and `python -m gelu_fast` show it."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from cases import on_level

import gelu_fast
from gelu_fast import _core
from gelu_fast.__main__ import largest_error, usual_exact, usual_tanh
from gelu_fast._machine import cache_bytes

ALL_X86 = ["baseline", "x86-64-v3", "x86-64-v4"]


def run(*args, **env):
    env = {k: v for k, v in {**os.environ, **env}.items() if v is not None}
    return subprocess.run([sys.executable, *args], env=env, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("level", _core.available_isa_levels)
def test_forced_level(level):
    done = run("-c", "from gelu_fast import _core; print(_core.isa_level)", GELU_FAST_ISA=level)
    assert done.stdout.strip() == level


def test_the_best_level_is_the_default():
    for unset in (None, ""):
        done = run("-c", "from gelu_fast import _core; print(_core.isa_level)", GELU_FAST_ISA=unset)
        assert done.stdout.strip() == _core.available_isa_levels[-1]


def test_unknown_level():
    done = run("-c", "import gelu_fast", GELU_FAST_ISA="x86-64-v9")
    assert done.returncode == 1
    assert "ImportError: GELU_FAST_ISA=x86-64-v9: there is no such ISA level in this build" in done.stderr
    assert f"available: {', '.join(_core.available_isa_levels)}" in done.stderr


def test_level_that_the_cpu_lacks():
    """The choice as on an older CPU: it is told that the CPU has the baseline alone."""
    with pytest.raises(ImportError, match="GELU_FAST_ISA=x86-64-v4: this CPU lacks it; available: baseline$"):
        _core.choose_level("x86-64-v4", built=ALL_X86, available=["baseline"])
    assert _core.choose_level("", built=ALL_X86, available=["baseline", "x86-64-v3"]) == "x86-64-v3"


def results(level, x):
    """gelu(x) in all forms, on an ISA level."""
    code = f"""
import sys, numpy as np, gelu_fast
x = np.frombuffer(sys.stdin.buffer.read(), {x.dtype.name!r})
sys.stdout.buffer.write(np.stack([gelu_fast.gelu(x, a) for a in (False, True, "sigmoid")]).tobytes())
"""
    env = {**os.environ, "GELU_FAST_ISA": level}
    done = subprocess.run(
        [sys.executable, "-c", code], input=x.tobytes(), env=env, capture_output=True, check=True
    )
    return np.frombuffer(done.stdout, x.dtype)


@pytest.fixture
def any_level():
    """Restore the ISA level after a test that changes it."""
    with on_level(_core.isa_level):
        yield


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_levels_in_one_process(dtype, any_level):
    """Another ISA level, chosen in this process, gives the results that it gives in a process of its own."""
    x = np.random.default_rng(0).normal(0, 5, 20_000).astype(dtype)
    for level in (*_core.available_isa_levels, _core.available_isa_levels[0]):
        _core._use_level(level)
        assert _core.isa_level == level
        for ways in (gelu_fast.gelu, lambda x, approx: gelu_fast.gelu(x, approx, order="C")):
            y = np.stack([ways(x, approx) for approx in (False, True, "sigmoid")])
            assert y.tobytes() == results(level, x).tobytes()
    with pytest.raises(ImportError, match="there is no such ISA level"):
        _core._use_level("x86-64-v9")
    assert _core.isa_level == level


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_levels_agree(dtype):
    """For the same inputs, all levels of this CPU agree within twice the bound, or in every bit.

    docs/reproducibility.md says which."""
    x = np.random.default_rng(0).normal(0, 5, 50_000).astype(dtype)
    of_level = {level: results(level, x) for level in _core.available_isa_levels}
    first = next(iter(of_level.values()))
    for other in of_level.values():
        distance = np.abs(other.astype(np.float64) - first.astype(np.float64))
        assert (distance <= 2 * np.spacing(np.abs(first)).astype(np.float64)).all()
        if dtype == "float16":
            assert (other == first).all()
    if dtype == "float32":  # each level computes it differently: FMA, tables in registers
        assert len({y.tobytes() for y in of_level.values()}) == len(of_level)
    if dtype == "float64" and "x86-64-v4" in of_level:
        assert (of_level["x86-64-v4"] == of_level["x86-64-v3"]).all()


def test_show_config(capsys):
    gelu_fast.show_config()
    out = capsys.readouterr().out.splitlines()
    assert [line[:10].rstrip() for line in out] == [
        *("gelu_fast", "NumPy", "ISA level", "rounding", "OpenMP", "threads", "cache", "compiler")
    ]
    assert out[0].split() == ["gelu_fast", gelu_fast.__version__]
    assert out[1].split() == ["NumPy", np.__version__]
    assert out[2].endswith(f"{_core.isa_level} (available: {', '.join(_core.available_isa_levels)})")
    assert out[3].split()[:2] == ["rounding", _core.rounding]
    assert out[5].split() == ["threads", str(gelu_fast.get_num_threads())]
    assert any(name in out[7] for name in ("GCC", "lang"))


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="looks at libraries in Linux's /proc")
def test_the_openmp_that_it_shows_is_the_one_in_use():
    code = "import gelu_fast; gelu_fast.show_config(); print(open('/proc/self/maps').read())"
    out = run("-c", code).stdout
    shown = next(line for line in out.splitlines() if line.startswith("OpenMP"))
    for library in ("libgomp", "libomp"):
        assert (f"({library}" in shown) == (f"/{library}" in out)


def test_cache_is_what_the_system_reports(tmp_path):
    def write(index, kind, size, cpus):
        (tmp_path / f"index{index}").mkdir(exist_ok=True)
        for name, text in (("type", kind), ("size", size), ("shared_cpu_map", cpus)):
            (tmp_path / f"index{index}" / name).write_text(text + "\n")

    assert cache_bytes(tmp_path / "nowhere") == math.inf
    assert cache_bytes(tmp_path) == math.inf
    write(0, "Data", "48K", "1")
    write(1, "Instruction", "999M", "1")
    assert cache_bytes(tmp_path) == 48 << 10
    write(2, "Unified", "2M", "1")
    assert cache_bytes(tmp_path) == min(2 << 20, 16 * 48 << 10)
    write(3, "Unified", "16M", "3")
    assert cache_bytes(tmp_path) == 16 << 20
    write(3, "Unified", "480M", "3")  # the cache of a whole socket, for a virtual machine's two CPUs
    assert cache_bytes(tmp_path) == 2 * 16 * 2 << 20
    write(3, "Unified", "480M", "ffffffff,ffffffff")
    assert cache_bytes(tmp_path) == 480 << 20
    write(3, "Unified", "who knows", "3")
    write(2, "Unified", "512K", "3")  # shared by two CPUs, as with simultaneous multithreading
    assert cache_bytes(tmp_path) == 512 << 10
    assert _core._stream_from() == cache_bytes()


# ---- python -m gelu_fast ----


def test_main_shows_the_thing_at_work():
    done = run("-m", "gelu_fast")
    assert done.returncode == 0, done.stderr
    assert f"ISA level  {_core.isa_level}" in done.stdout
    for word in ("largest error", "ULP", "ms", "times as long", "stay in float32"):
        assert word in done.stdout


@pytest.mark.parametrize("ulps", [0, 1, 3])
def test_the_error_that_it_shows(ulps):
    """An error of that many ULP at one element of the tail is shown, but for half an ULP of rounding."""
    x = np.linspace(-5, 5, 10_001, dtype=np.float32)
    y = np.array([float(v) * math.erfc(-float(v) / math.sqrt(2)) / 2 for v in x], np.float32)
    y[7] += ulps * np.spacing(y[7])
    error, n = largest_error(y, x)
    assert abs(error - ulps) <= 0.5 and 2000 <= n <= x.size


def test_command_line():
    done = run("-m", "gelu_fast", "--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m gelu_fast ")
    assert "ISA level" not in done.stdout
    done = run("-m", "gelu_fast", "--version")
    assert (done.returncode, done.stdout) == (0, f"gelu_fast {gelu_fast.__version__}\n")
    for wrong in ("--fast", "benchmark", "-v"):
        done = run("-m", "gelu_fast", wrong)
        assert done.returncode == 2 and done.stdout == ""
        assert "python -m gelu_fast: error: " in done.stderr and wrong in done.stderr


class Float32(np.ndarray):
    """An array that checks that every operation stays in float32."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        inputs = [np.asarray(x) if isinstance(x, np.ndarray) else x for x in inputs]
        result = getattr(ufunc, method)(*inputs, **options)
        assert result.dtype == np.float32, (ufunc, [getattr(x, "dtype", x) for x in inputs])
        return result.view(Float32)


@pytest.mark.parametrize("formula, form", [(usual_exact, "none"), (usual_tanh, "tanh")])
def test_what_it_compares_with(formula, form):
    """The formulas are those of GELU, and all of their operations are in float32."""
    x = np.linspace(-4, 4, 1001, dtype=np.float32)
    y = np.asarray(formula(x.view(Float32)))
    np.testing.assert_allclose(y, gelu_fast.gelu(x, form), rtol=1e-5, atol=1e-6)
    with pytest.raises(AssertionError):
        x.view(Float32) * np.sqrt(2)
