# SPDX-License-Identifier: BSD-3-Clause
"""Every row of kernels/functions.h has all that CONTRIBUTING.md asks of a new function; a failure names the file that
lacks something. A made-up row lacks everything."""

import ast
import inspect
import json
import re
from pathlib import Path

import numpy as np
import oracle
import pytest
from cases import outputs_of
from needs import tool

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import FORMS, UNARY
from gelu_fast._docs import UFUNC_DOCS
from gelu_fast._functions import FUNCTIONS
from gelu_fast.selftest import references
from gelu_fast.selftest.formats import formats

hashes = tool("hashes")  # skips where the tests stand alone, without the checkout
ROOT = Path(__file__).resolve().parent.parent
MADE_UP = "gelu_of_nothing"
N = 9


def text(path):
    return (ROOT / path).read_text()


def defined(path, name):
    """The value of a constant that a file defines, without importing it."""
    for node in ast.parse(text(path)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)


_, _, ROWS = text("gelu_fast/kernels/functions.h").partition("#define GELU_FUNCTIONS(")
ROWS = re.findall(r"ROW\((\w+), (\d), (\d), (\w+),", ROWS)
N_OPERANDS = {name: (int(n_in), int(n_out)) for name, n_in, n_out, _ in ROWS}
MU_SIGMA_OF = {with_mu_sigma: name for name, _, _, with_mu_sigma in ROWS}


def row_of(function):
    """The function's row in _functions.py; for a product with a rounded function, the row of that function."""
    row = FUNCTIONS[function]
    return FUNCTIONS[row.times] if row.times else row


def some_inputs(function, dtype):
    """Numbers around 1, so that sigma is above 0 and nothing cancels."""
    return [
        np.linspace(0.5, 1.5 + i, N).astype(dtype) for i in range(len(row_of(function).inputs.split(", ")))
    ]


def ufunc_of_row(function, form):
    return getattr(gelu_fast, f"{FUNCTIONS[function].times or function}_{form}")


def agree(results, exact):
    """Whether the results are the same to 1e-12, which is what float64 can judge; a wrong formula is far off."""
    results = outputs_of(results)
    return len(results) == len(exact) and all(
        np.allclose(got, np.float64(want), rtol=1e-12, atol=0) for got, want in zip(results, exact)
    )


# ---- what a row needs: the file, and whether it has it ----


def kernel(function):
    functions = text("gelu_fast/kernels/gelu.h").partition("#define FUNCTIONS(")[2]
    return bool(re.search(rf"\b{function}_##form", functions))


def row(function):
    """The row has the inputs of the C row; `exact` takes as many inputs, and gives as many outputs."""
    if function not in FUNCTIONS:
        return False
    row, n_operands = FUNCTIONS[function], N_OPERANDS[function]
    if row.times:
        return FUNCTIONS[row.times].inputs == ", ".join(row.inputs.split(", ")[1:]) and n_operands[1] == 1
    inputs, (_, *outputs) = row.inputs.split(", "), row.exact(*some_inputs(function, float))
    return [*inspect.signature(row.exact).parameters] == inputs and n_operands == (len(inputs), len(outputs))


def docstring(function):
    ufuncs = [f"{function}_{form}" for form in FORMS]
    if not all(
        name in UFUNC_DOCS and UFUNC_DOCS[name] in getattr(gelu_fast, name).__doc__ for name in ufuncs
    ):
        return False
    if function in MU_SIGMA_OF:
        return True
    in_list = re.search(rf"^(\w+, )*{function}(, \w+)* : \w", gelu_fast.__doc__, re.MULTILINE)
    return bool(in_list) and all(name in getattr(gelu_fast, function).__doc__ for name in ufuncs)


def chooser(function):
    """For a function with location and scale, mu= and sigma= of the function without them."""
    if function in MU_SIGMA_OF:
        return {"mu", "sigma"} <= {*inspect.signature(getattr(gelu_fast, MU_SIGMA_OF[function])).parameters}
    if function not in gelu_fast.__all__:
        return False
    return "approx" in inspect.signature(getattr(gelu_fast, function)).parameters


def stub(function):
    names = {f"{function}_{form}" for form in FORMS} | {function} - {*MU_SIGMA_OF}
    body = ast.parse(text("gelu_fast/__init__.pyi")).body
    variables = {node.target.id for node in body if isinstance(node, ast.AnnAssign)}
    return names <= variables | {node.name for node in body if isinstance(node, ast.FunctionDef)}


