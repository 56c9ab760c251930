# SPDX-License-Identifier: BSD-3-Clause
"""How many threads, who decides, and that none is left hanging."""

import multiprocessing
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import gelu_fast
from gelu_fast import _config

LARGE = 1_000_000


@pytest.fixture(autouse=True)
def default_threads():
    yield
    gelu_fast.set_num_threads(None)


def run(code, *args, **env):
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_set_and_get():
    for n in (1, 2, 7):
        gelu_fast.set_num_threads(n)
        assert gelu_fast.get_num_threads() == n
    gelu_fast.set_num_threads(np.int64(3))
    assert gelu_fast.get_num_threads() == 3


@pytest.mark.parametrize(
    "bad, error",
    [
        (0, ValueError),
        (-1, ValueError),
        (1025, ValueError),
        (2**70, ValueError),
        (1.5, TypeError),
        ("2", TypeError),
    ],
)
def test_bad_number(bad, error):
    gelu_fast.set_num_threads(2)
    with pytest.raises(error):
        gelu_fast.set_num_threads(bad)
    assert gelu_fast.get_num_threads() == 2


GET = "import gelu_fast; print(gelu_fast.get_num_threads())"


def test_absurd_environment():
    """OpenMP aborts the process where it gets no more threads; so many are never asked for."""
    assert run(GET, OMP_NUM_THREADS="1000000") == "1024"


def test_environment():
    assert run(GET, OMP_NUM_THREADS="1") == "1"
    assert run(GET, OMP_NUM_THREADS="3") == "3"
    code = "import gelu_fast; gelu_fast.set_num_threads(2); print(gelu_fast.get_num_threads())"
    assert run(code, OMP_NUM_THREADS="1") == "2"


def test_default_is_the_cpus_of_this_process():
    env = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", GET], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(os.sched_getaffinity(0))


LIMIT = """
import sys, gelu_fast
from threadpoolctl import threadpool_limits
requested, limit = map(int, sys.argv[1:])
if requested:
    gelu_fast.set_num_threads(requested)
before = gelu_fast.get_num_threads()
with threadpool_limits(limit, user_api="openmp"):
    inside = gelu_fast.get_num_threads()
print(before, inside, gelu_fast.get_num_threads())
"""


@pytest.mark.parametrize(
    "openmp, requested, limit, inside",
    [
        (4, 0, 1, 1),
        (4, 0, 3, 3),
        (4, 0, 6, 6),
        (4, 2, 1, 1),
        (4, 2, 3, 2),
        (4, 6, 5, 5),
        (4, 6, 3, 3),
        (1, 4, 2, 2),
    ],
)
def test_threadpoolctl(openmp, requested, limit, inside):
    """With OMP_NUM_THREADS, set_num_threads (0: not called), and then a limit of threadpoolctl."""
    before = requested or openmp
    done = run(LIMIT, str(requested), str(limit), OMP_NUM_THREADS=str(openmp))
    assert done.split() == [str(before), str(inside), str(before)]


def test_a_limit_in_force_outranks_a_request():
    code = """
import gelu_fast
from threadpoolctl import threadpool_limits
with threadpool_limits(1, user_api="openmp"):
    gelu_fast.set_num_threads(4)
    print(gelu_fast.get_num_threads())
print(gelu_fast.get_num_threads())
"""
    assert run(code, OMP_NUM_THREADS="2").split() == ["1", "2"]


@pytest.mark.parametrize("given, used", [({}, "10000"), ({"GOMP_SPINCOUNT": "77"}, "77")])
def test_waiting_threads_soon_sleep(given, used):
    """libgomp's own count starves what runs next; the user's is kept; neither stays in the environment."""
    if "libgomp" not in _config._openmp():
        pytest.skip("libgomp's setting, and this build has another OpenMP")
    env = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")} | given
    code = "import os, gelu_fast; print(os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env | {"OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"GOMP_SPINCOUNT = '{used}'" in done.stderr
    assert done.stdout.strip() == str(given.get("GOMP_SPINCOUNT"))


COUNT = """
import os, numpy as np, gelu_fast
count = lambda: len(os.listdir("/proc/self/task"))
gelu_fast.set_num_threads(4)
x = np.ones({n}, np.float32)
before = count()
gelu_fast.gelu(x{index})
print(count() - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in Linux's /proc")
@pytest.mark.parametrize(
    "n, index, started",
    [
        (16384, "", 0),
        (32767, "", 0),
        (32768, "", 1),
        (LARGE, "", 3),
        (LARGE, "[::2]", 3),
        (LARGE, "[::-1]", 3),
    ],
)
def test_threads_are_started_for_large_arrays_alone(n, index, started):
    assert run(COUNT.format(n=n, index=index), OPENBLAS_NUM_THREADS="1") == str(started)


def test_many_python_threads(ufunc):
    x = np.random.default_rng(2).normal(0, 4, 200_000)
    expected = ufunc(x)
    wrong = []

    def work():
        for _ in range(20):
            if not np.array_equal(ufunc(x), expected):
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert not worker.is_alive()
    assert not wrong


def test_the_gil_is_released():
    """Another Python thread runs on while a large array is computed."""
    x = np.ones(20_000_000, np.float32)
    out = np.empty_like(x)
    started, done = threading.Event(), threading.Event()

    def work():
        started.set()
        gelu_fast.gelu(x, out=out)
        done.set()

    worker = threading.Thread(target=work)
    gelu_fast.set_num_threads(1)
    worker.start()
    started.wait(60)
    turns = 0
    while not done.is_set():
        turns += 1
    worker.join()
    assert turns > 1000  # with the GIL held there is one, or as many as fit before the call


FORK = """
import os, warnings, numpy as np, gelu_fast
warnings.simplefilter("ignore", DeprecationWarning)
gelu_fast.set_num_threads(2)
x = np.random.default_rng(2).normal(0, 4, 1_000_000)
expected = gelu_fast.gelu(x)
child = os.fork()
if child == 0:
    same = np.array_equal(gelu_fast.gelu(x), expected)
    os._exit(0 if same and gelu_fast.get_num_threads() == 1 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_does_not_hang():
    """libgomp's team does not survive a fork; a child goes on with one thread."""
    assert run(FORK) == "0"


POOL = """
import multiprocessing, sys, warnings, numpy as np, gelu_fast
warnings.simplefilter("ignore", DeprecationWarning)
x = np.random.default_rng(2).normal(0, 4, 500_000)
expected = gelu_fast.gelu(x)
with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
    results = pool.map_async(gelu_fast.gelu, [x, x]).get(100)
print(all(np.array_equal(result, expected) for result in results))
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method):
    assert run(POOL, method) == "True"
