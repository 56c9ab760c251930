# SPDX-License-Identifier: BSD-3-Clause
"""Write benchmarks/results from raw files of pytest-benchmark: numbers, tables and a picture, which show losses as
plainly as wins: python benchmarks/report.py [RAW.json ...]

The results of each CPU have a directory of their own, results/<name>, so that the last run of each stays. Without raw
files, the texts and pictures of all CPUs are written anew from their speed.json, as targets.py may have changed.

There is a raw file for each number of threads, and there may be some for other ISA levels. The report is about the
level of the first file; rows of other levels serve the targets that name their level, and have a table of their own."""

import argparse
import json
from pathlib import Path
from statistics import geometric_mean

from distributions import DISTRIBUTIONS, GROUPS, NORMAL
from matplotlib.figure import Figure
from ours import DTYPES, FORMS, ON_DATA
from PIL import Image
from targets import ROWS, TARGETS

KINDS = ("ours", "peer", "floor")
STYLES: dict[str, dict] = {  # Okabe and Ito's colours, which colour-blind readers tell apart too
    "gelu_fast": dict(color="#000000", marker="o", linewidth=2.5, zorder=3),
    "torch": dict(color="#d55e00", marker="s"),
    "ONNX Runtime": dict(color="#0072b2", marker="^"),
    "numba": dict(color="#009e73", marker="v"),
    "SciPy formula": dict(color="#e69f00", marker="P"),
    "NumPy formula": dict(color="#e69f00", marker="P"),
    "JAX": dict(color="#cc79a7", marker="D"),
    "np.copyto": dict(color="#777777", linestyle="--"),
    "np.maximum(x, 0)": dict(color="#777777", linestyle=":"),
}


def read(paths):
    """The machine, versions and runs; and a row for each case."""
    files = [json.loads(path.read_text()) for path in paths]
    machines = [file["machine_info"]["gelu_fast"] for file in files]
    of_a_run = ("ISA level", "threads", "CPU time of others", "torch")
    runs = [{key: machine.pop(key) for key in of_a_run} for machine in machines]
    if any(machine != machines[0] for machine in machines):
        raise SystemExit("the raw files come from different machines or versions")
    commit = files[0]["commit_info"]
    name = commit["id"][:12] + (" with changes" if commit["dirty"] else "")
    about = {"date": files[0]["datetime"][:10], "commit": name, "ISA level": runs[0]["ISA level"]}
    about |= machines[0] | {"runs": runs}
    rows = []
    for file, run in zip(files, runs, strict=True):
        for case in file["benchmarks"]:
            row = case["extra_info"] | {"isa": run["ISA level"]}
            row["median_ns"] = round(case["stats"]["median"] * 1e9, 1)
            del row["ns per element"]
            rows.append(row)
    # Lines of the main tables: with out=, or without it for peers that have none.
    have_out = {row["who"] for row in rows if row["mode"] == "out"}
    for row in rows:
        main = row["mode"] == "out" or (row["mode"] == "no out" and row["who"] not in have_out)
        if main and row["who"] != "gelu_fast ufunc":
            row["line"] = called(row)
    return about, sorted(rows, key=lambda row: KINDS.index(row["kind"]))


def called(row):
    return row["who"] + " (no out=)" * (row["mode"] == "no out")


def distinct(rows, key):
    return list(dict.fromkeys(row[key] for row in rows))


def pick(rows, **wanted):
    """The rows with these values; a tuple allows each of its values, and a floor is of any form."""
    allowed = {key: value if isinstance(value, tuple) else (value,) for key, value in wanted.items()}
    return [row for row in rows if all(row[key] in (*values, "any") for key, values in allowed.items())]


def ns(row):
    return row["median_ns"] / row["size"]


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def power(size):
    if size % 3072 == 0:
        return f"{size // 3072} x 3072"
    return str(size) if size < 2**16 else f"2^{size.bit_length() - 1}"


def label(row):
    return ", ".join([row["dtype"]] + [row["form"]] * (row["form"] != "any") + [row["who"]])


def table(title, cells):
    """Markdown; a cell is (label of its line, head of its column, text)."""
    columns = list(dict.fromkeys(column for _, column, _ in cells))
    lines = {}
    for name, column, text in cells:
        lines.setdefault(name, {})[column] = text
    yield f"| {title} | {' | '.join(columns)} |"
    yield "|:--" + "|--:" * len(columns) + "|"
    for name, line in lines.items():
        yield f"| {name} | " + " | ".join(line.get(column, "") for column in columns) + " |"
    yield ""


