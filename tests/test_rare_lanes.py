# SPDX-License-Identifier: BSD-3-Clause
"""Lanes that a table does not serve are packed, computed beside each other, and put back (kernels/loop.h): a value has
the bits that it has alone, however many others are rare, of whatever kind, and wherever the outputs lie."""

import ml_dtypes
import numpy as np
import pytest
from cases import FLOATS, assert_same, every_level, outputs_of, some_inputs

from gelu_fast import _core
from gelu_fast._bounds import UFUNCS

pytestmark = every_level

N = 5000  # several blocks, of whole and of half length, and a rest
SHARES = [
    0.0,
    0.0005,
    0.02,
    0.2,
    0.3,
    0.45,
    0.6,
    1.0,
]  # of rare values: both sides of what a block has room for
# In the tail, and beyond it; where it no longer counts; tiny and subnormal; large; special.
RARE = [-5.2, -6.6, -8.3, -10.0, -13.9, -20.0, -100.0, 5.4, 5.7, 6.4, 8.2, 9.0, 12.0, 50.0, -1e30, 1e30]
RARE += [1e-19, -1e-25, 1e-38, -1e-40, 6e-8, -0.0, 0.0, np.inf, -np.inf, np.nan]


def without_payload(outputs):
    """NaNs have one pattern of bits: which of several NaNs an addition keeps is not promised."""
    outputs = tuple(np.array(y) for y in outputs_of(outputs))
    for y in outputs:
        y[np.isnan(y)] = np.nan
    return outputs


def mixed(name, dtype, share, seed):
    """Ordinary inputs, of which a share is replaced by rare ones: singly, or by one value in a row."""
    rng = np.random.default_rng(seed)
    inputs = some_inputs(name, N, dtype, seed)
    with np.errstate(over="ignore"):
        kinds = np.array(RARE).astype(dtype)
    for x in inputs:
        x /= 3  # of variance 1
        rare = rng.random(N) < share
        x[rare] = rng.choice(kinds, rare.sum())
        start = rng.integers(N // 2)
        if share > 0.1:
            x[start : start + N // 4] = rng.choice(kinds)
    return inputs


@pytest.mark.parametrize("dtype", [*FLOATS, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", UFUNCS)
def test_rare_lanes(name, dtype):
    ufunc = _core.ufuncs[name]
    with np.errstate(all="ignore"):
        for seed, share in enumerate(SHARES):
            inputs = mixed(name, dtype, share, seed)
            alone = [ufunc(*values) for values in zip(*inputs)]
            expected = [np.array(y, dtype) for y in zip(*map(outputs_of, alone))]
            for start, stop in ((0, N), (1, N), (0, 1023), (7, 700)):
                part = [x[start:stop] for x in inputs]
                want = without_payload(tuple(y[start:stop] for y in expected))
                assert_same(without_payload(ufunc(*part)), want)
                in_place = [x.copy() for x in part]
                if ufunc.nout <= ufunc.nin:
                    assert_same(without_payload(ufunc(*in_place, out=tuple(in_place[: ufunc.nout]))), want)


@pytest.mark.parametrize("name", ["gelu_erf", "gelu_grad_tanh", "geglu_sigmoid", "bias_gelu_erf"])
def test_output_before_its_input(name):
    """An output begins at a lower address than the input that it overlaps."""
    ufunc = _core.ufuncs[name]
    with np.errstate(all="ignore"):
        for ahead in (1, 2, 16, 500):
            for share in SHARES:
                inputs = mixed(name, np.float32, share, 5)
                room = np.zeros(N + ahead, np.float32)
                room[ahead:] = inputs[0]
                want = without_payload(ufunc(*inputs))
                assert_same(without_payload(ufunc(room[ahead:], *inputs[1:], out=room[:N])), want)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", ["gelu_erf", "geglu_backward_tanh"])
def test_past_the_cache(name, dtype):
    ufunc = _core.ufuncs[name]
    before = _core._stream_from()
    try:
        with np.errstate(all="ignore"):
            for share in SHARES:
                inputs = mixed(name, dtype, share, 3)
                want = without_payload(ufunc(*inputs))
                out = tuple(np.zeros(N, dtype) for _ in range(ufunc.nout))
                _core._stream_from(0)
                count = _core._streamed()
                ufunc(*inputs, out=out)
                _core._stream_from(before)
                assert _core._streamed() == count + 1
                assert_same(without_payload(out), want)
    finally:
        _core._stream_from(before)
