# SPDX-License-Identifier: BSD-3-Clause
"""The check of sigma. sigma is judged in the type of the computation, and only where it is used; it may be of every
library whose arrays work as mu, and of any size. The tests see from the ufuncs what sigma becomes in that type: they
give NaN where it is not above 0."""

from functools import partial

import awkward as ak
import dask.array as da
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sparse
import xarray as xr
from cases import assert_same, every_level

import gelu_fast
from gelu_fast import gelu

FUNCTIONS = ["gelu", "gelu_gate", "gelu_grad", "gelu_backward"]
FORMS = {False: "erf", "tanh": "tanh", "sigmoid": "sigmoid"}


@pytest.fixture(params=FUNCTIONS)
def call(request):
    """A function of x; dy, if it has one, is 1."""
    function = getattr(gelu_fast, request.param)
    return partial(function, 1) if request.param == "gelu_backward" else function


def refuses(call, *args, **given):
    """Whether the call raises the error about sigma; if it does, `out` must be unchanged."""
    out = given.get("out")
    before = None if out is None else out.copy()
    try:
        with np.errstate(all="ignore"):
            call(*args, **given)
    except ValueError as error:
        assert "sigma must be above 0" in str(error)
        assert out is None or out.tobytes() == before.tobytes()
        return True
    return False


# ---- sigma is rounded to the type of the computation ----

TYPES = [
    "i1",
    "i2",
    "i4",
    "?",
    "f2",
    "f4",
    "f8",
    ">f4",
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2fnuz",
    "float8_e3m4",
]
SIZES = [1e-320, 1e-46, 1e-45, 1e-41, 1e-8, 6e-8, 3e-6, 0.001, 0.01, 2.0]
MORE = [
    {},
    {"dtype": "f4"},
    {"dtype": "f8"},
    {"dtype": "f2", "casting": "unsafe"},
    {"dtype": "f4", "casting": "safe"},
]


def sigmas(size):
    """A number of this size as a Python number, as NumPy scalars, and in arrays."""
    yield size
    yield -size
    for dtype in ("f2", "f4", "f8", "bfloat16", "float8_e5m2"):
        with np.errstate(all="ignore"):
            number = np.array([size]).astype(dtype)
        yield from (number[0], number, np.concatenate([number, number, np.ones(1, dtype)]))
    yield [1.0, size, 2]


@pytest.mark.parametrize("more", MORE, ids=str)
@pytest.mark.parametrize("name", TYPES)
def test_sigma_is_judged_in_the_type_that_is_computed_in(name, more):
    """For all types of x, sigma and dtype=, under each of NumPy's rules of promotion: an error where the ufunc would
    give NaN for a number, otherwise the ufunc's result."""
    x = np.ones(3, np.dtype(name))
    raised = computed = 0
    for sigma in (s for size in SIZES for s in sigmas(size)):
        try:
            with np.errstate(all="ignore"):
                want = gelu_fast.gelu_mu_sigma_erf(x, 0, sigma, **more)
        except TypeError:
            with pytest.raises(TypeError):
                gelu(x, sigma=sigma, **more)
            continue
        bad = refuses(gelu, x, sigma=sigma, **more)
        assert bad == np.isnan(want).any(), sigma
        raised += bad
        computed += not bad
        if not bad:
            with np.errstate(all="ignore"):
                assert_same(gelu(x, sigma=sigma, **more), want)
    assert raised >= len(SIZES) and computed >= len(SIZES) or more.get("casting") == "safe"


def test_signature_chooses_the_type():
    x = np.ones(3)
    assert gelu(x, sigma=1e-46).tolist() == [1, 1, 1]
    out = np.full(3, 7.0)
    assert refuses(gelu, x, sigma=1e-46, signature="fff->f", casting="same_kind", out=out)
    assert refuses(partial(gelu_fast.gelu_backward, x), x, sigma=1e-8, signature="eeee->e", out=out)
    assert gelu(x, sigma=1e-46, signature="ddd->d", out=out).tolist() == [1, 1, 1]


