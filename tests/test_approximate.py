# SPDX-License-Identifier: BSD-3-Clause
"""approximate=, the name that torch, JAX, Keras and ONNX give to approx, in every function that takes a form."""

import inspect

import numpy as np
import pytest
from cases import assert_same

import gelu_fast
from gelu_fast._bounds import FUSED, UNARY

X = np.linspace(-3.0, 3.0, 40)
FORMS = [
    *((approximate, "erf") for approximate in (False, "none", np.False_)),
    *((approximate, "tanh") for approximate in (True, "tanh", np.True_)),
    ("sigmoid", "sigmoid"),
]


@pytest.fixture(params=[*UNARY, *FUSED, "stochastic_gelu"])
def name(request):
    return request.param


@pytest.fixture
def call(name):
    """The function of its inputs, with keywords."""
    function = getattr(gelu_fast, name)
    if name == "stochastic_gelu":
        return lambda *args, **given: function(X, 1, *args, **given)
    n_in = getattr(gelu_fast, f"{name}_erf").nin
    return lambda *args, **given: function(*[X] * n_in, *args, **given)


def test_every_function_that_takes_a_form(name):
    takes = {
        each
        for each in gelu_fast.__all__
        if inspect.isbuiltin(getattr(gelu_fast, each))
        and "approx" in inspect.signature(getattr(gelu_fast, each)).parameters
    }
    assert takes == {*UNARY, *FUSED, "stochastic_gelu"}
    parameter = inspect.signature(getattr(gelu_fast, name)).parameters["approximate"]
    assert parameter.kind is parameter.KEYWORD_ONLY and parameter.default is None


@pytest.mark.parametrize("approximate, form", FORMS)
def test_names_the_form(name, call, approximate, form):
    got = call(approximate=approximate)
    assert_same(got, call(approx=approximate))
    if name != "stochastic_gelu":
        ufunc = getattr(gelu_fast, f"{name}_{form}")
        assert_same(got, ufunc(*[X] * ufunc.nin))


def test_none_is_the_default(call):
    assert_same(call(approximate=None), call())
    assert_same(call(approx="tanh", approximate=None), call(approx="tanh"))


@pytest.mark.parametrize("approx", [False, True, "none", "tanh", "erf", None])
def test_both_are_refused(name, call, approx):
    """An approx that is given at its default, too."""
    for approximate in ("tanh", False, "none", "erf"):
        with pytest.raises(TypeError, match="approx and approximate are two names of one argument"):
            call(approx=approx, approximate=approximate)
    if name != "stochastic_gelu":
        with pytest.raises(TypeError, match="approx and approximate are two names of one argument"):
            call(approx, approximate="tanh")


@pytest.mark.parametrize("approximate", ["erf", "Tanh", 1, 0, 2.0, [], {}, np.zeros(3), b"tanh"], ids=repr)
def test_bad_value_leaves_out_alone(name, call, approximate):
    out = [np.full_like(X, 7.0) for _ in range(1 + (name == "geglu_backward"))]
    with pytest.raises(
        ValueError, match="^approximate must be False or 'none', True or 'tanh', or 'sigmoid'"
    ):
        call(approximate=approximate, out=out[0] if len(out) == 1 else tuple(out))
    assert (np.stack(out) == 7.0).all()


def test_the_error_names_the_argument_that_is_given(call):
    with pytest.raises(ValueError, match="^approx must be"):
        call(approx="erf")


def test_geglu_of_one_array():
    x = np.stack([X, X[::-1]])
    assert_same(gelu_fast.geglu(x, approximate="tanh", axis=0), gelu_fast.geglu_tanh(x[1:], x[:1]))
    with pytest.raises(TypeError, match="approx is given by its name"):
        gelu_fast.geglu(x, "tanh", approximate="tanh")


def test_masked_arrays():
    x = np.ma.MaskedArray(X, X > 2)
    got = gelu_fast.stochastic_gelu(x, 1, approximate="sigmoid")
    want = gelu_fast.stochastic_gelu(x, 1, approx="sigmoid")
    assert_same(got.data, want.data)
    assert (got.mask == want.mask).all()
    with pytest.raises(TypeError, match="two names of one argument"):
        gelu_fast.stochastic_gelu(x, 1, approx=False, approximate=False)


def test_with_location_and_scale():
    x = X.astype(np.float32)
    assert_same(
        gelu_fast.gelu(x, approximate="tanh", mu=0.5, sigma=2), gelu_fast.gelu_mu_sigma_tanh(x, 0.5, 2)
    )
