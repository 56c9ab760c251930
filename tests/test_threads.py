# SPDX-License-Identifier: BSD-3-Clause
"""The number of threads, the settings that decide it, and that no thread hangs."""

import ctypes
import multiprocessing
import os
import subprocess
import sys
import threading
from unittest import mock

import numpy as np
import pytest
from needs import command

import gelu_fast
from gelu_fast import _config
from gelu_fast._machine import cpu_quota

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
        timeout=600,  # ends a process that hangs; under ThreadSanitizer forks take minutes on a busy machine
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
    """OpenMP aborts the process if it cannot get threads; so a number that is too large is never requested."""
    assert run(GET, OMP_NUM_THREADS="1000000") == "1024"


def test_environment():
    assert run(GET, OMP_NUM_THREADS="1") == "1"
    assert run(GET, OMP_NUM_THREADS="3") == "3"
    code = "import gelu_fast; gelu_fast.set_num_threads(2); print(gelu_fast.get_num_threads())"
    assert run(code, OMP_NUM_THREADS="1") == "2"


def test_default_is_the_cpus_of_this_process():
    env = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", GET], env=env, capture_output=True, text=True, check=True)
    with mock.patch.dict(os.environ):
        os.environ.pop("OMP_NUM_THREADS", None)
        assert int(done.stdout) == cpu_quota(len(os.sched_getaffinity(0)))


@pytest.fixture
def no_omp_num_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.parametrize(
    "groups, files, cpus",
    [
        ("0::/\n", {}, 64),
        ("0::/\n", {"cpu.max": "max 100000"}, 64),
        ("0::/\n", {"cpu.max": "50000 100000"}, 1),
        ("0::/\n", {"cpu.max": "150000 100000"}, 2),
        ("0::/\n", {"cpu.max": "400000 100000"}, 4),
        ("0::/\n", {"cpu.max": "9900000 100000"}, 64),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3),
        ("0::/of/the/host\n", {"cpu.max": "200000 100000"}, 2),
        ("0::/\n", {"cpu.max": "nonsense"}, 64),
        ("0::/\n", {"cpu.max": ""}, 64),
        ("0::/\n", {"cpu.max": "100000 0"}, 64),
        ("nonsense\n", {"cpu.max": "100000 100000"}, 64),
        (
            "3:cpu,cpuacct:/\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "250000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            3,
        ),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "50000", "cpu/a/cpu.cfs_period_us": "100000"}, 1),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        ("3:cpuset:/\n", {"cpu.max": "100000 100000"}, 64),
    ],
)
def test_quotas(groups, files, cpus, tmp_path, no_omp_num_threads):
    """The quotas of cgroup v2 and v1, of this group and of those around it, give a number of CPUs, rounded up."""
    (tmp_path / "cgroup").write_text(groups)
    for name, text in files.items():
        path = tmp_path / "system" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    where = tmp_path / "cgroup", tmp_path / "system"
    assert cpu_quota(64, *where) == cpus
    with mock.patch.dict(os.environ, OMP_NUM_THREADS="8"):  # as set by the user
        assert cpu_quota(64, *where) == 64


def test_the_quota_is_a_limit_of_the_default_alone():
    code = """
import sys, types
machine = types.SimpleNamespace(cache_bytes=lambda: 0, cpu_quota=lambda most: 2)
sys.modules["gelu_fast._machine"] = machine
import gelu_fast
print(gelu_fast.get_num_threads())
gelu_fast.set_num_threads(3)
print(gelu_fast.get_num_threads())
"""
    assert run(code, OMP_NUM_THREADS="4").split() == ["2", "3"]


def test_no_control_groups(tmp_path, no_omp_num_threads):
    assert cpu_quota(64, tmp_path / "nowhere", tmp_path) == 64


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
    """The number of threads with OMP_NUM_THREADS, set_num_threads (0: not called), and a limit of threadpoolctl."""
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


def test_other_openmp_is_left_alone():
    """The settings that libgomp reads when it is loaded are the same as without this package."""
    if "libgomp" not in _config._openmp():
        pytest.skip("this build has another OpenMP, or none")
    with open("/proc/self/maps") as maps:
        libgomp = next(line.split()[-1] for line in maps if "libgomp" in line)
    codes = ["import gelu_fast", f"import ctypes; ctypes.CDLL({libgomp!r})"]
    env = os.environ | {"OMP_DISPLAY_ENV": "VERBOSE"}
    shown = [
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        for code in codes
    ]
    assert "GOMP_SPINCOUNT" in shown[0].stderr
    assert shown[0].stderr == shown[1].stderr


linux = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="looks at threads in Linux's /proc")