def test_type_of_out_is_not_computed_in():
    assert gelu(np.ones(3), sigma=1e-46, out=np.empty(3, "f4")).tolist() == [1, 1, 1]
    assert refuses(gelu, np.ones(3, "f4"), sigma=1e-46, out=np.full(3, 7.0))
    assert gelu(np.ones(3, "f4"), mu=np.zeros(3), sigma=1e-46).tolist() == [1, 1, 1]


@pytest.mark.parametrize("x, sigma", [(np.float16([1, 0, -1]), 1e-8), (np.float32([-2, 0, 2]), 1e-46)])
def test_a_sigma_that_rounds_to_zero(call, x, sigma):
    for given in (sigma, np.full(3, sigma).tolist()):
        if given is sigma:  # a list is an array of float64
            assert refuses(call, x, sigma=given, out=np.full_like(x, 7))
        else:
            assert np.isfinite(call(x, sigma=given)).all()


# ---- sigma is judged only where it is used ----

BAD = [0.0, -1.0, np.nan]


@pytest.mark.parametrize("bad", BAD)
def test_where(call, bad):
    x, sigma = np.array([1.0, 2, 3]), np.array([2.0, bad, 3])
    left_out = np.array([True, False, True])
    out = np.full(3, 7.0)
    assert call(x, sigma=sigma, where=left_out, out=out) is out
    want = call(x, sigma=np.array([2.0, 1, 3]))
    assert_same(out, np.where(left_out, want, 7.0))
    assert refuses(call, x, sigma=sigma, where=~left_out, out=out)
    assert refuses(call, x, sigma=sigma, out=out)
    assert refuses(call, x, sigma=bad, where=left_out, out=out)
    out[...] = 7
    call(x, sigma=bad, where=np.zeros(3, bool), out=out)
    assert (out == 7).all()


def test_where_is_broadcast(call):
    x, sigma, out = np.ones((2, 3)), np.array([1.0, -1, 1]), np.full((2, 3), 7.0)
    call(x, sigma=sigma, where=[True, False, True], out=out)
    assert (out[:, 1] == 7).all() and (out[:, ::2] == call(1.0, sigma=1.0)).all()
    assert refuses(call, x, sigma=sigma, where=np.array([[True], [False]]), out=out)
    call(x, sigma=np.array([[1.0], [-1.0]]), where=np.array([[True], [False]]), out=out)
    assert refuses(call, 1.0, sigma=-1.0, where=np.array([False, True]), out=out[0])
    call(1.0, sigma=-1.0, where=np.array([False, False, False]), out=out[0])


def masked(values, at=1):
    return np.ma.array(values, mask=np.arange(3) == at)


@pytest.mark.parametrize("bad", BAD)
def test_masked_elements(call, bad):
    """An element is not judged if any operand masks it."""
    x, ones = np.array([1.0, 2, 3]), np.ones(3)
    good, sigma = np.array([2.0, 1, 3]), np.array([2.0, bad, 3])
    want = call(x, sigma=good)
    for y in (
        call(x, sigma=masked(sigma)),
        call(masked(x), sigma=sigma),
        call(masked(x), sigma=masked(sigma)),
        call(x, mu=masked(ones - 1), sigma=sigma),
        call(np.ma.masked_all(3), sigma=bad),
    ):
        assert isinstance(y, np.ma.MaskedArray) and y.mask[1]
        if not y.mask.all():
            assert_same(y.compressed(), want[::2])
    assert np.ma.is_masked(gelu_fast.gelu_backward(masked(ones), x, sigma=sigma))
    for args in ((x, masked(sigma, 0)), (masked(x, 2), sigma), (masked(x), bad)):
        assert refuses(call, args[0], sigma=args[1], out=np.ma.array(np.full(3, 7.0)))


