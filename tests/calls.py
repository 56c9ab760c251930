# SPDX-License-Identifier: BSD-3-Clause
"""Calls that hypothesis chooses, each as the text of a script, and the judge of their results.

The text of a call is run twice: with gelu_fast, and with the package that tests/model.py makes."""

import inspect
import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from pathlib import Path

import ml_dtypes
import model
import numpy as np
from cases import outputs_of
from hypothesis import strategies as st

import gelu_fast
from gelu_fast import _core


class Subclass(np.ndarray):
    pass


def memory(values, itemsize, n_bytes):
    """Bytes that begin at a multiple of 64; the values are repeated in an order without a period."""
    values = np.frombuffer(bytes.fromhex(values), f"V{itemsize}")
    room = np.zeros(n_bytes + 64, np.uint8)
    room = room[-room.ctypes.data % 64 :][:n_bytes]
    room[:] = values[np.arange(n_bytes // itemsize + 1) ** 2 // 7 % values.size].view(np.uint8)[:n_bytes]
    return room


HEAD = f"""import ml_dtypes
import numpy as np

import gelu_fast


{inspect.getsource(Subclass)}

{inspect.getsource(memory)}

"""
NAMES = {"np": np, "ml_dtypes": ml_dtypes, "Subclass": Subclass, "memory": memory}


class Call:
    """`setup` makes the arrays, `expression` is the call; `outs` names the arrays that it may write."""

    def __init__(self, setup, expression, outs):
        self.setup, self.expression, self.outs = setup, expression, outs

    def source(self):
        """The call as a script that can be pasted."""
        return f"{HEAD}{self.setup}\nresult = {self.expression}\nprint(repr(result))\n"

    def __repr__(self):
        return f"<{self.expression}, as a script in the summary>"


# ---- the outcome of a call ----


@dataclass
class Outcome:
    error: type | None = None
    results: list = field(default_factory=list)
    memory: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)


def with_one_nan(array):
    """Make all NaNs in the array the same, as the payload of a NaN is not promised."""
    nan = array != array
    # An array of integers cannot hold a NaN. NaT, too, differs from itself, but it has only one bit pattern.
    if nan.any() and array.dtype.kind != "M":
        array[nan] = np.nan


def described(result, names, computed):
    """All that a caller sees of a result; its bytes only where `computed` is true."""
    about = [type(result).__name__, [name for name, value in names.items() if value is result]]
    if not isinstance(result, (np.ndarray, np.generic)):
        return [*about, repr(result)]
    data = np.array(np.ma.getdata(result), order="C", subok=False)
    data[~np.broadcast_to(np.asarray(computed, bool), data.shape)] = 0
    with_one_nan(data)
    strides = [step for step, n in zip(getattr(result, "strides", ()), data.shape) if n > 1 and data.size]
    about += [data.dtype, data.shape, strides, data.tobytes()]
    if isinstance(result, np.ma.MaskedArray):
        about.append(np.ma.getmaskarray(result).tolist())
    return about


def results_of(call, names, result):
    """Each result as a caller sees it; of a new array, only the elements that the call computes."""
    for one in outputs_of(result):
        given = any(one is names[name] for name in call.outs)
        yield described(one, names, True if given else names.get("computed", True))


def run(call, package):
    names = {**NAMES, "gelu_fast": package}
    exec(call.setup, names)
    rooms = {name: value for name, value in names.items() if name.startswith("room")}
    before = {name: room.tobytes() for name, room in rooms.items()}
    outcome = Outcome()
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="warn"):
        warnings.simplefilter("always")
        try:
            result = eval(call.expression, names)
        except model.BadSigma:
            return Outcome(model.BadSigma, memory=before)
        except Exception as error:
            about_sigma = str(error).startswith("sigma must be above 0")
            outcome.error = model.BadSigma if about_sigma else type(error)
        else:
            outcome.results.extend(results_of(call, names, result))
            for name in call.outs:
                with_one_nan(np.ma.getdata(names[name]))
            outcome.warnings = sorted({f"{w.category.__name__}: {w.message}" for w in caught})
    outcome.memory = {name: room.tobytes() for name, room in rooms.items()}
    return outcome


