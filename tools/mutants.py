# SPDX-License-Identifier: BSD-3-Clause
"""Show that the suite notices faults: plant those of tests/mutants/*.toml one at a time, and run tests that must fail.

python tools/mutants.py                   all of them; writes tests/mutants.md
python tools/mutants.py --only ID...      these, and their rows of the table
python tools/mutants.py --twentieth [N]       every twentieth, another one for each N of 20 (default: the day of the
                                          year); writes nothing
python tools/mutants.py --list            list them
python tools/mutants.py --check           exit 1 if list, sources and table do not agree

Exit 1 if a fault survives, 2 if a row is defective. A row replaces `find`, which must occur exactly once in `file`, by
`replace`, and runs `tests` on the ISA level `level`. A fault that no test can notice has a `reason` instead of `tests`.
Faults are planted in a copy of this checkout, build/mutants. There the objects that contain `file` are built again,
with setup.py's flags; of the kernels, those of one ISA level.
"""

import argparse
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
from contextlib import suppress
from datetime import date
from pathlib import Path

from checkout import ROOT, copy_to
from readme import table

from gelu_fast.selftest.machine import cpu_name

sys.path.append(str(ROOT / "tests"))
from sources import sources_on  # noqa: E402

LISTS, TABLE = ROOT / "tests" / "mutants", ROOT / "tests" / "mutants.md"
LEVEL = "x86-64-v3"  # for a row that names none
AT_LEAST = 40
TIME_LIMIT = 180  # seconds, about ten times as long as the tests of a row take
TIMEOUT, CRASH, IMPORT = NOT_A_TEST = "timeout", "crash", "import"

HEADER = """\
# Planted bugs

Written by `make mutants`; the lists are tests/mutants/*.toml. Each fault is planted alone, and the tests that its list
names for it run on one ISA level. The table names the first test that failed. Last run: {cpu}.

{noticed}

Faults that no test can notice; they are not run:

{unnoticeable}
"""


class DefectiveRow(Exception):
    """A fault that cannot be judged."""


def rows_of_list():
    lists = (tomllib.loads(path.read_text()) for path in sorted(LISTS.glob("*.toml")))
    return [{"level": LEVEL} | row for rows in lists for row in rows["mutant"]]


def stale(rows, root=ROOT):
    """Complaints about the rows themselves."""
    ids = [row["id"] for row in rows]
    yield from (f"{name}: occurs twice" for name in sorted({name for name in ids if ids.count(name) > 1}))
    for row in rows:
        path = root / row["file"]
        n = path.read_text().count(row["find"]) if path.exists() else 0
        if n != 1 or row["find"] == row["replace"]:
            yield f"{row['id']}: `find` occurs {n} times in {row['file']}, or equals `replace`"
        if ("tests" in row) == ("reason" in row):
            yield f"{row['id']}: needs either `tests`, or the `reason` why there can be none"
        for test in row.get("tests", ()):
            file, _, name = test.partition("[")[0].partition("::")
            text = (root / file).read_text() if (root / file).exists() else None
            if text is None or (name and f"def {name}(" not in text):
                yield f"{row['id']}: there is no {test}"


def rows_of_table():
    """id -> line of the committed table."""
    text = TABLE.read_text() if TABLE.exists() else ""
    return {found[1]: found[0] for found in re.finditer(r"^\| ([\w-]+): .*$", text, re.M)}


def disagreements(rows, of_table):
    """Complaints about rows that the list and the table do not share, or that differ."""
    ids = [row["id"] for row in rows]
    if len(ids) < AT_LEAST:
        yield f"{len(ids)} faults, but {AT_LEAST} or more are required"
    yield from (f"{name}: in the table, not in the list" for name in of_table if name not in ids)
    for row in rows:
        if row["id"] not in of_table:
            yield f"{row['id']}: in the list, not in the table"
            continue
        fault, file, noticed = of_table[row["id"]].strip("| ").split(" | ")[:3]
        by = row["reason"] if "reason" in row else (*row["tests"], *NOT_A_TEST)
        if line_of(row) != f"| {fault} | {file} |" or not noticed.strip("`").startswith(by):
            yield f"{row['id']}: list and table differ"


def line_of(row, *cells):
    return "| " + " | ".join([f"{row['id']}: {row['fault']}", row["file"], *cells]) + " |"


