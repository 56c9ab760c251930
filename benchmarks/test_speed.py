# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's cases. Cases that are compared with each other use the same arrays and run one after the other,
so that changes in the load of the machine affect their ratio as little as possible."""

from functools import lru_cache, partial
from timeit import repeat

import numpy as np
import peers
import pytest
from distributions import DISTRIBUTIONS, NORMAL, draw
from ours import DTYPES, FORMS, MORE, MU_SIGMA, ours, size_on_data
from peers import MODES, PEERS, THREADS

SIZES = (1, 128, 4096, 65536, 2**20, 2**24, 2**26)
FEW = (4096, 65536, 2**20, 2**24)
LARGE = (65536, 2**20, 2**24)
LAYERS = (341 * 3072, 5461 * 3072)  # tokens and hidden units of a feed-forward block
COLUMNS, ROW = 512, 520  # of the transposed view: its rows do not join, and ROW is no power of two

CASE_TIME = 0.15  # seconds
ROUND_TIME = 0.001  # seconds; in much shorter rounds the timer's cost counts


def sizes(peer, form, dtype, mode, data):
    on_data = {size_on_data(form)} if form in peer.on_data and mode == "out" else set()
    return on_data if data != NORMAL else {*on_data, *sizes_of_normal(peer, form, dtype, mode)}


def sizes_of_normal(peer, form, dtype, mode):
    main = form in ("exact", "any") and dtype == "float32"
    if form in MORE:
        if mode != ("out" if "out" in peer.modes else "no out") or dtype not in MORE[form][1]:
            return ()
        if form in MU_SIGMA or form == "stochastic":
            return (65536,)
        return {"bias": LAYERS, "geglu": (*LAYERS, 2**26)}.get(form, FEW)
    if mode not in ("out", "no out"):
        return LARGE + (2**26,) * (main and mode == "in place")
    if main:
        return SIZES
    if peer.kind == "peer":  # float32 with and without out=, as the faster one counts
        return FEW if mode == peer.modes[0] else FEW[:-1] if dtype == "float32" else ()
    return SIZES if mode == "out" else SIZES[:-1]


def cases(chosen):
    """All modes of one size follow each other, and so do all data of one form."""
    return [
        (peer, form, dtype, size, mode, data)
        for dtype in DTYPES
        for size in sorted({*SIZES, *LAYERS, size_on_data("bias")})
        for mode in MODES
        for form in ("any", *FORMS, *MORE)
        for data in chosen
        for peer in PEERS
        if dtype in peer.does.get(form, ()) and mode in peer.modes
        if size <= peer.largest and size in sizes(peer, form, dtype, mode, data)
    ]


def pytest_generate_tests(metafunc):
    chosen = metafunc.config.getoption("data") or [NORMAL]
    if unknown := {*chosen} - {*DISTRIBUTIONS, "all"}:
        raise pytest.UsageError(f"--data must be all or one of {list(DISTRIBUTIONS)}, not {unknown.pop()!r}")
    found = cases(list(DISTRIBUTIONS) if "all" in chosen else chosen)
    ids = [
        f"{form}-{dtype}-{size}-{mode}-{peer.name}" + f"-{data}" * (data != NORMAL)
        for peer, form, dtype, size, mode, data in found
    ]
    metafunc.parametrize(("peer", "form", "dtype", "size", "mode", "data"), found, ids=ids)


@lru_cache(maxsize=1)
def memory(dtype):
    """Input and output for all cases of a dtype; their pages are touched here, before anything is timed."""
    drawn = np.float64 if dtype == "float64" else np.float32
    dtype = peers.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    x = np.random.default_rng(0).standard_normal(max(SIZES), drawn).astype(dtype, copy=False)
    return x, np.ones_like(x)


def operands(dtype, size, mode, data):
    x, y = memory(dtype)
    if mode.startswith("strided"):
        return x[: 2 * size : 2], y[: 2 * size : 2] if mode == "strided, both" else y[:size]
    if mode == "transposed":
        rows = x[: size // COLUMNS * ROW].reshape(-1, ROW)
        return rows[:, :COLUMNS].T, y[:size].reshape(COLUMNS, -1)
    if data != NORMAL:
        y[-size:] = draw(data, size, y.dtype)  # aligned like any other operand
        return y[-size:], y[:size]
    x, y = x[:size], y[:size]
    if mode == "in place":
        np.copyto(y, x)
        return y, y
    return x, y if mode == "out" else None


def touch_free_memory(n_bytes):
    """Touch free memory, so that no timed call is the first to do so: a virtual machine may return free memory to its
    host (free page reporting), and then the first touch takes 5 us a page: 4.5 ns an element instead of 0.26, in half
    of the calls of a case."""
    np.ones(n_bytes, np.uint8)


def check(result, x, form):
    """The timed function computes the form of each finite number; torch gives NaN at -inf."""
    want = np.asarray(ours(form, x, None)(), np.float64).reshape(x.shape)
    tolerance = {"float16": 5e-3, "bfloat16": 4e-2}.get(x.dtype.name, 1e-5)
    got = result.float() if hasattr(result, "float") else result  # a tensor, of bfloat16 perhaps
    got = np.asarray(got, np.float64).reshape(x.shape)
    finite = np.isfinite(x.astype(np.float64))
    np.testing.assert_allclose(got[finite], want[finite], rtol=tolerance, atol=tolerance)


def test_speed(benchmark, peer, form, dtype, size, mode, data):
    x, y = operands(dtype, size, mode, data)
    run = peer.prepare(form, x, y)
    # GELU applied again and again ends in zeros and subnormals, so the input is restored before each call in place.
    setup = partial(np.copyto, x, memory(dtype)[0][:size]) if mode == "in place" else None

    if y is None and size >= LARGE[-1]:
        touch_free_memory(16 * x.nbytes)
    result = run()
    if form not in ("any", "stochastic") and peer.kind != "floor" and size <= 2**20 and mode != "in place":
        check(result if y is None else y, x, form)
    once = min(repeat(run, setup or "pass", number=1, repeat=2))
    iterations = 1 if setup else max(1, round(ROUND_TIME / once))
    rounds = min(max(7, round(CASE_TIME / (once * iterations))), 150)
    benchmark.group = f"{form} {dtype} {size} {mode} {data}, threads: {THREADS}"
    benchmark.pedantic(run, setup=setup, rounds=rounds, iterations=iterations, warmup_rounds=1)
    benchmark.extra_info |= dict(
        who=peer.name,
        kind=peer.kind,
        form=form,
        dtype=dtype,
        size=size,
        mode=mode,
        data=data,
        threads=THREADS,
    )
    if benchmark.stats:
        benchmark.extra_info["ns per element"] = benchmark.stats.stats.median / size * 1e9
