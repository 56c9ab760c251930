# SPDX-License-Identifier: BSD-3-Clause
"""Calls chosen by a machine give what NumPy's own machinery gives with the same results element by element.

A failure prints the shortest such call as a script. `make fuzz` chooses others, and more."""

import contextlib
import io
import warnings
from collections import Counter

import pytest
from calls import (
    agree,
    function_calls,
    got,
    method_calls,
    results_of,
    settings_kept,
    stochastic_calls,
    ufunc_calls,
    wanted,
)
from conftest import OF_ONE_INPUT
from hypothesis import given, note, settings
from hypothesis import strategies as st
from model import UFUNCS, BadSigma

FUNCTIONS = ["gelu", "gelu_gate", "gelu_grad", "gelu_backward", "bias_gelu", "geglu", "geglu_backward"]
REDUCING = [name for name, ufunc in UFUNCS.items() if (ufunc.nin, ufunc.nout) == (2, 1)]


def check(calls, times=1):
    """So many times the calls of the profile; many of them must compute something."""
    seen = Counter()

    @settings(max_examples=times * settings.default.max_examples)
    @given(calls)
    def judge(call):
        have, want = got(call), wanted(call)
        seen[have.error] += 1
        note(f"gelu_fast: {have}")
        note(f"NumPy:     {want}")
        assert agree(have, want)

    judge()
    assert seen[None] > seen.total() / 10, seen


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    check(function_calls(name), 3)


@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs(name):
    check(ufunc_calls(name))


@pytest.mark.parametrize("method", ["reduce", "accumulate", "reduceat", "at", "outer"])
@pytest.mark.parametrize("name", REDUCING)
def test_methods(name, method):
    check(method_calls(name, method))


@pytest.mark.parametrize("name", OF_ONE_INPUT)
def test_at_of_one_input(name):
    check(method_calls(name, "at"))


def test_stochastic_gelu():
    check(stochastic_calls(), 3)


@given(
    st.one_of(
        function_calls("gelu"),
        ufunc_calls("geglu_backward_erf"),
        method_calls("bias_gelu_erf", "accumulate"),
        stochastic_calls(),
    )
)
def test_a_call_can_be_pasted(call):
    """The text that a failure prints does what was judged."""
    want, names = got(call), {}
    with settings_kept(), warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(call.source(), names)
        except Exception as error:
            assert type(error) is want.error or want.error is BadSigma
        else:
            result = names.pop("result")
            assert [*results_of(call, names, result)] == want.results
