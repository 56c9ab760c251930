# SPDX-License-Identifier: BSD-3-Clause
"""Write the tables of README and docs/, and the worst errors in comments of the kernels, from gelu_fast/_bounds.py,
examples/idea.py, and the measurements in benchmarks/results/.

python tools/readme.py            rewrite the text between <!-- name --> and <!-- end --> in README.md and docs/, and
                                  the lines after WRITTEN in comments of the kernels
python tools/readme.py --check    exit 1 if a text differs from its sources
"""

import argparse
import json
import re
import sys
from functools import partial
from pathlib import Path
from statistics import mean, stdev

from gelu_fast._bounds import (
    FORMS,
    FUSED,
    MU_SIGMA,
    NEAR_ZERO,
    OF_LARGEST_TERM,
    UFUNCS,
    ULP,
    UNARY,
    UNIT_NEAR_ZERO,
    ZEROS,
)
from gelu_fast._functions import FUNCTIONS

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "examples"))
import idea  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
KERNELS = ROOT / "gelu_fast" / "kernels"
WRITTEN = "(written by tools/readme.py):\n"  # in a comment of a kernel; the lines after it that " *   " begins are ours
NORMAL = "N(0,1)"  # the data of the main tables
# The short table of speed; speed.md has all.
SHOWN = (
    "gelu_fast",
    "torch",
    "ONNX Runtime",
    "numba",
    "SciPy formula",
    "JAX (no out=)",
    "np.copyto",
    "np.negative",
)
BLOCKS_IN_SHORT = ("BERT-base", "GPT-2", "ViT-B/16")
SIZES_IN_SHORT = (4096, 2**20, 2**26)
SIZES = (1, 128, 4096, 65536, 2**20, 2**24, 2**26)


