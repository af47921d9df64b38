"""Every door is decided upon, a GET never opens a writing unit of work, and who changes something tells it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from shared.clock import SystemClock
from shared.events.envelope import Outgoing
from shared.http import Reply, routes_without_decision, transact, unlisted_actions
from shared.http.routes import actions_of
from shared.http.service import EXTENSION
from shared.identifiers import new_identifier
from shared.identity import RoleTable
from shared.local.issuer import LocalIssuer
from shared.storage.mongo import connect

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("enrolment", "assessment", "accreditation", "reporting")
ROOMS = (
    *(f"services/{service}/{room}" for service in SERVICES for room in ("api", "web")),
    "shared/http",
    "shared/web",
)
DOORS = [path for room in ROOMS for path in sorted((ROOT / room).glob("*.py"))]
READS_THAT_ARE_WRITTEN_DOWN = {"release_identity": "the employer's record of who was told whose identity, and why"}
CHANGING = {"post", "put", "patch", "delete"}
PAGES = {"show": "get", "act": "post"}  # how pages are registered: shared.web.PageRoutes
KEEPS_NOTHING = {
    "sign_out": "the session is the browser's",
    "preview_mapping": "a look at what a file holds; it takes a body, so it is no GET",
}
ONE = Outgoing(type="toy.done.v1", key="k", version=1, data=b"{}")


@pytest.fixture
def app_of(tmp_path, monkeypatch) -> Iterator[object]:
    """A maker of a service's real application; no database is asked."""
    issuer = LocalIssuer(tmp_path, "local", SystemClock(), new_identifier)
    issuer.prepare(["nwl-board"])
    given = {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(ROOT / "scenarios" / "north-west-london" / "partnership.yaml"),
        "MONGODB_URI": "mongodb://127.0.0.1:1/?connect=false",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "TRUSTED_ISSUERS_FILE": str(issuer.trusted_issuers_file),
        "ORGANISATION_KEYS_DIR": str(tmp_path),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with connect(given["MONGODB_URI"], appname="tests") as client:

        def make(service: str) -> Flask:
            bootstrap = importlib.import_module(f"services.{service}.bootstrap")
            return bootstrap.build_web_app(bootstrap.settings(), client)

        yield make


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_states_its_scope_or_why_it_is_public(service, app_of):
    """No route is open by omission, none asks for an action that nobody may do, and the table grants nothing idle."""
    app, roles = app_of(service), RoleTable.of_service(service)
    assert routes_without_decision(app) == []
    assert unlisted_actions(app, roles) == set()
    assert {grant.action for grant in roles} - actions_of(app) == set()


def views(path: Path) -> Iterator[tuple[str, ast.FunctionDef, set[str]]]:
    """Yield each view of a module: its method, itself, and every name that it reaches, also in neighbours.

    A function that registers others, `routes.post(rule)(view)`, is a view once per registration, and reaches what the
    registered one does; what it does itself, where the registered one is not named there.
    """
    own = functions_of(path)
    functions = _taken_from_neighbours(path) | own
    for function in own.values():
        for node in function.decorator_list:
            if isinstance(node, ast.Call) and (method := _method(node)):
                yield method, function, _reached(function, functions)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and (method := _method(node.func)):
                registered = set().union(*(_reached(argument, functions) for argument in node.args))
                yield method, function, registered if registered & functions.keys() else _reached(function, functions)


@cache
def functions_of(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the functions of a module by name."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


def _taken_from_neighbours(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the functions that a module imports from other modules of its room."""
    taken: dict[str, ast.FunctionDef] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.ImportFrom)
            and (source := ROOT / f"{(node.module or '').replace('.', '/')}.py") in DOORS
        ):
            found = functions_of(source)
            taken |= {
                one.name: found[one.name] for one in node.names if one.name in found and source.parent == path.parent
            }
    return taken


def _method(call: ast.Call) -> str | None:
    """Return the method that a call such as `routes.post(rule)` is of, None where it is none of that kind."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    assert name != "route", f"line {call.lineno}: say get, post, put, patch or delete"
    name = PAGES.get(name, name)
    return name if name in {"get", *CHANGING} else None


def _reached(function: ast.AST, functions: dict[str, ast.FunctionDef]) -> set[str]:
    found: set[str] = set()
    waiting: list[ast.AST] = [function]
    while waiting:
        names = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)}
        waiting += [functions[name] for name in names - found if name in functions]
        found |= names
    return {name.removeprefix("page_") if name == "page_transact" else name for name in found}


def test_no_get_opens_a_writing_unit_of_work():
    """Whoever only looks changes nothing; one read is written down, and it is named here with its reason."""
    reached = {function.name: names for path in DOORS for method, function, names in views(path) if method == "get"}
    assert len(reached) > len(SERVICES)
    assert {name for name, names in reached.items() if "transact" in names} == set(READS_THAT_ARE_WRITTEN_DOWN)


def test_doors_have_no_way_round_transact():
    """A view has a unit of work to read from, or to see whether it answers: changes go through `transact`."""
    found = set()
    for path in DOORS:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        held = sum(isinstance(node, ast.Attribute) and node.attr == "unit_of_work" for node in nodes)
        if held > sum(isinstance(node, ast.Attribute) and _only_reads(node) for node in nodes):
            found.add(path.name)
    assert found == {"service.py"}  # where `transact` stands


def _only_reads(node: ast.Attribute) -> bool:
    return node.attr in {"reading", "client"} and getattr(node.value, "attr", "") == "unit_of_work"


def test_every_changing_view_transacts():
    """POST, PUT, PATCH and DELETE go through the one door that tells; those that keep nothing anywhere are named."""
    quiet = {
        function.name
        for path in DOORS
        for method, function, names in views(path)
        if method in CHANGING and "transact" not in names
    }
    assert quiet == set(KEEPS_NOTHING)


@pytest.fixture
def put(make_unit_of_work, organisation):
    """A request that does what it is given in one transaction; what its rows hold afterwards."""
    unit = make_unit_of_work("toy")
    app = Flask("toy")
    app.extensions[EXTENSION] = SimpleNamespace(unit_of_work=unit, hosted={organisation})

    def ask(*steps) -> int:
        def callback(work) -> Reply:
            for step in steps:
                step(work)
            return Reply(204)

        with app.test_request_context(method="PUT"):
            transact(organisation, callback)
        return unit.reading(organisation).rows("things").count({})

    return ask


def write(work) -> None:
    """Change something."""
    work.rows("things").insert_one({"_id": work.new_id()})


@pytest.mark.parametrize("steps", [(write,), (lambda work: work.before_commit(lambda: write(work)),)])
def test_a_request_that_changes_something_and_tells_nobody_commits_nothing(put, steps):
    """Neither an event nor a reason: the change is not made, however late in the transaction it was written."""
    with pytest.raises(RuntimeError, match="changed things, emitted nothing"):
        put(*steps)
    assert put() == 0


def test_a_request_that_tells_or_says_why_not_commits(put):
    """An event, a reason, or no change at all: each is fine."""
    assert put() == 0
    assert put(write, lambda work: work.emit(ONE)) == 1
    assert put(write, lambda work: work.silent("a toy has no partners")) == 2