def write(rows, noticed, survivors):
    """Write the table: the lines of this run, and the earlier lines of faults that did not run."""
    lines = rows_of_table() | noticed
    lines = {name: line for name, line in lines.items() if name not in survivors}
    cells = {name: line.strip("| ").split(" | ") for name, line in lines.items()}
    judged = [cells[row["id"]] for row in rows if "tests" in row and row["id"] in cells]
    others = [cells[row["id"]] for row in rows if "reason" in row and row["id"] in cells]
    text = HEADER.format(
        cpu=cpu_name(),
        noticed=table(["fault", "file", "noticed by", "level", "seconds"], judged, left=4),
        unnoticeable=table(["fault", "file", "reason"], others, left=3),
    )
    TABLE.write_text(text)


class Tree:
    """A copy of this checkout, built in place, in which one fault at a time is planted."""

    def __init__(self, folder):
        self.folder, self.objects = folder, {}
        self.compiler = shlex.split(" ".join(sysconfig.get_config_vars("CC", "CFLAGS", "CCSHARED")))
        self.compiler.append(f"-I{sysconfig.get_path('include')}")
        copy_to(folder)
        flags_of = self.sources()
        for source, flags in flags_of.items():
            self.objects[source] = self.compile(source, flags, "build/objects", self.is_old)
        self.link(flags_of, self.objects)
        self.library = (folder / self.target()).read_bytes()

    def run(self, *args):
        done = subprocess.run([*map(str, args)], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise DefectiveRow(f"{shlex.join(map(str, args))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def sources(self):
        """Source -> flags, as setup.py says."""
        groups = sources_on(platform.machine(), shlex.join(self.compiler[:1]), self.folder)
        return {source: flags for sources, flags in groups for source in sources}

    def made_of(self, source, path):
        """The files that an object was compiled from, as the compiler's .d file says."""
        included = path.with_suffix(".d").read_text().replace("\\\n", " ").split()[1:]
        if source.endswith(".pyx"):
            included += [f"gelu_fast/{part.name}" for part in (self.folder / "gelu_fast").glob("*.pxi")]
        return [source, "setup.py", *included]

    def is_old(self, source, path):
        age = path.stat().st_mtime if path.exists() else 0
        return age == 0 or any(
            (self.folder / each).stat().st_mtime > age for each in self.made_of(source, path)
        )

    def compile(self, source, flags, folder, is_wanted=lambda source, path: True):
        path = self.folder / folder / Path(source).with_suffix(".o").name
        path.parent.mkdir(exist_ok=True, parents=True)
        if is_wanted(source, path):
            c = source
            if source.endswith(".pyx"):
                c = path.with_suffix(".c")
                self.run(sys.executable, "-m", "cython", source, "-o", c)
            self.run(*self.compiler, *flags, "-MMD", "-c", c, "-o", path)
        return path

    def target(self):
        return f"gelu_fast/_core{sysconfig.get_config_var('EXT_SUFFIX')}"

    def link(self, flags_of, objects):
        flags = next(flags for source, flags in flags_of.items() if source.endswith(".pyx"))
        self.run(*self.compiler, *flags, "-shared", *objects.values(), "-o", self.target())

    def build(self, row):
        """Build the objects that contain the row's file, except the kernels of other ISA levels."""
        of_level = f"gelu_fast/kernels/isa_{row['level'].replace('x86-64-', 'x86_')}.c"
        if of_level not in self.objects:
            raise DefectiveRow(f"{row['id']}: setup.py knows no {of_level}")
        changed = [
            source
            for source, path in self.objects.items()
            if row["file"] in self.made_of(source, path) and ("/isa_" not in source or source == of_level)
        ]
        if changed:
            flags_of = self.sources()
            anew = {source: self.compile(source, flags_of[source], "build/changed") for source in changed}
            self.link(flags_of, self.objects | anew)

    def first_failure(self, tests, level, seconds=TIME_LIMIT):
        """The first of these tests that fails; None if all pass. A hang or a crash counts as a failure."""
        env = os.environ | {"GELU_FAST_ISA": level, "PYTHONPATH": str(self.folder)}
        args = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
        with open(self.folder / "build" / "tests.txt", "w+") as out:
            run = subprocess.Popen(
                args, cwd=self.folder, env=env, stdout=out, stderr=out, start_new_session=True
            )
            try:
                run.wait(seconds)
            except subprocess.TimeoutExpired:
                return TIMEOUT
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(run.pid, signal.SIGKILL)  # its children too, which may hang
                run.wait()
            out.seek(0)
            output = out.read()
        if run.returncode == 0:
            return None
        if run.returncode < 0:
            return f"{CRASH} ({signal.Signals(-run.returncode).name})"
        if "ImportError while loading conftest" in output:
            return IMPORT
        found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.M)
        if found is None:
            raise DefectiveRow(output)
        return f"`{found[1]}`"

    def judge(self, row):
        """The test that notices the fault, or None; and the seconds that building and testing took."""
        path, begin = self.folder / row["file"], time.monotonic()
        text = path.read_text()
        try:
            path.write_text(text.replace(row["find"], row["replace"]))
            self.build(row)
            failure, seconds = self.first_failure(row["tests"], row["level"]), time.monotonic() - begin
        finally:
            shutil.copy2(ROOT / row["file"], path)
            (self.folder / self.target()).write_bytes(self.library)
        if failure == TIMEOUT:  # on a machine that is too slow, the tests time out without the fault as well
            self.must_pass(row["tests"], row["level"])
        return failure, seconds

    def must_pass(self, tests, level, seconds=TIME_LIMIT):
        if failure := self.first_failure(tests, level, seconds):
            raise DefectiveRow(f"without a fault, on level {level}: {failure}")

    def sanity(self, rows):
        """All tests of these rows pass without a fault."""
        for level in sorted({row["level"] for row in rows}):
            tests = dict.fromkeys(test for row in rows if row["level"] == level for test in row["tests"])
            self.must_pass(tests, level, None)


def judge_all(rows):
    """The lines of the table for the faults that are noticed, the ids of those that are not, and complaints about
    defective rows."""
    noticed = {row["id"]: line_of(row, row["reason"]) for row in rows if "reason" in row}
    rows, survivors, defective = [row for row in rows if "tests" in row], [], []
    begin = time.monotonic()
    tree = Tree(ROOT / "build" / "mutants")
    tree.sanity(rows)
    print(f"built, and all tests pass without a fault: {time.monotonic() - begin:.0f} s", flush=True)
    for i, row in enumerate(rows, 1):
        try:
            failure, seconds = tree.judge(row)
        except DefectiveRow as error:
            defective.append(f"{row['id']}: {error}")
            print(f"{i}/{len(rows)} {row['id']}: DEFECTIVE", flush=True)
            continue
        print(f"{i}/{len(rows)} {row['id']}: {failure or 'SURVIVES'} ({seconds:.0f} s)", flush=True)
        if failure is None:
            survivors.append(row["id"])
        else:
            noticed[row["id"]] = line_of(row, failure, row["level"], f"{seconds:.0f}")
    print(f"{time.monotonic() - begin:.0f} s in all", flush=True)
    return noticed, survivors, defective


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", metavar="ID")
    which.add_argument(
        "--twentieth", nargs="?", type=int, metavar="N", const=date.today().timetuple().tm_yday
    )
    which.add_argument("--list", action="store_true")
    which.add_argument("--check", action="store_true")
    args = parser.parse_args()
    rows = rows_of_list()
    if args.list:
        for row in rows:
            print(f"{row['id']:<32} {row['kind']:<20} {row['level']:<10} {row['file']}")
        return 0
    complaints = [*stale(rows), *(disagreements(rows, rows_of_table()) if args.check else ())]
    if unknown := set(args.only or ()) - {row["id"] for row in rows}:
        complaints.append(f"no such fault: {', '.join(sorted(unknown))}")
    if complaints:
        print(*complaints, sep="\n", file=sys.stderr)
        return 1 if args.check else 2
    if args.check:
        return 0
    if args.only:
        chosen = [row for row in rows if row["id"] in args.only]
    else:
        chosen = rows if args.twentieth is None else rows[args.twentieth % 20 :: 20]
    try:
        noticed, survivors, defective = judge_all(chosen)
    except DefectiveRow as error:
        print(error, file=sys.stderr)
        return 2
    if args.twentieth is None:
        write(rows, noticed, survivors)
    print(*defective, sep="\n", end="", file=sys.stderr)
    if survivors:
        print("no test noticed these faults:", *survivors, file=sys.stderr)
    return 2 if defective else 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
