# SPDX-License-Identifier: BSD-3-Clause
"""A model of the package: NumPy makes the ufuncs, and an inner loop in Python computes one element after the other.

Each result is that of gelu_fast's own ufunc called with NumPy scalars, one at a time. Everything else (types, shapes,
memory, errors, methods) is NumPy's, as these ufuncs have the same types in the same order as those of gelu_fast."""

import ctypes
import warnings
from functools import partial
from itertools import product
from types import SimpleNamespace

import ml_dtypes
import numpy as np
from numpy._core._multiarray_umath import _UFUNC_API

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import FORMS
from gelu_fast._functions import FUNCTIONS

NARROW = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
NARROW += ["float8_e4m3b11fnuz", "float8_e4m3", "float8_e3m4"]
NARROW = [name for name in NARROW if hasattr(ml_dtypes, name)]  # older ml_dtypes lack the last two
FLOATS = ["float16", "float32", "float64"]
APPROX = {False: "erf", "none": "erf", True: "tanh", "tanh": "tanh", "sigmoid": "sigmoid"}

# NumPy's C interface: the table that import_umath() reads, and functions in it.
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_API = ctypes.cast(_pointer_of(_UFUNC_API, None), ctypes.POINTER(ctypes.c_void_p))
_SIZES = ctypes.POINTER(ctypes.c_ssize_t)
_LOOP = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_void_p), _SIZES, _SIZES, ctypes.c_void_p)
_int, _void_p, _char_p = ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
_from_func_and_data = ctypes.PYFUNCTYPE(
    ctypes.py_object, _void_p, _void_p, _char_p, _int, _int, _int, _int, _char_p, _char_p, _int
)(_API[1])
_register_loop_for_type = ctypes.PYFUNCTYPE(
    _int, ctypes.py_object, _int, _LOOP, ctypes.POINTER(_int), _void_p
)(_API[2])
_NO_IDENTITY = -1

_memory = ctypes.pythonapi.PyMemoryView_FromMemory
_memory.restype, _memory.argtypes = ctypes.py_object, [_void_p, ctypes.c_ssize_t, _int]
_WRITABLE = 0x200

kept = []  # NumPy holds pointers into all of these


class BadSigma(ValueError):
    """Raised, before anything is written, in place of a call that would compute with a sigma not above 0."""


class Notes:
    """Notes of the inner loops: the number of results that were computed for the first time, whether a sigma was not
    above 0, and exceptions."""

    new = 0
    bad_sigma = False
    errors = []


def scalar_results(ufunc, dtype, elements):
    """The results for one element, as unsigned integers like `elements`, and whether sigma is not above 0."""
    unsigned = f"u{dtype.itemsize}"
    inputs = np.array(elements, unsigned).view(dtype)
    results = ufunc(*inputs)
    results = results if ufunc.nout > 1 else (results,)
    bad = "mu_sigma" in ufunc.__name__ and not inputs[-1] > 0
    return [int(np.asarray(y, dtype).view(unsigned)) for y in results], bad


