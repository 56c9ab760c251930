# SPDX-License-Identifier: BSD-3-Clause
"""10^4 calls of every function and ufunc, and of every error, leave no reference and no memory behind."""

import ctypes
import gc
import inspect
import itertools
import resource
import sys
import tracemalloc

import numpy as np
import pytest
from cases import through_function

import gelu_fast as g
from gelu_fast import _core

LIBC = ctypes.CDLL(None)
CALLS = 10_000
TRACED_CALLS = 400
# Growth by chance: Python's own caches, and pages that the allocators keep.
BLOCKS, TRACED_BYTES, RESIDENT_BYTES = 200, 4000, 4 << 20

N = 64
X = {name: np.ones(N, name) for name in ("f2", "f4", "f8", "bfloat16", "float8_e5m2", "i4")}
x, y, in_place = X["f4"], np.empty(N, "f4"), X["bfloat16"].copy()
strided = np.ones(1200, "f4")[::2]  # copied in memory of its own, not on the stack
grid, both = np.full((4, 6), 0.5, "f4"), (np.empty(N, "f4"), np.empty(N, "f4"))
integers, short, where = np.zeros(N, "i4"), np.zeros(N - 1, "f4"), np.arange(N) % 2 == 0
frozen = np.zeros(N, "f4")
frozen.flags.writeable = False
masked = np.ma.MaskedArray(x.copy(), where)
generator, sequence = np.random.default_rng(1), np.random.SeedSequence(1)
number, small = np.float32(1.5), np.float16([1e-3, 1])
objects, wide, complexes = np.array([None]), np.ones(3, "g"), np.ones(3, "c8")
WATCHED = [
    *X.values(),
    y,
    in_place,
    *both,
    grid,
    integers,
    short,
    where,
    frozen,
    masked,
    number,
    small,
    objects,
    wide,
]
WATCHED += [complexes, generator, sequence, *[array.dtype for array in X.values()], np.float32, np.bool]


class Refused(Exception):
    pass


def refuse(*_, **__):
    raise Refused


HOSTILE = [
    type("Hostile", (), {name: refuse})()
    for name in ("__array__", "__array_ufunc__", "__index__", "__array_interface__", "__float__")
]
NO_UFUNCS = type("NoUfuncs", (), {"__array_ufunc__": None})()
NO_HASH = type("NoHash", (str,), {"__hash__": refuse})("tanh")
LAZY = type(
    "Lazy", (), {"chunks": ((1,),), "compute": refuse, "__array__": refuse, "dtype": np.dtype("f4")}
)()
WATCHED += [*HOSTILE, NO_UFUNCS, NO_HASH, LAZY]


def raising(call):
    def raises():
        try:
            call()
        except Exception:
            return
        raise AssertionError(f"no error in {inspect.getsource(call)}")

    return raises


def calls_of(name):
    """Calls of a ufunc on every path. One form is enough, as the paths do not depend on it."""
    ufunc, k = _core.ufuncs[name], _core.ufuncs[name].nin
    out = y if ufunc.nout == 1 else both
    for call in (ufunc, through_function(name)):
        yield lambda call=call: call(*[x] * k)
        yield lambda call=call: call(*[x] * k, out=out)
        yield lambda call=call: call(*[x] * k, out=out, where=where)
        if not name.endswith("_erf"):
            continue
        for array in X.values():
            yield lambda call=call, array=array: call(*[array] * k)
        yield lambda call=call: call(*[x] * k, dtype="f8", casting="unsafe", order="C", subok=False)
        yield lambda call=call: call(*[x[::-2]] * k)
        yield lambda call=call: call(*[grid.T] * k)
        yield lambda call=call: call(*[number] * k)
        yield lambda call=call: call(x, *[1.5] * (k - 1))
        yield lambda call=call: call(*[[0.5, 1.0]] * k)
    if (k, ufunc.nout) == (2, 1):
        yield lambda: ufunc.reduce(x)
        yield lambda: ufunc.accumulate(x, out=y)
        yield lambda: ufunc.reduceat(x, [0, 5])
        yield lambda: ufunc.outer(x[:3], x[:4])
        yield lambda: ufunc.at(y, [1, 1], 0.5)
        yield lambda: ufunc.reduce(grid, axis=0, initial=1.5, where=True, keepdims=True)


