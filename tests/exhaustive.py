# SPDX-License-Identifier: BSD-3-Clause
"""Judge every float32 there is, and 10^7 float64: each ufunc, each ISA level of this CPU: `make exhaustive`.

Writes the measured maxima into benchmarks/results/accuracy.json, which README's table is made from, and
ends with 1 if a bound is broken. Takes some minutes per ufunc and core."""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import oracle
from test_accuracy import right_signs, some_float64

from gelu_fast import _core
from gelu_fast._bounds import UFUNCS, ULP

CHUNK = 1 << 15  # float32; what is made of them fits in cache: 4 times as fast as 1 << 18
FLOAT64_CHUNKS, FLOAT64_CHUNK = 1000, 10_000
RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "accuracy.json"

# A process has one ISA level. So the oracle is asked once, here, and a child for each level computes.
CHILD = """
import sys
import numpy as np
import gelu_fast
gelu_fast.set_num_threads(1)
while line := sys.stdin.buffer.readline():
    name, dtype, size = line.decode().split()
    x = np.frombuffer(sys.stdin.buffer.read(int(size)), dtype)
    sys.stdout.buffer.write(getattr(gelu_fast, name)(x).tobytes())
    sys.stdout.buffer.flush()
"""


@cache
def child(level):
    env = {**os.environ, "GELU_FAST_ISA": level}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def computed(level, name, x):
    process = child(level)
    process.stdin.write(f"{name} {x.dtype.name} {x.nbytes}\n".encode() + x.tobytes())
    process.stdin.flush()
    got = process.stdout.read(x.nbytes)
    assert len(got) == x.nbytes, f"{level} {name}: the computing process ended"
    return np.frombuffer(got, x.dtype)


def worst(level, name, x, exact):
    """The largest error on a level, and the input that shows it."""
    got = computed(level, name, x)
    assert (np.isnan(got) == np.isnan(x)).all(), f"{level} {name}: NaN from a number, or none from NaN"
    keep = np.isfinite(x)
    if not keep.any():
        return 0.0, 0.0
    assert right_signs(name, x, got, exact[0])[keep].all(), f"{level} {name}: wrong sign"
    errors = oracle.error(got[keep], *(part[keep] for part in exact), unit=oracle.units(name, x[keep]))
    at = int(errors.argmax())
    return float(errors[at]), float(x[keep][at])


def judge_float32(name, start):
    """The worst of each level, among CHUNK floats from the bits `start` on."""
    x = np.arange(start, start + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(invalid="ignore"):  # signalling NaN
        exact = (oracle.in_float64(name, x.astype(np.float64)),)
    return {level: worst(level, name, x, exact) for level in _core.available_isa_levels}


def judge_float64(name, seed):
    """The same among some float64."""
    x = some_float64(name, FLOAT64_CHUNK, seed)
    exact = oracle.balls(name, x)
    return {level: worst(level, name, x, exact) for level in _core.available_isa_levels}


CHUNKS = {
    "float32": (judge_float32, range(0, 1 << 32, CHUNK)),
    "float64": (judge_float64, range(1, 1 + FLOAT64_CHUNKS)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--name", choices=UFUNCS, action="append", help="default: all")
    parser.add_argument("--dtype", choices=CHUNKS, action="append", help="default: both")
    args = parser.parse_args()
    measured = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    broken = False
    for name in args.name or UFUNCS:
        for dtype in args.dtype or CHUNKS:
            judge, chunks = CHUNKS[dtype]
            with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                found = list(pool.map(judge, [name] * len(chunks), chunks, chunksize=1 + len(chunks) // 1000))
            bound = ULP[name][dtype]
            for level in _core.available_isa_levels:
                error, at = max(of_level[level] for of_level in found)
                broken |= error > bound + oracle.UNCERTAINTY[dtype]
                print(f"{level} {name} {dtype}: {error:.4f} ULP at {at.hex()}, bound {bound}", flush=True)
                entry = measured.setdefault(name, {}).setdefault(dtype, {})
                entry[level] = {"ulp": round(error, 4), "x": at.hex()}
            RESULTS.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")
    sys.exit(broken)


if __name__ == "__main__":
    main()