# A first thread starts and ends before counting: with it, a sanitizer starts a thread of its own.
COUNT = """
import os, threading, time, numpy as np, gelu_fast
def threads():
    return set(os.listdir("/proc/self/task"))
def settled(n):
    end = time.monotonic() + 60
    while len(threads() - before) != n and time.monotonic() < end:
        time.sleep(0.01)
    return threads() - before
gelu_fast.set_num_threads(4)
first = threading.Thread(target=int)
first.start()
first.join()
before = threads()
"""
POOL_OF_4 = 3  # threads that help


@linux
@pytest.mark.parametrize(
    "n, index, started",
    [
        (16384, "", 0),
        (32767, "", 0),
        (32768, "", POOL_OF_4),
        (LARGE, "", POOL_OF_4),
        (LARGE, "[::2]", POOL_OF_4),
        (LARGE, "[::-1]", POOL_OF_4),
    ],
)
def test_threads_are_started_for_large_arrays_alone(n, index, started):
    code = f"x = np.ones({n}, np.float32)\ngelu_fast.gelu(x{index})\nprint(len(settled({started})))"
    assert run(COUNT + code, OPENBLAS_NUM_THREADS="1") == str(started)


@linux
def test_where_openmp_binds_threads():
    """The helpers are OpenMP's, each bound to the next place. One more thread has opened their region, and sleeps."""
    code = f"""
x = np.random.default_rng(2).normal(0, 4, 1_000_000)
gelu_fast.set_num_threads(1)
expected = gelu_fast.gelu(x)
gelu_fast.set_num_threads(4)
right = [np.array_equal(gelu_fast.gelu(x), expected) for _ in range(10)]
pool = settled({POOL_OF_4 + 1})
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(gelu_fast.gelu(x), expected) else 1)
print(all(right), len(pool), {{len(os.sched_getaffinity(int(thread))) for thread in pool}}, os.waitpid(child, 0)[1])
"""
    bound = {"OMP_PROC_BIND": "true", "OMP_PLACES": "threads", "OPENBLAS_NUM_THREADS": "1"}
    assert run(COUNT + code, **bound) == f"True {POOL_OF_4 + 1} {{1}} 0"


@linux
def test_threads_stay():
    """While sizes and numbers of threads change, the threads stay the same."""
    code = f"""
x = np.ones(1 << 20, np.float32)
gelu_fast.gelu(x)
first = settled({POOL_OF_4})
seen = set(first)
for i in range(200):
    gelu_fast.set_num_threads(2 + i % 3)
    gelu_fast.gelu(x[: (1 << 20, 1 << 18, 3 << 14, 1 << 15)[i % 4]])
    seen |= threads() - before
print(len(first), seen == first)
"""
    assert run(COUNT + code, OPENBLAS_NUM_THREADS="1") == f"{POOL_OF_4} True"


@linux
def test_python_threads_share_one_pool():
    """16 threads that compute large arrays at once share one pool, instead of a team for each."""
    code = f"""
import threading
x = np.ones(1 << 18, np.float32)
expected = gelu_fast.gelu(x)
settled({POOL_OF_4})
go, wrong = threading.Barrier(16), []
def work():
    go.wait()
    for _ in range(20):
        if not np.array_equal(gelu_fast.gelu(x), expected):
            wrong.append(1)
    most.append(len(threads() - before))
most = []
workers = [threading.Thread(target=work) for _ in range(16)]
for worker in workers: worker.start()
for worker in workers: worker.join()
print(wrong, max(most) <= {POOL_OF_4} + 16)
"""
    assert run(COUNT + code, OPENBLAS_NUM_THREADS="1") == "[] True"


def test_a_caller_that_sleeps_is_woken():
    """A helper works longer on a piece than the caller spins, so the caller falls asleep in most calls."""
    x = np.linspace(-5, 5, 300_000)
    out, expected = np.empty_like(x), gelu_fast.gelu_grad(x, mu=0.5, sigma=1.5)
    gelu_fast.set_num_threads(2)
    for _ in range(100):
        gelu_fast.gelu_grad(x, mu=0.5, sigma=1.5, out=out)
    assert out.tobytes() == expected.tobytes()


@linux
def test_signals_are_for_the_threads_of_the_program():
    code = f"""
import signal
signal.pthread_sigmask(signal.SIG_SETMASK, ())
gelu_fast.gelu(np.ones(1 << 18, np.float32))
for thread in settled({POOL_OF_4}):
    with open(f"/proc/self/task/{{thread}}/status") as status:
        blocked = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk"))
    print(blocked >> 1 & 1, end=" ")  # SIGINT
"""
    assert run(COUNT + code, OPENBLAS_NUM_THREADS="1").split() == ["1"] * POOL_OF_4