def test_missing_in_pandas():
    for dtype in ("Float64", "Float32", "double[pyarrow]"):
        sigma, x = pd.Series([2, None, 3], dtype=dtype), pd.Series([1, 2, None], dtype=dtype)
        assert gelu(np.ones(3), sigma=sigma).isna().tolist() == [False, True, False]
        assert gelu(x, sigma=sigma).isna().tolist() == [False, True, True]
        if "pyarrow" not in dtype:  # pandas computes these with NaN in place of NA
            assert gelu(x, sigma=pd.Series([2, 3, -1], dtype=dtype)).isna().tolist() == [False, False, True]
        assert gelu(np.ones(3), sigma=sigma.array).isna().tolist() == [False, True, False]
        assert refuses(gelu, x, sigma=-sigma)
        assert refuses(gelu, x, sigma=pd.Series([0, 3, 2], dtype=dtype))
        assert refuses(gelu, x, sigma=-1.0)
    assert gelu(2.0, mu=pd.NA) is gelu(2.0, sigma=pd.NA) is pd.NA
    integers = pd.Series([2, None, 3], dtype="Int64")
    assert gelu(np.ones(3), sigma=integers).isna().tolist() == [False, True, False]
    assert refuses(gelu, np.ones(3), sigma=integers - 2)


def test_nan_in_pandas_is_missing():
    """pandas itself makes such NaN where labels do not match. In NumPy and other libraries, NaN is a wrong sigma."""
    assert gelu([1.0, 2], sigma=pd.Series([2, np.nan])).isna().tolist() == [False, True]
    x, sigma = pd.Series([1.0, 2], index=[0, 1]), pd.Series([2.0, -3], index=[1, 2])
    assert gelu(x, sigma=sigma.abs()).isna().tolist() == [True, False, True]
    with pytest.raises(ValueError, match="sigma must be above 0"):  # even where it is paired with no x
        gelu(x, sigma=sigma)
    frame = pd.DataFrame({"a": [1.0, 2], "b": [3.0, np.nan]})
    pd.testing.assert_frame_equal(gelu(frame, sigma=frame), frame * gelu_fast.gelu_gate(1.0))
    assert refuses(gelu, frame, sigma=frame - 1)
    for sigma in (pl.Series([2.0, np.nan]), xr.DataArray([2, np.nan]), ak.Array([2, np.nan])):
        assert refuses(gelu, np.ones(2), sigma=sigma)


def test_null_in_polars_arrow_and_awkward():
    for sigma in (pl.Series([2.0, None, 3]), ak.Array([2.0, None, 3])):
        y = gelu(np.ones(3), sigma=sigma)
        assert type(y) is type(sigma) and y.to_list()[1] is None and None not in y.to_list()[::2]
        assert refuses(gelu, np.ones(3), sigma=-sigma)
    x = pl.Series([1.0, None, 2])
    assert gelu(x, sigma=pl.Series([1.0, -1, 2])).to_list()[1] is None
    assert refuses(gelu, x, sigma=pl.Series([-1.0, 1, 2]))
    for make in (pa.array, lambda values: pa.chunked_array([values])):
        np.testing.assert_array_equal(
            np.isnan(gelu(np.ones(3), sigma=make([2.0, None, 3]))), [False, True, False]
        )
        assert refuses(gelu, np.ones(3), sigma=make([2.0, None, -3]))
        assert refuses(gelu, np.ones(3), sigma=make([2.0, np.nan, 3]))


# ---- sigma of other libraries ----

