# SPDX-License-Identifier: BSD-3-Clause
"""Judge as many inputs as can be tried, on each ISA level of this CPU: `make exhaustive`.

- Ufuncs of one input: every float32, and 10^7 float64.
- Ufuncs of several inputs: 4 10^7 random float32 and 10^6 random float64; and the inputs that curves.py aims, from the
  worst points of their curves among every float32 and 5 10^5 float64.
- Ufuncs of two inputs: all 2^32 pairs of float16 and of bfloat16, in the exact form if no other is named.
- GELU_FAST_ROUNDING=nearest, ufuncs of one input: every float32 is the nearest one to the exact value.

The measured maxima are written into benchmarks/results/accuracy.json, from which README's table is made, and the worst
points of curves into tests/worst.json. benchmarks/results/nearest.json holds, for each ufunc of one input, a hash of
its 2^32 nearest results, which must not change, and how many ordinary results are other ones. The exit status is 1 if a
bound is broken or a hash has changed. It takes some minutes per ufunc and core."""

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import curves
import numpy as np
import oracle
from accuracy import WORKING, errors_of, right_signs, some_float64, wide_inputs
from cases import bits, outputs_of, rounded, rounded_factor
from formats import OF_PAIRS, TWO_BYTES, judge_pairs, pairs

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS, ULP, UNARY

CHUNK = 1 << 15  # float32; all intermediate arrays fit in cache: 4 times as fast as 1 << 18
FLOAT64_CHUNKS, FLOAT64_CHUNK = 1000, 10_000
RANDOM_CHUNKS, RANDOM_CHUNK = 1000, {"float32": 40_000, "float64": 1000}
CURVE_CHUNK, AIMED_FACTORS = 1 << 17, {"float32": 4000, "float64": 300}
WORST_POINTS, KEPT_POINTS = 40, 6  # for each curve and level: used in the search; written for test_bounds.py
CURVE_CHUNKS_FLOAT64, CURVE_CHUNK_FLOAT64 = 500, 1000
RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "accuracy.json"
NEAREST = RESULTS.with_name("nearest.json")


def workers():
    """A process for each CPU, which computes on one thread."""
    return ProcessPoolExecutor(
        len(os.sched_getaffinity(0)), initializer=gelu_fast.set_num_threads, initargs=(1,)
    )


def levels(dtype):
    """The levels of this CPU; for float32 also x86-64-v4, computed by curves.py where the CPU lacks it."""
    return [{"registers": "x86-64-v4"}.get(level, level) for level in curves.levels(dtype)]


def computed(level, name, *inputs):
    """The outputs, each as a row."""
    if level not in _core.available_isa_levels:
        return np.array(curves.level("registers").call(name, *inputs))
    _core._use_level(level)
    with np.errstate(all="ignore"):
        return np.array(outputs_of(_core.ufuncs[name](*inputs)))


def worst(level, name, x, exact):
    """The largest error on a level, and the input that shows it."""
    (got,) = computed(level, name, x)
    assert (np.isnan(got) == np.isnan(x)).all(), f"{level} {name}: NaN from a number, or none from NaN"
    keep = np.isfinite(x)
    if not keep.any():
        return 0.0, "0x0p+0"
    assert right_signs(name, x, got, exact[0])[keep].all(), f"{level} {name}: wrong sign"
    errors = oracle.error(got[keep], *(part[keep] for part in exact), unit=oracle.least_unit(name, x[keep]))
    at = int(errors.argmax())
    return float(errors[at]), float(x[keep][at]).hex()


