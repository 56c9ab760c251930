# SPDX-License-Identifier: BSD-3-Clause
"""The suite under tools that watch memory and threads: `make sanitize` runs all, `make sanitize ONLY=tsan` one.

asan: AddressSanitizer and UndefinedBehaviorSanitizer; tsan: ThreadSanitizer; valgrind: reads of unwritten memory.
Each tool has its own copy and build of the checkout in build/sanitize/. First faults are planted there one at a time,
which the tool must report. Then the suite runs without a fault, and any report fails the run."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from checkout import ROOT, copy_to

WORK = ROOT / "build" / "sanitize"
POOL = "gelu_fast/kernels/pool.c"
STRESS = "tests/test_stress.py"
DEFINEDNESS = "tests/definedness.py"


@dataclass
class Tool:
    flags: str  # of the compiler
    plants: dict  # a fault -> file, text, and its replacement
    tests: list = field(default_factory=list)  # arguments of pytest; none: tests/definedness.py runs instead
    environment: dict = field(default_factory=dict)
    libraries: list = field(default_factory=list)  # loaded first, as Python is not linked with them
    wrapper: list = field(default_factory=list)  # the command that Python runs under
    left_out: dict = field(default_factory=dict)  # a test -> why it cannot run here


# UBSan itself would report to the terminal: it aborts, and ASan writes the SIGABRT to the log.
HANDLED = "handle_abort=2:handle_segv=2:log_path={log}"

KEEPS_MEMORY = "it limits or counts the memory of the process, and ASan keeps freed memory"
EXPECTED_SIGNAL = "it expects a child to die of SIGSEGV, which ASan catches and reports"
NOT_OF_THIS_BUILD = "it judges documents, types or kernels for other CPUs, not this build"

# Python and NumPy are built without the sanitizers. detect_leaks is off, as it would report all that Python keeps until
# it exits; tests/test_leaks.py looks for leaks.
TOOLS = {
    "asan": Tool(
        # -fwrapv is among Python's flags, and would make overflow defined.
        flags="-fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -fno-wrapv",
        libraries=["libasan.so"],
        environment={
            "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:{HANDLED}",
            "UBSAN_OPTIONS": f"abort_on_error=1:{HANDLED}",
            "HYPOTHESIS_PROFILE": "sanitize",
        },
        tests=["--ignore=tests/heavy"],
        left_out={
            "tests/test_threads.py::test_where_the_system_gives_no_threads[args0-env0]": KEEPS_MEMORY,
            "tests/test_threads.py::test_where_the_system_gives_no_threads[args1-env1]": KEEPS_MEMORY,
            "tests/test_leaks.py": KEEPS_MEMORY,
            "tests/test_guard_pages.py::test_one_element_too_many_is_found": EXPECTED_SIGNAL,
            "tests/test_selftest.py::test_a_process_that_ends_badly": EXPECTED_SIGNAL,
            "tests/test_emulated.py": NOT_OF_THIS_BUILD,
            "tests/test_typing.py": NOT_OF_THIS_BUILD,
            "tests/test_package.py": NOT_OF_THIS_BUILD,
            "tests/test_mutants.py": NOT_OF_THIS_BUILD,
        },
        plants={
            "one element too many of a row": (
                "gelu_fast/_loops.pxi",
                "length = min(rows.n - column, stop - start)",
                "length = min(rows.n - column, stop - start) + 1",
            ),
            "a shift by 32 or more": (POOL, "&pool.state) + 1)", "&pool.state) + 1 + (1 << 16 * threads))"),
        },
    ),
    "tsan": Tool(
        flags="-fsanitize=thread",
        libraries=["libtsan.so"],
        environment={
            "TSAN_OPTIONS": "ignore_noninstrumented_modules=1:die_after_fork=0:history_size=4:log_path={log}"
        },
        wrapper=["setarch", "-R"],  # addresses that the sanitizer expects
        tests=[STRESS, "tests/test_threads.py"],
        plants={
            "a read of the pool while another thread has it": (
                POOL,
                "helpers <= 0 ||",
                "helpers <= 0 || pool.n == n ||",
            ),
        },
    ),
    "valgrind": Tool(
        flags="",
        environment={"OPENBLAS_NUM_THREADS": "1"},
        wrapper=[
            "valgrind",
            "--quiet",
            "--error-limit=no",
            "--num-callers=40",
            "--xml=yes",
            "--xml-file={log}",
            "--leak-check=no",
            "--child-silent-after-fork=yes",
        ],
        plants={
            "an operand of stride 0 that is not packed": (
                "gelu_fast/_loops.pxi",
                "steps[j] != 0 or start == 0",
                "steps[j] != 0 or start > 0",
            ),
        },
    ),
}
DEBIAN = {"gcc": "gcc", "setarch": "util-linux", "valgrind": "valgrind", "git": "git"}


def check_commands(names):
    """Exit if commands or libraries are missing, and name them."""
    tools = [TOOLS[name] for name in names]
    commands = {"git", "gcc", *[tool.wrapper[0] for tool in tools if tool.wrapper]}
    missing = [f"{name} (Debian: {DEBIAN[name]})" for name in sorted(commands) if not shutil.which(name)]
    if not missing:
        libraries = {library for tool in tools for library in tool.libraries}
        missing = [f"gcc's {name}" for name in sorted(libraries) if not Path(of_gcc(name)).is_absolute()]
    if missing:
        sys.exit(f"make sanitize needs {', '.join(missing)}")


def of_gcc(library):
    """The path of a library of gcc; its bare name if gcc lacks it."""
    command = ["gcc", f"-print-file-name={library}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Build:
    """A copy of the checkout that is built for one tool and runs under it."""

    def __init__(self, name):
        self.name, self.tool = name, TOOLS[name]
        self.tree = WORK / name
        self.logs = WORK / f"{name}-reports"
        shutil.rmtree(self.tree, ignore_errors=True)
        copy_to(self.tree)

    def compile(self):
        site = self.tree / "build" / "site"
        shutil.rmtree(site, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        env = os.environ | {
            "CC": "gcc",
            "CFLAGS": self.tool.flags,
            "GELU_FAST_CFLAGS": "-g -O1 -fno-omit-frame-pointer",
        }
        subprocess.run([*pip, "--target", site, self.tree], env=env, check=True)
        for library in site.glob("gelu_fast/_core*.so"):
            shutil.copy(library, self.tree / "gelu_fast")

    def plant(self, file, text, instead):
        """Replace a text that occurs exactly once; returns a function that restores the file."""
        path = self.tree / file
        before = path.read_text()
        if before.count(text) != 1:
            sys.exit(f"{text!r} occurs {before.count(text)} times in {file}: plant the fault elsewhere")
        path.write_text(before.replace(text, instead))
        return lambda: path.write_text(before)

    def run(self, level, *args, **options):
        """Run Python with these arguments; returns the process, and the tool's reports on it and its children."""
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        log = str(self.logs / "report")
        env = os.environ | {name: value.format(log=log) for name, value in self.tool.environment.items()}
        env |= {"PYTHONPATH": str(self.tree), "PYTHONMALLOC": "malloc"}
        env.pop("GELU_FAST_ISA", None)
        if level:
            env["GELU_FAST_ISA"] = level
        wrapper = [part.format(log=log) for part in self.tool.wrapper]
        preload = " ".join(of_gcc(library) for library in self.tool.libraries)
        python = ["env", f"LD_PRELOAD={preload}", sys.executable] if preload else [sys.executable]
        command = [*wrapper, *python, *args]
        done = subprocess.run(command, cwd=self.tree, env=env, **options)
        return done, [report for path in sorted(self.logs.iterdir()) for report in read_report(path)]

    def levels(self):
        """Those of this CPU, or the one that GELU_FAST_ISA names."""
        if named := os.environ.get("GELU_FAST_ISA"):
            return [named]
        code = "from gelu_fast import _core; print(*_core.available_isa_levels)"
        done, _ = self.run(None, "-c", code, capture_output=True, text=True, check=True)
        return done.stdout.split()


