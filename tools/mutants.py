# SPDX-License-Identifier: BSD-3-Clause
"""Does the suite notice a fault? Plant those of tests/mutants/*.toml, one at a time, and run tests that should fail.

python tools/mutants.py                   all of them; writes tests/mutants.md
python tools/mutants.py --only ID...      these, and their rows of the table
python tools/mutants.py --tenth [N]       every tenth, from the N-th on (the day of the year); writes nothing
python tools/mutants.py --list            what there is
python tools/mutants.py --check           exit 1 if list, sources and table do not agree

Exit 1 if a fault survives, 2 if a row is defective. A row: in `file`, `replace` is put in the place of `find`, which
must stand there once, and `tests` are run on the ISA level `level`. A fault that nothing can notice has a `reason` in
the place of `tests`. All this happens in a copy of this checkout, build/mutants, where what the fault changes is built
anew, with setup.py's flags: of the kernels one ISA level.
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

sys.path.append(str(ROOT / "tests"))
from sources import sources_on  # noqa: E402

LISTS, TABLE = ROOT / "tests" / "mutants", ROOT / "tests" / "mutants.md"
LEVEL = "x86-64-v3"  # of a row that names none
AT_LEAST = 40
HANGS = 180  # seconds, some ten times what the tests of a row take
TIMEOUT, CRASH, IMPORT = NOT_A_TEST = "timeout", "crash", "import"

HEADER = """\
# Planted bugs

