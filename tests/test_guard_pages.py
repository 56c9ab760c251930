# SPDX-License-Identifier: BSD-3-Clause
"""No operand is read or written beyond its ends: each one ends or begins at a page that the system protects. An access
to that page ends the process, so a child process makes the calls, and records each call before making it."""

import ctypes
import mmap
import signal
import subprocess
import sys
from itertools import product

import ml_dtypes
import numpy as np
import pytest
from cases import every_level, one_form_each, outputs_of, some_inputs, through_function
from model import FLOATS, NARROW

import gelu_fast
from gelu_fast import _core

pytestmark = [
    every_level,
    pytest.mark.skipif(sys.platform != "linux", reason="mprotect is called as on Linux"),
]

DTYPES = [np.dtype(name) for name in FLOATS] + [np.dtype(getattr(ml_dtypes, name)) for name in NARROW]
NAMES = one_form_each(_core.ufuncs)
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 129, 449, 769]
LARGE = 2 * 16384 + 5  # enough for two threads
TOLD = 300
# Steps of inputs and of outputs, as elements and additional bytes; and whether operands lie at the end of their memory.
STEPS = [
    ((1, 0), (1, 0)),
    ((2, 0), (1, 0)),
    ((1, 0), (2, 0)),
    ((-1, 0), (-1, 0)),
    ((-3, 0), (2, 0)),
    ((0, 0), (1, 0)),
    ((1, 1), (1, 1)),
]
BOTH = [(True, True), (False, False)]
LAYOUTS = [*product(STEPS[:1], [*BOTH, (True, False), (False, True)]), *product(STEPS[1:], BOTH)]


