# SPDX-License-Identifier: BSD-3-Clause
"""Check that neither results nor the kernels' decisions depend on unwritten memory: `make sanitize` runs this under
valgrind.

Gaps between elements, and outputs before a call, are marked as unwritten. Valgrind itself reports a branch or an
address that depends on such bytes; whether a result contains any is asked after each call. The arguments are the ufuncs
to check; without any, all are checked."""

import ctypes
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import ml_dtypes
import numpy as np
from cases import outputs_of

import gelu_fast
from gelu_fast import _core

PROBE = """
#include <stddef.h>
#include <valgrind/memcheck.h>
int under_valgrind(void) { return RUNNING_ON_VALGRIND; }
void blank(char *p, size_t n) { (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n); }
int is_written(const char *p, size_t n) { return VALGRIND_CHECK_MEM_IS_DEFINED(p, n) == 0; }
"""
# Types of one byte all take the same path through float32: one is enough.
TYPES = ("f2", "f4", "f8", ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn)
SIZES = (1, 2, 5, 31, 800)  # remainders of vectors, and more than a block
LAYOUTS = ("contiguous", "strided", "reversed", "repeated", "unaligned")
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -7.0, -40.0, 1e4]

calls, unwritten = 0, Counter()


def build_probe():
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "probe.c"), Path(folder, "probe.so")
        source.write_text(PROBE)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
        probe = ctypes.CDLL(str(library))
    probe.blank.argtypes = probe.is_written.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return probe


probe = build_probe()


def memory(n, dtype, layout):
    """An array whose elements, and the gaps between them, are unwritten."""
    raw = np.empty(3 * (n + 1) * dtype.itemsize + 1, "u1")
    probe.blank(raw.ctypes.data, raw.nbytes)
    if layout == "unaligned":
        return raw[1 : 1 + n * dtype.itemsize].view(dtype)
    base = raw[: 3 * n * dtype.itemsize].view(dtype)
    return base[:: {"strided": 3, "reversed": -2}.get(layout, 1)][:n]


def operand(n, dtype, layout, seed, least=-np.inf):
    numbers = np.random.default_rng(seed).normal(0, 4, n)
    if seed % 2 == 0:
        numbers[: len(SPECIAL)] = SPECIAL[:n]
    numbers = np.maximum(np.abs(numbers) if least > 0 else numbers, least)
    if layout == "repeated":
        return np.broadcast_to(numbers[-1:].astype(dtype), n)
    x = memory(n, dtype, layout)
    with np.errstate(all="ignore"):
        x[...] = numbers.astype(dtype)
    return x


def check(what, results, where=...):
    global calls
    calls += 1
    for result in outputs_of(results):
        copy = np.array(np.asarray(result)[where])
        if not probe.is_written(copy.ctypes.data, copy.nbytes):
            unwritten[what] += 1


def operands_of(ufunc, n, dtype, layouts):
    """Inputs, sigma last if there is one, and outputs."""
    ins = [operand(n, dtype, layouts[i % len(layouts)], i) for i in range(ufunc.nin)]
    if "sigma" in ufunc.__name__:
        ins[-1] = operand(n, dtype, layouts[-1], 1, least=0.5)
    out_layout = layouts[0] if layouts[0] != "repeated" else "contiguous"
    return ins, tuple(memory(n, dtype, out_layout) for _ in range(ufunc.nout))


def check_ufunc(ufunc, dtype):
    name = f"{ufunc.__name__} {dtype}"
    for number, layout in enumerate(LAYOUTS):
        for n in SIZES:
            for layouts in ([layout], [layout, "contiguous"], ["contiguous", layout])[
                : 1 + 2 * (ufunc.nin > 1)
            ]:
                ins, outs = operands_of(ufunc, n, dtype, layouts)
                check(f"{name} {n} {layouts}", ufunc(*ins, out=outs))
        ins, outs = operands_of(ufunc, 50, dtype, [layout])
        mask = np.arange(50) % 3 != number % 3
        check(f"{name} where {layout}", ufunc(*ins, out=outs, where=mask), mask)
        check(f"{name} a new result, {layout}", ufunc(*ins))
    if ufunc.nin == 2 and ufunc.nout == 1:
        x, _ = operands_of(ufunc, 40, dtype, ["strided"])
        check(f"{name} reduce", ufunc.reduce(x[0]))
        check(f"{name} accumulate", ufunc.accumulate(x[0]))
        check(f"{name} reduceat", ufunc.reduceat(x[0], [0, 7, 7, 30]))
        check(f"{name} outer", ufunc.outer(x[0][:5], x[1]))
        ufunc.at(x[0], [1, 1, 5], x[1][:3])
        check(f"{name} at", x[0])


def check_functions(dtype):
    # One n for the small memory that NumPy reuses, one for larger memory, and one for the pool.
    for n in (5, 300, 40_000):
        for approx in (False, "tanh", "sigmoid"):
            x, y, z = (operand(n, dtype, "contiguous", seed) for seed in range(3))
            sigma = operand(n, dtype, "strided", 1, least=0.5)
            for function in (gelu_fast.gelu, gelu_fast.gelu_gate, gelu_fast.gelu_grad):
                check(f"{function.__name__} {dtype} {n}", function(x, approx))
                check(f"{function.__name__} {dtype} {n} at", function(x, approx, mu=0.5, sigma=sigma))
            check(f"gelu_backward {dtype} {n}", gelu_fast.gelu_backward(x, y, approx))
            check(f"bias_gelu {dtype} {n}", gelu_fast.bias_gelu(np.stack([x, y]), z, approx))
            check(f"geglu {dtype} {n}", gelu_fast.geglu(np.stack([x, y]), None, approx, axis=0))
            check(f"geglu_backward {dtype} {n}", gelu_fast.geglu_backward(x, y, z, approx))
    for n in (1, 5, 64, 300, 1000):
        for layout in LAYOUTS:
            x, out = operand(n, dtype, layout, n), memory(n, dtype, "strided")
            check(f"stochastic_gelu {dtype} {n} {layout}", gelu_fast.stochastic_gelu(x, 1, return_mask=True))
            results = gelu_fast.stochastic_gelu(x, 2, offset=61, out=out, return_mask=True)
            check(f"stochastic_gelu out {dtype} {n} {layout}", results)


def main():
    if not probe.under_valgrind():
        sys.exit("this script finds nothing unless valgrind runs it")
    control = memory(3, np.dtype("f4"), "contiguous")
    if probe.is_written(control.ctypes.data, control.nbytes):
        sys.exit("valgrind takes unwritten memory for written")
    gelu_fast.set_num_threads(2)
    with np.errstate(all="ignore"):
        for dtype in map(np.dtype, TYPES):
            for name in sys.argv[1:] or _core.ufuncs:
                check_ufunc(_core.ufuncs[name], dtype)
            check_functions(dtype)
    print(f"{calls} calls on {_core.isa_level}, {sum(unwritten.values())} results with unwritten bytes")
    for what, times in unwritten.most_common(40):
        print(f"    {what}: {times}")
    sys.exit(bool(unwritten))


if __name__ == "__main__":
    main()
