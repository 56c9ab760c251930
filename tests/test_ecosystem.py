# SPDX-License-Identifier: BSD-3-Clause
"""Real dask, pandas and xarray: their arrays stay theirs."""

import dask.array as da
import numpy as np
import pandas as pd
import xarray as xr

from gelu_fast import gelu


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