def between_forbidden_pages(n_bytes):
    """At least n_bytes, in whole pages, between two pages that can be neither read nor written."""
    page = mmap.PAGESIZE
    whole = (n_bytes + page - 1) // page * page
    room = np.frombuffer(mmap.mmap(-1, whole + 2 * page), np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    for start in (0, whole + page):
        assert libc.mprotect(ctypes.c_void_p(room.ctypes.data + start), ctypes.c_size_t(page), 0) == 0
    return room[page:-page]


def placed(room, n, dtype, step, at_end):
    """An array of n elements, one of which lies at the end of this memory, or at its beginning."""
    stride = step[0] * dtype.itemsize + step[1]
    span = (n - 1) * abs(stride)
    offset = room.size - span - dtype.itemsize if at_end else 0
    return np.ndarray((n,), dtype, room, offset + (span if stride < 0 else 0), (stride,))


class Tell:
    """Write the call that comes next into a mapped file, where it stays when the process has ended."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), TOLD)

    def __call__(self, what):
        self.memory[:] = what.encode().ljust(TOLD)


def check(tell, name, dtype, rooms, sizes, layouts, threads=(None,)):
    """Make all these calls of a ufunc and of its function; the last room is for the mask."""
    ufunc, function = _core.ufuncs[name], through_function(name)
    values = some_inputs(name, max(sizes), dtype)
    expected = outputs_of(ufunc(*values))
    for (in_step, out_step), (in_end, out_end) in layouts:
        about = f"{name} {dtype} steps {in_step} {out_step} at the end: {in_end} {out_end}"
        for n in sizes:
            operands = [placed(room, n, dtype, in_step, in_end) for room in rooms[: ufunc.nin]]
            out = tuple(
                [placed(room, n, dtype, out_step, out_end) for room in rooms[ufunc.nin : ufunc.nargs]]
            )
            where = placed(rooms[-1], n, np.dtype(bool), in_step, in_end)
            where[...] = True
            repeated = in_step == (0, 0)
            for x, numbers in zip(operands, values):
                x[...] = numbers[0] if repeated else numbers[:n]
            wanted = [np.full(n, y[0]).tobytes() if repeated else y[:n].tobytes() for y in expected]
            for count, given in product(threads, ({"out": out}, {"out": out, "where": where}, {})):
                gelu_fast.set_num_threads(count)
                for way in (ufunc, function):
                    tell(f"{about} n = {n} threads {count} function: {way is function} {' '.join(given)}")
                    for y in out:
                        y.fill(7)
                    assert [y.tobytes() for y in outputs_of(way(*operands, **given))] == wanted


def small(tell):
    rooms = [between_forbidden_pages(20_000) for _ in range(6)]
    for name, dtype in product(NAMES, DTYPES):
        few = dtype.itemsize == 1
        check(tell, name, dtype, rooms, SIZES[::4] if few else SIZES, LAYOUTS[::3] if few else LAYOUTS)


def streamed(tell):
    """Stores past the cache, for contiguous operands alone."""
    _core._stream_from(0)
    rooms = [between_forbidden_pages(20_000) for _ in range(6)]
    before = _core._streamed()
    for name, dtype in product(NAMES, DTYPES[:4]):
        check(tell, name, dtype, rooms, SIZES, LAYOUTS[:2])
    assert _core._streamed() > before


def large(tell):
    """Calls on several threads, with and without stores past the cache."""
    rooms = [between_forbidden_pages(3 * LARGE * 8) for _ in range(6)]
    for n_bytes, (name, dtype) in product((0, float("inf")), product(NAMES, DTYPES[1:3])):
        _core._stream_from(n_bytes)
        check(tell, name, dtype, rooms, [LARGE], [LAYOUTS[0], LAYOUTS[5]], (2, 5))


def methods(tell):
    rooms = [between_forbidden_pages(20_000) for _ in range(2)]
    for name, ufunc in ((name, _core.ufuncs[name]) for name in NAMES):
        if (ufunc.nin, ufunc.nout) != (2, 1):
            continue
        for dtype, ((step, _), (at_end, _)), n in product(DTYPES, LAYOUTS[::2], SIZES[::3]):
            x, out = (placed(room, n, dtype, step, at_end) for room in rooms)
            x[...] = some_inputs(name, n, dtype)[0] if step != (0, 0) else 1
            copy = x.copy()
            tell(f"{name} {dtype} methods, n = {n} step: {step} at the end: {at_end}")
            assert ufunc.outer(x, x[-1:]).tobytes() == ufunc.outer(copy, copy[-1:]).tobytes()
            assert ufunc.reduceat(x, [0, n - 1]).tobytes() == ufunc.reduceat(copy, [0, n - 1]).tobytes()
            total = placed(rooms[1], 1, dtype, (1, 0), at_end)
            assert ufunc.reduce(x, out=total, keepdims=True).tobytes() == ufunc.reduce(copy).tobytes()
            if step == (0, 0):
                continue
            assert ufunc.accumulate(x, out=out).tobytes() == ufunc.accumulate(copy).tobytes()
            for each in (x, copy):
                ufunc.at(each, [n - 1, 0], copy[-1:].copy())
            assert x.tobytes() == copy.tobytes()


def stochastic(tell):
    for n, dtype in product([*SIZES, LARGE], DTYPES[:5]):
        rooms = [between_forbidden_pages(3 * 8 * n) for _ in range(2)]
        for (steps, ends), n_bytes in product(LAYOUTS, (0, float("inf"))):
            _core._stream_from(n_bytes)
            x, out = (placed(room, n, dtype, step, end) for room, step, end in zip(rooms, steps, ends))
            x[...] = some_inputs("gelu_erf", n, dtype)[0] if steps[0] != (0, 0) else 1
            tell(f"stochastic_gelu {dtype} n = {n} steps: {steps} at the end: {ends}")
            y, kept = gelu_fast.stochastic_gelu(x.copy(), n, return_mask=True)
            _, also_kept = gelu_fast.stochastic_gelu(x, n, out=out, return_mask=True)
            assert (out.tobytes(), also_kept.tobytes()) == (y.tobytes(), kept.tobytes())


def control(tell, operand, at_end):
    """A call that reads, or writes, one element too many."""
    room, plain = between_forbidden_pages(4096), np.ones(101, "f4")
    inside = placed(room, 100, plain.dtype, (1 if at_end else -1, 0), at_end)
    for n in (100, 101):
        tell(f"{n} elements of operand {operand}")
        operands = [plain[:n], np.empty(n, "f4")]
        operands[operand] = np.lib.stride_tricks.as_strided(inside, (n,))
        gelu_fast.gelu(operands[0], out=operands[1])


@pytest.fixture
def child(tmp_path):
    told = tmp_path / "told"
    told.write_bytes(bytes(TOLD))

    def run(*what):
        done = subprocess.run(
            [sys.executable, __file__, told, *map(str, what)], capture_output=True, text=True
        )
        return done.returncode, told.read_text().rstrip(), done.stderr

    return run


@pytest.mark.parametrize("calls", ["small", "streamed", "large", "methods", "stochastic"])
def test_nothing_beyond_the_ends(child, calls):
    status, last, errors = child(calls)
    assert status == 0, f"{signal.Signals(-status).name if status < 0 else errors} in {last}"
    assert last == f"{calls}: done"


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("operand", [0, 1])
def test_one_element_too_many_is_found(child, operand, at_end):
    status, last, _ = child("control", operand, int(at_end))
    assert (status, last) == (-signal.SIGSEGV, f"101 elements of operand {operand}")


if __name__ == "__main__":
    path, calls, *arguments = sys.argv[1:]
    tell = Tell(path)
    globals()[calls](tell, *map(int, arguments))
    tell(f"{calls}: done")