def comparisons(rows):
    """The time of gelu_fast with out= over that of the fastest peer with or without out=, for each case of a peer."""
    for ours in pick(rows, who="gelu_fast", mode="out"):
        case = {key: ours[key] for key in ("form", "dtype", "threads", "size")}
        if peers := pick(rows, kind="peer", mode=("out", "no out"), **case):
            best = min(peers, key=ns)
            yield case | {"peer": called(best), "ratio": round(ns(ours) / ns(best), 3)}


def judged(rows, isa):
    """Each target with the ratio found, and whether it is reached; a target that was not measured counts as missed."""
    for case, sizes, data, limits, why in TARGETS:
        words, case = cell(case, sizes, data), {"isa": isa} | case
        found, details = [], []
        for limit in limits:
            other = {key: value for key, value in (case | limit.differs).items() if value is not None}
            ours, theirs = pick(rows, **case), pick(rows, **other)
            worst = (0.0, "", [])  # mean of the sizes' ratios, data, texts, of the data where it is largest
            for name in data:
                ratios, texts = [], []
                for size in sizes:
                    mine = pick(ours, size=size, data=name)
                    their = pick(theirs, size=size, data=limit.differs.get("data", name))
                    if mine and their:
                        best = min(their, key=ns)
                        ratios.append(ns(mine[0]) / ns(best))
                        of = limit.of if "who" in other else called(best)
                        texts.append(f"{ratios[-1]:.3f} of {of}" + f" at {power(size)}" * (len(sizes) > 1))
                if len(ratios) < len(sizes):
                    break
                worst = max(worst, (geometric_mean(ratios), name, texts))
            else:
                found.append((worst[0], limit.ratio, worst[1]))
                details += worst[2]
        ratio, wanted, at = min(
            found, key=lambda of_limit: of_limit[0] / of_limit[1], default=(None, 0.0, "")
        )
        yield {
            "cell": words,
            "group": group(data),
            "form": case["form"],
            "dtype": case["dtype"],
            "target": ", or ".join(f"≤ {limit.ratio:g} of {limit.of}" for limit in limits),
            "ratio": ratio and round(ratio, 3),
            "at": at,
            "reached": ratio is not None and ratio <= wanted,
            "details": ", ".join(details),
        } | ({"why": why} if why and ratio and ratio > wanted else {})


def group(data):
    """The name of these data; "" for N(0,1) alone."""
    return next((name for name, members in GROUPS.items() if data == members), "")


def cell(case, sizes, data):
    """The case of a target in words."""
    level = f", {case['isa']}" if "isa" in case else ""
    size = ("sizes " if len(sizes) > 1 else "size ") + ", ".join(map(power, sizes))
    return f"{case['form']}, {case['dtype']}{level}, {group(data) or case['mode']}, {size}, threads: {case['threads']}"


def target_table(targets):
    reached = sum(target["reached"] for target in targets)
    yield f"{reached} of {len(targets)} are reached; the others are bold. If there are two limits, one is enough; for"
    yield "several sizes, the geometric mean counts, for several data the worst. Peers are called with and without"
    yield "out=, and the faster counts. strided is x[::2], transposed a view whose rows do not join; the output is"
    yield "contiguous, or y[::2] for strided, both. own N(0,1) is the same function on standard normal data."
    for name, members in GROUPS.items():
        yield f"- {name}: {', '.join(members)}"
    yield ""
    yield from ("| | target | ratio | found |", "|:--|:--|--:|:--|")
    for target in targets:
        if target["group"]:
            continue
        ratio = found(target)
        details = target["details"] + (f"; {target['why']}" if "why" in target else "")
        yield f"| {target['cell']} | {target['target']} | {ratio} | {details} |"
    yield ""
    on_data = [target for target in targets if target["group"]]
    cells = [
        (
            f"{target['form']}: {target['group']}, {target['target']}",
            target["dtype"],
            f"{found(target)} {target['at']}",
        )
        for target in on_data
    ]
    yield from table("worst ratio, and the data that show it", cells)
    yield from dict.fromkeys(target["why"] for target in on_data if "why" in target)
    yield ""


def found(target):
    """The ratio, bold if the target is missed."""
    ratio = f"{target['ratio']:.3f}" if target["ratio"] else "not measured"
    return ratio if target["reached"] else f"**{ratio}**"


