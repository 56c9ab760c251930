# SPDX-License-Identifier: BSD-3-Clause
"""Many Python threads at once use everything that they share: the pool, the globals of _core, a Generator, a fork.

Results are compared bit for bit with those of one thread. `make sanitize` runs this file under ThreadSanitizer."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from cases import outputs_of

import gelu_fast
from gelu_fast import _core

WORKERS = 8
SMALL, ALONE, SHARED, WOKEN = 600, 20_000, 50_000, 150_000  # elements; the pool helps from SHARED on


@pytest.fixture(autouse=True)
def switching():
    """Make Python switch threads as often as it can; restore the settings afterwards."""
    interval, stream_from = sys.getswitchinterval(), _core._stream_from()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    _core._stream_from(stream_from)
    gelu_fast.set_num_threads(None)


def at_once(work, workers=WORKERS):
    """The results of work(i) on the threads, which begin together."""
    together = threading.Barrier(workers)

    def begin(i):
        together.wait(60)
        return work(i)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(begin, range(workers)))


def values(n, dtype, seed):
    return np.random.default_rng(seed).normal(0, 3, n).astype(dtype)


def result_bytes(result):
    return [np.asarray(each).tobytes() for each in outputs_of(result)]


def into_new_memory(ufunc, *inputs, **options):
    """A call with an `out` of its own, so that stores may go past the cache."""
    outs = tuple(np.zeros_like(inputs[0]) for _ in range(ufunc.nout))
    return ufunc(*inputs, out=outs, **options)


def cases():
    """Calls, as functions without arguments: each ufunc with sizes, types and layouts in turn, and the functions."""
    sizes, layouts = (SMALL, ALONE, SHARED, WOKEN), (slice(None), slice(None, None, 2), slice(None, None, -1))
    for number, ufunc in enumerate(_core.ufuncs.values()):
        for turn in range(3):
            n, dtype = sizes[(number + turn) % 4], "fde"[(number // 4 + turn) % 3]
            inputs = [values(n, dtype, seed)[layouts[turn]] for seed in range(ufunc.nin - 1)]
            inputs.append(abs(values(n, dtype, ufunc.nin)[layouts[turn]]) + 1)  # sigma, if there is one
            yield partial(into_new_memory, ufunc, *inputs)
    x = values((300, 500), "f", 1)
    yield partial(gelu_fast.gelu, x, "tanh", mu=x[0], sigma=abs(x[1]) + 1)
    yield partial(gelu_fast.bias_gelu, x, x[0])
    yield partial(gelu_fast.geglu, x)
    yield partial(into_new_memory, gelu_fast.gelu_erf, x[::3, ::2], where=x[::3, ::2] > 0)
    for dtype in "fd":
        yield partial(gelu_fast.stochastic_gelu, x.astype(dtype), 5, offset=77, return_mask=True)


def wrong(expected, order):
    return [i for i in order if result_bytes(CASES[i]()) != expected[i]]


CASES = list(cases())


@pytest.fixture(scope="module")
def expected():
    gelu_fast.set_num_threads(1)
    return [result_bytes(case()) for case in CASES]


def change_settings(until):
    turn = 0
    while not until.is_set():
        gelu_fast.set_num_threads((1, 2, 3, 5, None)[turn % 5])
        _core._stream_from((0, float("inf"))[turn % 2])
        assert gelu_fast.get_num_threads() >= 1
        turn += 1
    return turn


def test_all_calls_while_settings_change(expected):
    """The settings are the number of threads, and the size from which stores go past the cache."""
    done = threading.Event()
    with ThreadPoolExecutor(1) as other:
        turns = other.submit(change_settings, done)
        try:
            found = at_once(lambda i: wrong(expected, np.random.default_rng(i).permutation(len(CASES))))
        finally:
            done.set()
    assert found == [[]] * WORKERS
    assert turns.result() > 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_while_others_compute(expected):
    """A child starts threads of its own, and its results are right."""
    few = range(0, len(CASES), 12)

    def child_of(_):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # CPython 3.12 warns of forks beside threads
            child = os.fork()
        if child == 0:
            status = 2
            try:
                signal.alarm(120)  # ends a child that hangs
                gelu_fast.set_num_threads(3)
                status = 0 if wrong(expected, few) == [] else 1
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    gelu_fast.set_num_threads(3)
    done = threading.Event()

    def compute(i):
        found = []
        while not done.is_set():
            found += wrong(expected, few)
        return found

    with ThreadPoolExecutor(3) as pool:
        computing = [pool.submit(compute, i) for i in range(3)]
        try:
            statuses = [child_of(i) for i in range(4)]
        finally:
            done.set()
    assert statuses == [0] * 4
    assert [each.result() for each in computing] == [[]] * 3


@pytest.mark.parametrize("wrap", [lambda g: g, lambda g: g.bit_generator], ids=["Generator", "BitGenerator"])
def test_a_shared_generator(wrap):
    """Each call takes its four words undisturbed: the results are those of the same calls one after the other."""
    x, calls = values(SMALL, "f", 0), 100
    shared, alone = wrap(np.random.default_rng(5)), wrap(np.random.default_rng(5))
    found = at_once(lambda _: [gelu_fast.stochastic_gelu(x, shared).tobytes() for _ in range(calls)])
    expected = [gelu_fast.stochastic_gelu(x, alone).tobytes() for _ in range(calls * WORKERS)]
    assert sorted(sum(found, [])) == sorted(expected)
    assert len(set(expected)) == len(expected)


FIRST = """
import sys, threading, numpy as np
from concurrent.futures import ThreadPoolExecutor
sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
x = np.linspace(-4, 4, 100_000)
def work(i):
    together.wait(60)
    import gelu_fast
    gelu_fast.set_num_threads(4)
    return gelu_fast.gelu(x).tobytes() + gelu_fast.stochastic_gelu(x, 3).tobytes()
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(work, range(8)))
print(len(found), len(set(found)))
"""


def test_first_calls_at_once():
    """Threads import gelu_fast, start the helpers, and import NumPy's random module at the same time."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["8", "1"], done.stderr
