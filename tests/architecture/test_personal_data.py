"""Every collection that code names stands in the list of what holds people's data, and in the page for people."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "personal-data.md").read_text(encoding="utf-8")
LISTS = {
    "enrolment": "personal_data",
    "assessment": "erasure",
    "accreditation": "erasure",
    "reporting": "erasure",
}


def places(service: str) -> set[str]:
    """Return the collections that a service's own list names."""
    return set(importlib.import_module(f"services.{service}.storage.{LISTS[service]}").PLACES)


def named_in_code(service: str) -> set[str]:
    """Return the collections that a service asks for: `rows("…")`, `rows(NAME)` with the constant's value, indexes."""
    found: set[str] = set()
    for path in (ROOT / "services" / service / "storage").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "rows" and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    found.add(str(name.value))
                elif isinstance(name, ast.Name) and name.id in constants:
                    found.add(constants[name.id])
    return found - {"positions"}


@pytest.mark.parametrize("service", LISTS)
def test_every_collection_in_code_is_in_the_list(service):
    """A new place for rows says what it holds of a person before it holds anything."""
    assert named_in_code(service)
    assert named_in_code(service) - places(service) == set()


@pytest.mark.parametrize("service", LISTS)
def test_page_for_people_names_every_place(service):
    """docs/personal-data.md and the lists say the same."""
    assert {name for name in places(service) if f"`{name}`" not in PAGE} == set()


def test_page_names_no_place_that_is_gone():
    """A row whose collection nobody has any more is taken out."""
    known = set().union(*(places(service) for service in LISTS))
    shared = {"idempotency", "parked", "parked_decisions", "replay_requests", "feed_alarms", "erasures_answered"}
    rows = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)
    assert rows
    assert set(rows) - known - shared == set()