@linux
def test_helpers_have_the_cpus_of_the_process():
    """Helpers may use all CPUs of the process, even if the thread that calls first is bound to one."""
    code = f"""
import threading
cpus = os.sched_getaffinity(0)
def work():
    os.sched_setaffinity(threading.get_native_id(), {{min(cpus)}})
    gelu_fast.gelu(np.ones(1 << 18, np.float32))
worker = threading.Thread(target=work)
worker.start()
worker.join()
print(all(os.sched_getaffinity(int(thread)) == cpus for thread in settled({POOL_OF_4})))
"""
    assert run(COUNT + code, OPENBLAS_NUM_THREADS="1") == "True"


REFUSED = """
import resource, sys, numpy as np, gelu_fast
x = np.random.default_rng(2).normal(0, 4, 1_000_000)
gelu_fast.set_num_threads(1)
expected = gelu_fast.gelu(x)
gelu_fast.set_num_threads(512)
if len(sys.argv) > 1:
    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]), -1))
print(all(np.array_equal(gelu_fast.gelu(x), expected) for _ in range(20)))
"""


@linux
@pytest.mark.parametrize(
    "args, env",
    [
        ((100 << 20,), {}),
        ((20 << 20,), {}),
        ((), {"OMP_STACKSIZE": "1000G"}),
        ((), {"GOMP_STACKSIZE": "900000m"}),
    ],
)
def test_where_the_system_gives_no_threads(args, env):
    """The threads that exist compute; OpenMP alone would end the process."""
    assert run(REFUSED, *map(str, args), **env) == "True"


@linux
def test_refused_threads_are_asked_for_again():
    """set_num_threads requests them again, once the system can give them."""
    code = f"""
import resource
x = np.ones(1 << 18, np.float32)
y = np.empty_like(x)
with open("/proc/self/statm") as statm:
    used = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (4 << 20), -1))
gelu_fast.gelu(x, out=y)
print(len(threads() - before) < {POOL_OF_4})
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
gelu_fast.set_num_threads(4)
end = time.monotonic() + 60
while len(threads() - before) < {POOL_OF_4} and time.monotonic() < end:
    gelu_fast.gelu(x, out=y)
print(len(threads() - before))
"""
    assert run(COUNT + code, OPENBLAS_NUM_THREADS="1").split() == ["True", str(POOL_OF_4)]


@linux
def test_helpers_that_sleep_are_woken():
    """A helper that was woken and sleeps again has one more voluntary context switch."""
    code = f"""
def sleeps(thread):
    with open(f"/proc/self/task/{{thread}}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))
x = np.ones(1 << 20, np.float32)
gelu_fast.gelu(x)
pool = settled({POOL_OF_4})
time.sleep(0.5)
before = {{thread: sleeps(thread) for thread in pool}}
end = time.monotonic() + 30
while any(sleeps(thread) == before[thread] for thread in pool) and time.monotonic() < end:
    gelu_fast.gelu(x)
    time.sleep(0.01)
print(len(pool), all(sleeps(thread) > before[thread] for thread in pool))
"""
    assert run(COUNT + code, OPENBLAS_NUM_THREADS="1") == f"{POOL_OF_4} True"


ON_A_SMALL_STACK = """
import sys, threading, numpy as np, gelu_fast
threading.stack_size(int(sys.argv[1]) << 10)
x = np.abs(np.random.default_rng(0).normal(0, 6, 9000)) * np.repeat([1, -1, 1], 3000)  # many rare lanes
def ours():
    for ufunc in gelu_fast._core.ufuncs.values():
        for dtype in "efd":
            inputs = [x.astype(dtype) for _ in range(ufunc.nin)]
            for step in (1, 2, -1, -3):
                ufunc(*[v[::step] for v in inputs])
            ufunc(*inputs[:-1], True if dtype == "e" else inputs[-1][:1])
    for dtype in "efd":
        for step in (1, 2):
            gelu_fast.stochastic_gelu(x.astype(dtype)[::step], 1, return_mask=True)
def numpys():
    for dtype in "efd":
        for step in (1, 2, -1):
            np.exp(x.astype(dtype)[::step])
            np.add(x.astype(dtype)[::step], x[:1])
def work():
    (numpys if sys.argv[2] == "numpy" else ours)()
    print("done")
worker = threading.Thread(target=work)
worker.start()
worker.join()
"""


