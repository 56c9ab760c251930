# SPDX-License-Identifier: BSD-3-Clause
"""Labels of xarray and pandas: results have those that the library's own arithmetic gives. Values are judged by calls
with plain arrays."""

import subprocess
import sys

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr
from cases import assert_same

from gelu_fast import bias_gelu, geglu, geglu_backward, gelu, gelu_backward

VALUES = np.random.default_rng(1).normal(0, 2, (2, 4, 6)).astype(np.float32)
DIMS = ("batch", "token", "feature")


def of_xarray(values=VALUES):
    return xr.DataArray(
        values,
        dims=DIMS,
        coords={
            "batch": [10, 20],
            "word": ("token", list("abcd")),
            "feature": list("uvwxyz"),
            "kind": ("feature", np.arange(6)),
            "weight": (("token", "feature"), np.ones((4, 6))),
            "run": 7,
        },
        name="h",
        attrs={"units": "1"},
    )


def untouched(call, error, match, shape):
    """The call raises this error, and leaves `out` as it was."""
    out = np.full(shape, 7.0, np.float32)
    with pytest.raises(error, match=match):
        call(out)
    assert (out == 7).all()


# ---- the halves of xarray's objects ----

KEPT = {
    "batch": {"feature", "kind", "run", "weight", "word"},
    "token": {"batch", "feature", "kind", "run"},
    "feature": {"batch", "run", "word"},
}


