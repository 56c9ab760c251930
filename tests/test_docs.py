# SPDX-License-Identifier: BSD-3-Clause
"""The pages of docs/: their examples give what they show, and their parts belong together. tests/heavy/test_recipes.py
runs the pages whose code is a script."""

import doctest
import re
from pathlib import Path

import pytest
from cases import every_level
from mktestdocs import grab_code_blocks

import gelu_fast

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = {str(page.relative_to(DOCS)): page.read_text() for page in sorted(DOCS.rglob("*.md"))}


def blocks(page):
    return [block for block in grab_code_blocks(PAGES[page], lang="python") if block.strip()]


def is_session(block):
    return block.lstrip().startswith(">>> ")


SESSIONS = [page for page in PAGES if any(map(is_session, blocks(page)))]


def run(name, text):
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    return doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)


@every_level
@pytest.mark.parametrize("page", SESSIONS)
def test_examples(page):
    """The blocks of a page share their names."""
    assert all(map(is_session, blocks(page))), "a page has sessions or a script, not both"
    try:
        results = run(page, "\n".join(blocks(page)))
    finally:
        gelu_fast.set_num_threads(None)
    assert results.attempted > 0 == results.failed


def test_control(capsys):
    assert run("control", ">>> 1 + 1\n3\n").failed == 1
    assert "Expected:" in capsys.readouterr().out


def test_api_pages_have_every_name():
    documented = [
        name for page in PAGES for name in re.findall(r"^\.\. autofunction:: (\w+)$", PAGES[page], re.M)
    ]
    assert sorted(documented) == sorted(set(gelu_fast.__all__) - {"__version__"})
