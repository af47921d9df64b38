"""What is installed beside whom: a service's image holds the base, its own extra and nothing of the others'."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("enrolment", "assessment", "accreditation", "reporting")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
NOT_IN_PRODUCTION = ("local", "testing")
LOADED_BY_ANOTHER = {"rfc3339-validator", "tzdata"}  # jsonschema and zoneinfo look for them
TOP_LEVEL = packages_distributions()


def normal(name: str) -> str:
    """Return a distribution's name as requirements compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(lines: Iterable[str]) -> set[str]:
    """Return the distributions that requirements name."""
    return {normal(Requirement(line).name) for line in lines}


def imported(*places: Path) -> set[str]:
    """Return the distributions that the files import, and all files below the folders, also late or for types only."""
    found = set()
    for path in (path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))):
        for module in _modules(ast.parse(path.read_text(encoding="utf-8"))):
            top = module.split(".")[0]
            if top not in sys.stdlib_module_names and top not in {"services", "shared"}:
                found |= {normal(name) for name in TOP_LEVEL.get(top, [top])}
    return found


def _modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


BASE = named(PROJECT["dependencies"])
ROOMS = [path for path in (ROOT / "shared").iterdir() if path.name not in NOT_IN_PRODUCTION]


@pytest.mark.parametrize("service", SERVICES)
def test_service_imports_the_base_and_its_own_extra_only(service):
    """What only one service needs is in that service's extra, and nothing else is in it."""
    needed = imported(ROOT / "services" / service) - BASE
    assert needed == named(EXTRAS[service])


def test_shared_rooms_import_the_base_only():
    """Every image holds all of shared: nothing there needs one service's extra, or what is for local runs."""
    assert imported(*ROOMS) - BASE == set()


def test_the_base_holds_nothing_that_production_does_not_import():
    """What only a local run or a test imports is in those extras, not in every image."""
    assert BASE - imported(*ROOMS, ROOT / "services") == LOADED_BY_ANOTHER


def test_local_rooms_import_what_local_runs_and_developers_install():
    """Nothing is imported that no extra names."""
    needed = imported(*(ROOT / "shared" / name for name in NOT_IN_PRODUCTION))
    assert needed - BASE - named(EXTRAS["local"]) - named(EXTRAS["dev"]) == set()


def installed_with(service: str) -> set[str]:
    """Return every distribution that an image of the service has: the base, its extra, and what those need."""
    found: set[str] = set()
    waiting = [*PROJECT["dependencies"], *EXTRAS[service]]
    while waiting:
        one = Requirement(waiting.pop())
        if normal(one.name) not in found:
            found.add(normal(one.name))
            waiting += [line for line in requires(one.name) or () if _is_asked(Requirement(line), one.extras)]
    return found


def _is_asked(required: Requirement, extras: set[str]) -> bool:
    return required.marker is None or any(required.marker.evaluate({"extra": extra}) for extra in ("", *extras))


@pytest.mark.parametrize("service", SERVICES)
def test_service_imports_with_only_its_own_distributions(service):
    """An image holds shared and one service; nothing in it may need another, or a distribution that is not there."""
    there = installed_with(service)
    absent = [top for top, names in TOP_LEVEL.items() if not {normal(name) for name in names} & there]
    absent += [f"services.{other}" for other in SERVICES if other != service]
    absent += [f"shared.{room}" for room in NOT_IN_PRODUCTION]
    program = (
        "import importlib, pkgutil, sys\n"
        f"sys.modules.update(dict.fromkeys({absent!r}))\n"
        f"package = importlib.import_module('services.{service}')\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    if not module.name.endswith('__main__'): importlib.import_module(module.name)\n"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
