# SPDX-License-Identifier: BSD-3-Clause
"""The times of the working tree over those of an older commit: make compare BASE=<commit> [COMPARE="options"]

The commit is built in build/compare/, the working tree in place. Processes of both run in turns, on one CPU and with
one thread; for each case, neighbours in time make a ratio, and the median and quartiles of these are printed: below 1
the working tree is faster. A case is named "form, type, size, data", and --only chooses by a regular expression:

make compare BASE=main~3 COMPARE="--only '^(exact|geglu), bfloat16' --data all --rounds 15"
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import geometric_mean, median, quantiles

import numpy as np
from distributions import DISTRIBUTIONS, NORMAL, draw
from ours import DTYPES, FORMS, MORE, ON_DATA, ours, size_on_data

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
SIZES = {"exact": (1, 128, 4096, 65536, 2**20)}  # other forms: one size
REPEATS, REPEAT_TIME = 7, 0.0005  # of a case in one process, in seconds


def cases(data, only=""):
    """(form, type, size, data) of each case that is asked for."""
    return [
        case
        for form in (*FORMS, *MORE)
        for dtype in (DTYPES if form in ON_DATA else MORE[form][1])
        for size in SIZES.get(form, (size_on_data(form),))
        for of in data
        if of == NORMAL or (form in ON_DATA and size == size_on_data(form))
        if re.search(only, name(case := (form, dtype, size, of)))
    ]


def name(case):
    return ", ".join(map(str, case))


def measure(form, dtype, size, data):
    """ns of CPU time a call, in this thread; None if this gelu_fast cannot do it."""
    if dtype == "bfloat16":
        import ml_dtypes

        dtype = ml_dtypes.bfloat16
    x = draw(data, size, np.dtype(dtype))
    try:
        run = ours(form, x, np.ones_like(x))
        run()
    except (AttributeError, TypeError):
        return None
    times, calls = [], 1
    while len(times) < REPEATS:
        start = time.thread_time_ns()
        for _ in range(calls):
            run()
        took = time.thread_time_ns() - start
        if took < REPEAT_TIME * 1e9:
            calls = max(calls + 1, round(calls * REPEAT_TIME * 1.2e9 / took))
        else:
            times.append(took / calls)
    return median(times)


def measured(tree, chosen, cpu):
    """The times of these cases, by a new process that imports gelu_fast from the tree."""
    code = f"""
import json, os, sys
os.sched_setaffinity(0, {{{cpu}}})
sys.path[:0] = [{str(tree)!r}, {str(Path(__file__).parent)!r}]
import gelu_fast, compare
assert gelu_fast.__file__.startswith({str(tree)!r})
gelu_fast.set_num_threads(1)
print(json.dumps([compare.measure(*case) for case in json.load(sys.stdin)]))
"""
    python = [sys.executable, "-c", code]
    done = subprocess.run(python, input=json.dumps(chosen), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def built(base):
    """The directory with the gelu_fast of a commit."""
    git = ["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"]
    commit = subprocess.run(git, stdout=subprocess.PIPE, text=True).stdout.strip()
    if not commit:
        sys.exit(f"BASE must be a commit, not {base!r}")
    tree = ROOT / "build" / "compare" / commit[:12]
    if not tree.exists():
        new = tree.with_suffix(".new")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--upgrade", "--target", str(new), f"git+file://{ROOT}@{commit}"], check=True)
        new.rename(tree)
    return tree


def turns(rounds):
    """Who runs, in order: each goes first in every other round, so that a drift of the CPU's speed favours none."""
    return [who for i in range(rounds) for who in (("base", "tree"), ("tree", "base"))[i % 2]]


def ratios(times):
    """(median, lower quartile, upper quartile) of the ratios of each case, or None; `times` are lists of the times of
    all cases, a list for each run of "base" and "tree"."""
    found: list[tuple | None] = []
    for base, tree in zip(zip(*times["base"]), zip(*times["tree"])):
        if None in base or None in tree:
            found.append(None)
            continue
        of_case = [new / old for old, new in zip(base, tree)]
        low, middle, high = quantiles(of_case, n=4, method="inclusive")
        found.append((middle, low, high))
    return found


def table(chosen, times):
    """Lines: a case, ns an element of both, and the ratio with its quartiles."""
    width = max(len(name(case)) for case in chosen)
    yield f"{'case':<{width}}  {'base ns':>9}  {'tree ns':>9}  tree/base  quartiles"
    found = ratios(times)
    for i, (case, ratio) in enumerate(zip(chosen, found)):
        if ratio is None:
            yield f"{name(case):<{width}}  not in both"
            continue
        base, tree = (median(run[i] for run in times[who]) / case[2] for who in ("base", "tree"))
        middle, low, high = ratio
        sign = "faster" if high < 0.98 else "slower" if low > 1.02 else ""
        line = (
            f"{name(case):<{width}}  {base:9.3f}  {tree:9.3f}  {middle:9.3f}  {low:.3f} .. {high:.3f}  {sign}"
        )
        yield line.rstrip()
    middles = [ratio[0] for ratio in found if ratio]
    if middles:
        yield f"{len(middles)} cases, geometric mean {geometric_mean(middles):.3f}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", help="a commit")
    parser.add_argument("--only", default="", metavar="REGEX", help="cases whose name has a match")
    parser.add_argument("--data", action="append", help="a name in distributions.py, or all; may be repeated")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="processes of each (default: %(default)s)")
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error("--rounds must be at least 2, for a spread")
    data = list(DISTRIBUTIONS) if "all" in (args.data or ()) else args.data or [NORMAL]
    chosen = cases(data, args.only)
    if not chosen:
        parser.error("no case has this name and data")
    trees = {"base": built(args.base), "tree": ROOT}
    cpu = max(os.sched_getaffinity(0))
    times = {"base": [], "tree": []}
    for who in turns(args.rounds):
        times[who].append(measured(trees[who], chosen, cpu))
    print(*table(chosen, times), sep="\n")


if __name__ == "__main__":
    main()
