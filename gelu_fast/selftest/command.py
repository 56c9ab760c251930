# SPDX-License-Identifier: BSD-3-Clause
"""`python -m gelu_fast selftest`: each ISA level in a process of its own, so that a crash or a hang is reported as
one more failed check."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from tempfile import TemporaryFile
from threading import Timer

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS
from gelu_fast.selftest.judge import MARK, Check, outcome
from gelu_fast.selftest.machine import cpus, ended_by_signals, has_python
from gelu_fast.selftest.report import Report

DESCRIPTION = """\
Judge the installed build on this machine: on every ISA level that the CPU has, the accuracy of every function, form
and type against references that are computed here; special values, reductions, layouts, floating-point environments,
threads, fork, and the random form."""
EPILOG = """\
Exit status: 0 if all checks pass, 1 if one fails (the lines below it show the call, its inputs in hexadecimal, the
result, the right result, and the ISA level), 2 if the arguments are wrong, 130 after Ctrl-C, 141 if the reader of the
output exits early, as `head` does. On two idle cores --quick takes less than 10 s, a run without options at most two
minutes, --exhaustive about half an hour a level."""

READER_GONE = 141  # 128 + SIGPIPE; Windows has no such signal
STOCHASTIC = "stochastic_gelu"
FUNCTIONS = *dict.fromkeys(function.removesuffix("_mu_sigma") for function, _ in UFUNCS.values()), STOCHASTIC

# The child has this process's sys.path, so that it tests the same package.
START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from gelu_fast.selftest.level import main
main(sys.argv[2])
"""


def add_arguments(parser):
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.add_argument(
        "--level",
        action="append",
        metavar="LEVEL",
        help=f"an ISA level, may be repeated: {', '.join(_core.available_isa_levels)}; default: the level that "
        "GELU_FAST_ISA names, else all",
    )
    parser.add_argument(
        "--function",
        action="append",
        metavar="NAME",
        help=f"a function with all its forms, or a ufunc, may be repeated: {', '.join(FUNCTIONS)}, gelu_erf and so "
        "on; default: all",
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="fewer inputs")
    extent.add_argument(
        "--exhaustive", action="store_true", help="also every float32 of the functions of one input"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document; progress to standard error"
    )
    parser.add_argument(
        "--control",
        action="store_true",
        help="put a small fault into one element of each result: then every check must fail, and the exit status is 1",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=600,
        metavar="SECONDS",
        help="end a level that sends no message for so long, and report that it hangs; default: %(default)g",
    )
    parser.set_defaults(run=lambda args: main(args, parser))


def main(args, parser):
    """Run the checks that the arguments choose; returns the exit status."""
    if not (math.isfinite(args.timeout) and args.timeout > 0):
        parser.error(f"--timeout must be a finite number above 0, not {args.timeout}")
    levels = chosen_levels(args.level, parser)
    settings = {"chosen": chosen_functions(args.function, parser)}
    settings |= {name: getattr(args, name) for name in ("quick", "exhaustive", "control")}
    start = time.perf_counter()
    try:
        with ended_by_signals(), Report(args.json, args.control, len(levels)) as report:
            for level, message in messages_of(levels, settings, args.timeout):
                report.take(level, message)
        return report.finish(levels, settings, time.perf_counter() - start)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader has exited, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE


def chosen_levels(wanted, parser):
    available = _core.available_isa_levels if has_python() else [_core.isa_level]
    levels = wanted or ([_core.isa_level] if os.environ.get("GELU_FAST_ISA") else available)
    for level in levels:
        if level not in available:
            parser.error(f"no ISA level {level} here; available: {', '.join(available)}")
    return list(dict.fromkeys(levels))


def chosen_functions(wanted, parser):
    chosen = []
    for name in wanted or FUNCTIONS:
        if name in UFUNCS or name == STOCHASTIC:
            chosen.append(name)
        elif name in FUNCTIONS:
            chosen += [ufunc for ufunc in UFUNCS if UFUNCS[ufunc][0] in (name, f"{name}_mu_sigma")]
        else:
            parser.error(f"no function {name}; there are {', '.join((*FUNCTIONS, *UFUNCS))}")
    return chosen


# ---- the processes ----


def messages_of(levels, settings, timeout):
    """(level, message), in the order of the levels; as many levels run at a time as there are CPUs."""
    if not has_python():
        yield from in_this_process(levels[0], settings)
        return
    queues = {level: SimpleQueue() for level in levels}
    running = []
    with ThreadPoolExecutor(1 if settings["exhaustive"] else cpus()) as pool:
        try:
            for level, queue in queues.items():
                pool.submit(watch, level, settings, timeout, queue.put, running)
            for level, queue in queues.items():
                while (message := queue.get()) is not None:
                    yield level, message
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                end(process)


def in_this_process(level, settings):
    """All messages of this process's level, after its last check."""
    from gelu_fast.selftest import level as checks

    messages = []
    checks.run(messages.append, **settings)
    yield from ((level, message) for message in messages)


def watch(level, settings, timeout, put, running):
    """Run the checks of a level in a process, and put its messages, at last None. A process that ends badly is one more
    failed check, which says how it ended."""
    try:
        with TemporaryFile() as errors, process_of(level, settings, errors) as process:
            running.append(process)
            why = pass_on(process, level, timeout, put)
            if why:
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                put({"result": lost(level, why + (f": {lines[-1]}" if lines else ""))})
    except Exception as error:
        put({"result": lost(level, f"{type(error).__name__}: {error}")})
    finally:
        put(None)


def process_of(level, settings, errors):
    return subprocess.Popen(
        [sys.executable, "-c", START, json.dumps(sys.path), json.dumps(settings)],
        env=os.environ | {"GELU_FAST_ISA": level},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # a group, which end() kills with all children
    )


def pass_on(process, level, timeout, put):
    """Put the messages of a process until it ends; returns what is wrong with its end, or ""."""
    doing, message, hung = "before its first check", {}, False

    def end_hanging():
        nonlocal hung
        hung = True
        end(process)

    while True:
        timer = Timer(timeout, end_hanging)
        timer.start()
        line = process.stdout.readline()
        timer.cancel()
        if not line:
            break
        _, ours, text = line.partition(MARK)
        if not ours:
            continue
        message = json.loads(text)
        if "begin" in message and (message["level"], message["file"]) != (level, gelu_fast.__file__):
            end(process)
            return f"the process runs level {message['level']} of {message['file']}"
        doing = f"in {message['start']}" if "start" in message else doing
        put(message)
    status = process.wait()
    if hung:
        return f"no news for {timeout:g} s {doing}; the process was killed"
    if "end" in message and status == 0:
        return ""
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return f"the process ended with {how} {doing}"


def end(process):
    """Kill a process and its children."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def lost(level, why):
    """A failed check, in place of those that a process did not report."""
    check = Check("process", "")
    check.raised = why
    return outcome(check, level, 0.0)
