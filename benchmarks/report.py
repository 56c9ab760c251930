# SPDX-License-Identifier: BSD-3-Clause
"""From raw files of pytest-benchmark (one per number of threads) to benchmarks/results: numbers, tables and a
picture, in which a loss stands as plainly as a win.

    python benchmarks/report.py RAW.json [RAW2.json ...]
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

RESULTS = Path(__file__).parent / "results"
FORMS = ("exact", "tanh", "sigmoid")
DTYPES = ("float32", "float64", "float16")
# Okabe and Ito's colours, told apart by colour-blind readers too.
STYLES = {
    "gelu_fast": dict(color="#000000", marker="o", linewidth=2.5, zorder=3),
    "torch": dict(color="#d55e00", marker="s"),
    "ONNX Runtime": dict(color="#0072b2", marker="^"),
    "JAX": dict(color="#cc79a7", marker="D"),
    "numba": dict(color="#009e73", marker="v"),
    "SciPy formula": dict(color="#e69f00", marker="P"),
    "np.copyto": dict(color="#777777", linestyle="--"),
    "np.maximum(x, 0)": dict(color="#777777", linestyle=":"),
}


def read(paths):
    """What ran where, and a row for each case."""
    files = [json.loads(Path(path).read_text()) for path in paths]
    machines = [file["machine_info"]["gelu_fast"] for file in files]
    threads = [machine.pop("threads") for machine in machines]
    if any(machine != machines[0] for machine in machines):
        raise SystemExit("the raw files come from different machines or versions")
    commit = files[0]["commit_info"]
    about = {
        "date": files[0]["datetime"][:10],
        "commit": commit["id"] + (" with changes" if commit["dirty"] else ""),
        **machines[0],
        "threads": threads,
    }
    rows = []
    for file in files:
        for case in file["benchmarks"]:
            info = case["extra_info"]
            del info["ns per element"]
            rows.append(info | {"median_ns": round(case["stats"]["median"] * 1e9, 1)})
    return about, rows


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def size_name(size):
    return str(size) if size < 2**16 else f"2^{size.bit_length() - 1}"


def markdown(head, lines):
    """A table; `lines` are pairs of a label and a dict from column to text."""
    yield f"| {head[0]} | " + " | ".join(size_name(size) for size in head[1]) + " |"
    yield "|:--" + "|--:" * len(head[1]) + "|"
    for label, cells in lines:
        yield f"| {label} | " + " | ".join(cells.get(size, "") for size in head[1]) + " |"
    yield ""


def pick(rows, mode, **wanted):
    """The rows of a table. Who has no out= stands beside those who have."""
    rows = [row for row in rows if all(row[key] in (value, "any") for key, value in wanted.items())]
    has_out = {row["who"] for row in rows if row["mode"] == "out"}
    return [
        row
        for row in rows
        if row["mode"] == mode or (mode == "out" and row["mode"] == "no out" and row["who"] not in has_out)
    ]