VALUES = np.array([2.0, 0.5, 3])
LIBRARIES = {
    "list": list,
    "pandas": pd.Series,
    "pandas, Index": pd.Index,
    "pandas, Float64": partial(pd.Series, dtype="Float64"),
    "pandas, pyarrow": partial(pd.Series, dtype="double[pyarrow]"),
    "pandas, array": pd.array,
    "polars": pl.Series,
    "pyarrow": pa.array,
    "xarray": xr.DataArray,
    "xarray, Variable": partial(xr.Variable, "d"),
    "xarray, Dataset": lambda values: xr.Dataset({"a": ("d", values), "b": ("d", values + 1)}),
    "awkward": ak.Array,
    "sparse": lambda values: sparse.COO.from_numpy(np.asarray(values), fill_value=1),
    "sparse, GCXS": lambda values: sparse.GCXS.from_numpy(np.asarray(values), fill_value=1),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_sigma_of_another_library(library):
    """An array that works as mu works as sigma, too: the result is the ufunc's own, and a wrong number in sigma is an
    error."""
    make = LIBRARIES[library]
    x, sigma = np.array([1.0, -2, 3]), make(VALUES)
    as_mu, y, want = gelu(x, mu=sigma), gelu(x, sigma=sigma), gelu_fast.gelu_mu_sigma_erf(x, 0, sigma)
    assert type(y) is type(want) and (type(y) is type(as_mu) or "sparse" in library)
    plain = np.asarray(y.todense() if hasattr(y, "todense") else y["a"] if "Dataset" in library else y)
    assert_same(plain.astype("f8"), gelu(x, sigma=VALUES))
    for bad in (VALUES - 0.5, -VALUES):
        out = np.full(3, 7.0) if library in ("list", "pyarrow") else None
        assert refuses(gelu, x, sigma=make(bad), out=out)
        assert refuses(partial(gelu_fast.gelu_backward, x), x, sigma=make(bad), out=out)


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "pyarrow"])
def test_sigma_beside_x_of_another_library(library):
    x = LIBRARIES[library](VALUES)
    assert type(gelu(x, sigma=0.001)) is type(gelu(x))
    for bad in (-1.0, np.nan, np.zeros(3), -VALUES, VALUES * [1, np.nan, 1]):
        assert refuses(gelu, x, sigma=bad), bad


def test_ragged_and_sparse_numbers():
    x = ak.Array([[1.0, 2], [], [3]])
    assert gelu(x, sigma=x).to_list() == [
        [gelu(1.0, sigma=1.0), gelu(2.0, sigma=2.0)],
        [],
        [gelu(3.0, sigma=3.0)],
    ]
    assert refuses(gelu, x, sigma=ak.Array([[1.0, 2], [], [0]]))
    not_stored = sparse.COO.from_numpy(np.array([1.0, 0, 2]))
    assert refuses(gelu, np.ones(3), sigma=not_stored)


def test_the_type_of_another_library():
    """A Python number takes that type, and may be rounded to 0."""
    for x in (
        pd.Series([1, 2], dtype="f4"),
        xr.DataArray(np.ones(2, "f4")),
        sparse.COO.from_numpy(np.ones(2, "f4")),
    ):
        assert refuses(gelu, x, sigma=1e-46)
        assert not refuses(gelu, x, sigma=1e-44)


@pytest.fixture
def never_computed():
    def block(x):
        raise AssertionError("computed")

    return lambda: da.from_array(VALUES, chunks=2).map_blocks(block, dtype="f8", meta=VALUES[:0])


def test_lazy_sigma_is_not_computed(never_computed):
    x = np.ones(3)
    for sigma in (never_computed(), xr.DataArray(never_computed())):
        assert type(gelu(x, sigma=sigma)) is type(gelu(sigma))
        assert type(gelu(sigma, mu=sigma, sigma=sigma)) is type(sigma)
    assert isinstance(gelu(x[0], sigma=pl.col("s")), pl.Expr)
    bad = gelu(x, sigma=da.from_array(-VALUES, chunks=2)).compute()
    assert np.isnan(bad).all()


def test_sigma_beside_a_lazy_x(never_computed):
    for x in (never_computed(), xr.DataArray(never_computed()), pl.col("x")):
        assert type(gelu(x, sigma=0.001)) is type(gelu(x, sigma=2)) is type(x)
        assert refuses(gelu, x, sigma=-1.0)
        assert refuses(gelu, x, sigma=np.float64(0))
        assert refuses(gelu, x, mu=x, sigma=np.nan)
    assert refuses(gelu, never_computed().astype("f4"), sigma=1e-46)


