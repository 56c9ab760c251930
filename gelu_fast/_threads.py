# SPDX-License-Identifier: BSD-3-Clause
"""How many CPUs' worth of time the system lets this process have."""

import os


def _quotas(folder):
    """The CPUs' worth of time that a control group may use: cgroup v2, and v1."""
    for name in ("cpu.max", "cpu.cfs_quota_us"):
        try:
            with open(os.path.join(folder, name)) as file:
                given, *period = file.read().split()
            if name == "cpu.cfs_quota_us":
                with open(os.path.join(folder, "cpu.cfs_period_us")) as file:
                    period = file.read().split()
            if int(given) > 0:  # v1: -1 is no limit
                yield int(given) / int(period[0])
        except (OSError, ValueError, IndexError, ZeroDivisionError):  # v2: "max" is no limit
            continue


def cpu_quota(most, groups="/proc/self/cgroup", system="/sys/fs/cgroup"):
    """The least quota of this process's control groups, in CPUs, rounded up; `most` if that is less, or where
    OMP_NUM_THREADS, which the user has set, decides."""
    if "OMP_NUM_THREADS" in os.environ:
        return most
    try:
        with open(groups) as file:
            lines = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        return most
    least = most
    for _, controllers, path in (line for line in lines if len(line) == 3):
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = [os.path.join(system, name) for name in (controllers, "cpu")] if controllers else [system]
        # The path may be the host's, which is not mounted here; then this group stands at the mount.
        parts = [part for part in path.split("/") if part]
        for mount in mounts:
            for depth in range(len(parts) + 1):
                for cpus in _quotas(os.path.join(mount, *parts[:depth])):
                    least = min(least, max(1, -int(-cpus // 1)))
    return least
