# SPDX-License-Identifier: BSD-3-Clause
"""The times of gelu_fast within other libraries, beside what these have themselves, with one thread:
python benchmarks/doors.py [DOOR ...]. Measures all doors, or those that are named, and writes
benchmarks/results/doors.json, from which tools/readme.py makes the tables of docs/."""

import argparse
import ctypes
import json
import math
import os
import platform
import subprocess
import sysconfig
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib import metadata
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

import gelu_fast
from gelu_fast import _core
from gelu_fast.selftest.machine import cpu_name

RESULTS = Path(__file__).resolve().parent / "results" / "doors.json"
SIZES = (1, 2**12, 2**16, 2**20)
SECONDS = 0.8  # for a row
REPEAT_TIME = 0.002


class Row(NamedTuple):
    what: str
    size: str
    ours: Callable[[], object]
    peer: Callable[[], object]


def of_torch():
    import torch
    import torch.nn.functional as F

    from gelu_fast.torch import GELU, gelu

    torch.set_num_threads(1)

    def forward(function, x):
        return lambda: function(x)

    def training(function, x):
        x, dy = x.clone().requires_grad_(), torch.ones_like(x)
        return lambda: torch.autograd.grad(function(x), x, dy)

    for dtype in (torch.float32, torch.bfloat16):
        for name, make in (("forward", forward), ("forward and backward", training)):
            for n in SIZES:
                x = torch.randn(n).to(dtype)
                size = "1" if n == 1 else f"2^{n.bit_length() - 1}"
                yield Row(
                    f"{str(dtype).removeprefix('torch.')}, {name}", size, make(gelu, x), make(F.gelu, x)
                )

    def block(activation):
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(768, 3072), activation, torch.nn.Linear(3072, 768))

    x = torch.randn(128, 768)
    blocks = [block(activation) for activation in (GELU(), torch.nn.GELU())]

    def inferring(model):
        def run():
            with torch.inference_mode():
                model(x)

        return run

    def stepping(model):
        parameters = list(model.parameters())
        return lambda: torch.autograd.grad(model(x).sum(), parameters)

    size = "128 x 768, inner 3072"
    yield Row("BERT's feed-forward block, float32, forward", size, *map(inferring, blocks))
    yield Row("BERT's feed-forward block, float32, forward and backward", size, *map(stepping, blocks))


def hundred_calls(x, y):
    for _ in range(100):
        gelu_fast.gelu_erf(x, y)


def of_c():
    cc, source = os.environ.get("CC", "cc"), Path(__file__).with_name("doors.c")
    include = [f"-I{path}" for path in (gelu_fast.get_include(), sysconfig.get_path("include"))]
    with TemporaryDirectory() as work:
        library = f"{work}/doors.so"
        subprocess.run([cc, "-O2", "-shared", "-fPIC", *include, source, "-lm", "-o", library], check=True)
        loops = ctypes.PyDLL(library)  # begin() needs the GIL
    loops.begin()
    n = 4096
    for name in ("float32", "float64"):
        x = np.random.default_rng(1).normal(size=n).astype(name)
        y = np.empty_like(x)
        arguments = [ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data), ctypes.c_long(n)]
        ours, formula = (partial(getattr(loops, f"{of}_{name}"), *arguments) for of in ("numbers", "formula"))
        yield Row(f"{name}, one number, beside C's 0.5 x erfc(-x/sqrt(2))", "a loop of 4096", ours, formula)
        if name == "float32":
            arrays = partial(loops.arrays_float32, *arguments)
            yield Row(
                "float32, 100 arrays, beside the ufunc", "4096 each", arrays, partial(hundred_calls, x, y)
            )


def of_numba():
    import numba

    erfc, sqrt_half = math.erfc, math.sqrt(0.5)

    @numba.njit
    def numbers(x, y):
        for i in range(x.size):
            y[i] = gelu_fast.gelu(x[i])

    @numba.njit
    def formula(x, y):
        for i in range(x.size):
            y[i] = 0.5 * x[i] * erfc(-sqrt_half * x[i])

    @numba.njit
    def arrays(x, y):
        for _ in range(100):
            gelu_fast.gelu(x, out=y)

    for name in ("float32", "float64"):
        for n in (4096, 2**16):
            x = np.random.default_rng(1).normal(size=n).astype(name)
            y = np.empty_like(x)
            if n == 4096:
                what = f"{name}, one number, beside 0.5 x erfc(-x/sqrt(2))"
                yield Row(what, "a loop of 4096", partial(numbers, x, y), partial(formula, x, y))
            what = f"{name}, 100 arrays, beside the ufunc"
            yield Row(what, f"{n} each", partial(arrays, x, y), partial(hundred_calls, x, y))


def of_jax():
    """The functions of docs/jax.md."""
    import jax
    import jax.numpy as jnp
    from mktestdocs import grab_code_blocks

    page = Path(__file__).parents[1] / "docs" / "jax.md"
    names = {}
    exec(grab_code_blocks(page.read_text())[0], names)

    def run(function, x):
        compiled = jax.jit(function)
        return lambda: compiled(x).block_until_ready()

    def gradient(function):
        return jax.grad(lambda x: function(x).sum())

    peer = partial(jax.nn.gelu, approximate=False)
    for n in (2**12, 2**20):
        x = jnp.asarray(np.random.default_rng(1).normal(size=n).astype("f4"))
        size = f"2^{n.bit_length() - 1}"
        yield Row("float32, exact", size, run(names["gelu"], x), run(peer, x))
        yield Row("float32, exact, gradient", size, run(gradient(names["gelu"]), x), run(gradient(peer), x))


# The rows of each door, and the packages whose versions count.
DOORS = {
    "torch": (of_torch, ("torch", "ml_dtypes")),
    "c": (of_c, ()),
    "numba": (of_numba, ("numba",)),
    "jax": (of_jax, ("jax",)),
}


def measured(row):
    """ns of this process's CPU time a call, of both, in turns, so that both see the same state of the machine."""
    times, calls = ([], []), []
    for run in (row.ours, row.peer):
        run()
        start = time.process_time()
        run()
        calls.append(max(1, round(REPEAT_TIME / (time.process_time() - start))))
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times[1]) < 5:
        for run, n, taken in zip((row.ours, row.peer), calls, times):
            start = time.process_time_ns()
            for _ in range(n):
                run()
            taken.append((time.process_time_ns() - start) / n)
    return [round(median(taken)) for taken in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("doors", nargs="*", choices=[[], *DOORS], metavar="DOOR", help=", ".join(DOORS))
    gelu_fast.set_num_threads(1)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for door in parser.parse_args().doors or DOORS:
        make, packages = DOORS[door]
        about = {
            "CPU": cpu_name(),
            "ISA level": _core.isa_level,
            "date": date.today().isoformat(),
            "versions": {"Python": platform.python_version()}
            | {name: metadata.version(name) for name in ("numpy", *packages)},
        }
        rows = []
        for row in make():
            ours, peer = measured(row)
            rows.append({"what": row.what, "size": row.size, "ours_ns": ours, "peer_ns": peer})
            print(f"{door}: {row.what}, {row.size}: {ours} ns, {peer} ns, {ours / peer:.2f}")
        results[door] = {"about": about, "rows": rows}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