FUNCTIONS = {
    "geglu": [
        lambda: g.geglu(grid, axis=0),
        lambda: g.geglu([0.5, 1.0]),
        lambda: g.geglu(x, x, "tanh"),
    ],
    "mu and sigma": [
        lambda: g.gelu(x, mu=x, sigma=1),
        lambda: g.gelu_gate(x, sigma=1e-3),
        lambda: g.gelu_grad(x, sigma=small[:1]),
        lambda: g.gelu_backward(x, x, mu=0.5, sigma=x, where=where, out=y),
    ],
    "stochastic_gelu": [
        lambda: g.stochastic_gelu(x, 1),
        lambda: g.stochastic_gelu(X["f2"], sequence, approx="tanh", return_mask=True),
        lambda: g.stochastic_gelu(in_place, generator, out=in_place),
        lambda: g.stochastic_gelu(x[::-1], [1, 2], out=y, offset=5, return_mask=True),
        lambda: g.stochastic_gelu(0.5),
        lambda: g.stochastic_gelu(x[:0], generator),
    ],
    "a strided array": [lambda: g.gelu(strided)],
    "settings": [
        lambda: g.set_num_threads(2),
        lambda: g.set_num_threads(None),
        g.get_num_threads,
        _core._stream_from,
        lambda: g.gelu(X["f8"], np.True_),
    ],
}

# Slow: numpy.ma is in Python.
MASKED = [
    lambda: g.geglu(masked, axis=-1),
    lambda: g.gelu(masked, out=masked),
    lambda: g.gelu(masked, sigma=masked),
    lambda: g.geglu_backward(masked, x, x),
    lambda: g.stochastic_gelu(masked, 1, return_mask=True),
    raising(lambda: g.gelu(x, sigma=masked - 1)),
]

