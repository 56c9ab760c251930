# SPDX-License-Identifier: BSD-3-Clause
"""The planted bugs, tests/mutants/*.toml, fit the sources, and tests/mutants.md tells of each that it was noticed.
`make mutants` plants them."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "tools" / "mutants.py").exists():
    pytest.skip("the tests stand alone here, without the checkout they belong to", allow_module_level=True)


@pytest.fixture
def mutants(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import mutants

    return mutants


def test_every_fault_can_be_planted(mutants):
    assert [*mutants.stale(mutants.rows_of_list())] == []


def test_the_table_tells_of_every_fault(mutants):
    assert [*mutants.disagreements(mutants.rows_of_list(), mutants.rows_of_table())] == []


@pytest.mark.parametrize(
    "change",
    [
        {"find": "no such text"},
        {"find": "return", "replace": "yield"},  # stands more than once
        {"replace": "find"},
        {"tests": None},
        {"reason": "besides tests"},
        {"id": "second"},
    ],
    ids=str,
)
def test_bad_rows_are_refused(mutants, change, tmp_path):
    (tmp_path / "file.py").write_text("find\nreturn 1\nreturn 2\n")
    good = {"file": "file.py", "find": "find", "replace": "found", "tests": ["tests"]}
    rows = [good | {"id": "first"}, good | {"id": "second"}]
    assert [*mutants.stale(rows, tmp_path)] == []
    rows[0] = {key: value for key, value in (rows[0] | change).items() if value is not None}
    assert len([*mutants.stale(rows, tmp_path)]) == 1


def test_a_table_that_differs_is_refused(mutants):
    rows = [{"id": f"fault-{i}"} for i in range(mutants.AT_LEAST)]
    table = {row["id"]: "" for row in rows}
    assert [*mutants.disagreements(rows, table)] == []
    assert len([*mutants.disagreements(rows[1:], table)]) == 2  # one too few, and one in the table alone
    assert len([*mutants.disagreements([*rows, {"id": "survivor"}], table)]) == 1
