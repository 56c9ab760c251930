# SPDX-License-Identifier: BSD-3-Clause
"""How much of the machine's cache an array may hope to be in, as the machine reports it."""

import math
import os

_SYSTEM = "/sys/devices/system/cpu/cpu0/cache"
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

# The last cache of a CPU, over the one before it. A virtual machine may be told of the cache of a whole
# socket: of 480 MiB for 2 CPUs with 2 MiB each before it, where arrays of 64 MiB were as slow as memory
# (Granite Rapids). This makes 64 MiB of it, and leaves the 32 MiB of eight cores with 1 MiB each (Zen 4).
_MOST = 16


def _read(*path):
    with open(os.path.join(*path)) as file:  # pathlib takes 4 ms to import, which NumPy does not do
        return file.read().strip()


def cache_bytes(system=_SYSTEM):
    """Bytes of the last cache that the CPUs it serves may fill; infinity where the system does not tell."""
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
