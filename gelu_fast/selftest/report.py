# SPDX-License-Identifier: BSD-3-Clause
"""The output: a line for each check when it ends, and a summary or one JSON document; and a progress bar, if standard
error is a terminal and tqdm is installed."""

import json
import os
import platform
import sys
import time

import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast.selftest.machine import cpu_name, has_python

BAR = "{percentage:3.0f} %|{bar}| {elapsed}, {remaining} left  {desc}"
PROGRESS_STEP = 0.05  # of a long check: a line of progress each, if there is no bar
NAMES_AGAIN = 20  # failed checks that the summary names


def progress_bar():
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(file=sys.stderr, leave=False, bar_format=BAR, total=1)


class Report:
    """Take the messages of level.py, level by level, and print."""

    def __init__(self, as_json, control, n_levels):
        self.json, self.control, self.n_levels = as_json, control, n_levels
        self.results, self.level, self.bar = [], None, progress_bar()
        self.print(f"gelu_fast {gelu_fast.__version__} in {os.path.dirname(gelu_fast.__file__)}")
        python = f"Python {platform.python_version()}"
        self.print(f"NumPy {np.__version__}, {python}, {_core.compiler}, {cpu_name()}")
        if not has_python():
            self.print(
                "There is no Python to start here: one ISA level runs in this process, and a crash ends it."
            )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.bar is not None:
            self.bar.close()

    def print(self, text):
        out = sys.stderr if self.json else sys.stdout
        if self.bar is None:
            print(text, file=out, flush=True)
        else:
            self.bar.write(text, file=out)

    def take(self, level, message):
        if level != self.level:
            self.level = level
            self.print(f"\nISA level {level}")
        if "begin" in message and self.bar is not None:
            self.bar.total = message["begin"] * self.n_levels
        if "start" in message:
            self.doing, self.since, self.told = message["start"], time.monotonic(), 0.0
            if self.bar is not None:
                self.bar.set_description_str(self.doing)
        if "progress" in message:
            self.progress(*message["progress"])
        if "result" in message:
            self.results.append(message["result"])
            self.print("\n".join(lines_of(message["result"])))
            self.move(0)

    def progress(self, done, of):
        """Show how far one long check is."""
        self.move(done / of)
        if self.bar is None and done / of >= self.told + PROGRESS_STEP:
            self.told = done / of
            left = (time.monotonic() - self.since) * (of - done) / done / 60
            print(f"  {self.doing}: {self.told:.0%}, {left:.0f} min left", file=sys.stderr, flush=True)

    def move(self, part):
        if self.bar is not None:
            self.bar.n = len(self.results) + part
            self.bar.refresh()

    def finish(self, levels, settings, seconds):
        """The summary; returns the exit status."""
        is_open = [result for result in self.results if result["status"] == "not checked"]
        failed = [result for result in self.results if result["status"] == "failed"]
        # A check that raises an error has not noticed the fault.
        unseen = [result for result in self.results if not result["wrong"] and result not in is_open]
        n, missed = len(self.results) - len(is_open), []
        self.print("")
        if self.control:
            missed = [f"{result['level']}: {result['name']}" for result in unseen]
            self.print(f"Control: {n - len(missed)} of {n} checks noticed the fault.")
            for name in missed:
                self.print(f"  not noticed: {name}")
        else:
            self.print(f"{n} checks on {', '.join(levels)}: {n - len(failed)} right, {len(failed)} wrong.")
            for result in failed[:NAMES_AGAIN]:
                self.print(f"  wrong: {result['level']}: {result['name']}")
        if is_open:
            self.print(f"{len(is_open)} were not checked; their lines say why.")
        self.print(f"{seconds:.1f} s")
        wrong = bool(failed) or self.control
        if self.json:
            print(json.dumps(self.document(levels, settings, not wrong, missed, seconds), indent=1))
        return int(wrong)

    def document(self, levels, settings, passed, missed, seconds):
        return {
            "gelu_fast": gelu_fast.__version__,
            "file": gelu_fast.__file__,
            "numpy": np.__version__,
            "ml_dtypes": getattr(sys.modules.get("ml_dtypes"), "__version__", None),
            "python": platform.python_version(),
            "compiler": _core.compiler,
            "platform": platform.platform(),
            "cpu": cpu_name(),
            "levels": levels,
            **settings,
            "passed": passed,
            "missed": missed,
            "seconds": round(seconds, 1),
            "checks": self.results,
        }


def lines_of(result):
    """One line; below a failed check its first failures."""
    name = f"{result['name']:<56}"
    if result["status"] == "not checked":
        yield f"  -      {name} not checked: {result['note']}"
        return
    error = ""
    if (largest := result["largest_error"]) is not None:
        if not isinstance(largest, str):
            largest = f"{largest:.4f}" if largest < 1e6 else f"{largest:.1e}"
        error = f"{largest} of {result['bound']:g} ULP"
    mark = "ok" if result["status"] == "ok" else "FAILED"
    yield f"  {mark:<7}{name}{error:>20}{result['count']:>14,}{result['seconds']:>8.2f} s  {result['note']}".rstrip()
    if result["raised"]:
        yield f"         {result['raised']}; {result['level']}"
    for failure in result["failures"]:
        inputs = f" of {', '.join(failure['input'])}" if failure["input"] else ""
        off = f", {failure['error']}" if "error" in failure else ""
        text = f"{failure['call']}{inputs}: got {failure['got']}, want {failure['want']}{off}"
        yield f"         {text}; {result['level']}"
    if (more := result["wrong"] - len(result["failures"])) > 0:
        yield f"         and {more:,} more; {result['level']}"