@contextmanager
def settings_kept():
    before = _core._stream_from()
    try:
        yield
    finally:
        gelu_fast.set_num_threads(None)
        _core._stream_from(before)


def got(call):
    if folder := os.environ.get("GELU_FAST_LAST_CALL"):  # the only trace of a call that ends the process
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        Path(folder, f"last_call_{worker}.py").write_text(call.source())
    with settings_kept():
        return run(call, gelu_fast)


def wanted(call):
    """The outcome with the model. A run that computes a result for the first time is repeated, as it calls a ufunc,
    which clears NumPy's warnings."""
    while True:
        model.Notes.new = 0
        outcome = run(call, model.PACKAGE)
        if model.Notes.errors:
            raise model.Notes.errors.pop()
        if not model.Notes.new:
            return outcome


def agree(have, want):
    """If a call has two errors, and one is a sigma not above 0, gelu_fast may report this one: it is checked first."""
    if have.error is model.BadSigma and want.error is not None:
        return have.memory == want.memory
    return have == want


# ---- choosing ----

FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["int8", "uint8", "int16", "int32", "int64", "uint64"]
OTHERS = [">f4", ">f8", ">f2", "?", "complex64", "M8[s]", "S4"]
DTYPES = FLOATS * 6 + model.NARROW + INTEGERS + OTHERS
BLOCK_BORDERS = [9, 16, 17, 31, 33, 63, 65, 127, 129, 257, 448, 449, 767, 769, 897, 1000, 1537, 2000, 7000]
SHIFTS = [1, 7, -1, -7, 1000, 2000, 5000]
MIN_SHARE = 16384
NUMBERS = [
    "0.5",
    "2",
    "1",
    "0",
    "0.0",
    "1.0",
    "0.25",
    "True",
    "-3.25",
    "1e30",
    "1e-9",
    "float('nan')",
    "[1.0]",
]
NUMBERS += [f"np.{x}" for x in ("float16(-1)", "float32(1.5)", "float64(2)", "int8(3)", "array(1.25)")]
NUMBERS += ["ml_dtypes.bfloat16(0.75)", "None", "'1'"]


@lru_cache(typed=True)
def one_of(*options):
    return st.sampled_from(options)


CODES = st.binary(min_size=4, max_size=48)