ERRORS = {
    "approx": [lambda a=a: g.gelu(x, a) for a in (None, "erf", 1, [], b"tanh", NO_HASH, small)],
    "approximate": [
        *[lambda a=a: g.geglu(x, x, approximate=a) for a in ("erf", 1, [], b"tanh", NO_HASH, small)],
        *[lambda a=a: g.stochastic_gelu(x, 1, approx=a, approximate="tanh") for a in (False, None, "erf")],
        lambda: g.gelu(x, False, approximate="tanh", out=y),
    ],
    "sigma": [
        *[lambda s=s: g.gelu(x, sigma=s) for s in (0, -1.0, float("nan"), 1e-60, x - 1)],
        lambda: g.gelu_backward(x, x, sigma=0.0, out=y),
        lambda: g.gelu_gate(small, sigma=1e-9),
        lambda: g.gelu(x, sigma="1"),
        lambda: g.gelu(x, mu=None),
    ],
    "types": [
        *[lambda a=a: g.gelu(a) for a in (None, "1", {}, objects, wide, complexes, np.ones(1, "M8[s]"))],
        lambda: g.gelu_backward(x, complexes[0], out=y),
        lambda: g.gelu_erf(objects),
        lambda: g.geglu(x, True),
        lambda: g.geglu(x, "tanh"),
        lambda: g.geglu_backward(x, x, X["bfloat16"], dtype="f2", casting="no"),
    ],
    "shapes": [
        lambda: g.bias_gelu(x, short),
        lambda: g.geglu_erf(x, short, out=y),
        lambda: g.geglu(short),
        lambda: g.geglu(grid, axis=5),
        lambda: g.geglu(0.5),
        lambda: g.gelu(x, mu=short, sigma=2),
        lambda: g.gelu([[1.0], [1.0, 2.0]]),
    ],
    "out": [
        *[lambda o=o: g.gelu(x, out=o) for o in (short, integers, frozen, [1.0], (y, y), (), "y")],
        *[lambda o=o: g.geglu_backward(x, x, x, out=o) for o in (y, (y,), (y, integers), (y, short), (y, 1))],
        lambda: g.gelu_erf(x, out=integers),
        lambda: g.gelu_erf(x, x, out=y),
    ],
    "where": [
        *[lambda w=w: g.gelu(x, out=y, where=w) for w in (x, where[:5], np.ones(N, "i4"), objects)],
        lambda: g.gelu_mu_sigma_erf(x, 0, 1, out=y, where=integers),
    ],
    "choice of a loop": [
        lambda: g.gelu(x, dtype="f2", casting="safe"),
        lambda: g.gelu(x, casting="likely"),
        lambda: g.gelu(x, dtype="no type"),
        lambda: g.gelu(x, dtype="i4"),
        lambda: g.gelu(x, signature="ff->f"),
        lambda: g.gelu(x, signature="f->f", dtype="f4"),
        lambda: g.gelu(x, order="Z"),
        lambda: g.gelu(x, subok=object()),
        lambda: g.gelu_erf(X["f8"], dtype="f4", casting="equiv"),
    ],
    "arguments": [
        lambda: g.gelu(x, inplace=True),
        lambda: g.gelu(),
        lambda: g.gelu(x, False, x),
        lambda: g.geglu_backward(x),
        lambda: g.gelu_erf(),
        lambda: g.gelu_erf(x, approx=True),
        lambda: g.stochastic_gelu(x, 1, "tanh"),
    ],
    "hostile": [
        *[lambda h=h: g.gelu(h) for h in HOSTILE],
        *[lambda h=h: g.gelu(x, mu=h) for h in HOSTILE],
        *[lambda h=h: g.gelu(x, sigma=h) for h in HOSTILE],
        *[lambda h=h: g.gelu(x, out=h) for h in HOSTILE],
        *[lambda h=h: g.geglu_backward(x, h, x, out=both) for h in HOSTILE],
        *[lambda h=h: g.geglu(grid, axis=h) for h in HOSTILE],
        *[lambda h=h: g.geglu(h) for h in HOSTILE],
        lambda: g.gelu(NO_UFUNCS),
        lambda: g.gelu(x, sigma=NO_UFUNCS),
        lambda: g.gelu(LAZY, sigma=LAZY),
    ],
    "stochastic": [
        *[lambda r=r: g.stochastic_gelu(x, r) for r in ("seed", -1, [-1], 1.5, *HOSTILE[:3])],
        *[lambda o=o: g.stochastic_gelu(x, 1, offset=o) for o in ("1", -1, 2**64, 1.0, *HOSTILE[:3])],
        *[lambda o=o: g.stochastic_gelu(x, 1, out=o) for o in (short, integers, frozen, [1.0], masked.T[:3])],
        *[lambda a=a: g.stochastic_gelu(a, 1) for a in (None, objects, complexes, wide, LAZY, *HOSTILE[:1])],
        lambda: g.stochastic_gelu(masked, 1, out=y),
        lambda: g.stochastic_gelu(x, 1, approx=1),
    ],
    "threads": [lambda n=n: g.set_num_threads(n) for n in (0, 1025, -1, "2", 1.0, *HOSTILE[:3])],
    "methods": [
        lambda: g.geglu_erf.reduce(x[:0]),
        lambda: g.gelu_erf.reduce(x),
        lambda: g.geglu_erf.reduce(grid, axis=(0, 1)),
        lambda: g.geglu_erf.accumulate(x, axis=3),
        lambda: g.geglu_erf.accumulate(x, out=short),
        lambda: g.geglu_erf.reduceat(x, [N]),
        lambda: g.geglu_erf.at(y, [N], 1.0),
        lambda: g.geglu_erf.outer(x),
        lambda: g.geglu_backward_erf.outer(x, x),
        lambda: g.geglu_erf.reduce(objects),
    ],
}


@pytest.fixture(autouse=True)
def surroundings():
    """Make each garbage collection fast: it visits only the objects that the test has made."""
    gc.freeze()
    yield
    gc.unfreeze()
    g.set_num_threads(None)