def peer_tables(rows):
    """A list of all losses; then a table for each form, dtype and number of threads."""
    compared = list(comparisons(rows))
    tables, lost = [], []
    for threads in distinct(rows, "threads"):
        for form in distinct(pick(rows, kind="ours"), "form"):
            for dtype in distinct(rows, "dtype"):
                title = f"{form}, {dtype}, threads: {threads}"
                chosen = [row for row in pick(rows, form=form, dtype=dtype, threads=threads) if "line" in row]
                cells = [(row["line"], power(row["size"]), number(ns(row))) for row in chosen]
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
    """Times in one mode; after each, in parentheses, its ratio to np.negative's on the same operands."""
    rows = [row for row in pick(rows, mode=mode, threads=threads) if row["who"] != "gelu_fast ufunc"]
    floor = {(row["dtype"], row["size"]): ns(row) for row in rows if row["who"] == "np.negative"}
    rows = [row for row in rows if (row["dtype"], row["size"]) in floor]
    cells = [
        (label(row), power(row["size"]), f"{number(ns(row))} ({ns(row) / floor[dtype, row['size']]:.2f})")
        for dtype in distinct(rows, "dtype")
        for row in pick(rows, dtype=dtype)
    ]
    return table(f"{mode}, threads: {threads}", cells)


def data_tables(rows):
    """A table for each form: ns per element on each distribution, and in parentheses its ratio to torch."""
    for form in ON_DATA:
        chosen = pick(rows, form=form, mode="out", threads=1, size=tuple(sizes_on_data(rows)))
        cells = []
        for row in pick(chosen, who="gelu_fast"):
            torch = pick(chosen, who="torch", data=row["data"], dtype=row["dtype"]) if form in FORMS else []
            ratios = [ns(row) / ns(other) for other in torch]
            texts = [f" ({ratio:.2f})" if ratio <= 1 else f" (**{ratio:.2f}**)" for ratio in ratios]
            cells.append((row["data"], row["dtype"], "".join([number(ns(row)), *texts])))
        if len({data for data, _, _ in cells}) > 1:
            yield from table(form, cells)


def sizes_on_data(rows):
    return {row["size"] for row in rows if row["data"] != NORMAL}


def measured_all_data(rows):
    return {row["data"] for row in rows} == set(DISTRIBUTIONS)


def fixed_cost(rows, threads):
    rows = [row for row in rows if row["kind"] == "ours" or row["who"] == "np.negative"]
    rows = [row for row in pick(rows, threads=threads) if row["size"] <= 128]
    cells = [
        (label(row), f"{row['size']}, {row['mode']}", number(row["median_ns"]))
        for dtype in distinct(rows, "dtype")
        for row in pick(rows, dtype=dtype)
    ]
    return table(f"threads: {threads}", cells)


def report(about, rows, on_data, others, targets):
    """The lines of speed.md; `on_data` are the rows of all data, `others` those of other ISA levels."""
    yield from ("# Speed of gelu_fast", "")
    yield f"- {about['date']}, commit {about['commit']}"
    yield f"- {about['CPU']}, L3 {about['L3']}; ISA level {about['ISA level']}; compiler {about['compiler']}"
    yield f"- {', '.join(f'{name} {version}' for name, version in about['versions'].items())}"
    yield f"- not installed, so not compared: {', '.join(about['not installed']) or 'none'}"
    for run in about["runs"]:
        torch = f"torch's {run['torch']} kernels; " * bool(run["torch"])
        busy = f"other processes took {run['CPU time of others']:.1%} of the machine"
        yield f"- {run['ISA level']}, threads {run['threads']}, on as many CPUs; {torch}{busy}"
    yield from (
        "- medians of at least 7 rounds; inputs are standard normal where no other data are named",
        "",
    )
    yield "The formulas and the np.* floors always run on one thread. The floors"
    yield "(np.copyto, np.maximum, np.negative, torch.clamp_min) compute no GELU and do not count as peers."
    yield from ("", "## Targets", "", *target_table(targets), ROWS, "", "## Wins and losses", "")
    yield from peer_tables(rows)
    if sizes_on_data(on_data):
        yield from ("## Other data: ns per element (ratio to torch)", "")
        if measured_all_data(on_data):
            yield from ("![ns per element on each](data.png)", "")
        yield from data_tables(on_data)
    yield from ("## Other ways to call: ns per element (ratio to np.negative)", "")
    for mode in ("no out", "in place", "strided", "strided, both", "transposed"):
        for threads in distinct(rows, "threads"):
            yield from mode_table(rows, mode, threads)
    yield from ("## Fixed cost: ns for a call on 1 and on 128 elements", "")
    for threads in distinct(rows, "threads"):
        yield from fixed_cost(rows, threads)
    if others:
        yield from ("## Other ISA levels, with torch held to the same instructions: ns per element", "")
    for level in distinct(others, "isa"):
        cells = [(label(row), power(row["size"]), number(ns(row))) for row in pick(others, isa=level)]
        yield from table(level, cells)


