# SPDX-License-Identifier: BSD-3-Clause
"""The wheel of `make dist`: its own OpenMP runtime beside those of torch and scikit-learn, in one process."""

import hashlib
import json
import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from needs import absent, needs

import gelu_fast

needs("torch", "scikit-learn", "threadpoolctl")

ROOT = Path(__file__).parents[2]
IS_MANYLINUX = sys.platform == "linux" and platform.machine() == "x86_64"
# Each library computes on several threads; the fork comes after that. Results of gelu_fast are hashes.
PROGRAM = """
import hashlib, json, os, sys
import numpy as np

def gelu_hash():
    x = np.linspace(-9, 5, 1 << 20, dtype="f4")
    return hashlib.sha256(gelu_fast.gelu(x).tobytes() + gelu_fast.gelu_grad(x).tobytes()).hexdigest()

def use(name):
    if name == "gelu_fast":
        global gelu_fast
        import gelu_fast
        return gelu_hash()
    if name == "torch":
        import torch
        a = torch.ones(600, 600)
        return float((a @ a).sum() + torch.nn.functional.gelu(torch.ones(1 << 20)).sum() * 0)
    from sklearn.ensemble import HistGradientBoostingClassifier
    x = np.random.default_rng(0).normal(size=(400, 4))
    return float(HistGradientBoostingClassifier(max_iter=3).fit(x, x[:, 0] > 0).score(x, x[:, 0] > 0))

report = {"first": [use(name) for name in sys.argv[1:]], "again": [use(name) for name in sys.argv[1:]]}
import threadpoolctl
report["threads"] = gelu_fast.get_num_threads()
with threadpoolctl.threadpool_limits(1):
    report["limited"] = gelu_fast.get_num_threads()
    gelu_hash()
report["after"] = gelu_fast.get_num_threads()
report["file"] = gelu_fast.__file__
report["runtimes"] = sorted(i["filepath"] for i in threadpoolctl.threadpool_info() if i["user_api"] == "openmp")
report["maps"] = sorted({line.split()[-1] for line in open("/proc/self/maps") if "libgomp" in line})
reader, writer = os.pipe()
if (child := os.fork()) == 0:
    os.write(writer, gelu_hash().encode())
    os._exit(0)
os.close(writer)
report["child"] = os.read(reader, 100).decode()
report["status"] = os.waitpid(child, 0)[1]
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder in which the wheel is unpacked, as pip does it."""
    wheels = list((ROOT / "dist").glob("gelu_fast-*.whl"))
    if not wheels:
        absent("needs the wheel (make dist)")
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheels[0]).extractall(folder)
    return folder


def run(site, code, *args, **env):
    """In a process where the wheel comes before the checkout. It ends within two minutes, or something hangs."""
    # torch asks for MKL_NUM_THREADS as well, and dask sets all three to 1 in a process that has started workers.
    two = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    env = {**os.environ, "PYTHONPATH": str(site), **two, **env}
    command = [sys.executable, "-P", "-c", code, *args]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expected():
    x = np.linspace(-9, 5, 1 << 20, dtype="f4")
    results = gelu_fast.gelu(x).tobytes() + gelu_fast.gelu_grad(x).tobytes()
    return hashlib.sha256(results).hexdigest()


@pytest.mark.parametrize(
    "order",
    [
        ("gelu_fast", "torch", "scikit-learn"),
        ("torch", "scikit-learn", "gelu_fast"),
        ("scikit-learn", "gelu_fast", "torch"),
    ],
    ids="-".join,
)
@pytest.mark.parametrize("bind", ["false", "true"])
def test_beside_other_openmp_runtimes(site, order, bind):
    report = json.loads(run(site, PROGRAM, *order, OMP_PROC_BIND=bind))
    assert Path(report["file"]).is_relative_to(site)
    for results in report["first"], report["again"]:
        assert results[order.index("gelu_fast")] == expected()
    assert report["first"] == report["again"]
    # threadpoolctl sees the runtime, limits it, and gives it back.
    assert (report["threads"], report["limited"], report["after"]) == (2, 1, 2)
    assert report["status"] == 0 and report["child"] == expected()
    if IS_MANYLINUX:
        ours = [path for path in report["runtimes"] if "/gelu_fast.libs/" in path]
        assert len(ours) == 1 and Path(ours[0]).is_relative_to(site)
        # torch and scikit-learn have theirs, and nobody has a fourth.
        assert len(report["maps"]) == 3 and set(ours) < set(report["maps"])


@pytest.mark.parametrize("threads", ["1", "3"])
def test_environment_reaches_the_runtime(site, threads):
    code = "import gelu_fast, numpy; print(gelu_fast.get_num_threads()); gelu_fast.gelu(numpy.ones(1 << 20))"
    assert run(site, code, OMP_NUM_THREADS=threads) == f"{threads}\n"


def test_config_names_the_runtime(site):
    lines = run(site, "import gelu_fast; gelu_fast.show_config()").splitlines()
    (line,) = (line for line in lines if line.startswith("OpenMP"))
    libraries = [path.name for path in site.glob("gelu_fast.libs/*")]
    assert len(libraries) == IS_MANYLINUX
    assert line.endswith(f"(libgomp: gelu_fast.libs/{libraries[0]})" if libraries else "(libgomp)")
