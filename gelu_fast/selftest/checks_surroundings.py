# SPDX-License-Identifier: BSD-3-Clause
"""A result does not depend on the process's floating-point environment, threads, and forks; and the docstrings state
the bounds by which the accuracy is judged."""

import json
import os
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from tempfile import TemporaryFile

import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS, ULP, ULP_ONE_BYTE, UNARY, ZEROS
from gelu_fast.selftest import environment, package
from gelu_fast.selftest.checks_arrays import mixed_inputs
from gelu_fast.selftest.formats import all_formats, formats, in_turn
from gelu_fast.selftest.judge import outputs_of

# ---- floating-point environments ----


def environments(ufunc, quick, check):
    """In every rounding mode, with and without flushing of subnormal numbers to zero, the bits are the same, and the
    caller's environment is unchanged."""
    if environment.UNKNOWN:
        check.not_checked = environment.UNKNOWN
        return
    for format in in_turn(all_formats(), ufunc, quick):
        inputs = mixed_inputs(ufunc, format, 1500)
        operands = [inputs, [np.repeat(x, 2)[::2] for x in inputs], [x[7] for x in inputs]]
        for name, call in package.ways(ufunc):
            wants = [call(*each) for each in operands]
            for mode in in_turn(environment.ENVIRONMENTS, ufunc, quick):
                for each, want in zip(operands, wants):
                    with environment.environment(*mode):
                        before = environment.control()
                        got = call(*each)
                        after = environment.control()
                    text = f"{name} {format.name}, {'-'.join(mode)}"
                    check.same(text, inputs if np.ndim(each[0]) else each, got, want)
                    check.true(text, after == before, f"control bits {after:#x}", f"{before:#x}")


# ---- threads ----

THREADS = 1, 2, 5
# quick -> elements, enough for each of five threads to get a share.
LARGE = {True: 5 << 14, False: 1 << 17}
ROW = 3001  # elements that repeat


