# SPDX-License-Identifier: BSD-3-Clause
"""The C interface, called through ctypes: its table gives the ufuncs' bits, and refuses bad arguments by their status.
tests/test_c_extension.py compiles against gelu_fast.h."""

import ctypes
import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fenv
import numpy as np
import pytest
from cases import assert_same, every_level, outputs_of, rounded, some_inputs

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS

HEADER = Path(gelu_fast.get_include(), "gelu_fast.h").read_text()
FORMS = {"exact": "EXACT", "tanh": "TANH", "sigmoid": "SIGMOID"}
TYPES = {"f2": "FLOAT16", "f4": "FLOAT32", "f8": "FLOAT64", "bfloat16": "BFLOAT16"}
INEXACT = 0x20 if platform.machine() == "x86_64" else 0x10  # the exception flag
every_function = pytest.mark.parametrize("name", UFUNCS)
Step = Size = ctypes.c_ssize_t
Pointers = ctypes.POINTER(ctypes.c_void_p)


def enum(name):
    """The numbers that the header gives to the names of an enum."""
    body = re.sub(r"/\*.*?\*/", "", re.search(rf"enum {name} {{(.*?)}}", HEADER, re.S)[1])
    return {
        each.strip().removeprefix("GELU_FAST_"): i for i, each in enumerate(body.split(",")) if each.strip()
    }


FUNCTION, FORM, TYPE, STATUS = (enum(f"gelu_fast_{of}") for of in ("function", "form", "type", "status"))


class Table(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("n_functions", ctypes.c_int),
        (
            "apply",
            ctypes.CFUNCTYPE(
                *[ctypes.c_int] * 4, Size, Pointers, Pointers, ctypes.POINTER(Step), ctypes.c_int
            ),
        ),
        ("describe", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_int)),
        ("scalars_f32", ctypes.POINTER(ctypes.c_void_p)),
        ("scalars_f64", ctypes.POINTER(ctypes.c_void_p)),
        (
            "apply_nd",
            ctypes.CFUNCTYPE(
                *[ctypes.c_int] * 5,
                ctypes.POINTER(Size),
                Pointers,
                Pointers,
                ctypes.POINTER(Step),
                ctypes.c_int,
            ),
        ),
    ]


capsule = ctypes.pythonapi.PyCapsule_GetPointer
capsule.restype, capsule.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
table = Table.from_address(capsule(_core._c_api, b"gelu_fast._core._c_api"))


def numbers_of(name):
    function, form = UFUNCS[name]
    return FUNCTION[function.upper()], FORM[FORMS[form]]


def pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])


def apply(name, inputs, outputs, dtype="f4", n=None, steps=None, threads=1):
    if steps is not None:
        steps = (Step * len(steps))(*steps)
    return table.apply(
        *numbers_of(name),
        TYPE[TYPES[dtype]],
        len(inputs[0]) if n is None else n,
        pointers(inputs),
        pointers(outputs),
        steps,
        threads,
    )


def new(name, n, dtype):
    return [np.full(n, 7, dtype) for _ in range(_core.ufuncs[name].nout)]


def test_numbers():
    assert {name.lower() for name in FUNCTION} == {function for function, _ in UFUNCS.values()}
    assert table.n_functions == len(FUNCTION)
    assert table.version == int(re.search(r"GELU_FAST_API_VERSION (\d+)", HEADER)[1])
    assert len({table.describe(status) for status in range(STATUS["N_STATUS"])}) == STATUS["N_STATUS"]
    assert table.describe(-1) == table.describe(99) == b"there is no such status"


@every_level
@every_function
@pytest.mark.parametrize("dtype", TYPES)
def test_contiguous(name, dtype):
    for n in (0, 1, 7, 1000):
        inputs = some_inputs(name, n, dtype)
        outputs = new(name, n, dtype)
        assert apply(name, inputs, outputs, dtype) == STATUS["OK"]
        assert_same(tuple(outputs), outputs_of(_core.ufuncs[name](*inputs)))


