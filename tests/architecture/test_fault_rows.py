"""Every row of bad inputs and of faults is a named test: its name carries the row's id, and `docs/faults.md` lists it.

A row that is not tried says why there; one that is, may not.

A name may carry several ids: `test_c6_c7_a_malformed_table_is_refused`.
"""

from __future__ import annotations

import re

import pytest

from tests.architecture.named_tests import ROOT, named_tests, rows_in

ROWS = (
    *(f"h{number}" for number in range(1, 21)),
    *(f"c{number}" for number in range(1, 15)),
    *(f"k{number}" for number in range(1, 17)),
    *(f"i{number}" for number in range(1, 9)),
    *(f"p{number}" for number in range(1, 25)),
)
NOT_TRIED = frozenset({"k11", "k12", "p21", "p22"})
TRIED = tuple(row for row in ROWS if row not in NOT_TRIED)
_LINE = re.compile(r"\| ([HCKIP][0-9]+) \|.*\| `(tests/[a-z0-9_/]+\.py)`: (.+) \|")
_NOT_TRIED = re.compile(r"\| ([HCKIP][0-9]+) \|.*\| not tried: .+ \|")


def listed() -> dict[str, set[tuple[str, str]]]:
    """Return row id -> (file, test) as `docs/faults.md` lists them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for line in (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match:
            tests = re.findall(r"`(test_[a-z0-9_]+)`", match[3])
            found.setdefault(match[1].lower(), set()).update((match[2], test) for test in tests)
    return found


@pytest.mark.parametrize("row", TRIED)
def test_every_row_has_a_named_test(row):
    """At least one test's name carries the row's id."""
    assert named_tests(ROWS)[row]


def test_the_table_lists_every_row_and_only_tests_that_are_there():
    """`docs/faults.md` has each row, and each test that it names carries that row's id."""
    table, there = listed(), named_tests(ROWS)
    assert set(table) == set(TRIED)
    assert {row: tests - there[row] for row, tests in table.items() if tests - there[row]} == {}


def test_what_is_not_tried_says_why():
    """A row without a test is in the table all the same, with its reason; no other row makes do with words."""
    lines = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
    said = {match[1].lower() for line in lines if (match := _NOT_TRIED.fullmatch(line))}
    assert said == NOT_TRIED
    assert {row: tests for row, tests in named_tests(NOT_TRIED).items() if tests} == {}


def test_the_check_notices_a_row_without_a_test():
    """An id counts as a whole word of the name only."""
    assert rows_in("test_h10_an_unknown_field", ROWS) == {"h10"}
    assert rows_in("test_k1_k2_garbage", ROWS) == {"k1", "k2"}
    assert rows_in("test_sha1_of_chunk2", ROWS) == set()