@pytest.mark.parametrize("dim", DIMS)
def test_halves_of_a_dataarray(dim):
    """Coordinates that have the dimension are left out. All else is as in a product of one half with itself."""
    x, axis = of_xarray(), DIMS.index(dim)
    y = geglu(x, dim=dim)
    half = x.isel({dim: slice(x.sizes[dim] // 2)})
    product = (half * half).drop_vars(set(x.coords) - KEPT[dim])
    assert set(y.coords) == KEPT[dim]
    xr.testing.assert_identical(y, product.copy(data=y.to_numpy()))
    assert_same(y.to_numpy(), geglu(VALUES, axis=axis))
    for same in (geglu(x, axis=axis), geglu(x, axis=axis - 3), *[geglu(x)] * (axis == 2)):
        xr.testing.assert_identical(same, y)
    xr.testing.assert_identical(geglu(x.transpose(), dim=dim).transpose(*DIMS), y)


def test_halves_under_a_multiindex():
    index = pd.MultiIndex.from_product([[1, 2], [3, 4, 5]], names=["head", "unit"])
    x = xr.DataArray(VALUES[0], dims=("token", "feature"), coords={"token": list("abcd")})
    x = x.assign_coords(xr.Coordinates.from_pandas_multiindex(index, "feature"))
    y = geglu(x, dim="feature")
    assert list(y.coords) == ["token"] and y.dims == x.dims
    assert_same(y.to_numpy(), geglu(VALUES[0]))
    assert_same(geglu(x.transpose(), dim="feature").to_numpy(), geglu(VALUES[0].T, axis=0))


def test_halves_of_a_dataset():
    x = of_xarray()
    dataset = xr.Dataset({"h": x, "first": x.isel(token=0).drop_vars(["word", "weight"])})
    y = geglu(dataset, approx="sigmoid", dim="feature")
    half = dataset.isel(feature=slice(3)).drop_vars(["feature", "kind", "weight"])
    xr.testing.assert_identical(y, (half * half).map(lambda product: product.copy(data=y[product.name])))
    assert_same(y["h"].to_numpy(), geglu(VALUES, approx="sigmoid"))
    assert_same(y["first"].to_numpy(), geglu(VALUES[:, 0], approx="sigmoid"))


def test_halves_of_a_variable():
    y = geglu(of_xarray().variable, dim="token")
    assert isinstance(y, xr.Variable) and y.dims == DIMS
    assert_same(y.to_numpy(), geglu(VALUES, axis=1))


def test_halves_of_lazy_dataarrays():
    x = of_xarray()
    lazy = geglu(x.chunk({"token": 3}), dim="feature")
    assert isinstance(lazy.data, da.Array)
    xr.testing.assert_identical(lazy.compute(), geglu(x, dim="feature"))


def test_refused_dims():
    x = of_xarray()
    errors = [
        (lambda out: geglu(x, dim="unit", out=out), ValueError, "x has no dimension 'unit', it has .'batch'"),
        (lambda out: geglu(x[:, :3], dim="token", out=out), ValueError, "'token' of length 3 has no halves"),
        (lambda out: geglu(x, axis=-1, dim="token", out=out), TypeError, "axis= and dim= both"),
        (lambda out: geglu(x, x, dim="token", out=out), TypeError, "here up is given"),
        (lambda out: geglu(x, axis=3, out=out), np.exceptions.AxisError, "axis 3 is out of bounds"),
        (lambda out: geglu(x.to_dataset(), out=out), TypeError, "dim= names the dimension to split"),
        (lambda out: geglu(x.to_dataset().assign(z=1.0), dim="token"), ValueError, "variable 'z' has no"),
    ]
    for plain in (VALUES, VALUES.tolist(), da.from_array(VALUES), pd.DataFrame(VALUES[0]), 1.0):
        match = f"x is a {type(plain).__name__}, which takes axis="
        errors.append((lambda out, plain=plain: geglu(plain, dim="token", out=out), TypeError, match))
    for call, error, match in errors:
        untouched(call, error, match, (2, 4, 3))


# ---- the halves of pandas' objects ----

FRAME = pd.DataFrame(
    VALUES[0], pd.Index(list("rstu"), name="row"), pd.MultiIndex.from_product([[1, 2], list("xyz")])
)


def test_halves_of_a_dataframe():
    """The split axis gets a RangeIndex, as the columns of two halves have different names."""
    for axis in (1, -1):
        pd.testing.assert_frame_equal(
            geglu(FRAME, axis=axis), pd.DataFrame(geglu(VALUES[0]), FRAME.index, pd.RangeIndex(3))
        )
    pd.testing.assert_frame_equal(geglu(FRAME), geglu(FRAME, axis=1))
    want = pd.DataFrame(geglu(VALUES[0], axis=0), pd.RangeIndex(2, name="row"), FRAME.columns)
    pd.testing.assert_frame_equal(geglu(FRAME, axis=0), want)


def test_halves_of_a_series():
    x = pd.Series(VALUES[0, 0], pd.date_range("2026", periods=6, name="day"), name="h")
    want = pd.Series(geglu(VALUES[0, 0]), pd.RangeIndex(3, name="day"), name="h")
    pd.testing.assert_series_equal(geglu(x), want)
    missing = pd.Series([1.0, None, 3.0, 4.0], dtype="Float32")
    assert geglu(missing).dtype == "Float32" and geglu(missing).isna().tolist() == [False, True]


def test_labels_beside_out():
    """`out` holds the values, whatever object the library returns."""
    for x in (FRAME, xr.DataArray(VALUES[0])):
        out = np.empty((4, 3), np.float32)
        geglu(x, out=out)
        assert_same(out, geglu(VALUES[0]))


def test_refused_halves_of_pandas():
    untouched(lambda out: geglu(FRAME.iloc[:3], axis=0, out=out), ValueError, "axis 0 of length 3", (2, 6))
    untouched(lambda out: geglu(FRAME, axis=2, out=out), np.exceptions.AxisError, "axis 2", (4, 3))


# ---- several labelled arrays ----

COLUMNS = list("uvwxyz")
PLAIN = pd.DataFrame(VALUES[0], list("rstu"), COLUMNS)
SERIES = {
    "the columns": pd.Series(VALUES[1, 0], COLUMNS),
    "in another order": pd.Series(VALUES[1, 0], COLUMNS[::-1]),
    "some columns": pd.Series(VALUES[1, 0, :2], ["w", "u"]),
    "others": pd.Series(VALUES[1, 0, :2], ["w", "a"]),
    "none of them": pd.Series(VALUES[1, 0, :1], [0]),
}


@pytest.mark.parametrize("labels", SERIES)
def test_series_beside_a_dataframe(labels):
    """One number for each column, found by its label, as in frame + series; NaN where either has no partner."""
    bias = SERIES[labels]
    total = np.add(PLAIN, bias)
    for y in (bias_gelu(PLAIN, bias), bias_gelu(bias, PLAIN)):
        pd.testing.assert_frame_equal(y, total.astype(np.float32).pipe(gelu))
    times = np.multiply(PLAIN, bias)
    pd.testing.assert_index_equal(geglu(PLAIN, bias).columns, times.columns)
    want = gelu_backward(np.add(0 * PLAIN, bias), PLAIN.reindex(columns=times.columns))
    pd.testing.assert_frame_equal(gelu_backward(bias, PLAIN), want)
    filled = PLAIN.reindex(columns=times.columns).to_numpy(), np.add(0 * PLAIN, bias).to_numpy()
    for got, want in zip(geglu_backward(PLAIN, bias, PLAIN), geglu_backward(*filled, filled[0])):
        np.testing.assert_array_equal(got.to_numpy(), want)


def test_two_frames_and_a_series():
    """Rows are those of both frames; one that a frame lacks is NaN, as in an operation with two frames."""
    bias = SERIES["the columns"]
    frames = PLAIN.iloc[:3], PLAIN.iloc[1:, ::-1]
    d_gate, d_up = geglu_backward(frames[0], bias, frames[1])
    rows = [frame.reindex(index=list("rstu"), columns=COLUMNS).to_numpy() for frame in frames]
    for got, want in zip((d_gate, d_up), geglu_backward(rows[0], bias.to_numpy(), rows[1])):
        pd.testing.assert_frame_equal(got, pd.DataFrame(want, list("rstu"), COLUMNS))
    assert d_gate.isna().any().any() and not d_gate.isna().all().any()


def test_series_as_location_and_scale():
    mu, sigma = pd.Series(VALUES[1, 0], COLUMNS), pd.Series(np.abs(VALUES[1, 1]) + 0.5, COLUMNS)
    y = gelu(PLAIN, mu=mu[::-1], sigma=sigma)
    want = gelu(VALUES[0], mu=mu.to_numpy(), sigma=sigma.to_numpy())
    pd.testing.assert_frame_equal(y, pd.DataFrame(want, PLAIN.index, PLAIN.columns))
    y = gelu(PLAIN, sigma=sigma[:-1])  # a sigma without a number is missing, and not refused
    assert y.isna().all().tolist() == [False] * 5 + [True]
    untouched(lambda out: gelu(PLAIN, sigma=-sigma, out=out), ValueError, "sigma must be above 0", (4, 6))


def test_two_dataframes():
    """Both axes are aligned, as np.multiply aligns them."""
    up = PLAIN.iloc[1:, ::-2] + 1
    product = np.multiply(PLAIN, up)
    for y in (geglu(PLAIN, up), bias_gelu(PLAIN, up), *geglu_backward(PLAIN, up, PLAIN)):
        pd.testing.assert_index_equal(y.index, product.index)
        pd.testing.assert_index_equal(y.columns, product.columns)
    shared = geglu(PLAIN, up).loc[up.index, up.columns]
    assert_same(shared.to_numpy(), geglu(VALUES[0, 1:, ::-2], up.to_numpy()))
    assert geglu(PLAIN, up).isna().sum().sum() == 24 - up.size


def test_dataarrays_of_different_dims():
    """Dimensions are matched by name, and labels that one of them lacks are left out, as np.add does."""
    x = of_xarray()
    bias = xr.DataArray(VALUES[1, 0, :4], dims="feature", coords={"feature": list("axwu")})
    total = np.add(x, bias)
    assert total.sizes["feature"] == 3
    xr.testing.assert_identical(bias_gelu(x, bias), total.copy(data=gelu(total.to_numpy())))
    filled = [each.to_numpy() for each in xr.broadcast(*xr.align(x, bias))]
    for y, want in zip(geglu_backward(x, bias, x), geglu_backward(filled[0], filled[1], filled[0])):
        xr.testing.assert_identical(y, total.copy(data=want))
    xr.testing.assert_identical(geglu(x, bias), np.multiply(x, bias).copy(data=geglu(*filled)))


def test_lazy_arrays_and_two_results():
    """A ufunc of dask has one result; the recipes call geglu_backward on each chunk."""
    x = of_xarray()
    for lazy in (da.from_array(VALUES), x.chunk({"token": 2})):
        for inputs in ((lazy, VALUES, VALUES), (VALUES, VALUES, lazy)):
            with pytest.raises(TypeError, match="geglu_backward has two results.*dask.array.apply_gufunc"):
                geglu_backward(*inputs)
    want = geglu_backward(VALUES, VALUES + 1, VALUES)
    inputs = [da.from_array(each, chunks=(1, 2, 3)) for each in (VALUES, VALUES + 1, VALUES)]
    types = [np.float32] * 2
    both = da.apply_gufunc(geglu_backward, "(),(),()->(),()", *inputs, output_dtypes=types)
    for lazy, each in zip(both, want):
        assert isinstance(lazy, da.Array) and lazy.chunks == inputs[0].chunks
        assert_same(lazy.compute(), each)
    both = xr.apply_ufunc(
        geglu_backward,
        *(x.chunk({"token": 2}), x + 1, x),
        output_core_dims=[[], []],
        dask="parallelized",
        output_dtypes=types,
        keep_attrs=True,
    )
    for lazy, each in zip(both, want):
        assert isinstance(lazy.data, da.Array)
        xr.testing.assert_identical(lazy.compute(), x.copy(data=each))


def test_arrays_import_no_labels():
    """Plain arrays need neither pandas nor xarray, nor the file that knows them."""
    script = """
import sys, numpy as np, gelu_fast
gelu_fast.geglu(np.ones(4)); gelu_fast.geglu([1.0, 2.0]); gelu_fast.bias_gelu([1.0], 2.0)
assert not {"pandas", "xarray", "dask"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_several_frames_and_a_series():
    """The result has the columns of all of them, as in dy * (gate + up)."""
    abc = pd.DataFrame(np.ones((2, 3)), columns=list("abc"))
    ae = pd.DataFrame(np.ones((2, 2)), columns=list("ae"))
    series = pd.Series(1.0, index=list("ab"))
    d_gate, d_up = geglu_backward(abc, ae, series)
    assert list(d_gate.columns) == list(d_up.columns) == list((abc * (ae + series)).columns) == list("abce")
    assert d_gate.notna().all().tolist() == [True, False, False, False]
    one, other = geglu_backward(1.0, 1.0, 1.0)
    assert (d_gate["a"] == one).all() and (d_up["a"] == other).all()


def test_what_has_no_values_yet_is_not_split():
    frame = dd.from_pandas(pd.DataFrame(np.ones((4, 2)), columns=list("ab")), npartitions=2)
    for x in (pl.col("a"), frame):
        with pytest.raises(
            TypeError, match="geglu cannot split a .*, which has no values yet; give gate and up"
        ):
            geglu(x)