def judge_float32(name, start):
    """The largest error on each level, among CHUNK float32 from the bits `start` on."""
    x = np.arange(start, start + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(invalid="ignore"):  # signalling NaN
        exact = (oracle.in_float64(name, x.astype(np.float64)),)
    return {level: worst(level, name, x, exact) for level in levels("float32")}


def judge_float64(name, seed):
    """The same among random float64."""
    x = some_float64(name, FLOAT64_CHUNK, seed)
    exact = oracle.balls(name, x)
    return {level: worst(level, name, x, exact) for level in levels("float64")}


# ---- functions of several inputs ----


def judge_curve(curve, dtype, sign, start):
    """For each level, the largest errors of a curve's two parts, and the numbers that show them, among all float32 of a
    chunk or among random float64."""
    if dtype == "float32":
        stop = min(start + CURVE_CHUNK, curves.numbers(curve, dtype, sign)[1])
        x = sign * np.arange(start, stop, dtype=np.uint32).view(np.float32)
    else:
        x = curves.some_float64(curve, CURVE_CHUNK_FLOAT64, start)
    return {level: curves.worst(level, curve, x, WORST_POINTS) for level in curves.levels(dtype)}


@cache
def worst_points(curve, dtype):
    """The numbers at which a curve's two parts are worst, on any level. The worst of each level are written into
    worst.json, and test_bounds.py demands that they keep curves.LIMIT."""
    found = {level: (np.zeros(0), np.zeros(0, dtype)) for level in curves.levels(dtype)}
    for level in found:
        curves.level(level)  # compiled once, before the workers load it
    chunks = [(-1, seed) for seed in range(CURVE_CHUNKS_FLOAT64)]
    if dtype == "float32":
        signs = (-1,) if curve in curves.SLOPES else (-1, 1)
        chunks = [(s, at) for s in signs for at in range(*curves.numbers(curve, dtype, s), CURVE_CHUNK)]
    with workers() as pool:
        for of_level in pool.map(partial(judge_curve, curve, dtype), *zip(*chunks), chunksize=64):
            for level, more in of_level.items():
                errors, x = (np.append(*both) for both in zip(found[level], more))
                at = np.argsort(errors)[-WORST_POINTS:]
                found[level] = errors[at], x[at]
    written = json.loads(curves.WORST.read_text()) if curves.WORST.exists() else {}
    for level, (errors, x) in found.items():
        print(
            f"{level} {curve} {dtype}: two parts within {errors[-1]:.4f} at {float(x[-1]).hex()}", flush=True
        )
        entry = written.setdefault(dtype, {}).setdefault(curve, {})
        entry[level] = {
            "error": round(errors[-1], 4),
            "x": [float(at).hex() for at in x[: -KEPT_POINTS - 1 : -1]],
        }
    curves.WORST.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n")
    return np.concatenate([x for _, x in found.values()])


def judge_aimed(name, dtype):
    """The largest error on each level, among inputs that are searched for."""
    points = {curve: worst_points(curve, dtype) for curve in curves.curves_of(name)}
    inputs = curves.aimed(name, points, dtype, AIMED_FACTORS[dtype], 1)
    chunks = zip(*(np.array_split(x, 1 + x.size // RANDOM_CHUNK[dtype]) for x in inputs))
    with workers() as pool:
        return list(pool.map(partial(judge_inputs, name, np.dtype(dtype).type), chunks))


def judge_several(name, dtype, seed):
    """The same among random inputs."""
    return judge_inputs(name, dtype, wide_inputs(name, RANDOM_CHUNK[dtype.__name__] // 5, dtype, 1000 + seed))


def judge_inputs(name, dtype, inputs):
    """The same among the given inputs."""
    z, outputs = oracle.terms(name, inputs, WORKING[dtype.__name__])
    finite = np.isfinite(z) & np.all([np.isfinite(part) for output in outputs for part in output], axis=0)
    inputs = [x[finite] for x in inputs]
    exact = oracle.composed(name, inputs, WORKING[dtype.__name__])
    if dtype == np.float64:
        parts = [(*parts, may_be_zero > 0) for *parts, may_be_zero in oracle.composed_balls(name, inputs)]
    else:
        parts = [(value, 0.0, 0, np.abs(factor) < 2.0**-150) for value, factor, _ in exact]
    found = {}
    for level in levels(np.dtype(dtype).name):
        found[level] = 0.0, ""
        for i, got in enumerate(computed(level, name, *inputs)):
            value, low, shift, may_be_zero = parts[i]
            errors = errors_of(name, got, value, low, shift, may_be_zero, inputs, dtype, exact[i][2], i)
            at = int(errors.argmax())
            assert not np.isnan(errors[at]), f"{level} {name}: NaN from numbers"
            found[level] = max(
                found[level], (float(errors[at]), ", ".join(float(x[at]).hex() for x in inputs))
            )
    return found


# ---- numbers of two bytes ----


def judge_row(dtype, name, row):
    """The largest error on each level, among the pairs of one number with every number."""
    with np.errstate(all="ignore"):
        inputs = pairs(name, TWO_BYTES[dtype], row)
        return {
            level: judge_pairs(name, TWO_BYTES[dtype], row, computed(level, name, *inputs)[0])
            for level in _core.available_isa_levels
        }


# ---- GELU_FAST_ROUNDING=nearest ----


def judge_nearest(form, start):
    """Judge the nearest results for CHUNK float32, from the bits `start` on, on each level of this CPU. For each ufunc,
    a hash of them, and for each level how many of the ordinary results are other ones."""
    x = np.arange(start, start + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)
    found = {}
    for name, want in oracle.nearest_float32(form, x).items():
        with rounded("nearest"):
            of_levels = {level: computed(level, name, x)[0] for level in _core.available_isa_levels}
        for level, got in of_levels.items():
            got[np.isnan(got)] = np.nan
            wrong = ~((got == want) | np.isnan(x) & np.isnan(got))
            if UFUNCS[name][0] == "gelu":
                wrong |= bits(got) != bits(want)  # zeros have signs
            wrong |= bits(got) != bits(next(iter(of_levels.values())))
            assert not wrong.any(), f"{level} {name}: not the nearest at {float(x[wrong][0]).hex()}"
        others = {level: computed(level, name, x)[0] for level in levels("float32")}
        n_others = {
            level: int(np.count_nonzero((other != want) & ~np.isnan(x))) for level, other in others.items()
        }
        found[name] = hashlib.sha256(got).digest(), n_others
    return found


def judge_every_nearest(form):
    """Judge all of a form, and write what was found. Returns whether a hash has changed."""
    chunks = range(0, 1 << 32, CHUNK)
    hashes, others = {}, {}
    with workers() as pool:
        for found in pool.map(partial(judge_nearest, form), chunks, chunksize=1 + len(chunks) // 1000):
            for name, (of_chunk, n_others) in found.items():
                hashes.setdefault(name, hashlib.sha256()).update(of_chunk)
                others.setdefault(name, Counter()).update(n_others)
    written = json.loads(NEAREST.read_text()) if NEAREST.exists() else {}
    changed = False
    for name in hashes:
        now, before = hashes[name].hexdigest(), written.get(name, {}).get("hash")
        changed |= before not in (None, now)
        print(
            f"{name} nearest: {now}, before {before}; ordinary results that are others: {dict(others[name])}"
        )
        not_nearest = written.get(name, {}).get("not nearest", {}) | others[name]
        written[name] = {"hash": before or now, "not nearest": not_nearest}
    NEAREST.write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")
    return changed


CHUNKS = {
    "float32": (judge_float32, range(0, 1 << 32, CHUNK)),
    "float64": (judge_float64, range(1, 1 + FLOAT64_CHUNKS)),
}


def judge_several_float32(name, seed):
    return judge_several(name, np.float32, seed)


def judge_several_float64(name, seed):
    return judge_several(name, np.float64, seed)


CHUNKS_OF_SEVERAL = {
    "float32": (judge_several_float32, range(RANDOM_CHUNKS)),
    "float64": (judge_several_float64, range(RANDOM_CHUNKS)),
}

CHUNKS_OF_PAIRS = {dtype: (partial(judge_row, dtype), range(1 << 16)) for dtype in TWO_BYTES}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--name", choices=UFUNCS, action="append", help="default: all")
    parser.add_argument(
        "--dtype", choices=[*CHUNKS, *TWO_BYTES, "nearest"], action="append", help="default: all"
    )
    args = parser.parse_args()
    measured = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    broken = False
    if not args.dtype or "nearest" in args.dtype:
        of_one = [name for name in args.name or UFUNCS if UFUNCS[name][0] in UNARY]
        for form in dict.fromkeys(name.split("_")[-1] for name in of_one):
            broken |= judge_every_nearest(form)
    for name in args.name or UFUNCS:
        if rounded_factor(name):
            continue  # a product of a rounded function, exact to 0.5 ULP: test_fused.py compares the bits
        for dtype in args.dtype or [*CHUNKS, *TWO_BYTES]:
            if dtype == "nearest":
                continue
            if dtype in TWO_BYTES and (name not in OF_PAIRS or not args.name and UFUNCS[name][1] != "exact"):
                continue  # all pairs take long: one form is enough
            of_dtype = CHUNKS if UFUNCS[name][0] in UNARY else CHUNKS_OF_SEVERAL
            judge, chunks = (of_dtype | CHUNKS_OF_PAIRS)[dtype]
            with workers() as pool:
                found = list(pool.map(partial(judge, name), chunks, chunksize=1 + len(chunks) // 1000))
            if UFUNCS[name][0] not in UNARY and dtype in CHUNKS:
                found += judge_aimed(name, dtype)
            bound = ULP[name][dtype]
            for level in found[0]:
                error, at = max(of_level[level] for of_level in found)
                broken |= error > bound + oracle.UNCERTAINTY.get(dtype, 0)
                print(f"{level} {name} {dtype}: {error:.4f} ULP at {at}, bound {bound}", flush=True)
                entry = measured.setdefault(name, {}).setdefault(dtype, {})
                entry[level] = {"ulp": round(error, 4), "x": at}
            RESULTS.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")
    sys.exit(broken)


if __name__ == "__main__":
    main()
