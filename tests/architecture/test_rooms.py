"""The house keeps its plan: the same rooms in every service, and what each may hold."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("enrolment", "assessment", "accreditation", "reporting")
ROOMS = {
    "": ("__init__.py", "__main__.py", "bootstrap.py", "settings.py"),
    "domain": ("__init__.py", "errors.py", "events.py"),
    "application": ("__init__.py", "commands.py", "handlers.py", "ports.py", "queries.py", "reactions.py"),
    "api": ("__init__.py", "routes.py", "schemas.py"),
    "messaging": ("__init__.py", "published.py", "consumed.py"),
    "storage": ("__init__.py", "documents.py", "indexes.py", "repositories.py"),
}
MOST_LINES = 400


def python_files(*folders: str) -> list[Path]:
    """Return every Python file below the folders."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_every_room_and_file(service):
    """Who knows one service finds the way in all four."""
    home = ROOT / "services" / service
    missing = [
        f"{room}/{name}" for room, names in ROOMS.items() for name in names if not (home / room / name).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_no_other_rooms(service):
    """A new kind of room is a decision for all four (web/ is the one that only some have)."""
    home = ROOT / "services" / service
    rooms = {path.name for path in home.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms <= {*ROOMS, "web"} - {""}


@pytest.mark.parametrize(
    "path", python_files("services", "shared", "tests"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_module_is_no_attic(path):
    """A module, of tests too, has a docstring that says what lives there, and stays below 400 lines."""
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "says nothing about itself"
    assert len(text.splitlines()) < MOST_LINES


@pytest.mark.parametrize(
    "path", python_files("services", "shared", "tests"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_module_name_says_what_it_holds(path):
    """No utils, helpers, managers, common or misc."""
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "manager", "misc", "data", "info"}


def test_except_exception_stands_in_two_places_only():
    """A bug is caught at the two doors (HTTP and the reader) and nowhere else."""
    broad = set()
    for path in python_files("services", "shared"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node):
                broad.add(str(path.relative_to(ROOT)))
    assert len(broad) <= 2, sorted(broad)
    assert all(name.startswith(("shared/http/", "shared/events/")) for name in broad), sorted(broad)


def _is_broad(node: ast.ExceptHandler) -> bool:
    names = [node.type, *(node.type.elts if isinstance(node.type, ast.Tuple) else ())]
    return node.type is None or any(
        isinstance(one, ast.Name) and one.id in {"Exception", "BaseException"} for one in names
    )


def _raises_again(node: ast.ExceptHandler) -> bool:
    """Tidying up and passing the error on swallows nothing."""
    return any(isinstance(child, ast.Raise) and child.exc is None for child in ast.walk(node))


@pytest.mark.parametrize("service", SERVICES)
def test_domain_is_pure(service):
    """The domain knows no framework, no database, no broker, no clock: only the language and our error kinds."""
    for path in sorted((ROOT / "services" / service / "domain").glob("*.py")):
        for name in _imports(path):
            own = name.startswith((f"services.{service}.domain", "shared.errors"))
            assert own or name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def test_nothing_of_a_scenario_stands_in_code():
    """No partnership's name, course or employer is in code: another scenario plays unchanged."""
    words = ("brent", "goldsmiths", "hounslow", "nwl-", "north-west-london", "marchland", "westbridge", "SAR7", "CCB7")
    for path in python_files("services", "shared"):
        if path.name in {"cli.py", "operator_commands.py"}:  # the demo's default folder, examples in the help
            continue
        said = " ".join(_spoken(ast.parse(path.read_text(encoding="utf-8"))))
        assert [word for word in words if word in said] == [], str(path.relative_to(ROOT))


def _spoken(tree: ast.AST) -> list[str]:
    """Return every text and name of a module, docstrings aside."""
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, described)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return [text for text in [*texts, *names] if text not in docstrings]


def test_nothing_waits_for_a_time_of_day():
    """No schedule can fall into the hour that summer time doubles or skips: every wait is a span."""
    for path in python_files("services", "shared"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        hours = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "hour"]
        hours += [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "hour"]
        assert not hours, str(path.relative_to(ROOT))
        assert not {"sched", "crontab", "apscheduler"} & set(_imports(path)), str(path.relative_to(ROOT))
