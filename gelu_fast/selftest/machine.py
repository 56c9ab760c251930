# SPDX-License-Identifier: BSD-3-Clause
"""This machine: its CPU, how many CPUs this process may use, whether there is a Python to start, and signals."""

import os
import platform
import signal
import sys
from contextlib import contextmanager

from gelu_fast._machine import cpu_quota


def cpus():
    """How many CPUs this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return cpu_quota(len(affinity(0)) if affinity else os.cpu_count() or 1)


def cpu_name():
    """Name, family and model of the CPU as Linux tells them for x86, or what Python knows."""
    try:
        with open("/proc/cpuinfo") as file:
            pairs = [line.partition(":")[::2] for line in file]
    except OSError:
        pairs = []
    about = {key.strip(): value.strip() for key, value in pairs}
    if "model name" not in about:
        return platform.processor() or platform.machine()
    numbers = [f"{key.removeprefix('cpu ')} {about[key]}" for key in ("cpu family", "model") if key in about]
    return ", ".join([about["model name"], *numbers])


def has_python():
    """Whether there is a Python to start for each ISA level; a frozen application has none."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


@contextmanager
def ended_by_signals():
    """SIGTERM and SIGHUP raise SystemExit, so that children end as well; an ignored signal stays ignored."""

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
