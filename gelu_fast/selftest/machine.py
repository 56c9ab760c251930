# SPDX-License-Identifier: BSD-3-Clause
"""This machine: its CPU, how many of them this process may use, whether there is a Python to start, and its signals."""

import os
import platform
import signal
import sys
from contextlib import contextmanager

from gelu_fast._machine import cpu_quota


def cpus():
    affinity = getattr(os, "sched_getaffinity", None)
    return cpu_quota(len(affinity(0)) if affinity else os.cpu_count() or 1)


def cpu_name():
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def has_python():
    """Whether there is a Python to start for each ISA level; a frozen application has none."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


@contextmanager
def ended_by_signals():
    """SIGTERM and SIGHUP raise SystemExit, so that children end as well; one that is ignored stays so."""

    def leave(number, _):
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
