# SPDX-License-Identifier: BSD-3-Clause
"""The scripts that make the pictures and tables of README and docs/ work."""

import json
import os
import subprocess
import sys
from pathlib import Path

from needs import needs

needs("matplotlib", "pytest-benchmark", "torch", "onnxruntime")

from gelu_fast import _core  # noqa: E402
from gelu_fast._bounds import ULP  # noqa: E402

ROOT = Path(__file__).parents[2]


def run(*args):
    # pytest-benchmark measures nothing where it takes itself for a worker of xdist.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_errors(tmp_path):
    run("benchmarks/errors.py", "--into", str(tmp_path))
    errors = json.loads((tmp_path / "errors.json").read_text())
    for form, name in ("exact", "gelu_erf"), ("tanh", "gelu_tanh"):
        assert max(errors[f"{form}, gelu_fast"]) <= ULP[name]["float32"]
        assert max(errors[f"{form}, torch"]) > 1e6 < max(errors[f"{form}, ONNX Runtime"])
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")


def test_benchmarks(tmp_path):
    """A few cases, on this ISA level and another, from the measurement to the report. No test judges the times."""
    levels = [_core.isa_level, *(level for level in _core.available_isa_levels if level != _core.isa_level)]
    raw = []
    for level, cases in zip(levels, ("float32-65536 and not JAX", "exact-float32-65536-out-gelu_fast")):
        raw.append(str(tmp_path / f"{level}.json"))
        run(
            *("-m", "pytest", "benchmarks", "--benchmark-only", "-k", cases),
            *("--benchmark-json", raw[-1], "--threads", "1", "--isa", level, "--data", "all"),
        )
    run("benchmarks/report.py", "--into", str(tmp_path), *raw)
    (into,) = tmp_path.glob("*/")
    speed = json.loads((into / "speed.json").read_text())
    timed = {row["who"] for row in speed["rows"] if row["form"] in ("exact", "any")}
    assert {"gelu_fast", "torch", "ONNX Runtime", "np.copyto"} <= timed
    assert all(row["median_ns"] > 0 for row in speed["rows"])
    assert {row["isa"] for row in speed["rows"]} == set(levels[:2])
    assert speed["about"]["ISA level"] == levels[0]

    text = (into / "speed.md").read_text()
    shown = [target for target in speed["targets"] if not target["group"]]
    assert all(f"\n| {target['cell']} | {target['target']} |" in text for target in shown)
    found = {target["cell"]: target["ratio"] for target in speed["targets"]}
    for group in "ordinary data", "extreme data", "any data":
        assert found[f"exact, float32, {group}, size 2^16, threads: 1"] > 0
    assert found["exact, float32, out, size 2^16, threads: 2"] is None  # shown even without a measurement
    for picture in "speed.png", "data.png":
        assert (into / picture).read_bytes().startswith(b"\x89PNG")
