# SPDX-License-Identifier: BSD-3-Clause
"""The scripts that make README's pictures and tables run."""

import json
import os
import subprocess
import sys
from pathlib import Path

from needs import needs

needs("matplotlib", "pytest-benchmark", "torch", "onnxruntime")

ROOT = Path(__file__).parents[2]


def run(*args):
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_forms(tmp_path):
    run("examples/forms.py", str(tmp_path / "forms.png"))
    assert (tmp_path / "forms.png").read_bytes().startswith(b"\x89PNG")


def test_benchmarks(tmp_path):
    """A few cases, through to the report; the timing itself is judged by no test."""
    raw = tmp_path / "raw.json"
    level = os.environ.get("GELU_FAST_ISA", "")
    run(
        *("-m", "pytest", "benchmarks", "--benchmark-only", "-k", "float32-65536 and not JAX"),
        *("--benchmark-json", str(raw), "--threads", "1"),
        *(("--isa", level) if level else ()),
    )
    run("benchmarks/report.py", "--into", str(tmp_path), str(raw))
    speed = json.loads((tmp_path / "speed.json").read_text())
    timed = {row["who"] for row in speed["rows"] if row["form"] in ("exact", "any")}
    assert {"gelu_fast", "torch", "ONNX Runtime", "np.copyto"} <= timed
    assert all(row["median_ns"] > 0 for row in speed["rows"])
    assert "gelu_fast" in (tmp_path / "speed.md").read_text()
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
