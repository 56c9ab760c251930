# SPDX-License-Identifier: BSD-3-Clause
"""activation: names, errors, and functions that are like ufuncs. tests/heavy/test_activation_names.py compares the
names with the frameworks' own functions."""

import doctest
import inspect
import pickle
import re
import subprocess
import sys
import typing
from pathlib import Path

import dask.array as da
import ml_dtypes
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from cases import FLOATS, assert_same

import gelu_fast
from gelu_fast import activation, gelu
from gelu_fast._activation import NAMES

EVERY_NAME = [(name, framework) for framework, names in NAMES.items() for name in names]
EVERY_FUNCTION = [activation(name) for name in ("gelu", "gelu_new", "quick_gelu", "gelu_10", "laplace")]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(params=EVERY_FUNCTION, ids=lambda function: function.__name__)
def function(request):
    return request.param


@pytest.fixture
def x():
    return np.random.default_rng(5).normal(0, 8, (40, 30))


# ---- names ----


@pytest.mark.parametrize("name, framework", EVERY_NAME)
def test_every_name(name, framework):
    found = activation(name, framework)
    assert found in EVERY_FUNCTION
    assert activation(name, framework=framework) is found
    assert pickle.loads(pickle.dumps(found)) is found


def test_without_a_framework_names_are_those_of_transformers():
    for name in NAMES["transformers"]:
        assert activation(name) is activation(name, "transformers")
    assert activation("gelu_fast") is gelu_fast.gelu_tanh


def test_one_name_of_two_forms():
    assert activation("gelu") is activation("gelu", "keras") is gelu_fast.gelu_erf
    assert activation("gelu", "ggml") is activation("gelu", "jax") is gelu_fast.gelu_tanh


def test_pickles_load_in_a_new_process():
    code = "import pickle, sys; print([f.__name__ for f in pickle.load(sys.stdin.buffer)])"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(EVERY_FUNCTION), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == str([function.__name__ for function in EVERY_FUNCTION])


@pytest.mark.parametrize(
    "name, framework, near",
    [
        ("Gelu_New", "transformers", "gelu_new"),
        ("gelu_py", "transformers", "gelu_python"),
        ("quickgelu", "transformers", "quick_gelu"),
        ("gelu", "onnx", "Gelu"),
        ("fastgelu", "onnxruntime", "FastGelu"),
        ("gelu", "megatron", "erf_gelu"),
        ("gelu_quick ", "ggml", "gelu_quick"),
        ("silu", "transformers", "gelu"),
    ],
)
def test_other_names_are_refused(name, framework, near):
    with pytest.raises(ValueError) as error:
        activation(name, framework)
    said, nearest, accepted = str(error.value).split("; ")
    assert said == f"{name!r} does not name a form of GELU in {framework}"
    assert nearest.removeprefix("near: ").split(", ")[0] == repr(near)
    assert accepted == f"accepted: {', '.join(map(repr, NAMES[framework]))}"


def test_other_frameworks_are_refused():
    with pytest.raises(
        ValueError, match="'PyTorch' is no framework .*; near: 'torch'; accepted: 'transformers'"
    ):
        activation("gelu", "PyTorch")
    with pytest.raises(ValueError, match="near: none; accepted"):
        activation("gelu", "")


@pytest.mark.parametrize("value", [None, 1, b"gelu", ["gelu"], gelu_fast.gelu])
def test_no_string(value):
    with pytest.raises(TypeError, match="^name must be a string"):
        activation(value)
    with pytest.raises(TypeError, match="^framework must be a string"):
        activation("gelu", value)


def test_frameworks_of_the_stub():
    stub = (Path(gelu_fast.__file__).parent / "__init__.pyi").read_text()
    literal = re.search(r"^_Framework: TypeAlias = (Literal\[[^]]*\])", stub, re.MULTILINE).group(1)
    assert typing.get_args(eval(literal, {"Literal": typing.Literal})) == (*NAMES,)


