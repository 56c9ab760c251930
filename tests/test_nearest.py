# SPDX-License-Identifier: BSD-3-Clause
"""GELU_FAST_ROUNDING=nearest: float32 results of functions of one input are the nearest to the exact values, those of
others are within 0.5001 ULP, and nothing else changes. `make exhaustive` judges all 2^32 inputs."""

import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import oracle
import pytest
from accuracy import errors_of, some_float32, wide_inputs
from cases import (
    OF_ONE_INPUT,
    OF_SEVERAL,
    assert_same,
    on_level,
    outputs_of,
    rounded,
    rounded_factor,
    some_inputs,
)
from midpoints import midpoints, near_midpoints

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import FORMS, UFUNCS, ULP_NEAREST

LEVELS = _core.available_isa_levels
OTHER_TYPES = [np.float16, np.float64, ml_dtypes.bfloat16, ml_dtypes.float8_e5m2]


@pytest.fixture
def nearest():
    with rounded("nearest"):
        yield


def on_each_level(name, *inputs):
    """The outputs on each level, each as a list of arrays."""
    for level in LEVELS:
        with on_level(level), np.errstate(all="ignore"):
            yield outputs_of(getattr(gelu_fast, name)(*inputs))


def check_nearest(name, x, want):
    """The results are the nearest on every level, and have the same bits. gelu has the sign of x, zeros included."""
    results = [got for (got,) in on_each_level(name, x)]
    number = ~np.isnan(x)
    for got in results:
        np.testing.assert_array_equal(got, want)
        assert_same(got[number], results[0][number])
        if UFUNCS[name][0] == "gelu":
            assert_same(got[number], want[number])


# ---- functions of one input ----


@pytest.fixture(scope="module", params=FORMS)
def sample(request):
    """Float32 of all sizes, and the nearest results of a form."""
    x = some_float32()
    return x, oracle.nearest_float32(request.param, x)


def test_results_are_the_nearest(sample, nearest):
    x, of_ufuncs = sample
    for name, want in of_ufuncs.items():
        check_nearest(name, x, want)


def test_fast_results_are_not(sample):
    """The judge convicts the results of the other mode."""
    x, of_ufuncs = sample
    for name, want in of_ufuncs.items():
        for (got,) in on_each_level(name, x):
            assert 0.001 < np.mean(got != want) < 0.2


def test_beside_midpoints(name, nearest):
    x = midpoints(name)
    assert_same(near_midpoints(name, x), x)
    check_nearest(name, x, oracle.nearest_float32(name.split("_")[-1], x)[name])


def test_errors_decide_at_midpoints():
    """Some float64 results are midpoints, and rounded to even they would not be the nearest."""
    wrong = 0
    for name in OF_ONE_INPUT:
        x = midpoints(name)
        even = _core.ufuncs[name](x.astype(np.float64)).astype(np.float32)
        wrong += np.count_nonzero(even != oracle.nearest_float32(name.split("_")[-1], x)[name])
    assert wrong > 0


@pytest.mark.parametrize("form", FORMS)
def test_subnormal_numbers(form, nearest):
    """gelu is just above x/2, so a tie rounds up: to zero for the least negative one."""
    borders = [(1 << k) + np.arange(-99, 99) for k in range(11, 25)]
    t = np.concatenate([np.arange(1, 2000), *borders])
    x = t.astype(np.uint32).view(np.float32)
    for sign in (np.float32(1), np.float32(-1)):
        rounded_up = np.float32(np.ceil(sign * t[:1999] / 2)) * np.finfo(np.float32).smallest_subnormal
        for name, want in oracle.nearest_float32(form, sign * x).items():
            check_nearest(name, sign * x, want)
            if UFUNCS[name][0] == "gelu":
                assert_same(want[:1999], np.copysign(rounded_up, sign))


@pytest.mark.parametrize("form", FORMS)
def test_limits(form, nearest):
    largest = np.finfo(np.float32).max
    x = np.array([0, -0.0, np.inf, -np.inf, largest, -largest, np.nan, -np.nan], np.float32)
    for name, want in oracle.nearest_float32(form, x).items():
        check_nearest(name, x, want)


# ---- functions of several ----


@pytest.mark.parametrize("name", OF_SEVERAL)
def test_functions_of_several_inputs(name, nearest, report):
    """Within 0.5001 ULP of the formula in float64: of the largest term, where it adds two."""
    inputs = wide_inputs(name, 20_000, np.float32, 3)
    of, dy, factors = name, np.float64(1), inputs
    if rounded_factor(name):  # dy times this, which is rounded to float64
        of, dy, factors = rounded_factor(name).__name__, np.float64(inputs[0]), inputs[1:]
    z, _ = oracle.terms(of, factors, np.float64)
    exact = oracle.composed(of, factors, np.float64)
    finite = np.isfinite(z) & np.all([np.isfinite(dy * larger) for *_, larger in exact], axis=0)
    worst = 0.0
    for outputs in on_each_level(name, *inputs):
        for i, (got, (value, _, larger)) in enumerate(zip(outputs, exact)):
            with np.errstate(all="ignore"):
                value, larger = dy * value, np.abs(dy) * larger
                errors = errors_of(of, got, value, 0.0, 0, False, factors, np.float32, larger, i)[finite]
            assert not np.isnan(errors).any()
            worst = max(worst, errors.max())
    report(f"{name} float32, nearest: {worst:.6f} ULP of {finite.sum()} inputs")
    assert 0.49 < worst <= ULP_NEAREST[name] + oracle.UNCERTAINTY["float32"]