def table(header, rows, left=1):
    """Markdown; `left` columns of text, which is aligned left, then columns of numbers."""
    lines = [header, ["---"] * left + ["--:"] * (len(header) - left), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def accuracy():
    """The bounds, and the largest errors found on any ISA level, for float32 and float64; in words, smaller types."""
    measured = json.loads((RESULTS / "accuracy.json").read_text())
    levels = sorted({level for form in measured.values() for found in form.values() for level in found})
    of_function = {}
    for name, (function, _) in UFUNCS.items():
        of_function.setdefault(function, []).append(name)
    rows = []
    for function, names in of_function.items():
        unmeasured = "as NumPy rounds" if FUNCTIONS[function].times else "not measured"
        for dtype in ("float32", "float64"):
            found = [measured.get(name, {}).get(dtype, {}) for name in names]
            cells = [
                f"{max(level['ulp'] for level in form.values()):.2f}" if form else unmeasured
                for form in found
            ]
            stars = "\\*" * (names[0] in ZEROS) + "\\*\\*" * (function in OF_LARGEST_TERM)
            rows.append([f"`{function}`", dtype, f"{ULP[names[0]][dtype]:g}{stars}", *cells])
    places = ", ".join(f"{ZEROS[name]:.4f} ({UFUNCS[name][1]})" for name in of_function["gelu_grad"])
    units = " and ".join(
        f"2^{unit.hex().split('p')[1]} ({dtype})" for dtype, unit in UNIT_NEAR_ZERO.items() if unit
    )
    of_one = ULP["gelu_erf"]["float16"]
    of_several = ULP["geglu_erf"]
    lines = [
        table(["ufunc", "type", "bound", *(f"found: {form}" for form in FORMS.values())], rows, left=2),
        "",
        f"\\* A gradient has one zero: at {places}. At most {NEAR_ZERO:g} from it,",
        f"errors count in units of {units}, times the other factor where there is one,",
        "or in ULP where an ULP is larger.",
        "",
        "\\*\\* In ULP of the largest of the derivative's two terms, which may cancel, and their sum.",
        "",
        "float16, bfloat16 and the floats of one byte of ml_dtypes: "
        f"{', '.join(f'`{f}`' for f in UNARY)} are correctly",
        f"rounded ({of_one:g} ULP) for every input; the others are within {of_several['float16']:g} ULP (float16) and",
        f"{of_several['bfloat16']:g} ULP (bfloat16).",
        *of_pairs(measured),
        f"The errors found are the largest on {', '.join(levels)};",
        f"[benchmarks/results/accuracy.json]({from_docs(RESULTS / 'accuracy.json')}) has the inputs that show them.",
    ]
    return "\n".join(lines)


def of_pairs(measured):
    """The largest errors found among all pairs of numbers of two bytes, where these were tried."""
    tried = {
        f"`{name}`, {dtype}": of_name[dtype]
        for name, of_name in sorted(measured.items())
        for dtype in ("float16", "bfloat16")
        if dtype in of_name
    }
    if not tried:
        return []
    found = [f"{max(of['ulp'] for of in levels.values()):.4f} ULP ({what})" for what, levels in tried.items()]
    levels = dict.fromkeys(level for levels in tried.values() for level in levels)
    return [
        f"The largest error over all 2^32 pairs of inputs, on {' and '.join(levels)}: {', '.join(found)}."
    ]


def machines():
    """(directory, results) of each CPU that was measured, the last one first."""
    found = [(path.parent, json.loads(path.read_text())) for path in RESULTS.glob("*/speed.json")]
    return sorted(found, key=lambda machine: machine[1]["about"]["date"], reverse=True)


def from_docs(path):
    """The path as a page of docs/ names it."""
    return f"../{path.relative_to(ROOT)}"


def nearest():
    """How many float32 results of the fast kernels are not the nearest, on each ISA level."""
    found = json.loads((RESULTS / "nearest.json").read_text())
    levels = sorted({level for of_name in found.values() for level in of_name["not nearest"]})
    rows = [
        [f"`{name}`", *(f"{found[name]['not nearest'][level] / 1e6:.1f}" for level in levels)]
        for name in UFUNCS
        if name in found
    ]
    return table(["float32 results that are not the nearest, millions of the 2^32", *levels], rows)


def speed():
    """For each CPU, times of the exact form for float32 with out= in ns per element; wins and losses over all cases."""
    lines = []
    for directory, results in machines():
        lines += ["", *speed_of(directory, results["about"], results["rows"], results["comparisons"])]
    return "\n".join(lines[1:])


def speed_of(directory, about, rows, compared):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [
        f"**{about['name']}**: {about['CPU']}, ISA level {about['ISA level']}, {about['date']}. {versions}.",
        f"[All forms, types, strides, the cost of a small call and every loss](speed-{directory.name}.md).",
    ]
    measured = [row for row in rows if row.get("line") in SHOWN and row["isa"] == about["ISA level"]]
    for threads in dict.fromkeys(row["threads"] for row in measured):
        times = {}
        for row in measured:
            case = row["threads"], row["dtype"], row["form"], row["data"]
            if case in [(threads, "float32", form, NORMAL) for form in ("exact", "any")]:
                times.setdefault(row["line"], {})[row["size"]] = f"{row['median_ns'] / row['size']:.2f}"
        lines_of_table = [[line] + [cells.get(n, "") for n in SIZES] for line, cells in times.items()]
        ratios = {
            case["size"]: bold(f"{case['ratio']:.2f}", case["ratio"] > 1)
            for case in compared
            if (case["threads"], case["dtype"], case["form"]) == (threads, "float32", "exact")
        }
        lines_of_table.insert(1, ["gelu_fast / fastest peer", *(ratios.get(n, "") for n in SIZES)])
        title = f"exact, float32, threads: {threads}; ns per element"
        sizes = ("1" if n == 1 else f"2^{n.bit_length() - 1}" for n in SIZES)
        lines += ["", table([title, *sizes], lines_of_table)]
    lost = {}
    for case in sorted(compared, key=lambda case: case["ratio"]):
        if case["ratio"] > 1:
            what = f"{case['dtype']} {case['form']}" + ", one element" * (case["size"] == 1)
            lost[what] = f"{what}: up to {case['ratio']:.2f} ({case['peer']})"
    n_lost = sum(case["ratio"] > 1 for case in compared)
    lines += [
        "",
        f"Of {len(compared)} comparisons with the fastest peer, over all forms, types, sizes and threads,",
        f"gelu_fast wins {len(compared) - n_lost} and loses {n_lost}. The worst losses by type and form:",
        "; ".join(reversed(lost.values())) + ".",
        "",
        f"![ns per element against size]({from_docs(directory / 'speed.png')})",
    ]
    return lines


def bold(text, wanted):
    return f"**{text}**" if wanted else text


def data():
    """For each CPU, times of the exact form on other data than N(0,1), where they were measured."""
    lines = []
    for directory, results in machines():
        about, times = results["about"], {}
        for row in results["rows"]:
            case = row["form"], row["threads"], row["size"], row["mode"], row["isa"]
            if case == ("exact", 1, 65536, "out", about["ISA level"]):
                times[row["who"], row["dtype"], row["data"]] = row["median_ns"] / row["size"]
        names = dict.fromkeys(name for who, _, name in times if who == "torch")
        rows = [
            [
                name,
                *(
                    cell_of_data(times, dtype, name)
                    for dtype in ("float32", "float64", "float16", "bfloat16")
                ),
            ]
            for name in names
        ]
        if len(rows) > 1:
            title = f"{about['name']}, exact, 2^16 elements, one thread; ns per element (ratio to torch)"
            lines += [table([title, "float32", "float64", "float16", "bfloat16"], rows), ""]
            lines += [f"![ns per element on each]({from_docs(directory / 'data.png')})", ""]
    return "\n".join(lines[:-1])


def accuracy_in_short():
    """The bound, and the largest error found, over the functions of a kind, their forms and ISA levels."""
    measured = json.loads((RESULTS / "accuracy.json").read_text())
    kinds = {
        ", ".join(f"`{name}`" for name in UNARY): UNARY,
        ", ".join(f"`{name}`" for name in FUSED): FUSED,
        "the functions with `mu=` and `sigma=`": MU_SIGMA,
    }
    rows = []
    for kind, functions in kinds.items():
        ufuncs = [name for name, (function, _) in UFUNCS.items() if function in functions]
        cells = []
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            found = [
                level["ulp"] for name in ufuncs for level in measured.get(name, {}).get(dtype, {}).values()
            ]
            bound = max(ULP[name][dtype] for name in ufuncs)
            cells.append(f"{bound:g}" + (f" ({max(found):.{2 if bound == 1 else 4}f})" if found else ""))
        rows.append([kind, *cells])
    return table(["bound in ULP (largest error found)", "float32", "float64", "float16", "bfloat16"], rows)


def power(n):
    return "one element" if n == 1 else f"2^{n.bit_length() - 1} elements"


def saved():
    """The time of feed-forward blocks, by the usual formulas and by gelu_fast; and of a call of its own."""
    results = json.loads((RESULTS / "transformers.json").read_text())
    rows = []
    for row in results["rows"]:
        if row["pass"] == "forward" and row["block"] in BLOCKS_IN_SHORT:
            usual, ours = ((row["ms"][who], row["share"][who]) for who in ("plain NumPy", "gelu_fast"))
            cells = (f"{ms:.0f} ms, {share:.1f} %" for ms, share in (usual, ours))
            rows.append([f"{row['block']}, {row['activation']}", *cells, f"{usual[0] / ours[0]:.2f}"])
    title = "a feed-forward block: its time, GELU's share"
    lines = [
        table([title, "usual formula", "gelu_fast", "ratio"], rows),
        "",
        f"Forward, one thread, CPU time ({results['about']['CPU']}).",
        "The exact form of 2^20 float32 by one thread, on its own:",
        "",
    ]
    for _, results in machines():
        about, compared, times = results["about"], results["comparisons"], one_thread_times(results)
        formula, torch = (times[who, 2**20] / times["gelu_fast", 2**20] for who in ("SciPy formula", "torch"))
        worst = max(compared, key=lambda case: case["ratio"])
        lines += [
            f"- {about['name']} ({about['ISA level']}): the SciPy formula takes {formula:.2g} times as long,"
            f" torch {torch:.2g} times. Of {len(compared)} comparisons with the fastest other library,"
            " over forms, types, sizes and threads,"
            f" {sum(case['ratio'] > 1 for case in compared)} are lost, the worst by {worst['ratio']:.2f}"
            f" ({worst['peer']}, {power(worst['size'])}).",
        ]
    return "\n".join(lines)


def one_thread_times(results):
    """{(who, size): ns} of the exact form for float32 of N(0,1), with out=."""
    return {
        (row["line"], row["size"]): row["median_ns"]
        for row in results["rows"]
        if "line" in row
        and row["isa"] == results["about"]["ISA level"]
        and (row["threads"], row["dtype"], row["data"]) == (1, "float32", NORMAL)
        and row["form"] in ("exact", "any")
    }


def speed_in_short():
    """Times of the exact form for float32 on one thread, and how many times as long others take, on each CPU."""
    columns, cells = [], {line: [] for line in SHOWN if line != "np.negative"}
    for _, results in machines():
        times = one_thread_times(results)
        columns += [f"{results['about']['name']}: 2^{n.bit_length() - 1}" for n in SIZES_IN_SHORT]
        for line, of_line in cells.items():
            for n in SIZES_IN_SHORT:
                ours, theirs = times["gelu_fast", n], times.get((line, n))
                if line == "gelu_fast":
                    of_line.append(f"{ours / n:.2f} ns")
                else:
                    of_line.append(bold(f"{theirs / ours:.2g}", theirs < ours) if theirs else "")
    title = "exact form, float32, one thread; ns per element, and times as long"
    return table([title, *columns], [[line, *row] for line, row in cells.items()])


def cell_of_data(times, dtype, name):
    ours, torch = times["gelu_fast", dtype, name], times["torch", dtype, name]
    return f"{ours:.2f} (" + bold(f"{ours / torch:.2f}", ours > torch) + ")"


def busy():
    """The time of the default number of threads over that of one thread."""
    results = json.loads((RESULTS / "busy.json").read_text())
    about = results["about"]
    rows = [
        [f"{machine}: {statistic}", *(f"{ratio:.2f}" for ratio in ratios)]
        for machine in ("idle", "busy")
        for statistic, ratios in results[machine].items()
    ]
    sizes = (f"2^{n.bit_length() - 1}" for n in results["sizes"])
    lines = [
        "Time with the default number of threads over the time with one thread, exact form, float32, in",
        f"{about['processes']} processes. busy: beside {about['spinning']} spinning processes on {about['CPUs']} CPUs",
        f"({about['CPU']}, {about['ISA level']}; `make busy`).",
        "",
        table(["", *sizes], rows),
    ]
    return "\n".join(lines)


def doors(door, peer):
    """The times of gelu_fast within another library, and the peer's."""
    results = json.loads((RESULTS / "doors.json").read_text())[door]
    about = results["about"]
    rows = []
    for row in results["rows"]:
        ratio = row["ours_ns"] / row["peer_ns"]
        times = (f"{row[key] / 1000:.4g}" for key in ("ours_ns", "peer_ns"))
        rows.append([row["what"], row["size"], *times, bold(f"{ratio:.2f}", ratio > 1)])
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return "\n".join(
        [
            f"{about['CPU']}, ISA level {about['ISA level']}, one thread, {about['date']}. {versions}.",
            "",
            table(["", "size", "gelu_fast, µs", f"{peer}, µs", "ratio"], rows),
        ]
    )


def computed(make):
    """A table of the pages on the idea of GELU, which examples/idea.py computes."""
    return table(*make())


def about_line(about):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return f"{about['CPU']}, {about['date']}. {versions}."


def digits():
    """The experiment of examples/digits.py: accuracy, its difference to GELU's, and the choice of each method."""
    results = json.loads((RESULTS / "digits.json").read_text())
    about, rows = results["about"], results["rows"]
    seeds = about["seeds"]

    def by_method(cell):
        settings = dict.fromkeys(f"{row['digits']} digits, {row['network']}" for row in rows)
        cells = {}
        for row in rows:
            cells.setdefault(row["method"], []).append(cell(row))
        return table(["", *settings], [[method, *its] for method, its in cells.items()])

    def clear(row, wider=1):
        return abs(row["difference"]) > row["interval"] * wider

    def accuracy(row):
        return f"{mean(row['accuracy']):.2f} ± {stdev(row['accuracy']):.2f}"

    def difference(row):
        if row["method"] == "GELU":
            return ""
        signed = f"{row['difference']:+.2f}".replace("-", "−")
        return bold(f"{signed} ± {row['interval']:.2f}", clear(row))

    def choice(row):
        dropout = f", p = {row['dropout']:g}" if row["dropout"] else ""
        return f"{row['rate']:.3f}{dropout}: {row['validation']:.1f} %"

    others, wider = [row for row in rows if row["method"] != "GELU"], about["wider together"]
    return "\n".join(
        [
            about_line(about),
            "",
            f"Test digits read right, %: mean of {seeds} seeds ± standard deviation.",
            "",
            by_method(accuracy),
            "",
            "The same minus GELU's, in points, ± the half width of a 95 % interval. "
            f"Bold: the interval excludes 0 ({sum(map(clear, others))} of {len(others)}; "
            f"chance alone gives {0.05 * len(others):.0f} on average). Intervals that hold for all {len(others)} "
            f"together (Bonferroni's) are {wider:.1f} times as wide, and {sum(clear(row, wider) for row in others)} "
            "exclude 0.",
            "",
            by_method(difference),
            "",
            "The learning rate that was chosen, and for dropout p, among "
            f"{about['trials']} trials for each method, with the share of validation digits read right.",
            "",
            by_method(choice),
        ]
    )


def shares():
    """The activation's share of the time of feed-forward blocks, and what GELU costs beside ReLU."""
    results = json.loads((RESULTS / "transformers.json").read_text())
    about = results["about"]
    lines = [
        f"{about_line(about)} ISA level {about['ISA level']}, BLAS {about['BLAS']}, one thread, float32; medians of "
        f"{about['runs']} runs in turns, CPU time; load average at the start: {about['load']:.1f}.",
    ]
    for title in dict.fromkeys(row["pass"] for row in results["rows"]):
        rows = []
        for row in results["rows"]:
            if row["pass"] == title:
                _, tokens, width, inner = row["size"]
                cells = [
                    f"{row[key][label]:{form}}" if label in row[key] else "–"
                    for key, form, labels in (
                        ("share", ".1f", ("plain NumPy", "gelu_fast", "ReLU")),
                        ("over ReLU", ".2f", ("plain NumPy", "gelu_fast")),
                    )
                    for label in labels
                ]
                rows.append([row["block"], row["activation"], f"{tokens} × {width}, {inner}", *cells])
        header = ("block", "has", "tokens × width, inner", "NumPy and SciPy, %", "gelu_fast, %", "ReLU, %")
        ratios = ("time / with ReLU: NumPy and SciPy", "gelu_fast")
        lines += ["", f"**{title.capitalize()}**", "", table([*header, *ratios], rows, left=3)]
        lines += ["", f"GELU's own time is {times_of_relu(results['rows'], title)}."]
    return "\n".join(lines)


def times_of_relu(rows, title):
    """The least and the largest time of GELU, as a multiple of ReLU's in the same block."""
    own = [
        {label: share * row["ms"][label] for label, share in row["share"].items()}
        for row in rows
        if row["pass"] == title and "gelu_fast" in row["share"]
    ]
    ranges = []
    for label, words in (("plain NumPy", "NumPy and SciPy"), ("gelu_fast", "gelu_fast")):
        ratios = [times[label] / times["ReLU"] for times in own]
        ranges.append(f"{min(ratios):.1f} to {max(ratios):.1f} times ReLU's by {words}")
    return ", and ".join(ranges)


def worst_of_curves(columns):
    """A line for each curve: the largest error found of its ufunc, and the x that shows it, for each type and level."""
    measured = json.loads((RESULTS / "accuracy.json").read_text())
    rows = [["curve", *columns]]
    for name, (function, _) in UFUNCS.items():
        if function in UNARY:
            found = [measured[name][dtype][level] for dtype, level in columns.values()]
            rows.append([name.removeprefix("gelu_"), *(f"{f['ulp']:.2f} at {short(f['x'])}" for f in found)])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [" * " + "  ".join(["", *map(str.ljust, row, widths)]).rstrip() for row in rows]


def short(x):
    """float.hex() without zeros at the mantissa's end."""
    mantissa, exponent = x.split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}"


