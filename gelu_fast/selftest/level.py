# SPDX-License-Identifier: BSD-3-Clause
"""The checks of one ISA level, in a process of that level, and their messages: {"begin": number of checks, ...},
{"start": name}, {"progress": [done, of]}, {"result": {...}} and {"end": true}."""

import json
import os
import time
import traceback
from types import SimpleNamespace

import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS
from gelu_fast.selftest import (
    checks_accuracy,
    checks_arrays,
    checks_random,
    checks_surroundings,
    checks_ways,
    package,
)
from gelu_fast.selftest.judge import MARK, Check, outcome
from gelu_fast.selftest.machine import ended_by_signals


def plan(chosen, options):
    """(kind, function, types, the check itself) of all that is chosen: names of ufuncs, and stochastic_gelu."""
    ufuncs = [name for name in UFUNCS if name in chosen]
    for module in (checks_accuracy, checks_arrays, checks_ways, checks_surroundings):
        yield from module.checks(ufuncs, options)
    yield from checks_random.checks(checks_random.FUNCTION in chosen, options)


def run(emit, chosen, quick=False, exhaustive=False, control=False):
    """Run all checks, and emit the messages."""
    options = SimpleNamespace(quick=quick, exhaustive=exhaustive)
    options.progress = lambda done, of: emit({"progress": [done, of]})
    planned = list(plan(chosen, options))
    emit({"begin": len(planned), "level": _core.isa_level, "file": gelu_fast.__file__})
    package.faulty = control
    for kind, function, types, check in planned:
        emit({"start": " ".join(filter(None, (kind, function, types)))})
        emit({"result": judged(kind, function, types, check)})
    package.faulty = False
    emit({"end": True})


def judged(kind, function, types, run_check):
    """The outcome of one check; an error that it raises is a failure."""
    check = Check(kind, function, types)
    package.begin()
    start = time.perf_counter()
    try:
        with np.errstate(all="ignore"):  # most checks have infinities, NaN and overflows
            run_check(check)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(last.filename)}:{last.lineno}"
        check.raised = f"{type(error).__name__}: {error} ({where})"
    return outcome(check, _core.isa_level, round(time.perf_counter() - start, 3))


def main(settings):
    """The process: print each message as a line of JSON. All other output goes to standard error."""
    with ended_by_signals(), os.fdopen(os.dup(1), "w", encoding="utf-8") as messages:
        os.dup2(2, 1)

        def emit(message):
            messages.write(f"{MARK}{json.dumps(message)}\n")
            messages.flush()

        run(emit, **json.loads(settings))
