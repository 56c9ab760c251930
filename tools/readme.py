# SPDX-License-Identifier: BSD-3-Clause
"""Write README's tables from their sources: the bounds that are promised, and what was measured.

python tools/readme.py            rewrite what stands between <!-- name --> and <!-- end --> in README.md
python tools/readme.py --check    exit 1 if README.md does not say what its sources say
"""

import argparse
import json
import sys
from pathlib import Path

from gelu_fast._bounds import FORMS, ULP

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SIZES = (4096, 65536, 2**20, 2**24, 2**26)


def table(header, rows):
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def accuracy():
    """Promised and, for every float32, measured."""
    measured = json.loads((RESULTS / "accuracy.json").read_text())
    levels = sorted({level for of_form in measured.values() for level in of_form})
    rows = [
        [f"{name} (`{form}`)"]
        + [f"{ULP[form][dtype]:g}" for dtype in ("float16", "float32", "float64")]
        + [f"{measured[form][level]['ulp']:.2f}" for level in levels]
        for form, name in FORMS.items()
    ]
    return table(
        ["form", "float16 ≤", "float32 ≤", "float64 ≤", *(f"found: {level}" for level in levels)], rows
    )


def speed():
    """float32, exact form, output given: ns per element, and the ratio to the fastest peer."""
    results = json.loads((RESULTS / "speed.json").read_text())
    about = results["about"]
    lines = [
        f"{about['CPU']}, ISA level {about['ISA level']}, {about['date']}. "
        + ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        + "."
    ]
    for threads in about["threads"]:
        times = {}
        kinds = {}
        for row in results["rows"]:
            if (
                row["threads"] == threads
                and row["dtype"] == "float32"
                and row["form"] in ("exact", "any")
                and row["size"] in SIZES
                and row["who"] != "gelu_fast ufunc"
                and (row["mode"] == "out" or row["mode"] == "no out" and row["who"] == "JAX")
            ):
                times.setdefault(row["who"], {})[row["size"]] = row["median_ns"] / row["size"]
                kinds[row["who"]] = row["kind"]
        order = sorted(times, key=lambda who: ("ours", "peer", "floor").index(kinds[who]))
        rows = [[who] + [f"{times[who][n]:.2f}" if n in times[who] else "" for n in SIZES] for who in order]
        ratios = []
        for n in SIZES:
            peer = min(times[who][n] for who in times if kinds[who] == "peer" and n in times[who])
            ratio = times["gelu_fast"][n] / peer
            ratios.append(f"**{ratio:.2f}**" if ratio > 1 else f"{ratio:.2f}")
        rows.insert(1, ["gelu_fast / fastest peer", *ratios])
        title = f"ns per element, threads: {threads}"
        lines += ["", table([title, *(f"2^{n.bit_length() - 1}" for n in SIZES)], rows)]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    path = ROOT / "README.md"
    old = new = path.read_text()
    for name, section in (("accuracy", accuracy), ("speed", speed)):
        start, end = f"<!-- {name}: written by tools/readme.py -->", "<!-- end -->"
        before, rest = new.split(start)
        new = f"{before}{start}\n{section()}\n{rest[rest.index(end) :]}"
    if not check:
        path.write_text(new)
    elif new != old:
        sys.exit("README.md does not say what its sources say: run `make readme`")


if __name__ == "__main__":
    main()
