# SPDX-License-Identifier: BSD-3-Clause
"""The bits of all results, as hashes: the bits of a release are a promise.

python tools/hashes.py            compare with tools/hashes.txt; exit 1 if a bit has moved
python tools/hashes.py --write    write the hashes of this CPU's ISA levels there; those of other levels stay

A line has an ISA level, a ufunc (or stochastic GELU in a form), and a hash for each type. It is the hash of all
results for many inputs, and for a thousand of these in every layout, by every method, and in every floating-point
environment. The many are, for functions of one input, 1.5 million float32 or float64 or all numbers of a smaller type,
and for functions of several inputs at most 2^18 random sets. All NaNs count as the same. Inputs are made from random
bits by integer arithmetic, so that they are the same with every NumPy.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from itertools import cycle, islice, zip_longest
from pathlib import Path

import ml_dtypes
import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import FORMS
from gelu_fast.selftest.environment import ENVIRONMENTS, UNKNOWN, environment
from gelu_fast.selftest.formats import OF_ML_DTYPES

HASHES = Path(__file__).with_name("hashes.txt")
HEADER = "# Written by tools/hashes.py --write: the bits of all results, which a change must not move.\n"
ONE_BYTE = [np.dtype(getattr(ml_dtypes, name)) for name in OF_ML_DTYPES["one-byte types"]]
# Column -> its types.
TYPES = {name: [np.dtype(name)] for name in ("float16", "float32", "float64", "bfloat16")}
TYPES |= {"float8": ONE_BYTE}
# Type -> range of biased exponents, of numbers that lie on all parts of the curves.
EXPONENTS = {"float32": (127 - 64, 127 + 8), "float64": (1023 - 64, 1023 + 11)}
MANY, OTHERS, FEW = 3 << 19, 1 << 18, 1001
N_ENVIRONMENTS = (
    16  # x86-64's; aarch64 has half of them, and each counts twice, so that equal bits have equal hashes
)
DIGITS = 12


def inputs_of(dtype, n_in, n):
    """n_in arrays of n numbers of all kinds. Of three and more the last one, which may be sigma, has no sign bits."""
    bits = np.dtype(f"u{dtype.itemsize}")
    raw = np.random.Philox(key=[dtype.itemsize, n_in]).random_raw(n_in * n).astype(bits).reshape(n_in, n)
    if dtype.name in EXPONENTS:
        low, high = EXPONENTS[dtype.name]
        mantissa = np.finfo(dtype).nmant
        exponent = raw >> bits.type(mantissa) & bits.type((1 << 8 * dtype.itemsize - mantissa - 1) - 1)
        useful = exponent % bits.type(high - low) + bits.type(low)
        raw[:, n // 4 :] += (useful - exponent)[:, n // 4 :] << bits.type(mantissa)
    elif n_in == 1:
        raw[0] = np.arange(n)
    if n_in > 2:
        raw[-1] &= bits.type((1 << 8 * dtype.itemsize - 1) - 1)
    return [*raw.view(dtype)]


class Digest:
    def __init__(self):
        self.hash = hashlib.sha256()

    def take(self, results):
        for y in results if isinstance(results, tuple) else (results,):
            y = np.array(y, order="C")  # a copy
            if y.dtype != bool:
                y[np.isnan(y)] = np.nan
            self.hash.update(str((y.dtype.name, y.shape)).encode() + y.tobytes())

    def __str__(self):
        return self.hash.hexdigest()[:DIGITS]


def layouts(x):
    """The same numbers in arrays of every layout."""
    yield x
    yield np.repeat(x, 3)[::3]
    yield x[::-1].copy()[::-1]
    yield np.ndarray(x.shape, x.dtype, b"?" + x.tobytes(), 1)
    yield x[: x.size // 4 * 4].reshape(4, -1).T
    yield np.broadcast_to(x[5], x.shape)
    yield x[:1]
    if x.dtype.isbuiltin == 1:
        yield x.astype(x.dtype.newbyteorder())


def in_all_ways(ufunc, inputs):
    """The results in every layout, with every kind of out, and by every method."""
    for of in zip(*map(layouts, inputs)):
        yield ufunc(*of)
    yield ufunc(*[x[3] for x in inputs])
    yield ufunc(*inputs[:-1], inputs[-1][3])
    out = np.zeros((ufunc.nout, 2, inputs[0].size), inputs[0].dtype)[:, 0]
    ufunc(*inputs, out=tuple(out), where=np.arange(inputs[0].size) % 3 == 0)
    yield out
    in_place = [x.copy() for x in inputs]
    yield ufunc(*in_place, out=tuple(in_place[: ufunc.nout]) if ufunc.nout <= ufunc.nin else None)
    if (ufunc.nin, ufunc.nout) == (2, 1):
        x, y = inputs
        yield ufunc.outer(x[:30], y[:40])
        for axis in (0, 1):
            yield ufunc.reduce(x[:900].reshape(30, 30), axis=axis)
            yield ufunc.accumulate(x[:900].reshape(30, 30), axis=axis)
        yield ufunc.reduceat(x, [0, 5, 2, 300])
        at = y.copy()
        ufunc.at(at, np.arange(x.size) // 2, x)
        yield at


def digest(call, dtypes, n_in):
    """The hash of a ufunc, or of stochastic GELU, which has no methods and is called with a strided array instead."""
    found = Digest()
    for dtype in dtypes:
        every = 1 << 8 * dtype.itemsize
        many = MANY if n_in == 1 else OTHERS
        many = many if dtype.name in EXPONENTS else every if n_in == 1 else min(many, every**2)
        inputs = inputs_of(dtype, n_in, many)
        found.take(call(*inputs))
        few = [x[:: max(1, many // FEW)][:FEW].copy() for x in inputs]
        ways = in_all_ways if isinstance(call, np.ufunc) else lambda call, few: [call(few[0][::-2])]
        in_each = []
        for each in [("nearest",), *ENVIRONMENTS]:
            with environment(*each):
                in_each.append([*ways(call, few)])
        for results in islice(cycle(in_each), N_ENVIRONMENTS):
            for y in results:
                found.take(y)
    return str(found)


def calls():
    """(name, what is called, number of inputs) of each row."""
    for name, ufunc in _core.ufuncs.items():
        yield name, ufunc, ufunc.nin
    for form, approx in FORMS.items():
        approx = "none" if approx == "exact" else approx
        yield (
            f"stochastic_gelu_{form}",
            lambda x, approx=approx: gelu_fast.stochastic_gelu(x, 7, approx=approx, return_mask=True),
            1,
        )


def hashes_here():
    """Print the rows of this process's ISA level."""
    np.seterr(all="ignore")
    gelu_fast.set_num_threads(2)
    for name, call, n_in in calls():
        print(_core.isa_level, name, *[digest(call, dtypes, n_in) for dtypes in TYPES.values()])


