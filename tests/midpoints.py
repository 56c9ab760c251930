# SPDX-License-Identifier: BSD-3-Clause
"""The float32 at which GELU_FAST_ROUNDING=nearest is hardest: the float64 result, which is rounded, is a midpoint
between two float32, or within two units of its last place. `python tests/midpoints.py` writes midpoints.json (some
minutes). Beyond 2^-40 < |x| < 64 there are none, but for x/2 of odd subnormal numbers."""

import json
from pathlib import Path

import numpy as np
from cases import OF_ONE_INPUT

from gelu_fast import _core

FOUND = Path(__file__).with_suffix(".json")
CHUNK = 1 << 16


def near_midpoints(name, x):
    """Those x whose result is near a midpoint."""
    y = _core.ufuncs[name](x.astype(np.float64))
    below, above = ((y * (1 + off)).astype(np.float32) for off in (-(2.0**-51.5), 2.0**-51.5))
    return x[below != above]


def midpoints(name):
    return np.array([float.fromhex(x) for x in json.loads(FOUND.read_text())[name]], np.float32)


def main():
    first, last = (int(np.float32(t).view(np.uint32)) for t in (2.0**-40, 64))
    found = {}
    for name in OF_ONE_INPUT:
        found[name] = []
        for start in range(first, last, CHUNK):
            t = np.arange(start, start + CHUNK, dtype=np.uint32).view(np.float32)
            for x in (t, -t):
                found[name] += [float(at).hex() for at in near_midpoints(name, x)]
    FOUND.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