# ---- what it leaves as it is, and paths of an array ----


@pytest.mark.parametrize("dtype", OTHER_TYPES)
def test_other_types_stay_as_they_are(dtype):
    for name in UFUNCS:
        inputs = some_inputs(name, 3000, dtype)
        before = [*on_each_level(name, *inputs)]
        with rounded("nearest"):
            after = [*on_each_level(name, *inputs)]
        for a, b in zip(before, after):
            assert_same(tuple(a), tuple(b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stochastic_gelu_stays_as_it_is(dtype):
    x = np.random.default_rng(0).normal(0, 2, 100_000).astype(dtype)
    before = gelu_fast.stochastic_gelu(x, 3, return_mask=True)
    with rounded("nearest"):
        after = gelu_fast.stochastic_gelu(x, 3, return_mask=True)
    assert_same(before, after)


N = 5000  # some blocks of every function


@pytest.mark.parametrize("name", UFUNCS)
def test_paths(name, nearest):
    """Each element's result depends on its value alone: any length and stride, in place, where=, overlap."""
    ufunc = getattr(gelu_fast, name)
    inputs = some_inputs(name, N, np.float32)
    special = np.array([0, -0.0, 1e-45, -3e-45, np.inf, -np.inf, np.nan, -100, 1e30, -0.75], np.float32)
    inputs[0][:: N // 100] = np.resize(special, 100)
    with np.errstate(all="ignore"):
        want = outputs_of(ufunc(*inputs))
        singly = [outputs_of(ufunc(*of)) for of in zip(*(x[:700] for x in inputs))]
        assert_same(tuple(y[:700] for y in want), tuple(np.array(y, np.float32) for y in zip(*singly)))
        for n in (*range(1, 40), 63, 64, 65, 199, 399, 400, 401, 409):
            assert_same(outputs_of(ufunc(*(x[:n] for x in inputs))), tuple(y[:n] for y in want))
        strided = [np.repeat(x, 3)[::-3] for x in inputs]
        assert_same(outputs_of(ufunc(*strided)), tuple(y[::-1] for y in want))
        in_place = [x.copy() for x in inputs]
        if ufunc.nout <= ufunc.nin:
            ufunc(*in_place, out=tuple(in_place[: ufunc.nout]))
            assert_same(tuple(in_place[: ufunc.nout]), want)
        for shift in (-700, -1, 1, 700):  # the output begins below or above the input
            room = np.zeros(N + 1400, np.float32)
            moved, out = room[700 : 700 + N], room[700 + shift : 700 + shift + N]
            moved[:] = inputs[0]
            outs = (out, *(np.empty(N, np.float32) for _ in range(ufunc.nout - 1)))
            ufunc(moved, *inputs[1:], out=outs)
            assert_same(outs, want)
        some = np.arange(N) % 3 == 0
        outs = tuple(np.full(N, 7, np.float32) for _ in range(ufunc.nout))
        ufunc(*inputs, out=outs, where=some)
        assert_same(outs, tuple(np.where(some, y, np.float32(7)) for y in want))
    unaligned = np.zeros(4 * 9 + 1, np.uint8)[1:].view(np.float32)
    unaligned[:] = 0.5
    if (ufunc.nin, ufunc.nout) == (2, 1):
        ufunc.at(unaligned, np.arange(9), np.float32(0.25))
        assert (unaligned == ufunc(np.float32(0.5), np.float32(0.25))).all()


def test_threads_and_large_arrays(nearest, threads, stream_from):
    """Nothing is written past the cache, as results take longer to compute than to store."""
    x = np.random.default_rng(5).normal(0, 3, 200_003).astype(np.float32)
    streamed = _core._streamed()
    want = np.concatenate([gelu_fast.gelu(part) for part in np.split(x, [70, 5000, 20_001])])
    assert_same(gelu_fast.gelu(x, out=np.empty_like(x)), want)
    assert _core._streamed() == streamed


# ---- the environment ----


def run(code, rounding):
    env = os.environ | {"GELU_FAST_ROUNDING": rounding}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)


@pytest.mark.parametrize("rounding, chosen", [("", "fast"), ("fast", "fast"), ("nearest", "nearest")])
def test_the_environment_chooses(rounding, chosen):
    x = np.linspace(-3, 3, 1001, dtype=np.float32)
    code = (
        "import numpy as np, gelu_fast; gelu_fast.show_config(); "
        "print(gelu_fast.gelu(np.linspace(-3, 3, 1001, dtype=np.float32)).tobytes().hex())"
    )
    done = run(code, rounding)
    assert done.returncode == 0, done.stderr
    *shown, got = done.stdout.splitlines()
    assert f"rounding   {chosen} (of float32; available: fast, nearest)" in shown
    got = np.frombuffer(bytes.fromhex(got), np.float32)
    assert (chosen == "nearest") == np.array_equal(got, oracle.nearest_float32("erf", x)["gelu_erf"])


def test_another_value_is_an_error():
    done = run("import gelu_fast", "even")
    assert done.returncode == 1
    assert (
        "ImportError: GELU_FAST_ROUNDING=even: there is no such rounding; accepted: fast, nearest"
        in done.stderr
    )
    before = _core.rounding
    with pytest.raises(ImportError, match="GELU_FAST_ROUNDING=even"):
        _core._use_rounding("even")
    assert _core.rounding == before
