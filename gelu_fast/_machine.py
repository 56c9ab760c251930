# SPDX-License-Identifier: BSD-3-Clause
"""Resources as the system reports them: the size of the cache, and the quota of CPUs."""

import math
import os

_CACHES = "/sys/devices/system/cpu/cpu0/cache"
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

# The last-level cache counts as at most this many times the caches before it. A virtual machine may report the cache of
# a whole socket: 480 MiB for 2 CPUs with 2 MiB of L2 each, where arrays of 64 MiB were as slow as memory (Granite
# Rapids). The limit makes that 64 MiB, and leaves the 32 MiB of eight cores with 1 MiB of L2 each as they are (Zen 4).
_MOST = 16


def _read(*path):
    with open(os.path.join(*path)) as file:  # pathlib takes 4 ms to import, and NumPy does not import it
        return file.read().strip()


def cache_bytes(system=_CACHES):
    """The size of the last-level cache in bytes, limited by _MOST; infinity where the system does not report it."""
    sizes = []
    for index in os.listdir(system) if os.path.isdir(system) else ():
        try:
            kind, size, cpus = (_read(system, index, name) for name in ("type", "size", "shared_cpu_map"))
            if kind != "Instruction":
                n_cpus = int(cpus.replace(",", ""), 16).bit_count()
                sizes.append((int(size.rstrip("KMG")) * _UNITS.get(size[-1:], 1), n_cpus))
        except (OSError, ValueError):
            continue
    if not sizes:
        return math.inf
    *before, (last, n_cpus) = sorted(sizes)
    if not before:
        return last
    nearer, sharing = before[-1]
    return min(last, _MOST * nearer // sharing * n_cpus)


def _quotas(folder):
    """The quotas of a control group, in CPUs: cgroup v2, and v1."""
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
    """The smallest quota of this process's control groups, in CPUs, rounded up, and at most `most`. If the user has set
    OMP_NUM_THREADS, quotas do not count, and the result is `most`."""
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
        # In a container the path may be the host's, which is not mounted here; then the group is the mount itself.
        parts = [part for part in path.split("/") if part]
        for mount in mounts:
            for depth in range(len(parts) + 1):
                for cpus in _quotas(os.path.join(mount, *parts[:depth])):
                    least = min(least, math.ceil(cpus))
    return least
