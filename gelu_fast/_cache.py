# SPDX-License-Identifier: BSD-3-Clause
"""The size of the last cache, as the machine reports it."""

import math
from pathlib import Path

_SYSTEM = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def last_cache_bytes(system=_SYSTEM):
    """Bytes of the largest cache that a CPU reads data through; infinity where the system does not tell."""
    sizes = []
    for index in system.glob("index*"):
        try:
            kind, size = ((index / name).read_text().strip() for name in ("type", "size"))
            if kind != "Instruction":
                sizes.append(int(size.rstrip("KMG")) * _UNITS.get(size[-1:], 1))
        except (OSError, ValueError):
            continue
    return max(sizes, default=math.inf)