def threads(ufunc, quick, check):
    """Large arrays on 1, 2 and 5 threads, by both ways in, give the results of an array too small for threads."""
    for format in in_turn(all_formats(), ufunc, quick):
        few = mixed_inputs(ufunc, format, ROW)
        wants = outputs_of(package.call(ufunc, *few))
        try:
            for n_threads in in_turn(THREADS, ufunc, quick):
                gelu_fast.set_num_threads(n_threads)
                have = gelu_fast.get_num_threads()
                for name, call in package.ways(ufunc):
                    text = f"{name} {format.name}, {have} threads, {{}}"
                    _large(text, call, few, wants, LARGE[quick], check)
                    _large_rows(text, call, few, wants, LARGE[quick] // ROW, check)
                if have < n_threads:
                    check.note = f"{have} threads where {n_threads} were asked for"
        finally:
            gelu_fast.set_num_threads(None)


def _large(text, call, few, wants, n, check):
    """Adjacent and strided arrays, arrays in an environment that the caller has set, results written past the cache."""
    inputs, wants = [np.resize(x, n) for x in few], tuple(np.resize(y, n) for y in wants)
    check.same(text.format("adjacent"), inputs, outputs_of(call(*inputs)), wants)
    apart = [np.repeat(x, 2)[::2] for x in inputs]
    check.same(text.format("strided"), inputs, outputs_of(call(*apart)), wants)
    if not environment.UNKNOWN:
        mode = environment.ENVIRONMENTS[-1]
        with environment.environment(*mode):
            got = outputs_of(call(*inputs))
        check.same(text.format("-".join(mode)), inputs, got, wants)
    before = _core._stream_from()
    _core._stream_from(0)
    try:
        got = outputs_of(call(*inputs))
    finally:
        _core._stream_from(before)
    check.same(text.format("past the cache"), inputs, got, wants)


def _large_rows(text, call, few, wants, n_rows, check):
    """Rows that do not join, with an output; of several inputs the last is one row."""
    inputs = [np.tile(x, (n_rows, 1))[:, 1:] for x in few]
    if len(few) > 1:
        inputs[-1] = few[-1][1:]
    outs = tuple(np.full((n_rows, ROW), 7, y.dtype)[:, 1:] for y in wants)
    call(*inputs, out=outs if len(outs) > 1 else outs[0])
    check.same(text.format("rows"), inputs, outs, tuple(np.tile(y[1:], (n_rows, 1)) for y in wants))


FORK_TIMEOUT = 60


def _float32_cases(ufuncs, quick):
    (float32,) = formats()["float32"]
    cases = [(ufunc, mixed_inputs(ufunc, float32, LARGE[quick] // 2)) for ufunc in ufuncs]
    return cases, [package.call(ufunc, *inputs) for ufunc, inputs in cases]


def python_threads(ufuncs, quick, check):
    """Several Python threads call at the same time."""
    cases, wants = _float32_cases(ufuncs, quick)

    def work(first):
        order = [(first * 5 + i) % len(cases) for i in range(len(cases))]
        return [(at, package.call(cases[at][0], *cases[at][1])) for at in order]

    n = 2 if quick else 8
    with ThreadPoolExecutor(n) as pool:
        for results in pool.map(work, range(n)):
            for at, got in results:
                ufunc, inputs = cases[at]
                check.same(f"{ufunc} float32, from several Python threads", inputs, got, wants[at])


def fork(ufuncs, quick, check):
    """A forked child computes the same as its parent, which has threads."""
    if not hasattr(os, "fork"):
        check.not_checked = f"{sys.platform} has no fork"
        return
    gelu_fast.set_num_threads(2)
    try:
        _forked(ufuncs, quick, check)
    finally:
        gelu_fast.set_num_threads(None)


def _forked(ufuncs, quick, check):
    cases, wants = _float32_cases(ufuncs, quick)
    with TemporaryFile("w+", encoding="utf-8") as told:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads
            child = os.fork()
        if child == 0:
            try:
                for (ufunc, inputs), want in zip(cases, wants):
                    check.same(
                        f"{ufunc} float32, in a forked child", inputs, package.call(ufunc, *inputs), want
                    )
                json.dump([check.count, check.wrong, check.failures], told)
                told.flush()
                os._exit(0)
            finally:
                os._exit(1)
        status = _wait(child)
        told.seek(0)
        if status == 0:
            check.count, check.wrong, check.failures = json.load(told)
        else:
            how = f"no end in {FORK_TIMEOUT} s" if status is None else f"exit status {status}"
            check.fail("a forked child", [], how, "the parent's results")


def _wait(child):
    """The exit status of a child, or None if it was killed."""
    deadline = time.monotonic() + FORK_TIMEOUT
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


# ---- docstrings ----


def docstrings(ufunc, check):
    """The docstring states the bounds by which the accuracy is judged."""
    text = " ".join(package.docstring(ufunc).split())
    bounds = ULP[ufunc]
    if UFUNCS[ufunc][0] in UNARY:
        statements = [
            f"at most {bounds['float32']:g} ULP for every float32",
            f"{bounds['float64']:g} ULP for float64",
            f"{bounds['float16']:g} ULP, which is correct rounding, for every float16 and bfloat16",
            f"and {ULP_ONE_BYTE:g} for the types of one byte",
        ]
    else:
        statements = [
            f"at most {bounds['float32']:g} ULP",
            f"{bounds['float64']:g} for float64",
            f"{bounds['float16']:g} for float16, {bounds['bfloat16']:g} for bfloat16",
        ]
    if ufunc in ZEROS:
        statements.append(f"zero at {ZEROS[ufunc]:.6f}")
    for statement in statements:
        check.true(f"help(gelu_fast.{ufunc})", statement in text, "no such statement", statement)


def checks(ufuncs, options):
    for ufunc in ufuncs:
        yield "environments", ufunc, "", partial(environments, ufunc, options.quick)
    for ufunc in ufuncs:
        yield "threads", ufunc, "", partial(threads, ufunc, options.quick)
    if ufuncs:
        yield "Python threads", "", "float32", partial(python_threads, ufuncs, options.quick)
        yield "fork", "", "float32", partial(fork, ufuncs, options.quick)
    for ufunc in ufuncs:
        yield "docstring", ufunc, "", partial(docstrings, ufunc)
