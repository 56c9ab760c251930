# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures for several modules, and the profiles of hypothesis."""

import os

import numpy as np
import pytest
from cases import OF_ONE_INPUT, WAYS_IN, on_level
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS

LEVELS = [_core.isa_level] if os.environ.get("GELU_FAST_ISA") else _core.available_isa_levels
CUT = "# ----"  # the line before and after a printed script

# HYPOTHESIS_PROFILE or --hypothesis-profile chooses one: `short` makes the same calls each time, the others new ones.
# A test makes max_examples calls, or a multiple of that: the tests take half a minute with `short`, hours with `fuzz`.
settings.register_profile(
    "fuzz",
    max_examples=5000,
    derandomize=False,
    database=DirectoryBasedExampleDatabase(".hypothesis/examples"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("sanitize", settings.get_profile("fuzz"), max_examples=50, database=None)
settings.register_profile(
    "short", settings.get_profile("fuzz"), max_examples=15, derandomize=True, database=None
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


def pytest_report_header():
    return f"gelu_fast {gelu_fast.__version__}, ISA levels {', '.join(LEVELS)}, NumPy {np.__version__}"


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc):
    if "isa_level" in metafunc.fixturenames and len(LEVELS) > 1:
        metafunc.parametrize("isa_level", LEVELS, indirect=True)


@pytest.fixture
def isa_level(request, monkeypatch):
    """Each ISA level of this CPU in turn, or the one that GELU_FAST_ISA names; child processes use it, too."""
    level = getattr(request, "param", LEVELS[-1])
    monkeypatch.setenv("GELU_FAST_ISA", level)
    with on_level(level):
        yield level


@pytest.fixture(params=OF_ONE_INPUT)
def name(request):
    return request.param


@pytest.fixture
def ufunc(name):
    return getattr(gelu_fast, name)


@pytest.fixture
def function(name):
    """The name of the function: gelu, gelu_gate or gelu_grad."""
    return UFUNCS[name][0]


@pytest.fixture(params=WAYS_IN)
def call(request, name):
    return WAYS_IN[request.param](name)


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    gelu_fast.set_num_threads(request.param)
    yield request.param
    gelu_fast.set_num_threads(None)


@pytest.fixture(params=[0, float("inf")], ids=["streaming", "not streaming"])
def stream_from(request):
    """A call of more bytes than this, inputs and results, writes its results past the cache."""
    before = _core._stream_from(request.param)
    yield request.param
    _core._stream_from(before)


@pytest.fixture
def report(record_property):
    """Keep a measured figure for the summary."""
    return lambda text: record_property("measured", f"{_core.isa_level} {text}")


def pytest_terminal_summary(terminalreporter):
    """Print the calls that failed, as scripts to paste, and measured figures, also those of tests that passed."""
    for report in terminalreporter.getreports("failed"):
        for key, script in report.user_properties:
            if key == "call":
                terminalreporter.section(f"the call of {report.nodeid}")
                terminalreporter.write(f"{CUT}\n{script}{CUT}\n")
    reports = [report for group in ("passed", "failed") for report in terminalreporter.getreports(group)]
    measured = sorted(text for report in reports for key, text in report.user_properties if key == "measured")
    if measured:
        terminalreporter.section("measured")
        terminalreporter.write("\n".join([*measured, ""]))