def hashes_of_all_levels():
    """(level, ufunc) -> hashes; each level of this CPU in a process of its own."""
    found = {}
    for level in _core.available_isa_levels:
        command = [sys.executable, __file__, "--here"]
        env = os.environ | {"GELU_FAST_ISA": level}
        said = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
        found |= {(line.split()[0], line.split()[1]): line.split()[2:] for line in said.splitlines()}
    return found


def committed():
    lines = [line.split() for line in HASHES.read_text().splitlines() if not line.startswith("#")]
    return {(level, name): hashes for level, name, *hashes in lines}


def write(hashes):
    rows = [["# level", "ufunc", *TYPES], *[[*key, *found] for key, found in sorted(hashes.items())]]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    HASHES.write_text(HEADER + "\n".join(lines) + "\n")


def moved(found, before):
    """A complaint for each row that has other bits, or is in one of both alone."""
    for key, hashes in found.items():
        if key not in before:
            yield f"{' '.join(key)}: no hash is committed"
            continue
        types = [name for name, now, then in zip_longest(TYPES, hashes, before[key]) if now != then]
        if types:
            yield f"{' '.join(key)}: other bits in {', '.join(map(str, types))}"
    levels = {level for level, _ in found}
    for key in before:
        if key[0] in levels and key not in found:
            yield f"{' '.join(key)}: it is there no longer"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--here", action="store_true", help="print the rows of this process's ISA level")
    args = parser.parse_args()
    if UNKNOWN:
        sys.exit(UNKNOWN)
    if _core.rounding != "fast":
        sys.exit(
            "the hashes are those of GELU_FAST_ROUNDING=fast; of nearest, tests/exhaustive.py compares them"
        )
    if args.here:
        return hashes_here()
    found = hashes_of_all_levels()
    before = committed() if HASHES.exists() else {}
    if args.write:
        levels = {level for level, _ in found}
        return write({key: hashes for key, hashes in before.items() if key[0] not in levels} | found)
    complaints = [*moved(found, before)]
    print(*complaints, f"{len(found)} compared, {len(complaints)} moved", sep="\n")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