def values_of(codes, dtype, positive):
    """Numbers of this type, one for each four bytes of `codes`: special ones, ones where the curve bends, and any bits.
    Returned are their bytes in hexadecimal digits."""
    dtype = np.dtype(dtype)
    codes = np.frombuffer(codes[: len(codes) // 4 * 4], "<u4")
    bits = np.outer(codes, np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], "u8")).view("u1")
    bits = bits[:, 16 - dtype.itemsize :]
    if dtype.kind in "fV" and dtype.itemsize <= 8:
        info = ml_dtypes.finfo(dtype.newbyteorder("="))
        special = [0.0, -0.0, np.inf, -np.inf, np.nan]
        special += [info.max, info.min, info.tiny, info.smallest_subnormal, -info.smallest_subnormal]
        special, low, high = ([1.0, 2.0**-9, 300.0, np.inf], 0.0625, 9) if positive else (special, -13, 4)
        with np.errstate(all="ignore"):
            special = np.array(special).astype(dtype)[codes // 4 % len(special)]
            curve = (low + (high - low) * (codes / 2**32)).astype(dtype)
        special, curve = (x.view("u1").reshape(bits.shape) for x in (special, curve))
        bits = np.choose(codes[:, None] % 4, [special, curve if positive else bits, curve, curve])
    return bits.tobytes().hex()


def self_overlaps(shape, strides, itemsize):
    """Whether elements of the array may overlap each other."""
    extent = itemsize
    for step, n in sorted((abs(step), n) for step, n in zip(strides, shape) if n > 1):
        if step < extent:
            return True
        extent += step * (n - 1)
    return False


class Draft:
    """The lines of a call's script, while they are chosen."""

    def __init__(self, draw, is_plain=False):
        self.draw = draw
        self.rooms = []  # for each: values, their size, number of bytes
        self.written = []  # rooms in which outputs lie
        self.lines = []
        self.may_be_written = {}  # name -> shape
        self.places = []  # shape, room, type, strides and offset of arrays whose elements do not overlap
        # arrays of the usual kind, for which the functions have shorter paths
        self.is_plain = is_plain or self.pick(False, False, True)
        self.dtype = self.pick(*FLOATS) if self.is_plain else self.pick(*DTYPES)

    def pick(self, *options):
        return self.draw(one_of(*options))

    def often(self, usual, *others):
        """Choose the first option in two of three cases."""
        return self.pick(*[usual] * (2 * len(others)), *others)

    def shape(self, most=50_000):
        size = self.pick(*["small"] * 26, *["border"] * (26 if self.is_plain else 13), "large")
        if size == "small" or most < BLOCK_BORDERS[0]:
            return tuple(self.pick(3, 1, 2, 5, 8, 3, 2, 17, 4, 3, 2, 0) for _ in range(self.pick(1, 2, 0, 3)))
        if size == "border" or most < 2 * MIN_SHARE:
            n = self.pick(*BLOCK_BORDERS)
            return self.pick((n,), (n,), (1, n), *[(2, n), (n, 3)] * (n < 300))
        n = 2 * MIN_SHARE + self.pick(0, 1, 17, -1)
        return self.pick((n,), (2, n // 2 + 1), (n // 3 + 1, 3))

    def strides(self, shape, itemsize, is_written):
        kind = "C" if self.is_plain else self.pick("C", "C", "any", "any", "F", "repeated", "dense")
        # Where written elements overlap, more than one result is right.
        if is_written and kind in ("repeated", "dense"):
            kind = "any"
        if kind == "dense":
            return tuple(self.pick(1, itemsize, -itemsize, itemsize // 2) for _ in shape)
        axes = [*range(len(shape))]
        if kind != "F":
            axes.reverse()
        if kind == "any" and len(shape) > 1:
            axes = self.draw(st.permutations(axes))
        strides, extent = [0] * len(shape), itemsize
        for axis in axes:
            step = extent
            if kind == "any":
                step += self.pick(0, itemsize, 2 * itemsize, 1, 6 * itemsize, *[5000] * (prod(shape) < 100))
                step *= self.pick(1, -1)
            if kind == "repeated" and self.pick(True, False):
                step = 0
            strides[axis] = step
            extent += abs(step) * max(shape[axis] - 1, 0)
        return tuple(strides)

    def beside(self, shape):
        """Sometimes: room, type, strides and offset of an earlier array of this shape, shifted by some elements."""
        places = [place for place in self.places if place[0] == shape and place[1] not in self.written]
        if not places or self.pick(False, False, True):
            return None
        _, number, dtype, strides, offset = self.pick(*places)
        shift = self.pick(*[n for n in SHIFTS if abs(n) < shape[-1]] or [1])
        return number, dtype, strides, offset + shift * strides[-1]

    def array(self, name, shape, dtype=None, positive=False, is_written=False):
        """Write the line that makes an array with this name, in memory of its own or in that of earlier arrays."""
        if not dtype:
            dtype = (
                self.dtype
                if self.is_plain
                else self.pick(*[self.dtype] * 7, self.pick(*DTYPES, "longdouble"))
            )
        strides = self.strides(shape, np.dtype(dtype).itemsize, is_written)
        number, beside, others = len(self.rooms), None, []
        if is_written:
            beside = self.beside(shape)
            others = [i for i in range(number) if i not in self.written]
        elif not positive:
            others = [*range(number)]
        if beside:
            number, dtype, strides, offset = beside
        elif others and self.pick(False, False, True):
            number = self.pick(*others)
        itemsize = np.dtype(dtype).itemsize
        if number == len(self.rooms):
            self.rooms.append([values_of(self.draw(CODES), dtype, positive), itemsize, 0])
        ends = [(n - 1) * step for n, step in zip(shape, strides)] if prod(shape) else []
        low, high = sum(min(end, 0) for end in ends), sum(max(end, 0) for end in ends) + itemsize
        if not beside:
            offset = self.pick(0, itemsize, 2 * itemsize, 3 * itemsize, 16 * itemsize)
            offset = (offset if self.is_plain else self.pick(offset, offset, 1, 7, 100)) - low
        offset = max(offset, -low)
        if is_written:
            self.written.append(number)
        room = self.rooms[number]
        room[2] = max(room[2], offset + high)
        made = f"np.ndarray({shape}, {{!r}}, room{number}, {offset}, {strides})"
        if np.dtype(dtype) == bool:  # only the bytes 0 and 1 are valid booleans
            self.lines.append(made.format("u1") + "[...] &= 1")
        self.lines.append(f"{name} = {made.format(dtype)}")
        if dtype != "longdouble":  # longdouble has padding bytes
            self.may_be_written[name] = shape
            if shape and np.dtype(dtype) != bool and not self_overlaps(shape, strides, itemsize):
                self.places.append((shape, number, dtype, strides, offset))
        if self.is_plain:
            return name
        kind = self.pick(*["plain"] * 15, "subclass", "masked", "read-only" if is_written else "masked")
        if kind == "subclass":
            self.lines.append(f"{name} = {name}.view(Subclass)")
        elif kind == "masked" and not positive:
            self.lines.append(
                f"{name} = np.ma.MaskedArray({name}, np.arange({prod(shape)}).reshape({shape}) % 3 == 1)"
            )
        elif kind == "read-only":
            self.lines.append(f"{name}.flags.writeable = False")
        return name

    def broadcast(self, shape):
        """A shape, which most often broadcasts to this one."""
        kind = self.pick(*["same"] * 7, "shorter", "ones", *["other"] * self.pick(0, 0, 0, 1))
        if kind == "shorter":
            return shape[self.pick(*range(len(shape) + 1)) :]
        if kind == "ones":
            return tuple(self.pick(1, n) for n in shape)
        return self.shape(most=1) if kind == "other" else shape

    def operand(self, name, shape, positive=False):
        if self.pick(*[False] * 7, True):
            return self.pick(*NUMBERS)
        return self.array(name, self.broadcast(shape), positive=positive)

    def result_dtype(self):
        """A type that a result of this call may have."""
        floats = [*FLOATS, *model.NARROW]
        if self.is_plain:
            return self.dtype
        return self.pick(*[self.dtype if self.dtype in floats else "float64"] * 5, self.pick(*DTYPES))

    def output(self, name, shape):
        same = [
            each
            for each, its in self.may_be_written.items()
            if its == shape and each not in ("where", "chosen")
        ]
        if same and self.pick(False, False, True):
            return self.pick(*same)
        if self.pick(*[False] * 9, True):
            # Never an `out` of no dimensions for a shape of one: NumPy 2.4 crashes on that in accumulate.
            shape = self.pick((2, *shape), shape[1:] or shape, (*shape[:-1], 1))
        return self.array(name, shape, self.result_dtype(), is_written=True)

    def outputs(self, shape, n):
        """The argument out=, and the names of its arrays."""
        if self.pick(*[False] * 15, True):
            return self.pick("out=None", "out=...", "out=([1.0],)", "out=(None,) * 3"), ()
        outs = [self.output(f"out{i}", shape) for i in range(n)]
        if n == 1:
            return self.pick(f"out={outs[0]}", f"out=({outs[0]},)"), tuple(outs)
        if self.pick(*[False] * 4, True):
            outs[self.pick(0, 1)] = "None"
        return f"out=({', '.join(outs)})", tuple(name for name in outs if name != "None")

    def where(self, shape):
        if self.pick(*[False] * 5, True):
            self.lines.append(
                f"where = {self.pick('True', 'False', 'np.True_', 'np.arange(3)', '[True]', '1.0')}"
            )
        else:
            self.array("where", self.broadcast(shape), "?")
        self.lines.append("computed = np.array(where, bool)  # the call may write to the memory of `where`")
        return "where=where"

    def options(self, shape, n_in, n_out, choice=None):
        """The arguments beside the inputs: all those of a choice."""
        given, outs = [], ()
        if choice is None:
            choice = self.pick(*[("out",)] * 3, ()) if self.is_plain else self.pick(*OPTIONS)
        for name in choice:
            if name == "where":
                given.append(self.where(shape))
            elif name == "out":
                text, outs = self.outputs(shape, n_out)
                given.append(text)
            elif name == "dtype":
                given.append(f"dtype={self.pick(self.result_dtype(), 'f4', 'f8', 'i4')!r}")
            elif name == "casting":
                given.append(f"casting={self.pick('unsafe', 'same_kind', 'safe', 'equiv', 'no', 'any')!r}")
            elif name == "order":
                given.append(f"order={self.pick('C', 'F', 'A', 'K')!r}")
            elif name == "subok":
                given.append(f"subok={self.pick(False, True)}")
            elif name == "signature":
                c = self.pick("f", "d", "e")
                types = (None,) * n_in + (self.result_dtype(),) * n_out
                given.append(f"signature={self.pick(f'{c * n_in}->{c * n_out}', c, types, 'ff')!r}")
        return given, outs

    def done(self, called, arguments, outs, is_large):
        rooms = [
            f"room{i} = memory({values!r}, {size}, {n_bytes})"
            for i, (values, size, n_bytes) in enumerate(self.rooms)
        ]
        threads = [f"gelu_fast.set_num_threads({self.pick(1, 2, 5)})"] if is_large else []
        if self.pick(False, True):
            threads.append(f"gelu_fast._core._stream_from({self.pick(0, 1e99)})")
        arguments = ", ".join(arguments)
        return Call("\n".join(rooms + threads + self.lines), f"gelu_fast.{called}({arguments})", outs)


OPTIONS = [
    (),
    ("out",),
    ("out",),
    ("out",),
    ("where",),
    ("out", "where"),
    ("out", "where"),
    ("dtype",),
    ("dtype", "casting"),
    ("out", "casting"),
    ("out", "dtype"),
    ("order",),
    ("subok",),
    ("signature",),
    ("out", "signature"),
    ("dtype", "signature"),
    ("out", "order", "subok"),
    ("out", "where", "dtype", "casting"),
]


@st.composite
def function_calls(draw, name, is_plain=False):
    """Calls of a function that chooses one of the ufuncs."""
    draft = Draft(draw, is_plain)
    shape = draft.shape()
    n_in, n_out = (getattr(model.UFUNCS[f"{name}_erf"], number) for number in ("nin", "nout"))
    arguments = []
    if name == "geglu" and draft.pick(False, True):
        axis = draft.pick(-1, *range(len(shape)), 5)
        if axis < len(shape) and shape:
            double = [2 * n if i == axis % len(shape) else n for i, n in enumerate(shape)]
            double[axis] += draft.pick(*[0] * 15, 1)
        else:
            double = shape
        arguments = [draft.array("a", tuple(double)), f"axis={axis}"]
    else:
        arguments = [draft.operand(letter, shape) for letter in "abc"[:n_in]]
    approx = draft.pick("False", "True", "'tanh'", "'sigmoid'", "'none'", "np.True_")
    approx = draft.often(approx, draft.often(approx, approx, draft.pick("None", "1", "[]")))
    arguments.append(f"{draft.pick('approx', 'approximate')}={approx}")
    if f"{name}_mu_sigma_erf" in model.UFUNCS:
        if draft.pick(False, True):
            arguments.append(f"mu={draft.operand('mu', shape)}")
        if draft.pick(False, True):
            arguments.append(f"sigma={draft.operand('sigma', shape, positive=True)}")
    options, outs = draft.options(shape, n_in, n_out)
    return draft.done(name, arguments + options, outs, prod(shape) > MIN_SHARE)


@st.composite
def ufunc_calls(draw, name):
    draft = Draft(draw)
    ufunc, shape = model.UFUNCS[name], draft.shape()
    arguments = [draft.operand(letter, shape) for letter in "abcd"[: ufunc.nin]]
    options, outs = draft.options(shape, ufunc.nin, ufunc.nout)
    return draft.done(name, arguments + options, outs, prod(shape) > MIN_SHARE)


@st.composite
def method_calls(draw, name, method):
    """Calls of reduce, accumulate, reduceat, at or outer."""
    draft = Draft(draw)
    shape = draft.shape(most=1 if method == "outer" else 50_000)
    n = shape[0] if shape else 1
    options, outs = draft.pick((), (), ("dtype",), ("out",), ("out",), ("out", "dtype")), ()
    arguments = [draft.array("a", shape)]
    if method == "outer":
        other = draft.shape(most=1)
        arguments.append(draft.operand("b", other))
        given, outs = draft.options(shape + other, 2, 1)
        return draft.done(f"{name}.outer", arguments + given, outs, False)
    if method in ("at", "reduceat"):
        indices = draw(st.lists(st.integers(-n if method == "at" else 0, max(n - 1, 0)), max_size=9))
        if draft.pick(*[False] * 15, True):
            indices.append(n)
        arguments.append(f"np.array({indices}, np.intp)")
    if method == "at":
        if model.UFUNCS[name].nin == 2:
            arguments.append(draft.operand("b", (len(indices), *shape[1:])))
        return draft.done(f"{name}.at", arguments, ("a",), False)
    axis = draft.pick(0, -1, *range(len(shape)), *[9] * draft.pick(*[0] * 7, 1))
    if method == "reduce" and draft.pick(*[False] * 7, True):
        axis = draft.pick(None, (0,), (0, 1), ())
    arguments.append(f"axis={axis}")
    after = list(shape)
    if method == "reduceat" and shape:
        after[0 if axis == 9 else axis] = len(indices)
    if method == "reduce":
        keeps = draft.pick(False, True)
        if isinstance(axis, int) and axis < len(shape) and shape:
            after[axis] = 1
            if not keeps:
                del after[axis]
        arguments.append(f"keepdims={keeps}")
        if draft.pick(False, True):
            arguments.append(f"initial={draft.pick(*NUMBERS)}")
            if draft.pick(False, True):
                # The array is not named `where`: all elements of the result are computed, even if it leaves out inputs.
                arguments.append(f"where={draft.array('chosen', draft.broadcast(shape), '?')}")
    given, outs = draft.options(tuple(after), 2, 1, options)
    return draft.done(f"{name}.{method}", arguments + given, outs, prod(shape) > MIN_SHARE)


@st.composite
def stochastic_calls(draw):
    draft = Draft(draw)
    shape = draft.shape()
    arguments = [draft.operand("a", shape), draft.pick("7", "[1, 2]", "0")]
    approx = draft.pick("False", "True", "'sigmoid'", *["0"] * draft.often(0, 1))
    arguments.append(f"{draft.pick('approx', 'approximate')}={approx}")
    if draft.pick(False, True):
        arguments.append(f"offset={draft.pick(1, 63, 64, 1000, 2**32 - 5, 2**64 - 1000, -1)}")
    if draft.pick(False, True):
        arguments.append("return_mask=True")
    outs = ()
    if draft.pick(False, True):
        outs = (draft.output("out", shape),)
        arguments.append(f"out={outs[0]}")
    return draft.done("stochastic_gelu", arguments, outs, prod(shape) > MIN_SHARE)
