# SPDX-License-Identifier: BSD-3-Clause
"""Functions of two inputs, for types of two bytes: a part of all pairs. `make exhaustive` judges every pair."""

import numpy as np
import pytest
from cases import every_level, through_function
from formats import OF_PAIRS, TWO_BYTES, judge_pairs, pairs

import gelu_fast
from gelu_fast._bounds import ULP

pytestmark = every_level

RANDOM_ROWS = 12


def rows(format, seed):
    """Rows of zeros, the smallest and the largest numbers, one, infinity and NaN; and random rows."""
    half = format.every.size // 2
    special = [0, 1, half, half + 1, *np.searchsorted(format.numbers, [1.0, format.largest])]
    special += [format.numbers.size, format.numbers.size + 1]
    return [*special, *np.random.default_rng(seed).integers(0, format.every.size, RANDOM_ROWS)]


@pytest.mark.parametrize("format", TWO_BYTES.values(), ids=repr)
@pytest.mark.parametrize("name", OF_PAIRS)
def test_slice(name, format, report):
    found = []
    with np.errstate(all="ignore"):
        for row in rows(format, OF_PAIRS.index(name)):
            inputs = pairs(name, format, row)
            got = getattr(gelu_fast, name)(*inputs)
            assert got.dtype == format.dtype
            assert got.tobytes() == through_function(name)(*inputs).tobytes()
            found.append(judge_pairs(name, format, row, got))
    worst, where = max(found)
    bound = ULP[name][format.name]
    report(f"{name} {format}: {worst:.6f} ULP at {where} of {len(found)} x 2^16 pairs, bound {bound}")
    assert worst <= bound


@pytest.mark.parametrize("format", TWO_BYTES.values(), ids=repr)
@pytest.mark.parametrize("change", [1, 1 << 15], ids=["last bit", "sign"])
def test_the_judge_convicts(format, change):
    (row,) = np.flatnonzero(format.meanings == 1.5)
    got = gelu_fast.geglu_erf(*pairs("geglu_erf", format, row))
    got.view("u2")[12345] ^= change
    with np.errstate(all="ignore"):
        worst, where = judge_pairs("geglu_erf", format, row, got)
    assert worst > ULP["geglu_erf"][format.name]
    assert where == f"{(1.5).hex()}, {float(format.every[12345]).hex()}"
