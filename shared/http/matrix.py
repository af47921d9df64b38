"""The role matrix, walked: every route, every role, one's own organisation and another, with real tokens.

    def test_every_cell_of_the_role_matrix(app, roles, mint):
        assert disagreements(app, roles, mint, own="brent", other="camden") == []

A probe carries a query parameter that no route takes. The guard decides who may call before it looks at the query, so
an allowed probe is a 400 `unknown-parameter`, nothing is ever read or written, and the cell is about authorisation
alone. `other` must be hosted, or nothing could be allowed there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from shared.http.facts import facts_of
from shared.identity import ROLES, RoleTable

Relation = Literal["own", "other", "none"]
Outcome = Literal["allowed", "forbidden", "not_found", "unauthenticated"]
Mint = Callable[[str, tuple[str, ...]], str]
"""(organisation, roles) -> a real token for the service."""

PROBE: Final = "matrix-probe"
NOBODY: Final = ""
"""A token without any role."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question to the matrix: may `role`, asking for something of `relation`, call this route?

    `relation` is `none` for a request without a token.
    """

    endpoint: str
    method: str
    rule: str
    action: str
    role: str
    relation: Relation
    expected: Outcome

    def __str__(self) -> str:
        return f"{self.method} {self.rule} {self.role or 'no role'} {self.relation}: {self.expected}"


def matrix_cells(app: Flask, roles: RoleTable) -> Iterator[Cell]:
    """Yield every cell of every route of `app` that states a scope, in the order of the routes and roles."""
    for rule in app.url_map.iter_rules():
        action = facts_of(app.view_functions[rule.endpoint]).action
        if action is None:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Cell(rule.endpoint, method, rule.rule, action, NOBODY, "none", "unauthenticated")
            for role in (*ROLES, NOBODY):
                yield from _cells_of_role(rule, method, action, role, roles)


def _cells_of_role(rule: Rule, method: str, action: str, role: str, roles: RoleTable) -> Iterator[Cell]:
    """Yield the cells of one route and role: one's own organisation and, where the route names one, another."""
    granted = roles.relations(action, role)
    expected: Outcome = "allowed" if granted else "forbidden"
    yield Cell(rule.endpoint, method, rule.rule, action, role, "own", expected)
    if "org" in rule.arguments:
        foreign: Outcome = "allowed" if "partner" in granted else "not_found"
        yield Cell(rule.endpoint, method, rule.rule, action, role, "other", foreign)


def probe(app: Flask, cell: Cell, mint: Mint, *, own: str, other: str) -> str:
    """Return what becomes of `cell` in truth: an `Outcome`, or the status that was none."""
    rule = next(iter(app.url_map.iter_rules(cell.endpoint)))
    values = {name: 1 if "int" in str(rule) else "absent" for name in rule.arguments}
    if "org" in values:
        values["org"] = other if cell.relation == "other" else own
    path = app.url_map.bind("localhost").build(cell.endpoint, values, method=cell.method)
    headers = {}
    if cell.relation != "none":
        headers["Authorization"] = f"Bearer {mint(own, (cell.role,) if cell.role else ())}"
    return outcome_of(app.test_client().open(path, method=cell.method, headers=headers, query_string={PROBE: "1"}))


def outcome_of(response: TestResponse) -> str:
    """Return what the guard decided, read from its answer."""
    kind = (response.get_json(silent=True) or {}).get("type", "")
    decided = {
        (400, "urn:problem:unknown-parameter"): "allowed",
        (401, "urn:problem:unauthenticated"): "unauthenticated",
        (403, "urn:problem:forbidden"): "forbidden",
        (404, "urn:problem:not-found"): "not_found",
    }
    return decided.get((response.status_code, kind), f"{response.status_code} {kind}")


def disagreements(app: Flask, roles: RoleTable, mint: Mint, *, own: str, other: str) -> list[str]:
    """Return every cell whose outcome is not the table's, as sentences; [] is the promise."""
    found = []
    for cell in matrix_cells(app, roles):
        outcome = probe(app, cell, mint, own=own, other=other)
        if outcome != cell.expected:
            found.append(f"{cell}, but got {outcome}")
    return found
