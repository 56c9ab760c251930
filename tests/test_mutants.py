# SPDX-License-Identifier: BSD-3-Clause
"""The planted bugs, tests/mutants/*.toml, fit the sources, and tests/mutants.md says for each that a test noticed it.
`make mutants` plants them."""

import pytest
from needs import tool

mutants = tool("mutants")


def test_every_fault_can_be_planted():
    assert [*mutants.stale(mutants.rows_of_list())] == []


def test_the_table_tells_of_every_fault():
    assert [*mutants.disagreements(mutants.rows_of_list(), mutants.rows_of_table())] == []


@pytest.mark.parametrize(
    "change",
    [
        {"find": "no such text"},
        {"find": "return", "replace": "yield"},  # occurs more than once
        {"replace": "find"},
        {"tests": None},
        {"tests": ["file.py::test_that_is_gone"]},
        {"tests": ["file.py::test_i"]},  # the beginning of a name
        {"tests": ["no_such_file.py"]},
        {"reason": "besides tests"},
        {"id": "second"},
    ],
    ids=str,
)
def test_bad_rows_are_refused(change, tmp_path):
    (tmp_path / "file.py").write_text("find\nreturn 1\nreturn 2\ndef test_it(): pass\n")
    good = {"file": "file.py", "find": "find", "replace": "found", "tests": ["file.py::test_it[1]"]}
    rows = [good | {"id": "first"}, good | {"id": "second"}]
    assert [*mutants.stale(rows, tmp_path)] == []
    rows[0] = {key: value for key, value in (rows[0] | change).items() if value is not None}
    assert len([*mutants.stale(rows, tmp_path)]) == 1


def test_a_table_that_differs_is_refused():
    rows = [
        {"id": f"fault-{i}", "fault": "A fault", "file": "file.py", "tests": ["tests/test_it.py"]}
        for i in range(mutants.AT_LEAST)
    ]
    table = {row["id"]: mutants.line_of(row, "`tests/test_it.py::test`", "baseline", "1") for row in rows}
    assert [*mutants.disagreements(rows, table)] == []
    assert len([*mutants.disagreements(rows[1:], table)]) == 2  # one row too few, and one too many
    assert len([*mutants.disagreements([*rows, rows[0] | {"id": "survivor"}], table)]) == 1
    for change in ({"fault": "Another"}, {"file": "other.py"}, {"tests": ["tests/test_other.py"]}):
        assert len([*mutants.disagreements([rows[0] | change, *rows[1:]], table)]) == 1


def test_a_survivor_leaves_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "TABLE", tmp_path / "mutants.md")
    rows = [{"id": name, "fault": "A fault", "file": "f.py", "tests": ["t.py"]} for name in ("one", "other")]
    noticed = {row["id"]: mutants.line_of(row, "`t.py::test`", "baseline", "1") for row in rows}
    mutants.write(rows, noticed, [])
    assert mutants.rows_of_table() == noticed
    mutants.write(rows, {}, ["one"])
    assert [*mutants.rows_of_table()] == ["other"]