@every_level
@every_function
@pytest.mark.parametrize("dtype", TYPES)
def test_steps(name, dtype):
    """Of every second element, reversed, and of one number."""
    n = 1500
    first, *others = some_inputs(name, 2 * n, dtype)
    strided = [first[::2], *[each[::-2] for each in others]]
    if others:
        strided[-1] = np.broadcast_to(others[-1][:1], n)
    room = new(name, 3 * n, dtype)
    outputs = [each[::3] for each in room]
    steps = [each.strides[0] for each in (*strided, *outputs)]
    assert apply(name, strided, outputs, dtype, n, steps) == STATUS["OK"]
    assert_same(tuple(outputs), outputs_of(_core.ufuncs[name](*strided)))
    assert all((each[1::3] == 7).all() and (each[2::3] == 7).all() for each in room)


def test_overlap():
    """The result is that of a loop over the elements, in order."""
    for ahead in (-3, -1, 0, 1, 3):
        x = np.random.default_rng(1).normal(0, 2, 300)
        expected = x.copy()
        for i in range(5, 295):
            expected[i + ahead] = gelu_fast.gelu(expected[i])
        assert apply("gelu_erf", [x[5:295]], [x[5 + ahead : 295 + ahead]], "f8") == STATUS["OK"]
        assert_same(x, expected)


