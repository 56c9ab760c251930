# SPDX-License-Identifier: BSD-3-Clause
"""Accuracy: every function, form and type keeps its bound in _bounds.py, for all numbers of the types of one and two
bytes and a fixed sample of the others; with --exhaustive for every float32."""

from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from multiprocessing import get_context

import numpy as np

from gelu_fast._bounds import NEAR_ZERO, OF_LARGEST_TERM, UFUNCS, UNARY, UNIT_NEAR_ZERO, ZEROS
from gelu_fast._functions import FUNCTIONS
from gelu_fast.selftest import package
from gelu_fast.selftest.formats import formats, why_no_ml_dtypes
from gelu_fast.selftest.judge import Check, errors, outputs_of, ulp_of
from gelu_fast.selftest.machine import cpus
from gelu_fast.selftest.references import exact_gates, of_one_input, of_several_inputs, terms

# quick -> how many inputs, or steps between them: first for functions of one input, then for those of several.
FLOAT32_STEP = {True: 65521, False: 4093}
SEGMENT_ENDS_STEP = {True: 32, False: 1}
FLOAT64_INPUTS = {True: 1000, False: 15_000}
SEVERAL_INPUTS = {True: 2000, False: 100_000}
SEVERAL_ONE_BYTE_INPUTS = {True: 300, False: 10_000}
SEVERAL_FLOAT64_INPUTS = {True: 50, False: 1000}
# Form -> the |x| beyond which the negative tail is 0 in float64.
TAIL = {"exact": 38.6, "tanh": 21.6, "sigmoid": 441.5}
EVERY_FLOAT32, TASK, CHUNK = 1 << 32, 1 << 22, 1 << 16


def _any_size(rng, n, format):
    """Numbers with exponents from the whole range of the type."""
    largest = int(format.largest.reshape(1).view(format.bits)[0])
    x = rng.integers(1, largest, n, dtype=format.bits).view(format.dtype)
    return x * rng.choice([-1, 1], n).astype(format.dtype)


