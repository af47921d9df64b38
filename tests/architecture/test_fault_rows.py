"""Every row of the list of bad inputs is a named test: its name carries the row's id, and `docs/faults.md` lists it.

A name may carry several ids: `test_c6_c7_a_malformed_table_is_refused`.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = (
    *(f"h{number}" for number in range(1, 21)),
    *(f"c{number}" for number in range(1, 15)),
    *(f"k{number}" for number in (*range(1, 7), 8)),
    *(f"i{number}" for number in range(1, 9)),
)
_LINE = re.compile(r"\| ([HCKI][0-9]+) \|.*\| `(tests/[a-z0-9_/]+\.py)`: (.+) \|")


def rows_in(name: str) -> set[str]:
    """Return the row ids in a test's name."""
    return {word for word in name.split("_") if re.fullmatch(r"[hcki][0-9]{1,2}", word)}


def named_tests() -> dict[str, set[tuple[str, str]]]:
    """Return row id -> (file, test) of every test function whose name carries it."""
    found: dict[str, set[tuple[str, str]]] = {row: set() for row in ROWS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for row in rows_in(node.name) & set(ROWS):
                    found[row].add((path.relative_to(ROOT).as_posix(), node.name))
    return found


def listed() -> dict[str, set[tuple[str, str]]]:
    """Return row id -> (file, test) as `docs/faults.md` lists them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for line in (ROOT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match:
            tests = re.findall(r"`(test_[a-z0-9_]+)`", match[3])
            found.setdefault(match[1].lower(), set()).update((match[2], test) for test in tests)
    return found


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_named_test(row):
    """At least one test's name carries the row's id."""
    assert named_tests()[row]


def test_the_table_lists_every_row_and_only_tests_that_are_there():
    """`docs/faults.md` has each row, and each test that it names carries that row's id."""
    table, there = listed(), named_tests()
    assert set(table) == set(ROWS)
    assert {row: tests - there[row] for row, tests in table.items() if tests - there[row]} == {}


def test_the_check_notices_a_row_without_a_test():
    """An id counts as a whole word of the name only."""
    assert rows_in("test_h10_an_unknown_field") == {"h10"}
    assert rows_in("test_k1_k2_garbage") == {"k1", "k2"}
    assert rows_in("test_sha1_of_chunk2") == set()
