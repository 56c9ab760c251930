# SPDX-License-Identifier: BSD-3-Clause
"""Extension modules that are built against the installed package: those of docs/c.md, and one that calls all that
gelu_fast.h and __init__.pxd declare."""

import importlib
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from cases import assert_same, outputs_of, some_inputs
from mktestdocs import check_md_file, grab_code_blocks, register_executor

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS

PAGE = Path(__file__).parents[1] / "docs" / "c.md"
CC = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC"))
INCLUDE = ["-I", sysconfig.get_path("include"), "-I", gelu_fast.get_include()]
SETUP = grab_code_blocks(PAGE.read_text(), lang="py")[0]
FORMS = ["exact", "tanh", "sigmoid"]

MODULE = """
# cython: language_level=3
cimport gelu_fast as g
g.import_gelu_fast()
"""
OF_ONE_TYPE = """
def {name}_{f}({parameters}, int form):
    cdef {real} first = 7, second = 7
    {call}
    return first, second
"""


def everything():
    """A module with a function for each of __init__.pxd's functions of one number."""
    text = MODULE
    for function in dict.fromkeys(function for function, _ in UFUNCS.values()):
        ufunc = _core.ufuncs[f"{function}_erf"]
        for real, f in (("double", ""), ("float", "f")):
            names = [f"x{i}" for i in range(ufunc.nin)]
            arguments = ", ".join([*names, "form"])
            call = f"first = g.{function}{f}({arguments})"
            if ufunc.nout > 1:
                call = f"g.{function}{f}({arguments}, &first, &second)"
            parameters = ", ".join(f"{real} {name}" for name in names)
            text += OF_ONE_TYPE.format(name=function, f=real, parameters=parameters, real=real, call=call)
    return text


def build(directory):
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    directory = tmp_path_factory.mktemp("extension")
    text = PAGE.read_text()
    (directory / "activate.c").write_text(grab_code_blocks(text, lang="c")[0])
    (directory / "layers.pyx").write_text(grab_code_blocks(text, lang="cython")[0])
    (directory / "everything.pyx").write_text(everything())
    setup = SETUP.replace('Extension("layers", ["layers.pyx"]', 'Extension("*", ["*.pyx"]')
    assert setup != SETUP
    (directory / "setup.py").write_text(setup)
    build(directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(directory)
        yield directory


def test_the_page(built, monkeypatch):
    monkeypatch.chdir(built)
    register_executor("python", lambda source: exec(source, {}))
    check_md_file(PAGE, memory=True)


def test_errors(built):
    activate, layers = importlib.import_module("activate"), importlib.import_module("layers")
    x = np.ones(4)
    with pytest.raises(TypeError, match="format 'f', not 'd'"):
        activate.activate(x)
    with pytest.raises(ValueError, match="x has 4 elements, y has 3"):
        layers.activate(x, x[:3])
    unaligned = np.frombuffer(bytearray(36), "u1")[4:].view(np.dtype([("a", "f8")]))["a"]
    assert unaligned.ctypes.data % 8
    with pytest.raises(ValueError, match="not a multiple of the item size"):
        layers.activate(unaligned, x)
    assert (x == 1).all()


@pytest.mark.parametrize("name", UFUNCS)
def test_functions_of_one_number(built, name):
    module = importlib.import_module("everything")
    function, form = UFUNCS[name]
    for real, dtype in (("double", "f8"), ("float", "f4")):
        call = getattr(module, f"{function}_{real}")
        inputs = some_inputs(name, 50, dtype)
        results = [call(*map(float, each), FORMS.index(form)) for each in zip(*inputs)]
        expected = outputs_of(_core.ufuncs[name](*inputs))
        for j, each in enumerate(expected):
            assert_same(np.array([result[j] for result in results]).astype(dtype), each)
        for form_of_none in (-1, 3):
            assert np.isnan(call(*[1.0] * len(inputs), form_of_none)[: len(expected)]).all()


def test_from_eight_threads(built):
    layers = importlib.import_module("layers")
    x = np.random.default_rng(1).normal(0, 4, 50_000)
    expected = gelu_fast.gelu(x)

    def work(_):
        y = np.empty_like(x)
        for _ in range(20):
            y[:] = 7
            layers.activate(x, y)
            assert_same(y, expected)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


@pytest.mark.parametrize("standard", ["c99", "c17", "c++17"])
def test_no_warnings(tmp_path, standard):
    source = tmp_path / ("m.cc" if "+" in standard else "m.c")
    source.write_text(
        "#include <gelu_fast.h>\nint ready(void);\nint ready(void) { return import_gelu_fast(); }\n"
    )
    flags = [f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    done = subprocess.run([*CC, *flags, *INCLUDE, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_version_that_is_missing(built, tmp_path):
    """A module that needs a later version of the interface is not imported."""
    header = Path(gelu_fast.get_include(), "gelu_fast.h").read_text()
    newer, n = re.subn(r"(GELU_FAST_API_VERSION) \d+", r"\1 99", header)
    assert n == 1
    (tmp_path / "gelu_fast.h").write_text(newer)
    (tmp_path / "activate.c").write_text((built / "activate.c").read_text())
    setup = re.sub(r"\*cythonize.*\n", "\n", SETUP).replace("gelu_fast.get_include()", "'.'")
    (tmp_path / "setup.py").write_text(setup)
    build(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", "import activate"], cwd=tmp_path, capture_output=True, text=True
    )
    message = "ImportError: this module needs version 99 of gelu_fast's C interface; the one installed has version 1"
    assert message in done.stderr


@pytest.mark.parametrize(
    "before, message",
    [
        ("import sys; sys.modules['gelu_fast'] = None", "No module named 'gelu_fast._core'"),
        ("import os; os.environ['GELU_FAST_ISA'] = 'none'", "there is no such ISA level in this build"),
        (
            "import gelu_fast; del gelu_fast._core._c_api",
            "the gelu_fast that is installed has no C interface",
        ),
    ],
)
def test_no_interface(built, before, message):
    code = f"{before}; import activate"
    done = subprocess.run([sys.executable, "-c", code], cwd=built, capture_output=True, text=True)
    assert (
        "ImportError: " in done.stderr or "ModuleNotFoundError: " in done.stderr
    ) and message in done.stderr
