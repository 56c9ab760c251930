# SPDX-License-Identifier: BSD-3-Clause
"""From raw files of pytest-benchmark (one per number of threads) to benchmarks/results: numbers, tables and a
picture, in which a loss stands as plainly as a win: python benchmarks/report.py RAW.json [RAW2.json ...]"""

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

STYLES = {  # Okabe and Ito's colours, which colour-blind readers tell apart too
    "gelu_fast": dict(color="#000000", marker="o", linewidth=2.5, zorder=3),
    "torch": dict(color="#d55e00", marker="s"),
    "ONNX Runtime": dict(color="#0072b2", marker="^"),
    "numba": dict(color="#009e73", marker="v"),
    "SciPy formula": dict(color="#e69f00", marker="P"),
    "JAX (no out=)": dict(color="#cc79a7", marker="D"),
    "np.copyto": dict(color="#777777", linestyle="--"),
    "np.maximum(x, 0)": dict(color="#777777", linestyle=":"),
}


def read(paths):
    """What ran where, and a row for each case."""
    files = [json.loads(path.read_text()) for path in paths]
    machines = [file["machine_info"]["gelu_fast"] for file in files]
    runs = {key: [machine.pop(key) for machine in machines] for key in ("threads", "CPU time of others")}
    if any(machine != machines[0] for machine in machines):
        raise SystemExit("the raw files come from different machines or versions")
    commit = files[0]["commit_info"]
    name = commit["id"][:12] + (" with changes" if commit["dirty"] else "")
    about = {"date": files[0]["datetime"][:10], "commit": name, **machines[0], **runs}
    rows = []
    for case in (case for file in files for case in file["benchmarks"]):
        row = case["extra_info"] | {"median_ns": round(case["stats"]["median"] * 1e9, 1)}
        del row["ns per element"]
        rows.append(row)
    return about, rows


def distinct(rows, key):
    return list(dict.fromkeys(row[key] for row in rows))


def pick(rows, **wanted):
    """The rows with these values, ours first; a floor is of any form."""
    rows = [row for row in rows if all(row[key] in (value, "any") for key, value in wanted.items())]
    return sorted(rows, key=lambda row: ("ours", "peer", "floor").index(row["kind"]))


def ns(row):
    return row["median_ns"] / row["size"]


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def power(size):
    return str(size) if size < 2**16 else f"2^{size.bit_length() - 1}"


def label(row):
    return ", ".join([row["dtype"]] + [row["form"]] * (row["form"] != "any") + [row["who"]])


def table(title, cells):
    """Markdown; a cell is its line's label, its column's head and its text."""
    columns = list(dict.fromkeys(column for _, column, _ in cells))
    lines = {}
    for name, column, text in cells:
        lines.setdefault(name, {})[column] = text
    yield f"| {title} | {' | '.join(columns)} |"
    yield "|:--" + "|--:" * len(columns) + "|"
    for name, line in lines.items():
        yield f"| {name} | " + " | ".join(line.get(column, "") for column in columns) + " |"
    yield ""


def with_out(rows, **wanted):
    """One comparison, the output given; who has no out= stands beside those who have."""
    able = {row["who"] for row in rows if row["mode"] == "out"}
    rows = [row for row in pick(rows, **wanted) if row["who"] != "gelu_fast ufunc"]
    return [
        row if row["who"] in able else row | {"who": row["who"] + " (no out=)"}
        for row in rows
        if row["mode"] == "out" or row["who"] not in able
    ]


def comparisons(rows):
    """gelu_fast beside the fastest peer, wherever there is one."""
    for ours in pick(rows, who="gelu_fast"):
        case = {key: ours[key] for key in ("form", "dtype", "threads", "size")}
        peers = pick(with_out(rows, **case), kind="peer")
        if ours["mode"] == "out" and peers:
            best = min(peers, key=ns)
            yield case | {"peer": best["who"], "ratio": round(ns(ours) / ns(best), 3)}


def peer_tables(rows):
    """A table for each form, dtype and number of threads, after a list of all that is lost."""
    compared = list(comparisons(rows))
    tables, lost = [], []
    for threads in distinct(rows, "threads"):
        for form in distinct(pick(rows, kind="ours"), "form"):
            for dtype in distinct(rows, "dtype"):
                title = f"{form}, {dtype}, threads: {threads}"
                chosen = with_out(rows, form=form, dtype=dtype, threads=threads)
                cells = [(row["who"], power(row["size"]), number(ns(row))) for row in chosen]
                n_floors = len(pick(chosen, kind="floor"))
                cells, floors = cells[: len(cells) - n_floors], cells[len(cells) - n_floors :]
                for case in compared:
                    if (case["form"], case["dtype"], case["threads"]) == (form, dtype, threads):
                        ratio, size, who = case["ratio"], power(case["size"]), case["peer"]
                        text = f"{ratio:.2f}" if ratio <= 1 else f"**{ratio:.2f}**"
                        cells.append(("gelu_fast / fastest peer", size, f"{text} {who}"))
                        if ratio > 1:
                            lost.append((ratio, f"| {title} | {size} | {text} | {who} |"))
                tables += table(title, cells + floors)
    yield f"gelu_fast is the fastest in {len(compared) - len(lost)} of {len(compared)} comparisons. It loses:"
    yield from ("", "| | size | gelu_fast / fastest peer | peer |", "|:--|--:|--:|:--|")
    yield from [line for _, line in sorted(lost, reverse=True)] or ["| nowhere | | | |"]
    yield from ("", "## Against peers, output given: ns per element", "", *tables)


