# SPDX-License-Identifier: BSD-3-Clause
"""All results have the bits that tools/hashes.txt records, on every ISA level of this CPU."""

import subprocess
import sys

import fenv  # noqa: F401  skips where the environments are unknown
import numpy as np
import pytest
from needs import tool

from gelu_fast import _core

hashes = tool("hashes")


def test_no_bit_has_moved():
    done = subprocess.run([sys.executable, hashes.__file__], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    n = len(_core.available_isa_levels) * (len(_core.ufuncs) + 3)
    assert f"{n} compared, 0 moved" in done.stdout


def test_a_bit_that_moves_is_told():
    before = hashes.committed()
    level, name = key = next(iter(before))
    of_level = {each: found for each, found in before.items() if each[0] == level}
    assert [*hashes.moved(of_level, before)] == []
    changed = of_level | {key: ["0" * hashes.DIGITS, *before[key][1:]]}
    assert [*hashes.moved(changed, before)] == [f"{level} {name}: other bits in float16"]
    cut = before | {key: before[key][:1]}
    others = ", ".join([*hashes.TYPES][1:])
    assert [*hashes.moved(of_level, cut)] == [f"{level} {name}: other bits in {others}"]
    missing = {each: found for each, found in before.items() if each != key}
    assert [*hashes.moved(of_level, missing)] == [f"{level} {name}: no hash is committed"]
    del of_level[key]
    assert [*hashes.moved(of_level, before)] == [f"{level} {name}: it is there no longer"]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_what_changes_a_hash(dtype):
    """The last bit of one element, the sign of a zero, and a type change the hash; the payload of a NaN does not."""

    def of(*values):
        found = hashes.Digest()
        found.take(np.array(values, dtype))
        return str(found)

    one, nan = np.ones((), dtype), np.array(np.nan, dtype)
    assert of(one, 0.0, nan) == of(one, 0.0, -nan)
    assert len({of(one, 0.0), of(np.nextafter(one, one * 2), 0.0), of(one, -0.0), of(one, nan)}) == 4
