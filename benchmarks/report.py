# SPDX-License-Identifier: BSD-3-Clause
"""From raw files of pytest-benchmark (one per number of threads) to benchmarks/results: numbers, tables and a
picture, in which a loss stands as plainly as a win: python benchmarks/report.py RAW.json [RAW2.json ...]"""

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

RESULTS = Path(__file__).parent / "results"
KINDS = ("ours", "peer", "ratio", "floor")  # in the order of a table
STYLES = {  # Okabe and Ito's colours, which colour-blind readers tell apart too
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
    name = commit["id"][:12] + (" with changes" if commit["dirty"] else "")
    about = {"date": files[0]["datetime"][:10], "commit": name, **machines[0], "threads": threads}
    rows = []
    for case in (case for file in files for case in file["benchmarks"]):
        row = case["extra_info"] | {"median_ns": round(case["stats"]["median"] * 1e9, 1)}
        del row["ns per element"]
        rows.append(row)
    return about, rows


def distinct(rows, key):
    return list(dict.fromkeys(row[key] for row in rows))


def pick(rows, **wanted):
    """The rows with these values; a floor is of any form."""
    return [row for row in rows if all(row[key] in (value, "any") for key, value in wanted.items())]


def by_kind(rows):
    return sorted(rows, key=lambda row: KINDS.index(row["kind"]))


def ns(row):
    return row["median_ns"] / row["size"]


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def power(size):
    return str(size) if size < 2**16 else f"2^{size.bit_length() - 1}"


def markdown(title, rows, label, column, cell):
    columns = list(dict.fromkeys(column(row) for row in sorted(rows, key=lambda row: row["size"])))
    lines = {}
    for row in rows:
        lines.setdefault(label(row), {})[column(row)] = cell(row)
    yield f"| {title} | {' | '.join(columns)} |"
    yield "|:--" + "|--:" * len(columns) + "|"
    for name, cells in lines.items():
        yield f"| {name} | " + " | ".join(cells.get(key, "") for key in columns) + " |"
    yield ""


def with_out(rows, **wanted):
    """One comparison, the output given; who has no out= stands beside those who have."""
    able = {row["who"] for row in rows if row["mode"] == "out"} - {"gelu_fast ufunc"}
    unable = {row["who"] for row in rows if row["kind"] == "peer"} - able
    rows = pick(rows, **wanted)
    return [row for row in rows if row["mode"] == "out" and row["who"] in able] + [
        row | {"who": row["who"] + " (no out=)"} for row in rows if row["who"] in unable
    ]


def against_peers(rows):
    """gelu_fast / the fastest peer, for each size with a peer."""
    for ours in pick(rows, who="gelu_fast"):
        peers = pick(rows, kind="peer", size=ours["size"])
        if peers:
            best = min(peers, key=ns)
            ratio = {"kind": "ratio", "ratio": ns(ours) / ns(best), "to": best["who"]}
            yield ours | ratio | {"who": "gelu_fast / fastest peer"}


def ratio_text(row):
    return f"{row['ratio']:.2f}" if row["ratio"] <= 1 else f"**{row['ratio']:.2f}**"


def peer_tables(rows):
    """A table for each form, dtype and number of threads, after a list of all that is lost."""
    tables, ratios = [], []
    for threads in distinct(rows, "threads"):
        for form in distinct(pick(rows, kind="ours"), "form"):
            for dtype in distinct(rows, "dtype"):
                chosen = with_out(rows, form=form, dtype=dtype, threads=threads)
                ratios += (found := list(against_peers(chosen)))
                tables += markdown(
                    f"{form}, {dtype}, threads: {threads}",
                    by_kind(chosen + found),
                    lambda row: row["who"],
                    lambda row: power(row["size"]),
                    lambda row: ratio_text(row) + " " + row["to"] if "ratio" in row else number(ns(row)),
                )
    lost = sorted((row for row in ratios if row["ratio"] > 1), key=lambda row: -row["ratio"])
    yield f"gelu_fast is the fastest in {len(ratios) - len(lost)} of {len(ratios)} comparisons; the others:"
    yield from ("", "| form, dtype, size, threads | gelu_fast / fastest peer | peer |", "|:--|--:|:--|")
    for row in lost:
        case = f"{row['form']}, {row['dtype']}, {power(row['size'])}, {row['threads']}"
        yield f"| {case} | {ratio_text(row)} | {row['to']} |"
    yield from ("", "## Against peers, output given: ns per element", "", *tables)


def full_label(row):
    return ", ".join([row["dtype"]] + [row["form"]] * (row["form"] != "any") + [row["who"]])


def mode_table(rows, mode, threads):
    """The same operands for all; beside each time, its ratio to np.negative."""
    rows = [row for row in pick(rows, mode=mode, threads=threads) if row["who"] != "gelu_fast ufunc"]
    floor = {(row["dtype"], row["size"]): ns(row) for row in pick(rows, who="np.negative")}
    return markdown(
        f"{mode}, threads: {threads}",
        [row for dtype in distinct(rows, "dtype") for row in by_kind(pick(rows, dtype=dtype))],
        full_label,
        lambda row: power(row["size"]),
        lambda row: f"{number(ns(row))} ({ns(row) / floor[row['dtype'], row['size']]:.2f})",
    )


def fixed_cost(rows, threads):
    small = [row for row in pick(rows, threads=threads) if row["size"] <= 128]
    return markdown(
        f"ns, threads: {threads}",
        [row for row in small if row["kind"] == "ours" or row["who"] == "np.negative"],
        full_label,
        lambda row: f"{row['size']}, {row['mode']}",
        lambda row: number(row["median_ns"]),
    )


def report(about, rows):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    yield from ("# Speed of gelu_fast", "")
    yield f"- {about['date']}, commit {about['commit']}"
    yield f"- {about['CPU']}, L3 {about['L3']}; ISA level {about['ISA level']}; compiler {about['compiler']}"
    yield f"- threads {' and '.join(map(str, about['threads']))}, the process restricted to as many CPUs"
    yield f"- {versions}"
    yield f"- not installed, hence not compared with: {', '.join(about['not installed']) or 'none'}"
    yield from ("- medians of at least 7 rounds, of standard normal input", "")
    yield "The formulas and the np.* floors run on one thread, whatever the number of threads. The floors"
    yield "(np.copyto, np.maximum, np.negative, torch.clamp_min) compute no GELU and are not counted as peers."
    yield from ("", *peer_tables(rows), "## Other ways to call: ns per element (ratio to np.negative)", "")
    for mode in ("no out", "in place", "strided", "transposed"):
        for threads in about["threads"]:
            yield from mode_table(rows, mode, threads)
    yield from ("## Fixed cost: ns for a call on 1 and on 128 elements", "")
    for threads in about["threads"]:
        yield from fixed_cost(rows, threads)


def picture(about, rows, path):
    n = len(about["threads"])
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    panels = figure.subplots(1, n, sharey=True, squeeze=False)
    for panel, threads in zip(panels[0], about["threads"], strict=True):
        chosen = with_out(rows, form="exact", dtype="float32", threads=threads)
        for who in distinct(by_kind(chosen), "who"):
            style = STYLES.get(who.removesuffix(" (no out=)"))
            if style:
                points = sorted((row["size"], ns(row)) for row in pick(chosen, who=who))
                panel.loglog(*zip(*points, strict=True), label=who, markersize=5, **style)
        panel.set_title(f"threads: {threads}")
        panel.set_xlabel("elements")
        panel.set_xscale("log", base=2)
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("ns per element")
    panels[0][-1].legend(frameon=False)
    machine = f"{about['CPU']}, ISA level {about['ISA level']}, {about['date']}"
    figure.suptitle(f"GELU, exact, float32, output given ({machine})")
    figure.savefig(path, dpi=100)
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)  # a third of the size


if __name__ == "__main__":
    about, rows = read(sys.argv[1:])
    RESULTS.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    (RESULTS / "speed.json").write_text(f'{{"about": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n')
    (RESULTS / "speed.md").write_text("\n".join(report(about, rows)).rstrip() + "\n")
    picture(about, rows, RESULTS / "speed.png")
