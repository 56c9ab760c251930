# SPDX-License-Identifier: BSD-3-Clause
"""The stubs agree with the code, and type checkers find and use them."""

import ast
import inspect
import json
import os
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
from needs import needs

import gelu_fast
from gelu_fast._bounds import FUSED, UFUNCS, UNARY

FUNCTIONS = (
    *UNARY,
    *FUSED,
    "stochastic_gelu",
    "activation",
    "get_num_threads",
    "set_num_threads",
    "get_include",
    "show_config",
)
USER_CODE = Path(__file__).with_name("user_code.py")
PACKAGE = Path(gelu_fast.__file__).parent
STUB = ast.parse((PACKAGE / "__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
VARIABLES = {
    node.target.id: ast.unparse(node.annotation) for node in STUB.body if isinstance(node, ast.AnnAssign)
}


def wrong_lines():
    return {n for n, line in enumerate(USER_CODE.read_text().splitlines(), 1) if line.endswith("# error")}


# ---- type checkers, in a directory where nothing but the installed package can be found ----


def checked(directory, *command):
    env = {name: value for name, value in os.environ.items() if not name.endswith("PATH") or name == "PATH"}
    command = [sys.executable, "-m", *command, str(USER_CODE)]
    return subprocess.run(command, capture_output=True, text=True, cwd=directory, env=env)


def test_mypy(tmp_path):
    done = checked(tmp_path, "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "--no-error-summary")
    errors = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]
    assert {int(error[1]) for error in errors} == wrong_lines(), done.stdout + done.stderr


def test_pyright(tmp_path):
    needs("pyright")
    done = checked(tmp_path, "pyright", "--outputjson", "--pythonpath", sys.executable)
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {error["range"]["start"]["line"] + 1 for error in found} == wrong_lines(), done.stdout


# ---- the stubs are true ----


def is_a(value, expected):
    if hasattr(expected, "__value__"):  # NDArray of NumPy 2.5: an alias by the `type` statement
        expected = expected.__value__[typing.get_args(expected)]
    of, parts = typing.get_origin(expected) or expected, typing.get_args(expected)
    if of is tuple:
        return len(value) == len(parts) and all(map(is_a, value, parts))
    if of is np.ndarray:
        (scalar,) = typing.get_args(parts[1])
        return isinstance(value, np.ndarray) and (scalar is typing.Any or value.dtype.type is scalar)
    return isinstance(value, of)


def test_results_are_of_the_types_that_checkers_say(monkeypatch):
    checks = []

    def assert_type(value, expected):
        assert is_a(value, expected), (value, expected)
        checks.append(expected)

    monkeypatch.setattr(typing, "assert_type", assert_type)
    exec(compile(USER_CODE.read_text(), USER_CODE, "exec"), {})
    assert len(checks) > USER_CODE.read_text().count("\nassert_type(") > 50
    with pytest.raises(AssertionError):
        assert_type(np.ones(1), np.typing.NDArray[np.float32])


def keywords_of(name):
    """The keys of a TypedDict, including those of its bases."""
    bases = [ast.unparse(base).partition("[")[0] for base in CLASSES[name].bases]
    own = [node.target.id for node in CLASSES[name].body if isinstance(node, ast.AnnAssign)]
    return own + [key for base in bases if base in CLASSES for key in keywords_of(base)]


def methods_of(name):
    """The methods of a class, or those of its bases if it has none."""
    own = [node for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)]
    bases = [base.id for base in CLASSES[name].bases if isinstance(base, ast.Name) and base.id in CLASSES]
    return own or [method for base in bases for method in methods_of(base)]


def overloads_of(name):
    """For each overload: its positional parameters, its keyword-only parameters, and the defaults that it states."""
    body, bound = STUB.body, 0
    if name in VARIABLES:
        body, bound, name = methods_of(VARIABLES[name]), 1, "__call__"
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            given = node.args
            positional = [a.arg for a in (*given.posonlyargs, *given.args)][bound:]
            only = [a.arg for a in given.kwonlyargs]
            defaults = dict(zip(positional[len(positional) - len(given.defaults) :], given.defaults))
            defaults |= {k: v for k, v in zip(only, given.kw_defaults) if v is not None}
            if given.kwarg:
                only += keywords_of(ast.unparse(given.kwarg.annotation).split("[")[1].rstrip("]"))
            yield positional, only, {k: ast.literal_eval(v) for k, v in defaults.items()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures(name):
    """Each overload has parameters of the function, with the same defaults; together they have all of them."""
    real = inspect.signature(getattr(gelu_fast, name)).parameters
    positional = [p.name for p in real.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    overloads = list(overloads_of(name))
    assert overloads
    taken = set()
    for names, only, defaults in overloads:
        assert names == positional
        assert len(set(only)) == len(only) and set(only) <= set(real) - set(positional)
        assert all(real[key].default == value for key, value in defaults.items())
        required = {key for key in names if key not in defaults}
        assert required >= {key for key in names if real[key].default is inspect.Parameter.empty}
        taken |= {*names, *only}
    assert taken == set(real)


@pytest.mark.parametrize("name", UFUNCS)
def test_signatures_of_ufuncs(name):
    real, overloads = getattr(gelu_fast, name), list(overloads_of(name))
    assert overloads
    for names, only, _ in overloads:
        assert len([n for n in names if n != "out"]) == real.nin
        assert set(only) <= {"out", "where", "casting", "order", "dtype", "subok", "signature"}


def test_stub_of_the_compiled_module(tmp_path):
    """_core.pyi is true. It may leave out names that no other Python file needs."""
    command = [sys.executable, "-m", "mypy.stubtest", "gelu_fast._core", "--ignore-missing-stub"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_is_in_the_stub():
    functions = {node.name for node in STUB.body if isinstance(node, ast.FunctionDef)}
    public = functions | {name for name in VARIABLES if not name.startswith("_") or name == "__version__"}
    assert public == set(gelu_fast.__all__)
    assert (PACKAGE / "py.typed").exists()
