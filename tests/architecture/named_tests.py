"""Every test function of the repository, read once, and the ids of rows that their names carry."""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def every_test() -> frozenset[tuple[str, str]]:
    """Return (file, name) of every test function."""
    return frozenset(
        (path.relative_to(ROOT).as_posix(), node.name)
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def rows_in(name: str, rows: Collection[str]) -> set[str]:
    """Return which of the rows' ids stand in a test's name, each as a whole word of it."""
    return set(name.split("_")).intersection(rows)


def named_tests(rows: Collection[str]) -> dict[str, set[tuple[str, str]]]:
    """Return row id -> (file, name) of every test function whose name carries it."""
    found: dict[str, set[tuple[str, str]]] = {row: set() for row in rows}
    for test in every_test():
        for row in rows_in(test[1], rows):
            found[row].add(test)
    return found