def _some_float32(quick):
    bits = np.arange(0, EVERY_FLOAT32, FLOAT32_STEP[quick], dtype=np.uint64).astype(np.uint32)
    # Segments of the kernels' curves end at multiples of 1/4096.
    ends = np.arange(1, 40960, SEGMENT_ENDS_STEP[quick], dtype=np.float32) / np.float32(4096)
    near = (ends.view(np.uint32)[:, None] + np.arange(-2, 3)).astype(np.uint32).ravel().view(np.float32)
    tail = np.geomspace(1, 450, bits.size // 8, dtype=np.float32)
    small = np.arange(1, 200, dtype=np.uint32).view(np.float32)
    return np.concatenate([bits.view(np.float32), near, -near, -tail, small, -small])


def _some_float64(form, quick, format):
    n = FLOAT64_INPUTS[quick] // 5
    rng = np.random.default_rng(42)
    near_ends = rng.integers(1, 22 * 1024, n) / 1024 * (1 + 2.0 ** rng.uniform(-52, -9, n))
    subnormal = rng.integers(1, 1 << 53, n // 5).view(np.float64)
    signs = rng.choice([-1, 1], n)
    parts = rng.uniform(-TAIL[form], -5, n), rng.uniform(-9, 9, n), near_ends * signs, subnormal
    return np.concatenate([_any_size(rng, n, format), *parts])


@lru_cache(maxsize=1)  # checks() has the functions of one form one after the other
def _inputs_and_gates(form, format, quick):
    if format.dtype.itemsize <= 2:
        x = format.every()
    else:
        x = _some_float32(quick) if format.name == "float32" else _some_float64(form, quick, format)
    x = x[np.isfinite(x)]
    return x, exact_gates(form, x, format.dtype)


def _distances(ufunc, format, x, got, exact):
    distance = errors(got, exact, format, _unit_near_zero(ufunc, format, x, 1.0))
    if UFUNCS[ufunc][0] == "gelu" and format.has_minus_zero:  # gelu has the sign of x, zeros included
        distance[np.signbit(got) != np.signbit(x)] = np.inf
    return distance


def _unit_near_zero(name, format, z, factor):
    near = np.abs(z.astype(np.float64) - ZEROS.get(name, np.inf)) <= NEAR_ZERO
    return np.where(near, np.abs(factor) * UNIT_NEAR_ZERO.get(format.name, 0.0), 0.0)


def of_one(ufunc, group, quick, check):
    for format in formats()[group]:
        x, gates = _inputs_and_gates(UFUNCS[ufunc][1], format, quick)
        got, exact = package.call(ufunc, x), of_one_input(UFUNCS[ufunc][0], *gates)
        distance = _distances(ufunc, format, x, got, exact)
        check.within(f"{ufunc} {format.name}", [x], got, exact, distance, format.bound(ufunc))


# ---- every float32 ----


def _judge_task(ufunc, faulty, start):
    """A check of TASK float32, those with the bits from `start` on."""
    package.faulty = faulty
    check = Check("", ufunc)
    (format,) = formats()["float32"]
    for first in range(start, start + TASK, CHUNK):
        x = np.arange(first, first + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)
        x = x[np.isfinite(x)]
        exact = of_one_input(UFUNCS[ufunc][0], *exact_gates(UFUNCS[ufunc][1], x, format.dtype))
        got, nearest = package.call(ufunc, x), format.rounded(exact)
        # Most results are the exact value's nearest number; only for the others are errors computed.
        close = np.flatnonzero((got != nearest) | (np.signbit(got) != np.signbit(nearest)))
        x_close, got, exact = x[close], got[close], exact[close]
        distance = _distances(ufunc, format, x_close, got, exact)
        check.within(f"{ufunc} float32", [x_close], got, exact, distance, format.bound(ufunc))
        check.count += x.size - close.size
    return check


def every_float32(ufunc, progress, check):
    """Every float32, by one process for each CPU, as math.erfc and NumPy's small calls hold the GIL."""
    starts = range(0, EVERY_FLOAT32, TASK)
    with ProcessPoolExecutor(cpus(), mp_context=get_context("spawn")) as pool:
        try:
            parts = pool.map(partial(_judge_task, ufunc, package.faulty), starts)
            for done, part in enumerate(parts, 1):
                check.add(part)
                progress(done, len(starts))
        finally:
            pool.shutdown(cancel_futures=True)


# ---- functions of several inputs ----


def _some_inputs(ufunc, n, format):
    """Inputs with ordinary numbers, the curve's tail, and factors of any size; sigma is above 0."""
    rng = np.random.default_rng(5)
    tail = min(TAIL[UFUNCS[ufunc][1]] if format.name == "float64" else 65, 70)

    def mixed(*parts):
        return rng.permutation(np.concatenate([format.rounded(part) for part in parts]))

    inputs = []
    for _ in range(package.n_inputs(ufunc)):
        usual = rng.normal(0, 1, n // 4), rng.uniform(-9, 9, n // 4), rng.uniform(-tail, 1, n // 4)
        inputs.append(mixed(*usual, rng.uniform(-0.6, 0.6, n // 8), _any_size(rng, n // 8, format)))
    n = inputs[0].size
    if "_mu_sigma" in ufunc:
        inputs[-2] = mixed(rng.normal(0, 2, n - n // 5), np.zeros(n // 5))
        inputs[-1] = mixed(np.exp(rng.normal(0, 1.5, n - n // 5)), np.ones(n // 5))
    function, of = UFUNCS[ufunc][0], inputs
    if FUNCTIONS[function].times:
        function, of = FUNCTIONS[function].times, inputs[1:]
    z, outputs = terms(function, of, format.working)
    finite = np.all([np.isfinite(part) for part in (z, *sum(outputs, []))], axis=0)
    return [x[finite] for x in inputs]


def of_several(ufunc, group, quick, check):
    times = FUNCTIONS[UFUNCS[ufunc][0]].times and group in ("float16", "bfloat16")
    if (times or group == "one-byte types") and formats()["float32"][0].is_nearest:
        check.not_checked = "compared with float32, which GELU_FAST_ROUNDING rounds otherwise"
        return
    for format in formats()[group]:
        few = {8: SEVERAL_FLOAT64_INPUTS, 1: SEVERAL_ONE_BYTE_INPUTS}
        n = few.get(format.dtype.itemsize, SEVERAL_INPUTS)[quick]
        inputs = _some_inputs(ufunc, n, format)
        call = f"{ufunc} {format.name}"
        results = outputs_of(package.call(ufunc, *inputs))
        if format.dtype.itemsize == 1:
            wide = outputs_of(package.call(ufunc, *[x.astype(np.float32) for x in inputs]))
            for got, want in zip(results, wide, strict=True):
                check.same(call, inputs, got, format.rounded(want))
        elif FUNCTIONS[UFUNCS[ufunc][0]].times:
            _rounded_product(ufunc, format, inputs, results[0], check)
        else:
            _against_references(ufunc, format, inputs, results, check)


def _against_references(ufunc, format, inputs, results, check):
    for i, (exact, larger, nothing) in enumerate(of_several_inputs(ufunc, inputs, format)):
        distance = errors(results[i], exact, format, _unit(ufunc, format, inputs, larger, i))
        distance[nothing & (results[i] == 0)] = 0
        check.within(f"{ufunc} {format.name}", inputs, results[i], exact, distance, format.bound(ufunc))


def _rounded_product(ufunc, format, inputs, got, check):
    """The result is the first input times a function of the others, which is rounded to the working type; references
    judge that function, unless it is the float64 that another check judges."""
    dy, *others = [x.astype(format.working) for x in inputs]
    function, suffix = UFUNCS[ufunc][0], ufunc.rpartition("_")[2]
    rounded = f"{FUNCTIONS[function].times}_{suffix}"
    (working,) = formats()[format.working.name]
    factor = package.call(rounded, *others)
    if not format.is_nearest:
        _against_references(rounded, working, others, [factor], check)
    if format.name == "float64":
        check.same(f"{ufunc} float64", inputs, got, dy * factor)
        return
    exact = dy.astype(np.float64) * factor
    distance = errors(got, exact, format)
    check.within(f"{ufunc} {format.name}", inputs, got, exact, distance, format.bound(ufunc))


def _unit(ufunc, format, inputs, larger, output):
    if UFUNCS[ufunc][0] in OF_LARGEST_TERM:
        return ulp_of(larger.astype(np.float64), format)
    if output > 0:
        return 0.0
    z, outputs = terms(UFUNCS[ufunc][0], inputs, format.working)
    return _unit_near_zero(ufunc, format, z, outputs[0][0])


def checks(ufuncs, options):
    """(kind, ufunc, types, the check) for these ufuncs."""
    for group in ("float16", "bfloat16", "float32", "float64", "one-byte types"):
        for ufunc in sorted(ufuncs, key=lambda name: UFUNCS[name][1]):
            is_unary = UFUNCS[ufunc][0] in UNARY
            if group not in formats():
                run = not_installed
            elif is_unary and group == "float32" and options.exhaustive:
                run = partial(every_float32, ufunc, options.progress)
            else:
                run = partial(of_one if is_unary else of_several, ufunc, group, options.quick)
            yield "accuracy", ufunc, group, run


def not_installed(check):
    check.not_checked = why_no_ml_dtypes()
