# SPDX-License-Identifier: BSD-3-Clause
"""The time with the default number of threads over the time with one thread, on an idle machine and on a busy one
(two processes spin for each CPU): python benchmarks/busy.py [--into DIR]. Writes benchmarks/results/busy.json, from
which tools/readme.py makes the table of docs/threads.md."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast.selftest.machine import cpu_name

RESULTS = Path(__file__).resolve().parent / "results"
SIZES = [1 << k for k in range(14, 22)]
PROCESSES = 10
SECONDS = 0.75  # for each size, half of it for each number of threads


def ratios():
    """(ratio of medians, ratio of means) for each size, in this process: the default's time over one thread's."""
    found = []
    for n in SIZES:
        x = np.random.default_rng(0).normal(size=n).astype(np.float32)
        out = np.empty_like(x)
        times = {None: [], 1: []}
        calls = max(8, (1 << 21) // n)  # of each, in turns, so that both see the same state of the machine
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            for threads, taken in times.items():
                gelu_fast.set_num_threads(threads)
                for _ in range(calls):
                    start = time.perf_counter_ns()
                    gelu_fast.gelu(x, out=out)
                    taken.append(time.perf_counter_ns() - start)
        default, one = times.values()
        found.append((np.median(default) / np.median(one), np.mean(default) / np.mean(one)))
    return found


def measure(spinning):
    """[size][process] -> (ratio of medians, ratio of means), beside this number of spinning processes."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(spinning)]
    try:
        code = f"import json, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        code += "import busy; print(json.dumps(busy.ratios()))"
        runs = [
            json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
            for _ in range(PROCESSES)
        ]
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    return list(zip(*runs))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--into", type=Path, default=RESULTS)
    into = parser.parse_args().into
    cpus = len(os.sched_getaffinity(0))
    results = {
        "about": {
            "CPU": cpu_name(),
            "CPUs": cpus,
            "ISA level": _core.isa_level,
            "spinning": 2 * cpus,
            "processes": PROCESSES,
            "Python": platform.python_version(),
        },
        "sizes": SIZES,
    }
    for name, spinning in (("idle", 0), ("busy", 2 * cpus)):
        found = measure(spinning)
        # Axes of found: size, process, median or mean.
        results[name] = {
            "median, middle process": np.median(found, axis=1)[:, 0].round(2).tolist(),
            "median, worst process": np.max(found, axis=1)[:, 0].round(2).tolist(),
            "mean, worst process": np.max(found, axis=1)[:, 1].round(2).tolist(),
        }
        print(name, results[name])
    (into / "busy.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
