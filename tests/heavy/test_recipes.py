# SPDX-License-Identifier: BSD-3-Clause
"""The recipes of docs/: the code of each page runs as a script, and what it asserts holds."""

import subprocess
import sys
from pathlib import Path

import pytest
from needs import needs

needs("mktestdocs", "jax", "keras", "onnx", "polars", "safetensors", "scikit-learn", "scipy", "threadpoolctl")
needs("torch", "transformers", "numba", "distributed", "xarray", "zarr")

from mktestdocs import check_md_file, register_executor  # noqa: E402

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))


@pytest.fixture
def check(tmp_path):
    """Run a page in a process of its own, as keras and threads are set up once in a process, in an empty directory."""

    def run(source):
        script = tmp_path / "page.py"
        script.write_text(source)
        done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    register_executor("python", run)
    return lambda page: check_md_file(page, memory=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page, check):
    text = page.read_text()
    assert text.startswith("# ") and "\nassert " in text
    check(page)


def test_control(tmp_path, check):
    """A page whose second block fails is noticed, and the block sees the names of the first."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n```python\na = 1\n```\n\nand\n\n```python\nassert a == 2, f'{a} is wrong'\n```\n"
    )
    with pytest.raises(AssertionError, match="AssertionError: 1 is wrong"):
        check(page)
    page.write_text(page.read_text().replace("a == 2", "a == 1"))
    check(page)
