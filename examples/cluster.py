#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
GELU of an array that no worker's memory can hold, by a dask cluster: worker processes on this machine.

    pip install ".[doors]"
    python examples/cluster.py [--workers N] [--threads N] [--memory 512MB] [--rows N]

The array is a zarr array in files. gelu, geglu_backward and stochastic_gelu of it are computed by
dask.distributed, from files to files; then again by this process, in other blocks, and every bit is compared.
The script prints how many bytes a second are read and written, beside np.tanh's in the same run: from files
to files, and by the functions alone, in a second of a CPU's time.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter, thread_time

try:
    import dask
    import dask.array as da
    import numpy as np
    import zarr
    from dask.distributed import Client, LocalCluster, WorkerPlugin
    from dask.utils import format_bytes, parse_bytes

    import gelu_fast
except ModuleNotFoundError as error:
    sys.exit(f'{error}\nThis example needs an extra: pip install ".[doors]"')

COLUMNS, ROWS_OF_CHUNK = 3 * 1024, 640  # 7.5 MiB of float32
OTHER_ROWS = 1000  # of the blocks that this process computes
SEED = 7


# ---- the functions: of a dask array, and of some rows in memory, from row `first` on ----


def stochastic_block(x, block_info):
    """stochastic_gelu of whole rows, each element with its number in the whole array."""
    first = block_info[0]["array-location"][0][0]
    return gelu_fast.stochastic_gelu(x, SEED, offset=first * x.shape[1])


def lazy_stochastic(x):
    return x.map_blocks(stochastic_block, dtype=x.dtype, meta=np.empty((0, 0), x.dtype))


def backward_of_thirds(x):
    """d_gate and d_up, where each row of x is dy, gate and up."""
    return gelu_fast.geglu_backward(*np.split(x, 3, axis=-1))