@pytest.mark.parametrize("threads", [0, 1, 2, 99])
def test_threads(threads):
    x = np.random.default_rng(1).normal(0, 2, 300_000).astype("f4")
    y = np.empty_like(x)
    gelu_fast.set_num_threads(3)
    try:
        assert apply("gelu_erf", [x], [y], threads=threads) == STATUS["OK"]
    finally:
        gelu_fast.set_num_threads(None)
    assert_same(y, gelu_fast.gelu(x))


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="looks at threads in Linux's /proc")
def test_one_thread_starts_none():
    code = f"""
import os, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import numpy as np, gelu_fast, test_c_interface as c
x, y = np.ones(1 << 20, "f4"), np.empty(1 << 20, "f4")
gelu_fast.set_num_threads(4)
for threads in (1, 0):
    before = len(os.listdir("/proc/self/task"))
    c.apply("gelu_erf", [x], [y], threads=threads)
    print(len(os.listdir("/proc/self/task")) - before)
"""
    env = {**os.environ, "OMP_PROC_BIND": "false"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.split() == ["0", "3"], done.stderr


def test_many_threads_at_once():
    x = np.random.default_rng(1).normal(0, 2, 100_000).astype("f4")
    expected = gelu_fast.gelu(x)

    def work(_):
        y = np.empty_like(x)
        for _ in range(20):
            y[:] = 7
            assert apply("gelu_erf", [x], [y], threads=0) == STATUS["OK"]
            assert_same(y, expected)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_bad_arguments():
    x, y = np.ones(8, "f4"), np.full(8, 7, "f4")
    null = (ctypes.c_void_p * 1)(None)
    good = {"function": 0, "form": 0, "type": TYPE["FLOAT32"], "n": 4}
    good |= {"inputs": pointers([x]), "outputs": pointers([y]), "steps": None, "threads": 1}
    odd = (ctypes.c_void_p * 1)(x.ctypes.data + 2)
    bad = [
        ("BAD_FUNCTION", {"function": -1}),
        ("BAD_FUNCTION", {"function": table.n_functions}),
        ("BAD_FORM", {"form": -1}),
        ("BAD_FORM", {"form": FORM["N_FORMS"]}),
        ("BAD_TYPE", {"type": -1}),
        ("BAD_TYPE", {"type": len(TYPE)}),
        ("BAD_LENGTH", {"n": -1}),
        ("BAD_THREADS", {"threads": -1}),
        ("BAD_POINTER", {"inputs": null}),
        ("BAD_POINTER", {"outputs": null}),
        ("BAD_ALIGNMENT", {"inputs": odd}),
        ("BAD_ALIGNMENT", {"steps": (Step * 2)(4, 6)}),
    ]
    for status, change in bad:
        assert table.apply(*(good | change).values()) == STATUS[status]
        assert (y == 7).all()
    assert table.apply(*(good | {"inputs": null, "outputs": null, "n": 0}).values()) == STATUS["OK"]
    assert table.apply(*good.values()) == STATUS["OK"] and (y[:4] != 7).all() and (y[4:] == 7).all()


# ---- operands of several dimensions ----


def apply_nd(name, inputs, outputs, dtype="f8", threads=1, contiguous=False):
    """Inputs are broadcast to the shape of the outputs."""
    shape = outputs[0].shape
    operands = [*[np.broadcast_to(each, shape) for each in inputs], *outputs]
    strides = [stride for each in operands for stride in each.strides]
    return table.apply_nd(
        *numbers_of(name),
        TYPE[TYPES[dtype]],
        len(shape),
        (Size * len(shape))(*shape),
        pointers(inputs),
        pointers(outputs),
        None if contiguous else (Step * len(strides))(*strides),
        threads,
    )


def of_shape(shape, seed=1):
    return np.random.default_rng(seed).normal(0, 3, shape)


WHOLE = of_shape((4, 6, 8, 10))
LAYOUTS = {
    "one number": (np.array(0.5), np.array(-2.0)),
    "one piece": (WHOLE, WHOLE),
    "rows": (WHOLE, of_shape(10)),
    "a number for each row": (WHOLE, of_shape((4, 6, 8, 1))),
    "columns": (WHOLE.T, of_shape(4)),
    "three strides": (WHOLE[:, ::2, ::-1, 1:7], of_shape((6, 8, 10))[::2, :, 3:9]),
    "four strides": (WHOLE[::-1, 1::2, ::3, ::2], np.array(2.0)),
    "middle axis": (WHOLE, of_shape((6, 1, 1))),
    "short axes": (WHOLE[:1, :, :1], of_shape((6, 1, 10))),
    "empty": (WHOLE[:, :0], np.array(2.0)),
}


@every_level
@pytest.mark.parametrize("x, bias", LAYOUTS.values(), ids=LAYOUTS)
def test_dimensions(x, bias):
    expected = gelu_fast.bias_gelu_tanh(x, bias)
    y = np.full(x.shape, 7.0)
    assert apply_nd("bias_gelu_tanh", [x, bias], [y]) == STATUS["OK"]
    assert_same(y, expected)
    room = np.full((*x.shape, 3), 7.0)
    assert apply_nd("bias_gelu_tanh", [x, bias], [room[..., 1]]) == STATUS["OK"]
    assert_same(room[..., 1], expected)
    assert (room[..., ::2] == 7).all()


def test_contiguous_dimensions():
    y, z = np.empty_like(WHOLE), np.empty_like(WHOLE)
    assert apply_nd("geglu_backward_erf", [WHOLE] * 3, [y, z], contiguous=True) == STATUS["OK"]
    assert_same((y, z), gelu_fast.geglu_backward(WHOLE, WHOLE, WHOLE))


def test_threads_share_rows():
    x = np.random.default_rng(1).normal(0, 2, (5, 300, 301)).astype("f4")
    y = np.empty_like(x)
    gelu_fast.set_num_threads(3)
    try:
        assert apply_nd("bias_gelu_erf", [x, x[0, 0]], [y], "f4", threads=0) == STATUS["OK"]
    finally:
        gelu_fast.set_num_threads(None)
    assert_same(y, gelu_fast.bias_gelu_erf(x, x[0, 0]))


@pytest.mark.parametrize("ahead", [-11, -10, -1, 0, 1, 10, 11])
def test_overlap_of_dimensions(ahead):
    """The result is that of a loop over the elements, in the order of C: rows of an array of rows of 10."""
    flat = of_shape(200)

    def operand(array, first):
        rows = array[first : first + 100].reshape(10, 10)
        return rows[1:8, 1:7]

    expected = flat.copy()
    x, y = operand(expected, 50), operand(expected, 50 + ahead)
    for i in np.ndindex(x.shape):
        y[i] = gelu_fast.gelu(x[i])
    assert apply_nd("gelu_erf", [operand(flat, 50)], [operand(flat, 50 + ahead)]) == STATUS["OK"]
    assert_same(flat, expected)


def test_bad_dimensions():
    x, y = np.ones(8), np.full(8, 7.0)
    good = {"function": 0, "form": 0, "type": TYPE["FLOAT64"], "ndim": 2, "shape": (Size * 65)(2, 4)}
    good |= {"inputs": pointers([x]), "outputs": pointers([y]), "strides": None, "threads": 1}
    bad = [
        ("BAD_NDIM", {"ndim": -1}),
        ("BAD_NDIM", {"ndim": 65}),
        ("BAD_LENGTH", {"shape": (Size * 2)(0, -1)}),
        ("BAD_ALIGNMENT", {"strides": (Step * 4)(32, 8, 36, 8)}),
        ("BAD_FORM", {"form": 3}),
    ]
    for status, change in bad:
        assert table.apply_nd(*(good | change).values()) == STATUS[status]
        assert (y == 7).all()
    odd_but_unused = {"shape": (Size * 2)(1, 8), "strides": (Step * 4)(3, 8, 3, 8)}
    assert table.apply_nd(*(good | odd_but_unused).values()) == STATUS["OK"]
    assert_same(y, gelu_fast.gelu(x))


# ---- functions of one number ----

SPECIAL = [
    0.0,
    -0.0,
    1e-310,
    -1e-310,
    1e-45,
    -1e-45,
    1e-5,
    -1e-5,
    0.3,
    -0.3,
    1,
    -1,
    3,
    -3,
    6,
    -6,
    9,
    -9,
    13.5,
    -13.5,
]
SPECIAL += [30, -30, 38, -38, 1e4, -1e4, 1e300, -1e300, np.inf, -np.inf, np.nan]


def scalar(name, dtype):
    """The function of one number, as a function of arrays."""
    function, form = numbers_of(name)
    scalars = {"f4": table.scalars_f32, "f8": table.scalars_f64}[dtype]
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(
        scalars[function * FORM["N_FORMS"] + form]
    )

    def of_arrays(*inputs):
        rows = np.stack(inputs, axis=-1)
        results = np.full((len(rows), _core.ufuncs[name].nout), 7, dtype)
        for row, result in zip(rows, results):
            call(row.ctypes.data, result.ctypes.data)
        return tuple(results.T)

    return of_arrays


def special_inputs(name, dtype):
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(dtype)
    inputs = [np.resize(np.roll(x, 5 * i), x.size) for i in range(_core.ufuncs[name].nin)]
    return [np.concatenate(pair) for pair in zip(inputs, some_inputs(name, 300, dtype))]


def canonical(results):
    """With one payload of NaN, as it depends on an element's position."""
    return tuple(np.where(np.isnan(each), each.dtype.type(np.nan), each) for each in results)


@every_level
@every_function
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_one_number(name, dtype):
    inputs = special_inputs(name, dtype)
    for rounding in _core.roundings:
        with rounded(rounding):
            results = scalar(name, dtype)(*inputs)
            assert_same(canonical(results), canonical(outputs_of(_core.ufuncs[name](*inputs))))


@every_level
@pytest.mark.parametrize(
    "name", ["gelu_erf", "gelu_grad_tanh", "geglu_sigmoid", "gelu_backward_mu_sigma_erf"]
)
@pytest.mark.parametrize("environment", [("nearest",), *fenv.ENVIRONMENTS], ids="-".join)
def test_environments(name, environment):
    """Neither results nor the environment change; of the flags, only that of inexact results may."""
    for dtype in ("f4", "f8"):
        inputs = special_inputs(name, dtype)
        expected, of_one, outputs = outputs_of(_core.ufuncs[name](*inputs)), scalar(name, dtype), None
        array_results = new(name, len(inputs[0]), dtype)
        with fenv.environment(*environment):
            fenv.raise_flags(0)
            before = fenv.control(), fenv.flags()
            apply(name, inputs, array_results, dtype)
            between = fenv.control(), fenv.flags()
            outputs = of_one(*inputs)
            after = fenv.control(), fenv.flags()
        assert before == between and before[0] == after[0] and not (before[1] ^ after[1]) & ~INEXACT
        assert_same(canonical(tuple(array_results)), canonical(expected))
        assert_same(canonical(outputs), canonical(expected))
