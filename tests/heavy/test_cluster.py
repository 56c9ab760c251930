# SPDX-License-Identifier: BSD-3-Clause
"""examples/cluster.py on a real cluster of two processes: an array beyond a worker's memory, every bit that of one
machine, and no more threads than dask gives."""

import re
import subprocess
import sys
import threading

import numpy as np
import pytest
from needs import example, needs

needs("dask", "distributed", "zarr")

import psutil  # noqa: E402
from dask.utils import parse_bytes  # noqa: E402

import gelu_fast  # noqa: E402

SCRIPT, cluster = example("cluster")
MEMORY, ROWS = "500MB", 41_000  # 504 MB
FUNCTIONS = [name for name in cluster.LAZY if name != "np.tanh"]
SEVERAL = {"OMP_NUM_THREADS": 2}  # dask's own setting is 1


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The client, the array, the results by function, and the workers' states before and after."""
    directory = tmp_path_factory.mktemp("cluster")
    workers, client = cluster.start(2, 1, MEMORY, cluster.KEEP_PAGES | SEVERAL)
    with workers, client:
        before = client.run(cluster.state)
        x = cluster.fill(directory / "x", ROWS)
        results = {name: cluster.compute(name, x, directory)[0] for name in FUNCTIONS}
        yield client, x, results, before, client.run(cluster.state)


def test_memory(ran):
    """No worker can hold the array, none came near its limit, and none was started anew."""
    client, x, _, before, after = ran
    limit = parse_bytes(MEMORY)
    assert len(after) == 2 and x.nbytes > limit
    assert all(worker["memory_limit"] == limit for worker in client.scheduler_info()["workers"].values())
    assert all(limit / 4 < each["memory"] < limit for each in after.values())
    assert [each["process"] for each in after.values()] == [each["process"] for each in before.values()]


def test_threads(ran):
    """OMP_NUM_THREADS says 2; each worker keeps to one thread. A helper would have stayed, so that a call with two
    threads, here at the end, could not start the first one."""
    client, _, _, before, after = ran
    for state in (before, after):
        assert {each["threads of dask"] for each in state.values()} == {1}
        assert {each["threads of gelu_fast"] for each in state.values()} == {1}

    def threads_that_start():
        def native():
            of_python = {thread.native_id for thread in threading.enumerate()}
            return {thread.id for thread in psutil.Process().threads()} - of_python

        before = native()
        gelu_fast.set_num_threads(2)
        gelu_fast.gelu(np.ones(1 << 20, np.float32))
        gelu_fast.set_num_threads(1)
        return len(native() - before)

    assert list(client.run(threads_that_start).values()) == [1, 1]


@pytest.fixture(scope="module")
def in_memory(ran):
    return ran[1][:]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bits_of_one_machine(ran, in_memory, name):
    """One call of the whole array gives the bits of the chunks."""
    stores = ran[2][name]
    wants = cluster.IN_MEMORY[name](in_memory, 0)
    assert len(stores) == len(wants) == 1 + (name == "geglu_backward")
    for store, want in zip(stores, wants):
        assert store.shape == want.shape and store.dtype == want.dtype
        for first in range(0, ROWS, cluster.ROWS_OF_CHUNK):
            rows = slice(first, first + cluster.ROWS_OF_CHUNK)
            np.testing.assert_array_equal(store[rows].view("u4"), want[rows].view("u4"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_comparison(tmp_path, in_memory, name):
    """The script's own comparison finds a fault in the last bit of the last element."""
    rows = in_memory[: 2 * cluster.OTHER_ROWS + 1]
    stores = [
        cluster.files(tmp_path / str(i), y.shape) for i, y in enumerate(cluster.IN_MEMORY[name](rows, 0))
    ]
    for store, y in zip(stores, cluster.IN_MEMORY[name](rows, 0)):
        store[:] = y
    assert cluster.differing(name, rows, stores) == 0
    stores[-1][-1, -1] = np.nextafter(stores[-1][-1, -1], np.float32(np.inf))
    assert cluster.differing(name, rows, stores) == 1


def test_script(tmp_path):
    command = [sys.executable, str(SCRIPT), "--rows", "1300", "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\S+) +(\d+\.\d\d) +(\d+\.\d\d) *(\d*)$", done.stdout, re.M)
    assert [(name, differing) for name, _, _, differing in rows] == [
        ("np.tanh", ""),
        *((name, "0") for name in FUNCTIONS),
    ]
    assert done.stdout.count("threads of gelu_fast 1") == 2
    assert not list(tmp_path.iterdir())
