"""Every capability asked of enrolment has a test named after it, or a decision record that declines it.

A name may carry several ids: `test_e8_e12_…`. `docs/capabilities.md` lists them; it names only what is there.
"""

from __future__ import annotations

import re

import pytest

from tests.architecture.named_tests import ROOT, named_tests, rows_in

TABLE = ROOT / "docs" / "capabilities.md"
ROWS = tuple(f"e{number}" for number in range(1, 29))
PEERS = range(1, 15)
_LINE = re.compile(
    r"\| (E[0-9]+) \| .+ \| \[[0-9]{4}\]\((decisions/[0-9a-z-]+\.md)\) \| (?:`([a-z0-9_/]+\.py)`: (.+)|declined) \|"
)


def listed() -> dict[str, list[re.Match[str]]]:
    """Return row id -> its lines in the table."""
    found: dict[str, list[re.Match[str]]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if match := _LINE.fullmatch(line):
            found.setdefault(match[1].lower(), []).append(match)
    return found


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_named_test_or_is_declined(row):
    """A row is shown by a test or said no to, in a record that is there and speaks of it."""
    lines = listed()[row]
    assert named_tests(ROWS)[row] or all(line[3] is None for line in lines)
    for line in lines:
        record = ROOT / "docs" / line[2]
        assert record.is_file(), line[2]
        assert line[3] is not None or re.search(rf"\b{row.upper()}\b", record.read_text(encoding="utf-8"))


def test_the_table_lists_every_row_and_only_tests_that_are_there():
    """Each test that it names carries that row's id and stands in that file."""
    table, there = listed(), named_tests(ROWS)
    assert set(table) == set(ROWS)
    for row, lines in table.items():
        told = {(line[3], test) for line in lines if line[3] for test in re.findall(r"`(test_[a-z0-9_]+)`", line[4])}
        assert told <= there[row], row


def test_the_second_table_has_every_row_and_only_files_that_are_there():
    """Rows 1 to 14 of the comparison with the peers."""
    second = TABLE.read_text(encoding="utf-8").split("## Against the peers")[1]
    rows = [line.split("|") for line in second.splitlines() if re.match(r"\| [0-9]+ \|", line)]
    assert [int(row[1]) for row in rows] == list(PEERS)
    for row in rows:
        files = re.findall(r"`(tests/[a-z0-9_/]+\.py)`", row[3])
        assert files or "decisions/" in row[3], row[1]
        assert all((ROOT / file).is_file() for file in files), row[1]


def test_the_check_notices_a_row_without_a_test():
    """An id counts as a whole word of the name only."""
    assert rows_in("test_e8_e12_places", ROWS) == {"e8", "e12"}
    assert rows_in("test_the_e_mail_of_e2e", ROWS) == set()