Written by `make mutants`; the lists are tests/mutants/*.toml. Each fault is planted alone, and the tests that its list
names for it run on one ISA level: here stands the first that failed. Last run: {cpu}.

{noticed}

Faults that nothing can notice; they are not run:

{unnoticeable}
"""


class DefectiveRow(Exception):
    """The fault cannot be judged."""


def rows_of_list():
    lists = (tomllib.loads(path.read_text()) for path in sorted(LISTS.glob("*.toml")))
    return [{"level": LEVEL} | row for rows in lists for row in rows["mutant"]]


def stale(rows, root=ROOT):
    """Complaints of the rows themselves."""
    ids = [row["id"] for row in rows]
    yield from (f"{name}: stands twice" for name in sorted({name for name in ids if ids.count(name) > 1}))
    for row in rows:
        path = root / row["file"]
        n = path.read_text().count(row["find"]) if path.exists() else 0
        if n != 1 or row["find"] == row["replace"]:
            yield f"{row['id']}: `find` stands {n} times in {row['file']}"
        if ("tests" in row) == ("reason" in row):
            yield f"{row['id']}: needs tests, or the reason why there can be none"


def rows_of_table():
    """id -> row, as the committed table has it."""
    text = TABLE.read_text() if TABLE.exists() else ""
    return {found[1]: found[0] for found in re.finditer(r"^\| ([\w-]+): .*$", text, re.M)}


def disagreements(rows, of_table):
    ids = [row["id"] for row in rows]
    if len(ids) < AT_LEAST:
        yield f"{len(ids)} faults; there shall be {AT_LEAST} or more"
    yield from (f"{name}: in the table alone" for name in of_table if name not in ids)
    for row in rows:
        if row["id"] not in of_table:
            yield f"{row['id']}: in the list alone"
            continue
        fault, file, noticed = of_table[row["id"]].strip("| ").split(" | ")[:3]
        by = row["reason"] if "reason" in row else (*row["tests"], *NOT_A_TEST)
        if line_of(row) != f"| {fault} | {file} |" or not noticed.strip("`").startswith(by):
            yield f"{row['id']}: the list is newer than the table"


def line_of(row, *cells):
    return "| " + " | ".join([f"{row['id']}: {row['fault']}", row["file"], *cells]) + " |"


def write(rows, noticed, survivors):
    """The table: rows of this run, and of runs before for faults that have not run."""
    lines = rows_of_table() | noticed
    lines = {name: line for name, line in lines.items() if name not in survivors}
    cells = {name: line.strip("| ").split(" | ") for name, line in lines.items()}
    judged = [cells[row["id"]] for row in rows if "tests" in row and row["id"] in cells]
    others = [cells[row["id"]] for row in rows if "reason" in row and row["id"] in cells]
    told = dict(
        re.findall(r"^(model name|cpu family|model)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    )
    cpu = "{model name}, family {cpu family}, model {model}".format(**told) if told else platform.machine()
    text = HEADER.format(
        cpu=cpu,
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
        told = self.sources()
        for source, flags in told.items():
            self.objects[source] = self.compile(source, flags, "build/objects", self.is_old)
        self.link(told, self.objects)
        self.library = (folder / self.target()).read_bytes()

    def run(self, *args):
        done = subprocess.run([*map(str, args)], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise DefectiveRow(f"{shlex.join(map(str, args))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def sources(self):
        """source -> flags, as setup.py says."""
        told = sources_on(platform.machine(), shlex.join(self.compiler[:1]), self.folder)
        return {source: flags for sources, flags in told for source in sources}

    def made_of(self, source, path):
        """The files that an object was compiled from, as the compiler has noted."""
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

    def link(self, told, objects):
        flags = next(flags for source, flags in told.items() if source.endswith(".pyx"))
        self.run(*self.compiler, *flags, "-shared", *objects.values(), "-o", self.target())

    def build(self, row):
        """Build all that the row's file is part of, but for the kernels of other ISA levels."""
        of_level = f"gelu_fast/kernels/isa_{row['level'].replace('x86-64-', 'x86_')}.c"
        if of_level not in self.objects:
            raise DefectiveRow(f"{row['id']}: setup.py knows no {of_level}")
        changed = [
            source
            for source, path in self.objects.items()
            if row["file"] in self.made_of(source, path) and ("/isa_" not in source or source == of_level)
        ]
        if changed:
            told = self.sources()
            anew = {source: self.compile(source, told[source], "build/changed") for source in changed}
            self.link(told, self.objects | anew)

    def first_failure(self, tests, level, seconds=HANGS):
        """The first of these tests that fails; None if all pass. A hang and a crash are failures as well."""
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
                    os.killpg(run.pid, signal.SIGKILL)  # and children that hang
                run.wait()
            out.seek(0)
            said = out.read()
        if run.returncode == 0:
            return None
        if run.returncode < 0:
            return f"{CRASH} ({signal.Signals(-run.returncode).name})"
        if "ImportError while loading conftest" in said:
            return IMPORT
        found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", said, re.M)
        if found is None:
            raise DefectiveRow(said)
        return f"`{found[1]}`"

    def judge(self, row):
        """The test that notices the fault, or None; and the seconds that it took, with what had to be built."""
        path, begin = self.folder / row["file"], time.monotonic()
        text = path.read_text()
        try:
            path.write_text(text.replace(row["find"], row["replace"]))
            self.build(row)
            failure, seconds = self.first_failure(row["tests"], row["level"]), time.monotonic() - begin
        finally:
            shutil.copy2(ROOT / row["file"], path)
            (self.folder / self.target()).write_bytes(self.library)
        if failure == TIMEOUT:  # a slow machine is no judge
            self.must_pass(row["tests"], row["level"])
        return failure, seconds

    def must_pass(self, tests, level, seconds=HANGS):
        if failure := self.first_failure(tests, level, seconds):
            raise DefectiveRow(f"without a fault, on level {level}: {failure}")

    def sanity(self, rows):
        """The tests that shall convict pass without a fault."""
        for level in sorted({row["level"] for row in rows}):
            tests = dict.fromkeys(test for row in rows if row["level"] == level for test in row["tests"])
            self.must_pass(tests, level, None)


def judge_all(rows):
    """The rows of the table for the faults that are noticed, the ids of those that are not, and defective rows."""
    noticed = {row["id"]: line_of(row, row["reason"]) for row in rows if "reason" in row}
    rows, survivors, defective = [row for row in rows if "tests" in row], [], []
    begin = time.monotonic()
    tree = Tree(ROOT / "build" / "mutants")
    tree.sanity(rows)
    print(f"built, and without a fault nothing fails: {time.monotonic() - begin:.0f} s", flush=True)
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
    which.add_argument("--tenth", nargs="?", type=int, metavar="N", const=date.today().timetuple().tm_yday)
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
        chosen = rows if args.tenth is None else rows[args.tenth % 10 :: 10]
    try:
        noticed, survivors, defective = judge_all(chosen)
    except DefectiveRow as error:
        print(error, file=sys.stderr)
        return 2
    if args.tenth is None:
        write(rows, noticed, survivors)
    print(*defective, sep="\n", end="", file=sys.stderr)
    if survivors:
        print("the suite lets these faults live:", *survivors, file=sys.stderr)
    return 2 if defective else 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
