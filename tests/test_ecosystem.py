# SPDX-License-Identifier: BSD-3-Clause
"""Real dask, pandas and xarray: results have the type of their arrays. stochastic_gelu, which is not a ufunc, is called
by chunks."""

import math

import dask.array as da
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sparse
import xarray as xr
from cases import assert_same

from gelu_fast import gelu, stochastic_gelu


def test_dask_stays_lazy(ufunc):
    calls = []

    def block(x):
        calls.append(1)
        return x

    x = np.random.default_rng(1).normal(0, 4, (100, 60))
    lazy = da.from_array(x, chunks=(30, 60)).map_blocks(block, dtype=x.dtype, meta=x[:0, :0])
    y = ufunc(lazy)
    assert isinstance(y, da.Array) and y.chunks == lazy.chunks and y.dtype == x.dtype
    assert not calls
    np.testing.assert_array_equal(y.compute(), ufunc(x))
    assert calls


def test_dask_through_gelu():
    x = np.random.default_rng(1).normal(0, 4, (100, 60)).astype(np.float32)
    y = gelu(da.from_array(x, chunks=25), "tanh")
    assert isinstance(y, da.Array)
    np.testing.assert_array_equal(y.compute(scheduler="threads"), gelu(x, "tanh"))
    np.testing.assert_array_equal(y.compute(scheduler="processes"), gelu(x, "tanh"))


def test_pandas(ufunc):
    series = pd.Series([-1.0, np.nan, 2.0], index=list("abc"), name="s")
    y = ufunc(series)
    assert isinstance(y, pd.Series) and y.name == "s"
    pd.testing.assert_index_equal(y.index, series.index)
    np.testing.assert_array_equal(y.to_numpy(), ufunc(series.to_numpy()))
    frame = pd.DataFrame({"p": [1.0, -2.0], "q": [0.5, -7.0]}, index=["r", "s"])
    y = gelu(frame, True)
    assert isinstance(y, pd.DataFrame)
    pd.testing.assert_frame_equal(y, pd.DataFrame(gelu(frame.to_numpy(), True), frame.index, frame.columns))


def test_xarray(ufunc):
    x = xr.DataArray(
        np.random.default_rng(1).normal(0, 4, (3, 4)),
        dims=("token", "unit"),
        coords={"token": ["a", "b", "c"]},
        name="h",
    )
    y = ufunc(x)
    assert isinstance(y, xr.DataArray) and y.dims == x.dims and y.name == "h"
    xr.testing.assert_equal(y.coords["token"], x.coords["token"])
    np.testing.assert_array_equal(y.values, ufunc(x.values))
    dataset = gelu(xr.Dataset({"h": x}), "sigmoid")
    assert isinstance(dataset, xr.Dataset)
    np.testing.assert_array_equal(dataset["h"].values, gelu(x.values, "sigmoid"))


# ---- stochastic_gelu ----


def block_of_rows(x, seed, block_info):
    """The recipe of the docstring, for a chunk of whole rows of the first axis."""
    row = block_info[0]["array-location"][0][0]
    return stochastic_gelu(x, seed, offset=row * math.prod(x.shape[1:]))


def block_of_any_axes(x, seed, block_info):
    """The same for a chunk that is cut along any axes, row by row along the last one."""
    *starts, last = (start for start, _ in block_info[0]["array-location"])
    y = np.empty_like(x)
    for i in np.ndindex(x.shape[:-1]):
        first = np.ravel_multi_index((*np.add(starts, i), last), block_info[0]["shape"])
        stochastic_gelu(x[i], seed, offset=first, out=y[i])
    return y


SHAPES = {
    "1-D": ((10_001,), (997,)),
    "rows": ((60, 101), (7, -1)),
    "uneven rows": ((60, 101), ((1, 40, 0, 19), -1)),
    "both axes": ((60, 101), (7, 30)),
    "three axes": ((12, 13, 40), (5, 4, 9)),
    "one chunk": ((12, 13), (-1, -1)),
}


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "bfloat16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_dask_draws_as_the_whole(shape, dtype, scheduler):
    size, chunks = SHAPES[shape]
    x = np.random.default_rng(1).normal(0, 2, size).astype(dtype)
    lazy, want = da.from_array(x, chunks=chunks), stochastic_gelu(x, 7)
    rows = lazy.rechunk({axis: -1 for axis in range(1, lazy.ndim)})
    recipes = [(rows, block_of_rows)]
    if 0 not in lazy.chunks[0]:
        recipes.append((lazy, block_of_any_axes))
    for array, block in recipes:
        y = array.map_blocks(block, 7, dtype=x.dtype, meta=x[:0])
        assert y.chunks == array.chunks
        assert_same(y.compute(scheduler=scheduler), want)
    if shape == "both axes":  # a single block
        assert_same(y[7:14, 30:60].compute(), want[7:14, 30:60])


def test_dask_in_other_processes():
    x = np.random.default_rng(1).normal(0, 2, (60, 101))
    y = da.from_array(x, chunks=(7, -1)).map_blocks(block_of_rows, 7, dtype=x.dtype, meta=x[:0])
    assert_same(y.compute(scheduler="processes", num_workers=2), stochastic_gelu(x, 7))


def test_dask_of_masked_arrays():
    x = np.ma.masked_greater(np.random.default_rng(1).normal(0, 2, (60, 101)), 1)
    y = da.from_array(x, chunks=(7, -1)).map_blocks(block_of_rows, 7, dtype=x.dtype, meta=x[:0]).compute()
    want = stochastic_gelu(x, 7)
    assert_same(y.mask, want.mask)
    assert_same(y.compressed(), want.compressed())


def test_lazy_arrays_are_not_computed():
    def block(x):
        raise AssertionError("computed")

    x = np.ones((4, 5))
    lazy = da.from_array(x, chunks=2).map_blocks(block, dtype=x.dtype, meta=x[:0])
    rng, out = np.random.default_rng(1), np.full(x.shape, 7.0)
    frame = pl.LazyFrame({"a": [1.0]})
    labelled = xr.DataArray(lazy, dims=("a", "b"))
    for array in (lazy, labelled, labelled.to_dataset(name="c"), lazy.to_delayed()[0, 0], pl.col("a")):
        with pytest.raises(
            TypeError, match="still to be computed; call it on each chunk, with a seed and offs"
        ):
            stochastic_gelu(array, rng, out=out)
    for array in (frame, [frame], object()):
        with pytest.raises(TypeError, match="stochastic_gelu takes no x of type object"):
            stochastic_gelu(array, rng, out=out)
    with pytest.raises(TypeError, match="x, of type COO, cannot be made a NumPy array"):
        stochastic_gelu(sparse.COO.from_numpy(x), rng, out=out)
    assert (out == 7).all() and rng.bit_generator.state == np.random.default_rng(1).bit_generator.state
    with pytest.raises(ValueError, match="inhomogeneous"):  # NumPy's own
        stochastic_gelu([[1.0], [1.0, 2.0]], rng)


def test_arrays_in_memory_are_taken():
    x = np.random.default_rng(1).normal(0, 2, 50)
    want = stochastic_gelu(x, 3)
    for array in (pd.Series(x), pd.Index(x), pl.Series(x), xr.DataArray(x), xr.Variable("d", x), pd.array(x)):
        assert_same(stochastic_gelu(array, 3), want)