def resident():
    """Resident memory, after malloc has returned its free memory, which a leak would otherwise fill first."""
    if hasattr(LIBC, "malloc_trim"):
        LIBC.malloc_trim(0)
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


# From CPython 3.12 on these objects are immortal and their counts mean nothing (PEP 683): our code, compiled for the
# stable ABI of 3.11, counts references to them, but the interpreter does not.
CONSTANTS = [None, True, False, ...] if sys.version_info < (3, 12) else []


def references():
    return [sys.getrefcount(each) for each in [*WATCHED, *CONSTANTS]]


def left_by(calls, n=CALLS):
    """References and memory that n calls, of these functions in turn, leave behind. A leak does so each time the calls
    are repeated; a chance event, such as a huge page that the system makes, does not."""
    calls = [*calls]
    left = left_once(calls, n)
    for _ in range(2):
        if left:
            again = left_once(calls, n)
            left = {name: amount for name, amount in left.items() if name in again}
    return left


def left_once(calls, n):
    for call in calls * 3:
        call()
    gc.collect()
    counts, blocks, memory = references(), sys.getallocatedblocks(), resident()
    for turn in itertools.repeat(calls, -(-n // len(calls))):
        for call in turn:
            call()
    gc.collect()
    blocks, memory = sys.getallocatedblocks() - blocks, resident() - memory
    changed = [now - before for now, before in zip(references(), counts)]
    left = {"blocks": blocks} if blocks > BLOCKS else {}
    left |= {"resident": memory} if memory > RESIDENT_BYTES else {}
    left |= {f"references to {each!r}": k for each, k in zip(WATCHED, changed) if k}
    left |= {
        f"references to {each}": k for each, k in zip(CONSTANTS, changed[len(WATCHED) :]) if abs(k) > BLOCKS
    }
    return left | traced(calls)


def traced(calls):
    """Memory of Python's and NumPy's allocators. The first half of the calls replaces objects that were allocated
    before the tracing, such as those that NumPy's masked arrays keep."""
    tracemalloc.start()
    try:
        traced = []
        for _ in range(2):
            for call in calls * (TRACED_CALLS // len(calls) + 1):
                call()
            gc.collect()
            traced.append(tracemalloc.get_traced_memory()[0])
        grown = traced[1] - traced[0]
        return {"traced": grown} if grown > TRACED_BYTES else {}
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", _core.ufuncs)
def test_ufuncs(name):
    assert left_by(calls_of(name)) == {}


@pytest.mark.parametrize("calls", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(calls):
    assert left_by(calls, CALLS * len(calls)) == {}


def test_masked_arrays():
    assert left_by(MASKED, CALLS // 20) == {}


@pytest.mark.parametrize("calls", ERRORS.values(), ids=ERRORS)
def test_errors(calls):
    assert left_by(map(raising, calls), CALLS * len(calls)) == {}


# ---- leaks that must be found ----

kept = []


def lose_reference():
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(x))


def lose_memory():
    ctypes.memset(ctypes.pythonapi.PyMem_RawMalloc(512), 1, 512)


def lose_untraced_memory():
    LIBC.malloc.restype = ctypes.c_void_p
    ctypes.memset(LIBC.malloc(8192), 1, 8192)


@pytest.mark.parametrize(
    "leak, found",
    [
        (lambda: kept.append(g.gelu(x)), {"blocks", "traced"}),
        (lose_reference, {f"references to {x!r}"}),
        (lose_memory, {"traced"}),
        (lose_untraced_memory, {"resident"}),
    ],
)
def test_leaks_are_found(leak, found):
    """A leak is found, also among other calls that leak nothing."""
    ctypes.pythonapi.PyMem_RawMalloc.restype = ctypes.c_void_p
    ctypes.pythonapi.PyMem_RawMalloc.argtypes = [ctypes.c_size_t]
    try:
        assert found <= left_by([leak, lambda: g.gelu(x)]).keys()
    finally:
        kept.clear()
