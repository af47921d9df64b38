"""`docs/guarantees.md`: every promise names tests that are there and that the named command really runs.

The page has one table per command. A test that stands under `make test` must carry none of the marks that `make test`
leaves out, one under `make test-kafka` must carry a mark that it takes, and so on; none may be skipped by a mark, or
expected to fail, but for `beyond_local`. That none is let off while it runs is seen to by `tests/conftest.py`.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guarantees.md"
APART = frozenset({"kafka", "containers", "browser", "faults"})
RUN_BY = {
    "make test": lambda marks: not marks & {*APART, "beyond_local"},
    "make test-kafka": lambda marks: bool(marks & {"kafka", "backbone"}),
    "make test-faults": lambda marks: "faults" in marks,
    "make test-containers": lambda marks: "containers" in marks,
}
STARTERS = frozenset({"kafka_server", "broker_of_this_run", "asking_kafka_server", "three_brokers", "on_apache_kafka"})
NOT_RUN_HERE = "make test-containers"
_NAME = re.compile(r"`(test_[a-z0-9_]+)`")


def marks_of(path: Path) -> dict[str, set[str]]:
    """Return test function -> the marks of its module, its class and its own, for one file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shared: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "pytestmark" for name in node.targets):
            shared |= _marks_in(node.value)
    return {
        node.name: shared.union(*(_marks_in(decorator) for decorator in node.decorator_list))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def _marks_in(node: ast.AST) -> set[str]:
    """Return the names X of every `pytest.mark.X` in an expression."""
    return {
        inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Attribute) and inner.value.attr == "mark"
    }


@cache
def all_tests() -> dict[str, list[set[str]]]:
    """Return test name -> the marks of each function of that name."""
    found: dict[str, list[set[str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, marks in marks_of(path).items():
            found.setdefault(name, []).append(marks)
    return found


def tables() -> dict[str, list[tuple[str, list[str]]]]:
    """Return command -> (row's first cell, tests that it names) of the page's tables."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    command = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        heading = re.match(r"#+ .*`(make [a-z-]+)`", line)
        if line.startswith("#"):
            command = heading[1] if heading else ""
        elif command and line.startswith("| ") and not line.startswith(("| ---", "| promise", "| fault")):
            found.setdefault(command, []).append((line.split("|")[1].strip(), _NAME.findall(line)))
    return found


def test_the_page_has_a_table_for_each_command():
    """Each command that proves something has rows, and each row names a test."""
    found = tables()
    assert set(found) == set(RUN_BY)
    assert [row for rows in found.values() for row, names in rows if not names] == []


@pytest.mark.parametrize("command", RUN_BY)
def test_every_named_test_is_there_and_is_run_by_the_command_of_its_table(command):
    """A test that was renamed away, or that the command leaves out, proves nothing."""
    there = all_tests()
    for row, names in tables()[command]:
        for name in names:
            assert name in there, f"{row}: there is no {name}"
            assert any(RUN_BY[command](marks) for marks in there[name]), f"{row}: {command} does not run {name}"
            let_off = {"skip", "xfail"} & set().union(*there[name])
            assert not let_off, f"{row}: {name} is let off everywhere: {let_off}"


def test_only_what_needs_a_replica_set_is_not_run_here():
    """Everything else that a promise rests on is run by the project's own commands on one machine."""
    section = PAGE.read_text(encoding="utf-8").split("## Not run here")[1].split("\n## ")[0]
    named = {name for _, names in tables()[NOT_RUN_HERE] for name in names}
    marked = {name for name, each in all_tests().items() if any("containers" in marks for marks in each)}
    assert named <= marked == set(_NAME.findall(section))


def test_every_promise_of_the_readme_stands_on_the_page():
    """The page is where the README's promises are kept: the same words begin each row."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("## What it promises")[1].split("\n## ")[0]
    promised = set(re.findall(r"^\| \*\*(.+?)\*\*", readme, re.MULTILINE))
    page = PAGE.read_text(encoding="utf-8")
    assert {promise for promise in promised if f"**{promise}**" not in page} == set()


def starting_a_broker(path: Path) -> set[str]:
    """Return the tests of a file that start an Apache Kafka of their own, by themselves or by a fixture there."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    words = {node.name: {*_words_in(node)} for node in functions}
    starting = set(STARTERS)
    while more := {name for name, used in words.items() if used & starting} - starting:
        starting |= more
    return {name for name in starting if name.startswith("test_")}


def _words_in(node: ast.AST) -> set[str]:
    """Return the names and arguments that stand in a function."""
    return {getattr(inner, "id", "") or getattr(inner, "arg", "") or "" for inner in ast.walk(node)} - {""}


def test_what_starts_its_own_broker_says_so():
    """Where there is a Docker engine and no archive of Apache Kafka these are left out, and nothing else is."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        marked = {name for name, marks in marks_of(path).items() if "own_broker" in marks}
        assert marked == starting_a_broker(path), path


def test_marks_are_found_wherever_they_stand(tmp_path):
    """On the module, on the function, with arguments and in a list."""
    path = tmp_path / "test_x.py"
    path.write_text(
        "import pytest\npytestmark = [pytest.mark.faults, pytest.mark.timeout(9)]\n"
        "@pytest.mark.parametrize('x', [1])\ndef test_a(x): ...\n@pytest.mark.skip\ndef test_b(): ...\n"
    )
    assert marks_of(path) == {"test_a": {"faults", "timeout", "parametrize"}, "test_b": {"faults", "timeout", "skip"}}


def test_a_named_test_that_is_let_off_fails_and_any_other_is_not(pytester, monkeypatch):
    """Skipped, or expected to fail by a mark or in the middle, but for what is beyond the local broker."""
    monkeypatch.delenv("KAFKA_IS_REAL", raising=False)
    pytester.makeini("[pytest]\nmarkers = beyond_local")
    pytester.makeconftest("from tests.conftest import pytest_collection_modifyitems, pytest_runtest_makereport")
    name = "test_no_seed_breaks_a_promise"
    each = {
        "marked": f"@pytest.mark.xfail(strict=True)\ndef {name}(): assert False",
        "said": f"def {name}(): pytest.xfail('so')",
        "skipped": f"def {name}(): pytest.skip('so')",
        "beyond": f"@pytest.mark.beyond_local('so', raises=AssertionError)\ndef {name}(): assert False",
        "fixture": f"@pytest.mark.beyond_local('so')\ndef {name}(no_such_fixture): assert False",
        "other": "@pytest.mark.xfail(strict=True)\ndef test_of_nothing_promised(): assert False",
    }
    pytester.makepyfile(**{f"test_{key}": f"import pytest\n{text}" for key, text in each.items()})
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(failed=3, errors=1, xfailed=2)