@pytest.mark.parametrize(
    "given",
    [
        dict(x=np.ones(3), sigma=np.ones(4)),
        dict(x=np.ones(3), sigma=1j),
        dict(x=np.ones(3), sigma="1"),
        dict(x=np.ones(3), sigma=None),
        dict(x=np.ones(3) + 1j, sigma=-1.0),
        dict(x=np.ones(3), sigma=-1.0, dtype="i4"),
        dict(x=np.ones(3), sigma=np.float64(-1.0), dtype="f4", casting="no"),
    ],
    ids=str,
)
def test_errors_are_those_of_the_ufunc(given):
    x, sigma, rest = given["x"], given["sigma"], {k: v for k, v in given.items() if k not in ("x", "sigma")}
    with pytest.raises((TypeError, ValueError)) as of_ufunc:
        gelu_fast.gelu_mu_sigma_tanh(x, 0, sigma, **rest)
    with pytest.raises(type(of_ufunc.value)) as of_function:
        gelu(x, "tanh", sigma=sigma, **rest)
    assert str(of_function.value) == str(of_ufunc.value)


# ---- no NaN from numbers ----


def numbers(dtype):
    info = np.finfo(dtype)
    each = [0, info.smallest_subnormal, info.tiny, 1e-3, 1, 7, 30, info.max / 2, info.max, np.inf]
    each = np.array(each, dtype)
    return np.concatenate([each, -each])


@every_level
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS.values())
def test_no_nan_from_numbers(form, dtype):
    """NaN comes from numbers only if x and mu are the same infinity, or if dy times the derivative is infinity times
    zero."""
    x, mu, sigma = (a.ravel() for a in np.meshgrid(numbers(dtype), numbers(dtype), numbers(dtype)[:10][1:]))
    undefined = np.isinf(x) & (x == mu)
    with np.errstate(all="raise"):
        gate = getattr(gelu_fast, f"gelu_gate_mu_sigma_{form}")(x, mu, sigma)
        y = getattr(gelu_fast, f"gelu_mu_sigma_{form}")(x, mu, sigma)
        grad = getattr(gelu_fast, f"gelu_grad_mu_sigma_{form}")(x, mu, sigma)
        back = getattr(gelu_fast, f"gelu_backward_mu_sigma_{form}")(dtype(2), x, mu, sigma)
    for each in (gate, y, grad, back):
        np.testing.assert_array_equal(np.isnan(each), undefined)
    far = np.isinf(x) ^ np.isinf(mu)
    np.testing.assert_array_equal(gate[far], np.where(np.isposinf(x) | np.isneginf(mu), 1, 0)[far])
    assert (gate[np.isinf(sigma) & np.isfinite(x) & np.isfinite(mu)] == 0.5).sum() > 100
    np.testing.assert_array_equal(np.signbit(y[~undefined]), np.signbit(x[~undefined]))


@every_level
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("approx", FORMS)
def test_the_smallest_sigma_is_relu(approx, dtype):
    x, tiny = numbers(dtype), np.finfo(dtype).smallest_subnormal
    x = x[np.abs(x) >= 1e-3]
    for sigma in (tiny, 3 * tiny, np.array(tiny), np.full_like(x, tiny)):
        assert_same(gelu(x, approx, sigma=sigma), np.where(x > 0, x, dtype(-0.0)))
        assert_same(gelu_fast.gelu_gate(x, approx, sigma=sigma), (x > 0).astype(dtype))
        assert_same(gelu_fast.gelu_grad(x, approx, sigma=sigma), (x > 0).astype(dtype))
    assert_same(gelu_fast.gelu_gate(x, approx, mu=x[np.isfinite(x)][3], sigma=tiny)[3], dtype(0.5))


def test_an_empty_input_has_no_sigma():
    for sigma in (-1, [1, -1, 2], np.nan):
        got = gelu_fast.gelu(np.zeros((0, 3), "f4"), sigma=np.asarray(sigma, "f4"))
        assert got.shape == (0, 3) and got.dtype == np.float32
