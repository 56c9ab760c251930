# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's data, and the ratios of two commits; no time is judged."""

import numpy as np
import pytest
from needs import tool

distributions, compare = tool("distributions", "benchmarks"), tool("compare", "benchmarks")


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "bfloat16"])
def test_data_of_each_type(name):
    dtype = np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)
    n = 10_000
    drawn = {of: distributions.draw(of, n, dtype) for of in distributions.DISTRIBUTIONS}
    assert all(x.dtype == dtype and x.shape == (n,) for x in drawn.values())
    drawn = {of: x.astype(np.float64) for of, x in drawn.items()}
    smallest_normal = {"float16": 2.0**-14, "float64": 2.0**-1022}.get(name, 2.0**-126)
    assert np.count_nonzero(np.isfinite(drawn["t(2)"])) == n
    for of, share in (("10% subnormal", 0.1), ("all subnormal", 1)):
        subnormal = (drawn[of] != 0) & (abs(drawn[of]) < smallest_normal)
        assert subnormal.mean() == pytest.approx(share, abs=0.02)
    for size in 8, 20, 50:
        large = drawn[f"1% +-{size}"]
        assert np.mean(abs(large) == size) == pytest.approx(0.01, abs=0.005)
        assert {-size, size} <= {*large}
    assert np.mean(drawn["half zeros"] == 0) == pytest.approx(0.5, abs=0.03)
    for of, sigma in (("N(0,1)", 1), ("N(0,2)", 2), ("N(0,3)", 3), ("N(0,6)", 6)):
        assert drawn[of].std() == pytest.approx(sigma, rel=0.05)


def test_groups_of_data():
    ordinary, extreme = distributions.GROUPS["ordinary data"], distributions.GROUPS["extreme data"]
    assert sorted([distributions.NORMAL, *ordinary, *extreme]) == sorted(distributions.DISTRIBUTIONS)


def test_cases_of_a_comparison():
    every = compare.cases([distributions.NORMAL])
    assert ("exact", "bfloat16", 65536, "N(0,1)") in every
    assert ("stochastic", "float32", 65536, "N(0,1)") in every
    chosen = compare.cases(list(distributions.DISTRIBUTIONS), "^(geglu|bias), float32.*(N|t)")
    assert {form for form, *_ in chosen} == {"geglu", "bias"}
    assert {data for *_, data in chosen} == {"N(0,1)", "N(0,2)", "N(0,3)", "N(0,6)", "t(2)", "all NaN"}
    assert {size for form, _, size, _ in chosen if form == "bias"} == {21 * 3072}


def test_turns():
    assert compare.turns(3) == ["base", "tree", "tree", "base", "base", "tree"]


def test_ratios_are_those_of_neighbours():
    """The machine is twice as slow in the second half, which no ratio shows. Base cannot do the second case."""
    slow = (1, 1, 2, 2, 2)
    times = {
        "base": [[100 * s, None] for s in slow],
        "tree": [[r * s, 5] for r, s in zip((90, 80, 70, 85, 75), slow)],
    }
    (middle, low, high), missing = compare.ratios(times)
    assert (middle, low, high) == pytest.approx((0.8, 0.75, 0.85))
    assert missing is None
    chosen = [("exact", "float32", 10, "N(0,1)"), ("geglu", "float16", 10, "N(0,1)")]
    _, first, second, mean = compare.table(chosen, times)
    assert "0.800" in first and "0.750 .. 0.850" in first and first.endswith("faster")
    assert second.endswith("not in both")
    assert mean == "1 cases, geometric mean 0.800"