def lazy_backward(x):
    """The same of a dask array. A ufunc with two results, which dask does not take, becomes a gufunc with two."""
    sizes, types = {"third": x.shape[1] // 3}, [x.dtype, x.dtype]
    signature = "(row)->(third),(third)"
    return da.apply_gufunc(backward_of_thirds, signature, x, output_sizes=sizes, output_dtypes=types)


LAZY = {
    "np.tanh": lambda x: [np.tanh(x)],
    "gelu": lambda x: [gelu_fast.gelu(x)],
    "geglu_backward": lazy_backward,
    "stochastic_gelu": lambda x: [lazy_stochastic(x)],
}
IN_MEMORY = {
    "np.tanh": lambda x, first: [np.tanh(x)],
    "gelu": lambda x, first: [gelu_fast.gelu(x)],
    "geglu_backward": lambda x, first: backward_of_thirds(x),
    "stochastic_gelu": lambda x, first: [gelu_fast.stochastic_gelu(x, SEED, offset=first * x.shape[1])],
}


# ---- the cluster ----


class OneThreadAChunk(WorkerPlugin):
    """dask computes as many chunks at a time as a worker has threads, so gelu_fast takes one thread for each."""

    def setup(self, worker):
        gelu_fast.set_num_threads(1)


# dask has glibc return the pages of each array at once. New pages for the next chunk take longer than its GELU. These
# numbers of bytes let a worker keep the pages of arrays below 32 MiB, glibc's limit, and 32 MiB that are free.
KEEP_PAGES = {"MALLOC_MMAP_THRESHOLD_": 1 << 25, "MALLOC_TRIM_THRESHOLD_": 1 << 25}


def start(workers, threads, memory, environment=KEEP_PAGES):
    """A cluster on this machine, and its client."""
    settings = {f"distributed.nanny.pre-spawn-environ.{name}": n for name, n in environment.items()}
    with dask.config.set(settings):
        cluster = LocalCluster(
            n_workers=workers, threads_per_worker=threads, memory_limit=memory, dashboard_address=":0"
        )
    client = Client(cluster)
    client.register_plugin(OneThreadAChunk())
    return cluster, client


def state(dask_worker):
    """The threads of a worker, which calls this, and the most memory that dask has seen it use."""
    return {
        "process": os.getpid(),
        "threads of dask": dask_worker.state.nthreads,
        "threads of gelu_fast": gelu_fast.get_num_threads(),
        "memory": max(dask_worker.monitor.quantities["memory"]),
    }


# ---- files ----


def files(path, shape):
    """An array in files. Random numbers do not compress, so nothing tries to."""
    chunks = (min(ROWS_OF_CHUNK, shape[0]), shape[1])
    return zarr.create_array(path, shape=shape, chunks=chunks, dtype="f4", compressors=None, overwrite=True)


def fill(path, rows):
    """Numbers of N(0, 2), written by the workers."""
    x = files(path, (rows, COLUMNS))
    random = da.random.default_rng(SEED).standard_normal(x.shape, chunks=x.chunks, dtype=x.dtype)
    da.store(2 * random, x, lock=False)
    return x


def compute(name, x, directory):
    """The results of a function in files, and the seconds that the cluster took."""
    results = LAZY[name](da.from_zarr(x))
    stores = [files(directory / f"{name}-{i}", result.shape) for i, result in enumerate(results)]
    start = perf_counter()
    da.store(list(results), stores, lock=False)  # in one graph: both results of a chunk come from one call
    return stores, perf_counter() - start


def differing(name, x, stores):
    """How many elements of the results differ in any bit from what this process computes, in blocks of other rows."""
    n = 0
    for first in range(0, x.shape[0], OTHER_ROWS):
        rows = slice(first, first + OTHER_ROWS)
        for store, want in zip(stores, IN_MEMORY[name](x[rows], first)):
            n += np.count_nonzero(store[rows].view("u4") != want.view("u4"))
    return n


def bytes_a_second(name, seconds=0.5):
    """The bytes that a function reads and writes in memory in a second of the time of the thread that calls this."""
    x = 2 * np.random.default_rng(SEED).standard_normal((ROWS_OF_CHUNK, COLUMNS), dtype="f4")
    n = x.nbytes + sum(y.nbytes for y in IN_MEMORY[name](x, 0))
    start, calls = thread_time(), 0
    while thread_time() < start + seconds:
        IN_MEMORY[name](x, 0)
        calls += 1
    return calls * n / (thread_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of dask in each worker")
    parser.add_argument("--memory", default="512MB", help="limit of each worker")
    parser.add_argument("--rows", type=int, default=100_000, help=f"of {COLUMNS} float32 each")
    parser.add_argument(
        "--directory", help="where the files are written, and deleted (default: the system's)"
    )
    parser.add_argument(
        "--dask-malloc", action="store_true", help="return pages at once, as dask's default does"
    )
    args = parser.parse_args()
    if min(args.workers, args.threads, args.rows) < 1:
        parser.error("--workers, --threads and --rows must be 1 or more")
    environment = {} if args.dask_malloc else KEEP_PAGES
    cluster, client = start(args.workers, args.threads, args.memory, environment)
    with tempfile.TemporaryDirectory(dir=args.directory) as directory, cluster, client:
        x = fill(Path(directory) / "x", args.rows)
        chunk = format_bytes(ROWS_OF_CHUNK * COLUMNS * x.dtype.itemsize)
        print(f"{args.rows} x {COLUMNS} float32: {format_bytes(x.nbytes)}, in chunks of {chunk}")
        print(
            f"{args.workers} workers, {args.threads} threads each, {format_bytes(parse_bytes(args.memory))} each"
        )
        print(f"\n{'GB a second':16} {'files to files':>16} {'alone, a CPU':>16} {'differing elements':>20}")
        for name in LAZY:
            stores, seconds = compute(name, x, Path(directory))
            rate = (x.nbytes + sum(store.nbytes for store in stores)) / seconds
            alone = min(client.run(bytes_a_second, name).values())
            n = "" if name == "np.tanh" else differing(name, x, stores)
            print(f"{name:16} {rate / 1e9:16.2f} {alone / 1e9:16.2f} {n:>20}")
        print()
        for address, each in client.run(state).items():
            print(f"{address}:", ", ".join(f"{key} {number}" for key, number in each.items()))


if __name__ == "__main__":
    main()