def worst_of_several():
    """The largest error found of functions of several inputs, for each type."""
    measured = json.loads((RESULTS / "accuracy.json").read_text())
    lines = []
    for functions, words in ((FUSED, "without mu and sigma"), (MU_SIGMA, "with mu and sigma")):
        of_some = [measured[name] for name in measured if UFUNCS[name][0] in functions]
        worst = [
            f"{dtype} {max(level['ulp'] for found in of_some for level in found[dtype].values()):.2f}"
            for dtype in ("float32", "float64")
        ]
        lines.append(f" *   {words:<20}  {', '.join(worst)}")
    return lines


def in_memory():
    lines = []
    for dtype in ("float32", "float64"):
        lines += worst_of_curves({f"{dtype} with FMA": (dtype, "x86-64-v3"), "without": (dtype, "baseline")})
    return lines


def in_registers():
    return worst_of_curves({"float32": ("float32", "x86-64-v4")})


# Pages, and the sections that are written into them.
PAGES: dict[str, dict] = {
    "README.md": {"saved": saved, "accuracy": accuracy_in_short, "speed": speed_in_short},
    "docs/accuracy.md": {"accuracy": accuracy},
    "docs/reproducibility.md": {"nearest": nearest},
    "docs/speed.md": {"speed": speed, "data": data},
    "docs/threads.md": {"busy": busy},
    "docs/c.md": {"doors": partial(doors, "c", "other")},
    "docs/jax.md": {"doors": partial(doors, "jax", "jax.nn.gelu")},
    "docs/numba.md": {"doors": partial(doors, "numba", "other")},
    "docs/torch.md": {"doors": partial(doors, "torch", "torch")},
    "docs/idea/digits.md": {"digits": digits},
    "docs/idea/transformers.md": {"shares": shares},
}
for page, tables in idea.TABLES.items():
    PAGES[f"docs/idea/{page}.md"] = {make.__name__: partial(computed, make) for make in tables}
COMMENTS = {"table_in_memory.h": in_memory, "table_in_registers.h": in_registers, "gelu.h": worst_of_several}


def with_lines(text, lines):
    """A kernel's text, with these lines after WRITTEN in place of those that are there."""
    before, after = text.split(WRITTEN)
    rest = re.sub(r"\A(?: \*   .*\n)*", "", after)
    return before + WRITTEN + "\n".join(lines) + "\n" + rest


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    texts = {}
    for page, sections in PAGES.items():
        text = (ROOT / page).read_text()
        for name, section in sections.items():
            start, end = f"<!-- {name}: written by tools/readme.py -->", "<!-- end -->"
            before, rest = text.split(start)
            text = f"{before}{start}\n{section()}\n{rest[rest.index(end) :]}"
        texts[ROOT / page] = text
    for name, lines in COMMENTS.items():
        texts[KERNELS / name] = with_lines((KERNELS / name).read_text(), lines())
    stale = [path for path, text in texts.items() if path.read_text() != text]
    if check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"{names}: differs from its sources; run `make readme`")
    for path in stale:
        path.write_text(texts[path])


if __name__ == "__main__":
    main()