def elements_of(place, stride, n, size):
    """An operand's memory as unsigned integers, and the indices of its elements. NumPy aligns the operands of loops."""
    low = min(0, (n - 1) * stride)
    memory = _memory(place + low, abs((n - 1) * stride) + size, _WRITABLE).cast(" BH I   Q"[size])
    return memory, [(i * stride - low) // size for i in range(n)]


def make_loop(ufunc, dtype):
    known_on = {}  # ISA level -> elements -> results
    n_in, size = ufunc.nin, dtype.itemsize

    def loop(args, dimensions, steps, data):
        try:
            known = known_on.setdefault(_core.isa_level, {})
            operands = [elements_of(args[j], steps[j], dimensions[0], size) for j in range(ufunc.nargs)]
            for where in zip(*[indices for _, indices in operands]):
                key = tuple([memory[i] for (memory, _), i in zip(operands[:n_in], where)])
                found = known.get(key)
                if found is None:
                    found = known[key] = scalar_results(ufunc, dtype, key)
                    Notes.new += 1
                for (memory, _), i, result in zip(operands[n_in:], where[n_in:], found[0]):
                    memory[i] = result
                Notes.bad_sigma |= found[1]
        except BaseException as error:
            Notes.errors.append(error)

    return _LOOP(loop)


def make_ufunc(name, ufunc):
    """A ufunc made by NumPy, with this name and the inputs, outputs and types of that ufunc."""
    dtypes = [np.dtype(each) for each in FLOATS]
    loops = (_LOOP * len(dtypes))(*[make_loop(ufunc, dtype) for dtype in dtypes])
    data = (_void_p * len(dtypes))()
    types = bytes([dtype.num for dtype in dtypes for _ in range(ufunc.nargs)])
    text = name.encode(), b"The model."
    kept.append((loops, data, types, text))
    made = _from_func_and_data(
        ctypes.addressof(loops),
        ctypes.addressof(data),
        types,
        len(dtypes),
        ufunc.nin,
        ufunc.nout,
        _NO_IDENTITY,
        *text,
        0,
    )
    for narrow in NARROW:
        dtype = np.dtype(getattr(ml_dtypes, narrow))
        loop, types = make_loop(ufunc, dtype), (_int * ufunc.nargs)(*[dtype.num] * ufunc.nargs)
        kept.append((loop, types))
        assert _register_loop_for_type(made, dtype.num, loop, types, None) == 0
    return made


UFUNCS = {name: make_ufunc(name, ufunc) for name, ufunc in _core.ufuncs.items()}
# Sigma is checked by ufuncs of their own, as in gelu_fast. A ufunc keeps the types that NumPy once chose for some types
# of inputs, even if `out` decided: after np.exp(np.int8(3), out=<bfloat16>), np.exp(np.int8(3)) is bfloat16 (NumPy
# 2.4, 2.5).
SIGMA_CHECKS = {name: make_ufunc(name, ufunc) for name, ufunc in _core.ufuncs.items() if "mu_sigma" in name}

# Choose these types now, the same for gelu_fast and its model. Otherwise the first call decides, and a call with `out`
# may be the first for only one of the two.
_INTEGERS = [np.dtype(char) for char in "?bBhHiIlLqQ"]
for _ufunc in (*UFUNCS.values(), *SIGMA_CHECKS.values(), *_core.ufuncs.values()):
    for _types in product(_INTEGERS, repeat=_ufunc.nin):
        _ufunc.resolve_dtypes((*_types, *[None] * _ufunc.nout))


def form_of(approx):
    if type(approx) not in (bool, np.bool, str) or approx not in APPROX:
        raise ValueError(approx)
    return APPROX[approx]


def meets_bad_sigma(ufunc, inputs, given):
    """Whether a call without `out` would compute with a sigma that is not above 0."""
    given = {key: given[key] for key in given if key in ("where", "dtype", "casting", "signature")}
    Notes.bad_sigma = False
    with warnings.catch_warnings(action="ignore"):
        try:
            ufunc(*inputs, **given)
        except (TypeError, ValueError):
            return False
    return Notes.bad_sigma


def function(name, *inputs, approx=False, approximate=None, mu=0.0, sigma=1.0, **given):
    form = form_of(approx if approximate is None else approximate)
    # out=None is the function's default. It must not reach the ufunc, which does not warn of `where` then (NumPy 2.4).
    if given.get("out") is None:
        given.pop("out", None)
    zero = type(mu) in (int, float) and mu == 0
    one = type(sigma) in (int, float) and sigma == 1
    if zero and one:
        return UFUNCS[f"{name}_{form}"](*inputs, **given)
    ufunc = UFUNCS[f"{name}_mu_sigma_{form}"]
    inputs = (*inputs, 0 if zero else mu, 1 if one else sigma)
    if meets_bad_sigma(SIGMA_CHECKS[ufunc.__name__], inputs, given):
        raise BadSigma
    return ufunc(*inputs, **given)


def geglu(gate, up=None, *, approx=False, approximate=None, axis=-1, **given):
    form_of(approx if approximate is None else approximate)
    if isinstance(up, (str, bool)):
        raise TypeError(up)
    if up is None:
        x = gate if isinstance(gate, np.ndarray) else np.asarray(gate)
        up, gate = np.split(x, 2, np.lib.array_utils.normalize_axis_index(axis, x.ndim))
    return function("geglu", gate, up, approx=approx, approximate=approximate, **given)


class Key:
    """The words of a seed, computed once; a SeedSequence would compute them anew for each element."""

    def __init__(self, seed):
        self.words = np.random.SeedSequence(seed).generate_state(4)

    def generate_state(self, n_words):
        return self.words


def stochastic_gelu(x, rng, *, approx=False, approximate=None, offset=0, out=None, return_mask=False):
    approx = approx if approximate is None else approximate
    form_of(approx)
    masked = isinstance(x, np.ma.MaskedArray) or isinstance(out, np.ma.MaskedArray)
    if masked and out is not None and not isinstance(out, np.ma.MaskedArray):
        raise TypeError(type(out))
    data = np.asarray(np.ma.getdata(x))
    dtype = UFUNCS["gelu_erf"].resolve_dtypes((data.dtype, None))[1]
    if not 0 <= offset <= 2**64 - data.size:
        raise ValueError(offset)
    if out is not None:
        if not isinstance(out, np.ndarray):
            raise TypeError(type(out))
        if out.shape != data.shape or not out.flags.writeable:
            raise ValueError(out.shape)
        if not np.can_cast(dtype, out.dtype, "same_kind"):
            raise TypeError(out.dtype)
    y, kept_at, key = np.empty(data.shape, dtype), np.empty(data.shape, bool), Key(rng)
    for i, element in enumerate(data.flat):
        one = gelu_fast.stochastic_gelu(element, key, approx=approx, offset=offset + i, return_mask=True)
        y.flat[i], kept_at.flat[i] = one
    if masked:
        y, kept_at = (np.ma.MaskedArray(each, np.ma.getmaskarray(x).copy()) for each in (y, kept_at))
    y, kept_at = y[()], kept_at[()]
    if out is not None:
        np.copyto(np.ma.getdata(out), np.ma.getdata(y), casting="same_kind")
        if masked:
            out.mask = np.ma.getmaskarray(x)
        y = out
    return (y, kept_at) if return_mask else y


PACKAGE = SimpleNamespace(
    **UFUNCS,
    **{name: partial(function, name) for name, row in FUNCTIONS.items() if row.call} | {"geglu": geglu},
    stochastic_gelu=stochastic_gelu,
    set_num_threads=lambda n: None,
    _core=SimpleNamespace(_stream_from=lambda n_bytes: None),
)
assert set(FORMS) == set(APPROX.values())