def mode_table(rows, mode, threads):
    """The same operands for all; beside each time, its ratio to np.negative."""
    rows = [row for row in pick(rows, mode=mode, threads=threads) if row["who"] != "gelu_fast ufunc"]
    floor = {(row["dtype"], row["size"]): ns(row) for row in rows if row["who"] == "np.negative"}
    cells = [
        (label(row), power(row["size"]), f"{number(ns(row))} ({ns(row) / floor[dtype, row['size']]:.2f})")
        for dtype in distinct(rows, "dtype")
        for row in pick(rows, dtype=dtype)
    ]
    return table(f"{mode}, threads: {threads}", cells)


def fixed_cost(rows, threads):
    rows = [row for row in rows if row["kind"] == "ours" or row["who"] == "np.negative"]
    rows = [row for row in pick(rows, threads=threads) if row["size"] <= 128]
    cells = [
        (label(row), f"{row['size']}, {row['mode']}", number(row["median_ns"]))
        for dtype in distinct(rows, "dtype")
        for row in pick(rows, dtype=dtype)
    ]
    return table(f"threads: {threads}", cells)


def report(about, rows):
    yield from ("# Speed of gelu_fast", "")
    yield f"- {about['date']}, commit {about['commit']}"
    yield f"- {about['CPU']}, L3 {about['L3']}; ISA level {about['ISA level']}; compiler {about['compiler']}"
    yield f"- {', '.join(f'{name} {version}' for name, version in about['versions'].items())}"
    yield f"- not installed, hence not compared with: {', '.join(about['not installed']) or 'none'}"
    for threads, others in zip(about["threads"], about["CPU time of others"], strict=True):
        yield f"- threads {threads}, on as many CPUs; other processes took {others:.1%} of the machine"
    yield from ("- medians of at least 7 rounds, of standard normal input", "")
    yield "The formulas and the np.* floors run on one thread, whatever the number of threads. The floors"
    yield "(np.copyto, np.maximum, np.negative, torch.clamp_min) compute no GELU and do not count as peers."
    yield from ("", *peer_tables(rows), "## Other ways to call: ns per element (ratio to np.negative)", "")
    for mode in ("no out", "in place", "strided", "transposed"):
        for threads in about["threads"]:
            yield from mode_table(rows, mode, threads)
    yield from ("## Fixed cost: ns for a call on 1 and on 128 elements", "")
    for threads in about["threads"]:
        yield from fixed_cost(rows, threads)


def picture(about, rows, path):
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    panels = figure.subplots(1, len(about["threads"]), sharey=True, squeeze=False)[0]
    for panel, threads in zip(panels, about["threads"], strict=True):
        chosen = with_out(rows, form="exact", dtype="float32", threads=threads)
        for who, style in STYLES.items():
            if points := [(row["size"], ns(row)) for row in chosen if row["who"] == who]:
                panel.loglog(*zip(*points, strict=True), label=who, markersize=5, **style)
        panel.set_title(f"threads: {threads}")
        panel.set_xlabel("elements")
        panel.set_xscale("log", base=2)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("ns per element")
    panels[-1].legend(frameon=False)
    machine = f"{about['CPU']}, ISA level {about['ISA level']}, {about['date']}"
    figure.suptitle(f"GELU, exact, float32, output given ({machine})")
    figure.savefig(path, dpi=100)
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)  # a third of the size


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "raw", nargs="+", type=Path, help="json of pytest-benchmark, one per number of threads"
    )
    parser.add_argument("--into", type=Path, default=Path(__file__).parent / "results", metavar="DIR")
    args = parser.parse_args()
    about, rows = read(args.raw)
    args.into.mkdir(exist_ok=True)
    parts = {"rows": rows, "comparisons": list(comparisons(rows))}  # a line each, for readable differences
    lists = [f'"{name}": [\n' + ",\n".join(map(json.dumps, part)) + "\n]" for name, part in parts.items()]
    (args.into / "speed.json").write_text(",\n".join([f'{{"about": {json.dumps(about)}', *lists]) + "}\n")
    (args.into / "speed.md").write_text("\n".join(report(about, rows)).rstrip() + "\n")
    picture(about, rows, args.into / "speed.png")


if __name__ == "__main__":
    main()