@pytest.mark.skipif(
    not (ROOT / "setup.py").exists(), reason="the tests stand alone here, without the checkout they belong to"
)
def test_the_table_of_the_page():
    """docs/names.md lists the names of NAMES, with their functions."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \| `(\w+)` \|$", (ROOT / "docs/names.md").read_text(), re.MULTILINE
    )
    told = [(framework, name, of) for framework, names, of in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(told) == sorted(
        (framework, name, function.__name__)
        for framework, of in NAMES.items()
        for name, function in of.items()
    )


def test_docstrings():
    tests = doctest.DocTestFinder(recurse=False).find(activation, "activation", globs={})
    assert sum(len(test.examples) for test in tests) >= 3
    for test in tests:
        assert doctest.DocTestRunner().run(test).failed == 0
    for framework in NAMES:
        assert f'"{framework}"' in activation.__doc__
    assert inspect.signature(activation).parameters["framework"].default == "transformers"


def test_a_function_says_its_form(function):
    form = {"gelu_10": "exact GELU", "laplace": "0.707107) / 0.282095"}.get(function.__name__)
    assert form in function.__doc__ if form else repr(function) == f"<ufunc '{function.__name__}'>"


# ---- the two functions that are no ufuncs ----


def test_gelu_10_of_labelled_arrays():
    """out of pandas has the limit, too."""
    series = pd.Series([-1.0, 9.0, 20.0, 30.0])
    out, expected = series.copy(), np.minimum(gelu(series.to_numpy()), 10)
    activation("gelu_10")(series, out=out)
    assert_same(out.to_numpy(), expected)
    assert_same(activation("gelu_10")(series.to_numpy(), out=series.copy()).to_numpy(), expected)
    assert_same(
        activation("gelu_10")(xr.DataArray(expected * 2, dims="x")).values, np.minimum(gelu(expected * 2), 10)
    )


def test_gelu_10(x):
    y = activation("gelu_10")(x)
    exact = gelu_fast.gelu(x)
    assert (exact > 10).any()
    assert_same(y, np.clip(exact, -10, 10))
    special = activation("gelu_10")(np.array([-np.inf, -0.0, np.inf, np.nan], np.float32))
    assert_same(special[:3], np.array([-0.0, -0.0, 10.0], np.float32))
    assert np.isnan(special[3])


@pytest.mark.parametrize(
    "dtype", [*"?efd", *np.typecodes["AllInteger"], ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]
)
def test_gelu_10_has_the_types_of_gelu(dtype):
    x = np.array([0, 1, 12], dtype)
    for of in (x, x[1], x.reshape(3, 1)):
        exact = gelu_fast.gelu(of)
        assert_same(activation("gelu_10")(of), np.minimum(exact, np.array(10, exact.dtype)))


@pytest.mark.parametrize(
    "x", [np.array(["1"]), np.array([1], "M8[s]"), np.array([1j]), np.array([1], object)]
)
def test_gelu_10_refuses_other_types(x):
    with pytest.raises(TypeError):
        activation("gelu_10")(x)


def test_laplace(x):
    assert_same(activation("laplace")(x), gelu_fast.gelu_gate(x, mu=0.707107, sigma=0.282095))


# ---- each is like a ufunc ----


@pytest.mark.parametrize("dtype", FLOATS)
def test_types_and_layouts(function, x, dtype):
    x = x.astype(dtype)
    y = function(x)
    assert y.dtype == dtype
    for view in (np.s_[::2], np.s_[:, ::-1], np.s_[3, 4]):
        assert_same(function(x[view]), y[view])
    assert_same(function(x.T), y.T)


def test_out(function, x):
    want, out = function(x), np.full_like(x, 7.0)
    assert function(x, out=out) is out
    assert_same(out, want)
    out[...] = 7.0
    assert function(x, out=(out,)) is out
    assert_same(out, want)
    out[...] = 7.0
    assert function(x, out) is out
    assert_same(out, want)
    assert function(x, out=x) is x
    assert_same(x, want)


def test_where(function, x):
    want, where, out = function(x), x > 2, np.full_like(x, 70.0)
    assert function(x, out=out, where=where) is out
    assert_same(out[where], want[where])
    assert (out[~where] == 70.0).all()


def test_dtype(function, x):
    assert_same(function(x, dtype=np.float32), function(x.astype(np.float32)))
    assert function(np.arange(3)).dtype == np.float64
    assert isinstance(function(1.0), np.float64)


def test_errors_leave_out_alone(function, x):
    out = np.full_like(x, 7.0)
    for wrong in (
        lambda: function(x, out=out[:, :-1]),
        lambda: function(x + 1j, out=out),
        lambda: function(x, out=out, dtype="f4", casting="no"),
        lambda: function(x, out=out, approx="tanh"),
        lambda: function(x, out=out, mu=1.0),
        lambda: function(x, out, out),
    ):
        with pytest.raises((TypeError, ValueError)):
            wrong()
    assert (out == 7.0).all()


def test_other_libraries(function, x):
    want = function(x)
    lazy = function(da.from_array(x, chunks=(7, 11)))
    assert isinstance(lazy, da.Array)
    assert_same(lazy.compute(), want)
    frame = function(pd.DataFrame(x))
    assert isinstance(frame, pd.DataFrame)
    assert_same(frame.to_numpy(), want)
    masked = function(np.ma.MaskedArray(x, x > 12))
    assert (masked.mask == (x > 12)).all()
    assert_same(masked.compressed(), want[x <= 12])


def test_bfloat16(function, x):
    x = x.astype(ml_dtypes.bfloat16)
    y = function(x)
    assert y.dtype == (np.float32 if function.__name__ == "laplace" else ml_dtypes.bfloat16)
    np.testing.assert_allclose(y.astype("f8"), function(x.astype("f8")), rtol=2**-8, atol=1e-40)
