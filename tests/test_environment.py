# SPDX-License-Identifier: BSD-3-Clause
"""A result depends on its inputs alone. The rounding mode, flush-to-zero and denormals-are-zero, of the calling thread
or of any other, have no influence; and the caller's environment stays as it was."""

import subprocess
import sys

import fenv
import ml_dtypes
import numpy as np
import pytest
from cases import assert_same, every_level

import gelu_fast
from gelu_fast import _core

pytestmark = every_level

DTYPES = [
    np.float16,
    np.float32,
    np.float64,
    ml_dtypes.bfloat16,
    ml_dtypes.float8_e5m2,
    ml_dtypes.float8_e4m3fn,
]
every_environment = pytest.mark.parametrize("environment", fenv.ENVIRONMENTS, ids="-".join)


def numbers(dtype, n=3001):
    """Numbers of every kind: ends of segments, tails, subnormal inputs and results, ties, zeros, infinities and NaN."""
    rng = np.random.default_rng(4)
    x = np.concatenate(
        [
            rng.normal(0, 2, n),
            rng.uniform(-40, 40, n),
            np.linspace(-16, 16, n),
            np.exp(rng.uniform(-750, 5, n)) * rng.choice([-1, 1], n),
            [5.2805166, 9.82, -9.82, 0.0, -0.0, np.inf, -np.inf, np.nan, -20, 1],
            np.float64([1, -1, 3, 7, -9]) * float(ml_dtypes.finfo(dtype).smallest_subnormal),
        ]
    )
    with np.errstate(all="ignore"):
        return rng.permutation(x).astype(dtype)


@pytest.fixture(params=DTYPES, ids=lambda dtype: dtype.__name__)
def dtype(request):
    return request.param


@every_environment
def test_ufuncs(environment, dtype):
    x = numbers(dtype)
    for name, ufunc in _core.ufuncs.items():
        inputs = [np.roll(x, i) for i in range(ufunc.nin)]
        strided = [np.repeat(v, 2)[::2] for v in inputs]
        scalars = [v[7] for v in inputs]
        for operands in (inputs, strided, scalars):
            expected = ufunc(*operands)
            with fenv.environment(*environment):
                inside = fenv.control()
                got = ufunc(*operands)
                after = fenv.control()
            assert after == inside, name
            assert_same(got, expected)


def every_function(x):
    """Name -> a call. Some calls make NumPy round on the way: casts, Python numbers, integers."""
    n = np.arange(-400, 400) * 2**54 // 400 + 1
    some = np.arange(x.size) % 3 == 0
    small = np.float64([1, -2, 3e300, -4]) * 5e-324

    def with_out(function, *args, **given):
        out = np.zeros(x.shape, np.float64)
        function(*args, out=out, **given)
        return out

    yield from {
        "plain": lambda: gelu_fast.gelu(x),
        "out of another type": lambda: with_out(gelu_fast.gelu, x),
        "where": lambda: with_out(gelu_fast.gelu, x, where=some),
        "dtype": lambda: gelu_fast.gelu(small, dtype="f4", casting="same_kind"),
        "integers": lambda: gelu_fast.gelu(n),
        "a Python number": lambda: gelu_fast.bias_gelu(x, 0.1),
        "geglu": lambda: gelu_fast.geglu(x, 1 / 3),
        "location and scale": lambda: gelu_fast.gelu(x, mu=0.1, sigma=1 / 3),
        "a subnormal location": lambda: gelu_fast.gelu_gate(small, mu=5e-324, sigma=2e-323),
        "stochastic": lambda: gelu_fast.stochastic_gelu(x, 3, return_mask=True),
        "stochastic, of integers": lambda: gelu_fast.stochastic_gelu(n, 3),
    }.items()


@every_environment
def test_functions(environment, dtype):
    x = numbers(dtype)
    for what, call in every_function(x):
        expected = call()
        with fenv.environment(*environment):
            inside = fenv.control()
            got = call()
            after = fenv.control()
        assert after == inside, what
        assert_same(got, expected)


def test_reductions():
    x = np.random.default_rng(5).normal(1, 1, 1000).astype("f4")
    expected = gelu_fast.geglu_erf.accumulate(x)
    for environment in fenv.ENVIRONMENTS:
        with fenv.environment(*environment):
            got = gelu_fast.geglu_erf.accumulate(x)
        assert_same(got, expected)


@pytest.mark.parametrize("dtype", DTYPES[:4])
def test_flags_stay_as_they_were(dtype):
    """No flag is raised or cleared, for any input. (A ufunc clears them all, as NumPy's own do.)"""
    x = numbers(dtype)
    out = np.empty_like(x)
    for function in (gelu_fast.gelu, gelu_fast.gelu_gate, gelu_fast.gelu_grad):
        for which in fenv.FLAGS:
            fenv.raise_flags(which)
            before = fenv.flags()
            function(x, out=out)
            after = fenv.flags()
            fenv.raise_flags(0)
            assert after == before


CODE = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import fenv, numpy as np, ml_dtypes
def digest():
    import gelu_fast
    gelu_fast.set_num_threads(4)
    results = [gelu_fast.gelu_grad(x), gelu_fast.gelu(x), gelu_fast.gelu(x[::2])]
    results += [gelu_fast.gelu(v) for v in small]
    return hashlib.sha256(b"".join(y.tobytes() for y in results)).hexdigest()
x = -np.geomspace(1e-45, 20, 1 << 18).astype("f4")
every = np.arange(256, dtype="u1")
small = [every.view(ml_dtypes.float8_e5m2), every.view(ml_dtypes.float8_e4m3fn), x[:256].astype(ml_dtypes.bfloat16)]
np.seterr(all="ignore")
if sys.argv[2]:
    with fenv.environment(*sys.argv[2].split("-")):
        print(digest())
print(digest())
"""


def run(environment):
    done = subprocess.run(
        [sys.executable, "-c", CODE, sys.path[0], environment], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_and_first_team_in_another_environment():
    """Results are the same inside that environment and after it: neither the tables that the import computes nor the
    threads that start first are affected by it."""
    (expected,) = run("")
    for environment in ("up", "nearest-flush", "down-flush", "-".join(fenv.ENVIRONMENTS[-1])):
        assert run(environment) == [expected, expected]