def benchmark(function):
    """The benchmark has a row for the function; gelu itself is timed in each form."""
    more = defined("benchmarks/ours.py", "MORE")
    cases = {(name, case.endswith("mu, sigma")) for case, (name, _) in more.items()}
    return function == "gelu" or (MU_SIGMA_OF.get(function, function), function in MU_SIGMA_OF) in cases


def judge(function):
    """tests/oracle.py, with balls and in float64, agrees with the ufunc."""
    if function not in FUNCTIONS:
        return False
    inputs, named = some_inputs(function, np.float64), FUNCTIONS[function].times or function
    for form in FORMS:
        name = f"{named}_{form}"
        if named in UNARY:
            high, low, shift = oracle.balls(name, inputs[0])
            in_balls, in_float64 = [high * 2.0**-shift], [oracle.in_float64(name, inputs[0])]
        else:
            in_balls = [high * 2.0**-shift for high, _, shift, _ in oracle.composed_balls(name, inputs)]
            in_float64 = [value for value, _, _ in oracle.composed(name, inputs, np.float64)]
        got = ufunc_of_row(function, form)(*inputs)
        if not agree(got, in_balls) or not agree(got, in_float64):
            return False
    return True


def reference(function):
    """The self-test's references, in decimals, agree with the ufunc, too."""
    if function not in FUNCTIONS:
        return False
    (float64,), inputs = formats()["float64"], some_inputs(function, np.float64)
    named = FUNCTIONS[function].times or function
    for suffix, form in FORMS.items():
        if named in UNARY:
            exact = [references.of_one_input(named, *references.exact_gates(form, inputs[0], float64.dtype))]
        else:
            of_outputs = references.of_several_inputs(f"{named}_{suffix}", inputs, float64)
            exact = [value for value, _, _ in of_outputs]
        if not agree(ufunc_of_row(function, suffix)(*inputs), exact):
            return False
    return True


def hashed(function):
    """There are hashes for this CPU's levels; those of the others are written on CPUs that have them."""
    wanted = {(level, f"{function}_{form}") for level in _core.available_isa_levels for form in FORMS}
    return wanted <= {*hashes.committed()}


def measured(function):
    """The errors were measured. A product with a rounded function is exact to 0.5 ULP, and is not measured."""
    found = json.loads(text("benchmarks/results/accuracy.json"))
    names = [f"{function}_{form}" for form in FORMS]
    is_product = function in FUNCTIONS and FUNCTIONS[function].times
    return bool(is_product) or all({"float32", "float64"} <= {*found.get(name, ())} for name in names)


def page(function):
    return f"| `{function}` | float32 |" in text("docs/accuracy.md")


def guide_list(function):
    return f"\n| `{MU_SIGMA_OF.get(function, function)}(" in text("docs/functions.md")


NEEDED = {
    kernel: "gelu_fast/kernels/gelu.h: a line in FUNCTIONS",
    row: "gelu_fast/_functions.py: its row, with the inputs and outputs of functions.h",
    docstring: "gelu_fast/_functions.py: texts of its ufuncs, and `call` with its line",
    chooser: "gelu_fast/_core.pyx: the function that chooses its form, or mu= and sigma= of that function",
    stub: "gelu_fast/__init__.pyi: its names",
    benchmark: "benchmarks/ours.py: its row in MORE",
    judge: "gelu_fast/_functions.py: `exact`, as tests/oracle.py computes it",
    reference: "gelu_fast/_functions.py: `exact`, as gelu_fast/selftest/references.py computes it",
    hashed: "tools/hashes.txt: run `tools/hashes.py --write`",
    measured: "benchmarks/results/accuracy.json: run `tests/exhaustive.py --name`",
    page: "docs/accuracy.md: run `make readme`",
    guide_list: "docs/functions.md: its list of functions",
}
every_check = pytest.mark.parametrize("check", NEEDED, ids=lambda check: check.__name__)


@every_check
@pytest.mark.parametrize("function", N_OPERANDS)
def test_every_row(function, check):
    assert check(function), f"{function} lacks something in {NEEDED[check]}"


@every_check
def test_a_made_up_row_lacks_everything(check):
    assert not check(MADE_UP)


def test_results_that_are_off_do_not_agree():
    """Small ones, too: NumPy compares to 1e-8 if it is not told."""
    y = np.full(N, 1e-9)
    assert agree(y, [y]) and agree((y, -y), [y, -y])
    assert not agree(y * (1 + 1e-11), [y]) and not agree(y, [y, y])


def test_rows_are_read():
    """The rows read here are all compiled functions, in their order, and _functions.py has no other row."""
    assert [f"{function}_{form}" for function in N_OPERANDS for form in FORMS] == [*_core.ufuncs]
    assert {*FUNCTIONS} == {*N_OPERANDS}
