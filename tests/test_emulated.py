# SPDX-License-Identifier: BSD-3-Clause
"""Other CPUs than this machine's, under qemu: the neon kernels, run by a C driver, and the package on an x86-64 CPU
without AVX. `make aarch64` runs the package for aarch64.

No test here depends on the ISA level of the process that runs it."""

import os
import subprocess
import sys
import sysconfig

import numpy as np
import oracle
import pytest
from accuracy import N_FLOAT64, some_float32, some_float64, wide_inputs
from cases import OF_ONE_INPUT, OF_SEVERAL, assert_same, on_level, outputs_of
from drivers import build_driver, through
from midpoints import midpoints
from needs import absent, command

from gelu_fast import _core
from gelu_fast._bounds import FORMS

# ---- kernels without Python ----


@pytest.fixture(scope="module")
def neon_driver(tmp_path_factory):
    """The command of the driver with neon kernels, on an early CPU of aarch64 (ARMv8.0)."""
    qemu = command("qemu-aarch64-static", "qemu-aarch64", debian="qemu-user-static")
    compiler = command("aarch64-linux-gnu-gcc", debian="gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    driver = build_driver("aarch64", compiler, tmp_path_factory.mktemp("neon"), "-static")
    return [qemu, "-cpu", "cortex-a53", driver, "neon"]


@pytest.fixture(scope="module")
def neon(neon_driver):
    return through(*neon_driver)


@pytest.fixture
def x86_v3():
    """function(name, x, ...) of this CPU."""
    if "x86-64-v3" not in _core.available_isa_levels:
        absent("needs a CPU of x86-64-v3, whose results neon's are compared with")
    with on_level("x86-64-v3"):
        yield lambda name, *inputs: _core.ufuncs[name](*inputs)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_neon_is_x86_v3_to_the_bit(name, neon, x86_v3, dtype, report):
    """Both have FMA and compute by the same steps, so the bounds that test_accuracy.py shows hold for neon as well. The
    payload of a NaN is up to the CPU."""
    x = {
        "float16": np.arange(1 << 16, dtype=np.uint16).view(np.float16),
        "float32": some_float32()[::3],
        "float64": some_float64(name, N_FLOAT64, 42),
    }[dtype]
    x = np.append(x, np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan], dtype))
    ours, theirs = neon(name, x), x86_v3(name, x)
    for y in (ours, theirs):
        np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    number, bits = ~np.isnan(x), f"u{x.itemsize}"
    np.testing.assert_array_equal(ours[number].view(bits), theirs[number].view(bits))
    report(f"{name} {dtype}: the bits of x86-64-v3 for all of {x.size} inputs")


@pytest.mark.parametrize("form", FORMS)
def test_neon_rounds_float32_to_the_nearest(form, neon):
    """With GELU_FAST_ROUNDING=nearest."""
    x = some_float32()[::9]
    tiny = np.arange(1, 999, dtype=np.uint32).view(np.float32)
    x = np.concatenate([x, tiny, -tiny, np.array([0.0, -0.0, np.inf, -np.inf, np.nan], np.float32)])
    for name in OF_ONE_INPUT:
        if name.endswith(form):
            of = np.concatenate([x, midpoints(name)])
            got, want = neon(name, of, of_type="nearest"), oracle.nearest_float32(form, of)[name]
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", OF_SEVERAL)
def test_neon_is_x86_v3_for_several_inputs(name, neon, x86_v3, dtype, report):
    inputs = wide_inputs(name, 5000, np.dtype(dtype), 7)
    for ours, theirs in zip(*(outputs_of(function(name, *inputs)) for function in (neon, x86_v3))):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        number, bits = ~np.isnan(ours), f"u{ours.itemsize}"
        np.testing.assert_array_equal(ours[number].view(bits), theirs[number].view(bits))
    report(f"{name} {dtype}: the bits of x86-64-v3 for all of {inputs[0].size} inputs")


def test_neon_is_x86_v3_for_random_words_and_strides(neon_driver, x86_v3, tmp_path):
    """Decisions of stochastic GELU are compared, too. test_random.py and test_ufunc.py test x86-64-v3's results."""
    compiler = command("gcc", "cc", debian="gcc")
    # -O1 compiles in less time and gives the bits of -O3.
    driver = build_driver("x86_64", compiler, tmp_path, "-O1")
    ours, theirs = (
        subprocess.run(args, capture_output=True, check=True).stdout
        for args in (neon_driver, [driver, "x86-64-v3"])
    )
    assert len(ours) > 10**6 and ours == theirs


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("control", ["400000", "800000", "c00000", "1000000", "1c00000", "2000000"])
def test_neon_in_any_floating_point_environment(neon, dtype, control):
    """FPCR is set to round up, down or to zero, to flush subnormal numbers, or to make every NaN the default one."""
    for name in ("gelu_erf", "gelu_grad_tanh", "geglu_sigmoid", "gelu_grad_mu_sigma_erf"):
        inputs = wide_inputs(name, 300, np.dtype(dtype), 8)
        assert_same(neon(name, *inputs, control=(control,)), neon(name, *inputs))


# ---- the package on a CPU of 2008: x86-64-v2, without AVX ----


@pytest.fixture
def nehalem():
    if sysconfig.get_platform() != "linux-x86_64":
        pytest.skip("this Python is not for Linux on x86-64")
    return [command("qemu-x86_64-static", "qemu-x86_64", debian="qemu-user-static"), "-cpu", "Nehalem"]


def python(*args, emulator=(), isa=None, **options):
    # OPENBLAS_CORETYPE names kernels for this machine's CPU; NumPy's import would run them on the emulated one, too.
    about_cpu = {"GELU_FAST_ISA", "OPENBLAS_CORETYPE"} if emulator else {"GELU_FAST_ISA"}
    env = {k: v for k, v in os.environ.items() if k not in about_cpu}
    env |= {"GELU_FAST_ISA": isa} if isa else {}
    return subprocess.run([*emulator, sys.executable, *args], env=env, capture_output=True, **options)


def test_without_avx(nehalem):
    """The package chooses the baseline, which gives the same bits as on this CPU."""
    code = """
import sys, numpy as np, gelu_fast
from gelu_fast import _core
print(_core.isa_level, file=sys.stderr)
x = np.frombuffer(sys.stdin.buffer.read())
for ufunc in _core.ufuncs.values():
    for dtype in (np.float16, np.float32, np.float64):
        outputs = ufunc(*[np.roll(x, i).astype(dtype) for i in range(ufunc.nin)])
        sys.stdout.buffer.write(np.array(outputs).tobytes())
"""
    x = np.concatenate([np.linspace(-15, 15, 1001), [0.0, -0.0, 1e-5, 1e4, -1e4, np.inf, -np.inf]])
    there = python("-c", code, emulator=nehalem, input=x.tobytes())
    here = python("-c", code, isa="baseline", input=x.tobytes())
    for done in (there, here):
        assert done.stderr.decode().splitlines()[-1:] == ["baseline"]
        n_outputs = sum(ufunc.nout for ufunc in _core.ufuncs.values())
        assert len(done.stdout) == n_outputs * x.size * (2 + 4 + 8)
    assert there.stdout == here.stdout


def test_a_level_that_the_cpu_lacks(nehalem):
    done = python("-c", "import gelu_fast", emulator=nehalem, isa="x86-64-v3", text=True)
    assert done.returncode == 1
    expected = "ImportError: GELU_FAST_ISA=x86-64-v3: this CPU lacks it; available: baseline"
    assert done.stderr.splitlines()[-1] == expected