def machine(about):
    return f"{about['CPU']}, ISA level {about['ISA level']}, {about['date']}"


def save(figure, path):
    figure.savefig(path, dpi=100)
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)  # a third of the size


def picture(about, rows, path):
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    panels = figure.subplots(1, len(distinct(rows, "threads")), sharey=True, squeeze=False)[0]
    for panel, threads in zip(panels, distinct(rows, "threads"), strict=True):
        chosen = pick(rows, form="exact", dtype="float32", threads=threads)
        for who, style in STYLES.items():
            if points := [row for row in chosen if row["who"] == who and "line" in row]:
                x, y = [row["size"] for row in points], [ns(row) for row in points]
                panel.loglog(x, y, label=points[0]["line"], markersize=5, **style)
        panel.set_title(f"threads: {threads}")
        panel.set_xlabel("elements")
        panel.set_xscale("log", base=2)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("ns per element")
    panels[-1].legend(frameon=False)
    figure.suptitle(f"GELU, exact, float32, output given ({machine(about)})")
    save(figure, path)


def picture_of_data(about, rows, path):
    figure = Figure(figsize=(14, 9), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True).flat
    names = list(DISTRIBUTIONS)
    for panel, dtype in zip(panels, DTYPES, strict=True):
        for form, filled in (("exact", "full"), ("tanh", "none")):
            for who in ("gelu_fast", "torch"):
                chosen = pick(rows, who=who, form=form, dtype=dtype, mode="out", threads=1)
                times = {row["data"]: ns(row) for row in chosen if row["size"] in sizes_on_data(rows)}
                points = [(name, times[name]) for name in names if name in times]
                style = STYLES[who] | dict(linestyle="-" if filled == "full" else ":", fillstyle=filled)
                if points:
                    panel.plot(*zip(*points), label=f"{who}, {form}", markersize=6, **style)
        panel.set_title(dtype)
        panel.set_ylim(bottom=0)
        panel.set_xticks(range(len(names)), names, rotation=60, ha="right")
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    figure.supylabel("ns per element")
    figure.suptitle(f"GELU on other data, 2^16 elements, one thread ({machine(about)})")
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "raw", nargs="*", type=Path, help="json of pytest-benchmark, one per number of threads and level"
    )
    parser.add_argument("--into", type=Path, default=Path(__file__).parent / "results", metavar="DIR")
    args = parser.parse_args()
    if args.raw:
        about, rows = read(args.raw)
        write(about, rows, args.into / about["name"])
    else:
        for path in sorted(args.into.glob("*/speed.json")):
            results = json.loads(path.read_text())
            write(results["about"], results["rows"], path.parent)


def write(about, rows, into):
    """The results of one CPU."""
    into.mkdir(parents=True, exist_ok=True)
    isa = about["ISA level"]
    here, others = pick(rows, isa=isa), [row for row in rows if row["isa"] != isa]
    normal = pick(here, data=NORMAL)
    targets = list(judged(rows, isa))
    parts = {"rows": rows, "comparisons": list(comparisons(normal)), "targets": targets}
    # One line for each row, for readable diffs.
    lists = [f'"{name}": [\n' + ",\n".join(map(json.dumps, part)) + "\n]" for name, part in parts.items()]
    (into / "speed.json").write_text(",\n".join([f'{{"about": {json.dumps(about)}', *lists]) + "}\n")
    lines = report(about, normal, here, pick(others, data=NORMAL), targets)
    (into / "speed.md").write_text("\n".join(lines).rstrip() + "\n")
    picture(about, normal, into / "speed.png")
    if measured_all_data(here):
        picture_of_data(about, here, into / "data.png")


if __name__ == "__main__":
    main()