def read_report(path):
    """The reports in a file. Of valgrind's, only those with our library in the stack count, and no leaks: its XML lists
    all that Python keeps until it exits, also with --leak-check=no."""
    if not path.name.startswith("report") or path.stat().st_size == 0:
        return []
    if not path.read_bytes().startswith(b"<?xml"):
        return [path.read_text(errors="replace")]
    reports = []
    for error in ElementTree.parse(path).iter("error"):
        kind = error.findtext("kind", "")
        if kind.startswith("Leak_"):
            continue
        frames = [(frame.findtext("obj", ""), frame.findtext("fn", "?")) for frame in error.iter("frame")]
        if any("gelu_fast/_core" in library for library, _ in frames):
            what = error.findtext("what") or error.findtext("xwhat/text") or kind
            lines = [what, *[f"    {function} ({Path(library).name})" for library, function in frames]]
            reports.append("\n".join(lines))
    return reports


def pytest(*args):
    return ["-m", "pytest", "-q", "--capture=sys", "-p", "no:cacheprovider", *args]


def try_controls(build):
    """Exit unless each planted fault is reported."""
    for fault, change in build.tool.plants.items():
        take_back = build.plant(*change)
        build.compile()
        args = pytest("-x", STRESS) if build.tool.tests else [DEFINEDNESS, "gelu_erf"]
        _, reports = build.run(build.levels()[0], *args, capture_output=True)
        if not reports:
            sys.exit(f"{build.name} does not report the planted fault: {fault}")
        print(f"{build.name} reports the planted fault, {fault}:\n{reports[0][:2000]}", flush=True)
        take_back()
    build.compile()


