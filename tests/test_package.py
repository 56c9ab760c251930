# SPDX-License-Identifier: BSD-3-Clause
"""Coefficients, docstrings and README agree with the code and the measured figures."""

import doctest
import inspect
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import gelu_fast
from gelu_fast._bounds import FUSED, OF_LARGEST_TERM, UFUNCS, ULP, UNARY, ZEROS

FUNCTIONS = (*UNARY, *FUSED, "stochastic_gelu")
ROOT = Path(__file__).resolve().parent.parent
in_checkout = pytest.mark.skipif(
    not (ROOT / "setup.py").exists(), reason="the tests stand alone here, without the checkout they belong to"
)


def run(*args):
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@in_checkout
def test_coefficients_are_what_fit_computes():
    run("tools/fit.py", "--check")


@in_checkout
def test_what_was_measured_keeps_the_bounds():
    measured = json.loads((ROOT / "benchmarks/results/accuracy.json").read_text())
    for name in UFUNCS:
        # Products with a rounded function, exact to 0.5 ULP, were not measured.
        for dtype, found in measured.get(name, {}).items():
            for worst in found.values():
                assert worst["ulp"] <= ULP[name][dtype] + 1e-5


@in_checkout
def test_readme_says_what_its_sources_say():
    """So do the comments of the kernels."""
    run("tools/readme.py", "--check")


@in_checkout
def test_readme_example():
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert results.failed == 0
    assert results.attempted >= 4


@in_checkout
def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_docstring_examples():
    for name in (*FUNCTIONS, *UFUNCS):
        tests = doctest.DocTestFinder(recurse=False).find(getattr(gelu_fast, name), name, globs={})
        examples = 0
        for test in tests:
            examples += len(test.examples)
            assert doctest.DocTestRunner().run(test).failed == 0
        assert examples >= 3


@pytest.mark.parametrize("name", UFUNCS)
def test_docstrings_state_the_bounds(name):
    function, doc = UFUNCS[name][0], " ".join(getattr(gelu_fast, name).__doc__.split())
    bounds = ULP[name]
    if function in UNARY:
        assert (
            f"at most {bounds['float32']:g} ULP for every float32; {bounds['float64']:g} ULP for float64"
            in doc
        )
        assert f"{bounds['float16']:g} ULP, which is correct rounding, for every float16 and bfloat16" in doc
    else:
        of = " of the largest of both terms and their sum" * (function in OF_LARGEST_TERM)
        assert f"at most {bounds['float32']:g} ULP{of} for float32, {bounds['float64']:g} for float64" in doc
        assert f"{bounds['float16']:g} for float16, {bounds['bfloat16']:g} for bfloat16" in doc
    assert ("at most ``2**-26" in doc and "``2**-55" in doc) == (name in ZEROS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature_is_the_truth(name):
    """_docs.py writes the signature, as a builtin function has none of its own."""
    function, x = getattr(gelu_fast, name), np.array([-1.0, 0.5])
    parameters = inspect.signature(function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    defaults |= {"rng": 1} if name == "stochastic_gelu" else {}
    inputs = {p.name: x for p in parameters if p.name not in defaults}
    seed = {key: value for key, value in defaults.items() if key == "rng"}
    np.testing.assert_array_equal(function(**inputs, **defaults), function(**inputs, **seed))
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    keywords = {key: value for key, value in defaults.items() if key not in positional}
    values = [(inputs | defaults)[key] for key in positional]
    np.testing.assert_array_equal(function(*values, **keywords), function(**inputs, **seed))
    for wrong in (lambda: function(*values, 0), lambda: function(**inputs, other=0)):
        with pytest.raises(TypeError, match="argument"):
            wrong()


def test_public_names():
    for name in gelu_fast.__all__:
        assert hasattr(gelu_fast, name)
        if name != "__version__":
            assert getattr(gelu_fast, name).__doc__
    assert gelu_fast.__version__ == metadata.version("gelu_fast")


def test_numpy_is_the_only_dependency():
    needed = [r for r in metadata.requires("gelu_fast") if "extra ==" not in r]
    assert needed == ["numpy>=2.0"]
    code = """
import sys, numpy
before = set(sys.modules)
import gelu_fast
new = {name.split(".")[0] for name in set(sys.modules) - before}
new = {name for name in new if not name.startswith(("__editable__", "_cython", "cython_runtime", "ml_dtypes"))}
print(new - sys.stdlib_module_names - {"gelu_fast", "numpy"} or "none")
"""
    assert run("-c", code).strip() == "none"


def test_no_pointer_into_freed_memory():
    """The names and docstrings to which NumPy holds pointers are never freed."""
    import gc

    gc.collect()
    junk = [bytes(1000) for _ in range(10_000)]
    del junk
    for name in UFUNCS:
        assert getattr(gelu_fast, name).__name__ == name
        assert "Parameters\n-------" in getattr(gelu_fast, name).__doc__
        ufunc = getattr(gelu_fast, name)
        assert np.isfinite(ufunc(*[1.0] * ufunc.nin)).all()
