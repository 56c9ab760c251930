# SPDX-License-Identifier: BSD-3-Clause
"""Calls that hypothesis chooses give what the model gives: NumPy's own ufuncs with gelu_fast's results of one element.

pytest's summary prints the shortest call that fails, as a script. `make fuzz` chooses new calls, and more of them."""

import contextlib
import io
import os
import subprocess
import sys
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
from cases import OF_ONE_INPUT
from conftest import CUT
from hypothesis import given, note, settings
from hypothesis import strategies as st
from model import UFUNCS, BadSigma

from gelu_fast import _core
from gelu_fast._functions import FUNCTIONS as TABLE

FUNCTIONS = [name for name, row in TABLE.items() if row.call]
REDUCING = [name for name, ufunc in UFUNCS.items() if (ufunc.nin, ufunc.nout) == (2, 1)]


@pytest.fixture
def check(request, isa_level, record_property):
    """check(calls, times) judges `times` as many calls as the profile says. A tenth of them must compute something."""

    def check(calls, times=1):
        seen, failed = Counter(), []

        @settings(max_examples=times * settings.default.max_examples)
        @given(calls)
        def judge(call):
            failed[:] = [call]
            have, want = got(call), wanted(call)
            seen[have.error] += 1
            note(f"gelu_fast: {have}")
            note(f"NumPy:     {want}")
            assert agree(have, want)
            failed.clear()

        # The key of the failures in hypothesis's database. Each test and level needs its own, as a pass deletes them.
        # The test's id has the level only in a run of several levels.
        test = request.node.nodeid.replace(f"-{isa_level}]", "]").replace(f"[{isa_level}]", "")
        judge.hypothesis.inner_test._hypothesis_internal_add_digest = f"{isa_level} {test}".encode()
        try:
            judge()
        finally:
            for call in failed:  # the shortest one, which hypothesis runs last
                record_property("call", call.source())
        assert seen[None] > seen.total() / 10, seen

    return check


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(check, name):
    check(function_calls(name), 3)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_plain_arrays(check, name):
    check(function_calls(name, is_plain=True), 4)


@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs(check, name):
    check(ufunc_calls(name))


@pytest.mark.parametrize("method", ["reduce", "accumulate", "reduceat", "at", "outer"])
@pytest.mark.parametrize("name", REDUCING)
def test_methods(check, name, method):
    check(method_calls(name, method))


@pytest.mark.parametrize("name", OF_ONE_INPUT)
def test_at_of_one_input(check, name):
    check(method_calls(name, "at"))


def test_stochastic_gelu(check):
    check(stochastic_calls(), 3)


@given(
    st.one_of(
        function_calls("gelu"),
        ufunc_calls("geglu_backward_erf"),
        method_calls("bias_gelu_erf", "accumulate"),
        stochastic_calls(),
    )
)
def test_scripts(call):
    """The script of a call gives the outcome that was judged."""
    want, names = got(call), {}
    with settings_kept(), warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        try:
            exec(call.source(), names)
        except Exception as error:
            assert type(error) is want.error or want.error is BadSigma
        else:
            result = names.pop("result")
            assert [*results_of(call, names, result)] == want.results


WRONG = """
import gelu_fast
from hypothesis import Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase

gelu_fast.gelu = gelu_fast.gelu_grad
database = DirectoryBasedExampleDatabase("kept")
settings.register_profile("new", max_examples=15, deadline=None, database=database)
settings.register_profile("again", settings.get_profile("new"), phases=[Phase.reuse])
"""


@pytest.fixture
def python(tmp_path):
    """Run Python where it can import the module `wrong`, which makes gelu_fast compute wrong numbers."""
    tmp_path.joinpath("wrong.py").write_text(WRONG)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = os.environ | {"PYTHONPATH": path, "GELU_FAST_ISA": _core.isa_level}

    def python(*args):
        return subprocess.run(
            [sys.executable, *args], cwd=tmp_path, env=environment, capture_output=True, text=True
        ).stdout

    return python


@pytest.fixture
def summary(python):
    """Run tests of functions with the module `wrong`, and return what pytest prints."""
    options = ["-m", "pytest", "-p", "wrong", "-p", "no:cacheprovider"]

    def summary(names, *further):
        return python(*options, *further, *[f"{__file__}::test_functions[{name}]" for name in names])

    return summary


def script_in(printed):
    """The lines between the two CUT lines."""
    return printed.split(f"\n{CUT}\n")[1]


def test_a_call_can_be_pasted(python, summary):
    """The script that a failure prints shows the fault."""
    script = script_in(summary(["gelu"], "--hypothesis-profile=new", "--hypothesis-seed=0"))
    right, wrong = python("-c", script), python("-c", f"import wrong\n{script}")
    assert right and wrong and right != wrong


def test_a_failure_is_kept(summary):
    """A failure is found again in the next run, even if another test passed in between."""
    printed = summary(["gelu", "gelu_gate"], "--hypothesis-profile=new")
    assert "1 failed, 1 passed" in printed
    assert script_in(summary(["gelu"], "--hypothesis-profile=again")) == script_in(printed)