def test_a_small_stack():
    """20 KiB more than NumPy's own functions need are enough: with NumPy 2.4, 32 KiB, the least that Python allows to
    request; with NumPy 2.0, whose ufuncs need some 30 KiB themselves, 52 KiB. On aarch64, glibc gives at least 128."""

    def survives(kibibytes, whose):
        command = [sys.executable, "-c", ON_A_SMALL_STACK, str(kibibytes), whose]
        done = [
            subprocess.run(
                command, env=os.environ | {"GELU_FAST_ROUNDING": rounding}, capture_output=True, text=True
            )
            for rounding in ("fast", "nearest")
        ]
        return [each.stdout for each in done] == ["done\n"] * 2

    least = max(32, os.sysconf("SC_THREAD_STACK_MIN") >> 10)
    enough = next(size for size in range(least, least + 33, 4) if survives(size, "numpy"))
    assert survives(enough + 20, "gelu_fast")


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
    """Another Python thread sees a large array half computed."""
    x, out = np.ones(20_000_000, np.float32), np.empty(20_000_000, np.float32)
    gelu_fast.set_num_threads(1)

    def is_seen_half_done():
        out[:] = 0
        worker = threading.Thread(target=gelu_fast.gelu, args=[x], kwargs={"out": out})
        worker.start()
        seen = False
        while worker.is_alive():
            seen = seen or (out[0] != 0 and out[-1] == 0)
        return seen

    assert any(is_seen_half_done() for _ in range(100))  # on an idle machine, one call is enough


FORK = """
import ctypes, os, sys, threading, warnings, numpy as np, gelu_fast
warnings.simplefilter("ignore", DeprecationWarning)
libc = ctypes.PyDLL(None)
forks = {"os.fork": os.fork, "fork": libc.fork, "_Fork": getattr(libc, "_Fork", None)}
def in_child(fork, check):
    child = forks[fork]()
    if child == 0:
        try:
            os._exit(0 if check() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
def check():
    '''Results are right, and the number of threads is the requested one and can be changed.'''
    right = all(np.array_equal(gelu_fast.gelu(x), expected) for _ in range(10))
    before = gelu_fast.get_num_threads()
    gelu_fast.set_num_threads(3)
    return right and before == 2 and gelu_fast.get_num_threads() == 3
def with_helpers():
    gelu_fast.gelu(x)
    return check() and len(os.listdir("/proc/self/task")) > 1
def two_generations():
    return in_child("fork", with_helpers) and in_child("os.fork", with_helpers) and with_helpers()
x = np.random.default_rng(2).normal(0, 4, 1_000_000)
gelu_fast.set_num_threads(2)
expected = gelu_fast.gelu(x)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("fork", ["os.fork", "fork"])
def test_a_forked_child_computes_with_threads(fork):
    """This holds for Python's fork and the C library's, which an embedding server may call, and for the child's own
    children."""
    assert run(FORK + f"print(in_child({fork!r}, two_generations), two_generations())") == "True True"


@linux
def test_helpers_that_never_come():
    """The pool is not informed of a _Fork. Its child must not wait for helpers that exist in the parent alone."""
    if not hasattr(ctypes.CDLL(None), "_Fork"):
        pytest.skip("this C library has no _Fork, which leaves out what was registered for forks")
    assert run(FORK + "print(in_child('_Fork', check))") == "True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_while_another_thread_computes():
    code = """
stop = threading.Event()
def work():
    while not stop.is_set():
        gelu_fast.gelu(x)
workers = [threading.Thread(target=work) for _ in range(2)]
for worker in workers: worker.start()
print(all(in_child("os.fork", two_generations) for _ in range(10)))
stop.set()
"""
    assert run(FORK + code) == "True"


TEAM = """
#include <omp.h>
int team(void)
{
    int n = 0;
#pragma omp parallel num_threads(4) reduction(+ : n)
    n++;
    return n;
}
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_first_import_in_a_forked_child(tmp_path):
    """The parent has used a team of the same OpenMP; in the child the team's threads do not exist."""
    (tmp_path / "team.c").write_text(TEAM)
    compiler = command("gcc", "cc", debian="gcc")
    library = str(tmp_path / "team.so")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-fopenmp", "team.c", "-o", library], cwd=tmp_path, check=True
    )
    code = f"""
import ctypes, os
assert ctypes.CDLL({library!r}).team() == 4
for fork in (os.fork, ctypes.PyDLL(None).fork):
    child = fork()
    if child == 0:
        import numpy as np, gelu_fast
        gelu_fast.set_num_threads(4)
        x = np.ones(1_000_000)
        same = (gelu_fast.gelu(x) == gelu_fast.gelu(1.0)).all()
        os._exit(0 if same and len(os.listdir("/proc/self/task")) > 1 else 1)
    print(os.waitpid(child, 0)[1], end=" ")
"""
    assert run(code, OPENBLAS_NUM_THREADS="1").split() == ["0", "0"]


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