def count_left_out(build):
    """How many tests are left out. Exit if a name in the list selects none."""
    if not build.tool.left_out:
        return 0
    listed, _ = build.run(
        None, *pytest("--collect-only", *build.tool.left_out), capture_output=True, text=True
    )
    if listed.returncode != 0:
        sys.exit(f"tests in left_out do not exist:\n{listed.stdout}")
    return sum("::" in line for line in listed.stdout.splitlines())


def run_suite(build, level):
    """The process's exit status, how many tests ran, and the reports."""
    if not build.tool.tests:
        done, reports = build.run(level, DEFINEDNESS, stdout=subprocess.PIPE, text=True)
        print(done.stdout)
        calls = re.match(r"\d+ calls", done.stdout)
        return done.returncode, calls[0] if calls else "ended early", reports
    results = WORK / f"{build.name}-{level}.xml"
    results.unlink(missing_ok=True)
    deselected = [f"--deselect={test}" for test in build.tool.left_out]
    done, reports = build.run(
        level, *pytest(f"--junitxml={results}", "-ojunit_family=xunit1", *build.tool.tests, *deselected)
    )
    if not results.exists():
        return done.returncode, "ended early", reports
    counts = next(ElementTree.parse(results).iter("testsuite")).attrib
    failed = int(counts["failures"]) + int(counts["errors"])
    ran = int(counts["tests"]) - int(counts["skipped"])
    return done.returncode, f"{ran} tests, {failed} failed, {counts['skipped']} skipped", reports


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"one of {', '.join(TOOLS)}; default: all")
    names = parser.parse_args().tools or list(TOOLS)
    if unknown := set(names) - set(TOOLS):
        parser.error(f"no such tool: {', '.join(sorted(unknown))}")
    check_commands(names)
    rows, bad = [], False
    for name in names:
        begin = time.monotonic()
        build = Build(name)
        try_controls(build)
        left_out = count_left_out(build)
        levels = build.levels() if build.tool.tests else build.levels()[:1]
        rows.append(
            (name, "build", f"{len(build.tool.plants)} planted, reported", "", 0, time.monotonic() - begin)
        )
        for level in levels:
            begin = time.monotonic()
            print(f"== {name}, ISA level {level}", flush=True)
            status, ran, reports = run_suite(build, level)
            print("\n".join(reports))
            bad = bad or status != 0 or bool(reports)
            rows.append((name, level, ran, left_out, len(reports), time.monotonic() - begin))
    print(f"{'tool':<9} {'level':<10} {'ran':<42} {'left out':>8} {'reports':>7} {'seconds':>7}")
    for tool, level, ran, left_out, reports, seconds in rows:
        print(f"{tool:<9} {level:<10} {ran:<42} {left_out:>8} {reports:>7} {seconds:>7.0f}")
    for name in names:
        for test, reason in TOOLS[name].left_out.items():
            print(f"left out under {name}: {test}: {reason}")
    sys.exit(bad)


if __name__ == "__main__":
    main()
