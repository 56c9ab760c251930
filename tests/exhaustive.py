# SPDX-License-Identifier: BSD-3-Clause
"""Judge every float32 there is, and 10^7 float64, for each form on the ISA level that is active:
`make exhaustive`.

Writes the measured maxima into benchmarks/results/accuracy.json, which README's table is made from, and
ends with 1 if a bound is broken. Takes some minutes per ISA level and core."""

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import oracle
from test_accuracy import some_float64

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import FORMS, ULP

CHUNK = 1 << 18  # fits in cache: 5 times as fast as 1 << 22
FLOAT64_CHUNKS, FLOAT64_CHUNK = 100, 10**5
RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "accuracy.json"


def judge_float32(form, start):
    """The largest error among CHUNK floats from the bits `start`, and the input that shows it."""
    gelu_fast.set_num_threads(1)
    x = np.arange(start, start + CHUNK, dtype=np.uint64).astype(np.uint32).view(np.float32)
    got = getattr(gelu_fast, form)(x)
    nan = np.isnan(x)
    assert (np.isnan(got) == nan).all(), f"NaN from a number, or none from NaN, near bits {start:#x}"
    assert (np.signbit(got) == np.signbit(x))[~nan].all(), f"wrong sign near bits {start:#x}"
    finite = np.isfinite(x)
    if not finite.any():
        return 0.0, 0.0
    x, got = x[finite], got[finite]
    errors = oracle.error(got, oracle.in_float64(form, x.astype(np.float64)))
    worst = int(errors.argmax())
    return float(errors[worst]), float(x[worst])


def judge_float64(form, seed):
    """The same among some float64."""
    gelu_fast.set_num_threads(1)
    x = some_float64(form, FLOAT64_CHUNK, seed)
    errors = oracle.error(getattr(gelu_fast, form)(x), *oracle.balls(form, x))
    worst = int(errors.argmax())
    return float(errors[worst]), float(x[worst])


CHUNKS = {
    "float32": (judge_float32, range(0, 1 << 32, CHUNK)),
    "float64": (judge_float64, range(1, 1 + FLOAT64_CHUNKS)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--form", choices=FORMS, action="append", help="default: all")
    parser.add_argument("--dtype", choices=CHUNKS, action="append", help="default: both")
    args = parser.parse_args()
    broken = False
    for form in args.form or FORMS:
        for dtype in args.dtype or CHUNKS:
            judge, chunks = CHUNKS[dtype]
            with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                worst, at = max(
                    pool.map(judge, [form] * len(chunks), chunks, chunksize=1 + len(chunks) // 256)
                )
            bound = ULP[form][dtype]
            broken |= worst > bound + oracle.UNCERTAINTY[dtype]
            print(
                f"{_core.isa_level} {form} {dtype}: {worst:.4f} ULP at {at.hex()}, bound {bound}", flush=True
            )
            measured = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            entry = measured.setdefault(form, {}).setdefault(dtype, {})
            entry[_core.isa_level] = {"ulp": round(worst, 4), "x": at.hex()}
            RESULTS.write_text(json.dumps(measured, indent=2, sort_keys=True) + "\n")
    sys.exit(broken)


if __name__ == "__main__":
    main()
