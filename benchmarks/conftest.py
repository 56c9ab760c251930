# SPDX-License-Identifier: BSD-3-Clause
"""Fix what would vary from run to run: the ISA level, and CPUs and threads, before any library is imported that
has a pool of threads. Most libraries size their pool once, at import: some by an environment variable, JAX by
nothing but the CPUs that the process may use."""

import os
import platform
import time
from importlib import metadata
from pathlib import Path

import pytest

NUM_THREADS = ("OMP", "OPENBLAS", "NUMBA", "NUMEXPR")
# ISA level -> environment variables that limit torch's own kernels and oneDNN's to the same instructions.
HELD_TO = {"x86-64-v3": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}}
# AMD's families: the older microarchitecture, the newer one, and its models, as Linux tells them apart
# (arch/x86/kernel/cpu/amd.c).
ZEN = {
    "23": ("zen1", "zen2", {*range(0x30, 0x50), *range(0x60, 0x80), *range(0x90, 0x92), *range(0xA0, 0xB0)}),
    "25": ("zen3", "zen4", {*range(0x10, 0x20), *range(0x60, 0x80), *range(0xA0, 0xB0)}),
    "26": ("zen5", "zen6", {*range(0x50, 0x60), *range(0x80, 0xB0), *range(0xC0, 0xD0)}),
}
start = {}


def pytest_addoption(parser):
    group = parser.getgroup("gelu_fast")
    group.addoption("--threads", type=int, default=1, help="how many CPUs and threads all may use")
    group.addoption(
        "--data",
        action="append",
        help="a name in distributions.py, or all; may be repeated (default: N(0,1))",
    )
    group.addoption(
        "--isa", help="ISA level of gelu_fast (default: the best), and of torch for a level in HELD_TO"
    )


def pytest_configure(config):
    n = config.getoption("threads")
    cpus = sorted(os.sched_getaffinity(0))
    if not 1 <= n <= len(cpus):
        raise pytest.UsageError(f"--threads must be from 1 to {len(cpus)}, the CPUs of this process")
    os.sched_setaffinity(0, cpus[-n:])  # the last ones: interrupts prefer the first
    os.environ.update({f"{name}_NUM_THREADS": str(n) for name in NUM_THREADS})
    os.environ.update(NUMEXPR_MAX_THREADS=str(n), JAX_PLATFORMS="cpu")
    if isa := config.getoption("isa"):
        os.environ.update({"GELU_FAST_ISA": isa} | HELD_TO.get(isa, {}))
    start.update(time=time.monotonic(), others=_others())


@pytest.fixture(scope="session", autouse=True)
def runs_as_requested(request):
    import gelu_fast
    from gelu_fast import _core

    assert _core.isa_level == (request.config.getoption("isa") or _core.available_isa_levels[-1])
    assert gelu_fast.get_num_threads() == request.config.getoption("threads")


def _others():
    """Seconds of CPU time that other processes took since the machine started. In every library, two threads
    that wait for each other take milliseconds instead of microseconds when a third thread wants their CPUs."""
    ticks = [int(field) for field in _read("/proc/stat", "cpu ").split()[:8]]
    busy = sum(ticks) - sum(ticks[3:5])  # less idle and iowait
    return busy / os.sysconf("SC_CLK_TCK") - sum(os.times()[:2])


def _read(path, key=""):
    """The first line of a file that starts with `key`, without the key; "unknown" if there is none."""
    path = Path(path)
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line[len(key) :].strip(" \t:") for line in lines if line.startswith(key)), "unknown")


def _short_name():
    """The name of the CPU's results: of its microarchitecture, or vendor, family and model."""
    keys = ("vendor_id", "cpu family", "model\t")
    vendor, family, model = (_read("/proc/cpuinfo", key) for key in keys)
    if vendor == "AuthenticAMD" and family in ZEN:
        older, newer, models = ZEN[family]
        return newer if int(model) in models else older
    return "-".join(word for word in (vendor, family, model) if word != "unknown") or platform.machine()


def pytest_benchmark_update_machine_info(config, machine_info):
    import peers

    from gelu_fast import _core
    from gelu_fast.selftest.machine import cpu_name

    elapsed = time.monotonic() - start["time"]
    versions = {name: metadata.version(name) for name in ("gelu_fast", "numpy")}
    machine_info["gelu_fast"] = {
        "CPU": cpu_name(),
        "name": _short_name(),
        "L3": _read("/sys/devices/system/cpu/cpu0/cache/index3/size"),
        "ISA level": _core.isa_level,
        "compiler": _core.compiler,
        "versions": {"Python": machine_info["python_version"]} | versions | peers.VERSIONS,
        "not installed": peers.MISSING,
        "torch": peers.torch and peers.torch.backends.cpu.get_cpu_capability(),
        "threads": config.getoption("threads"),
        "CPU time of others": max(0, _others() - start["others"]) / elapsed / os.cpu_count(),
    }
