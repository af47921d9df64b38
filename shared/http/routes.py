"""The blueprint that services register their views on, and the proof that every route was decided upon.

    routes = Routes("enrolments", description="One practitioner's place on one intake.")

    @routes.post("/v1/organisations/<org>/enrolments")
    @scope("enrolments.create")
    @accepts(ENROLMENT_IN)
    @returns(201, ENROLMENT_OUT, etag=True)
    def create(org: str) -> Reply: ...

Views are plain functions of their path parameters and return a `Reply` (or a Flask response, for pages).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask
from flask_smorest import Blueprint

from shared.http.documentation import describe
from shared.http.facts import facts_of
from shared.identity import RoleTable

P = ParamSpec("P")
R = TypeVar("R")


class Routes(Blueprint):  # type: ignore[misc]
    """A flask-smorest blueprint whose documentation comes from the views' facts."""

    def __init__(self, name: str, *, description: str = "") -> None:
        super().__init__(name, __name__, description=description)

    def get(self, rule: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register a view that reads."""
        return self._method(rule, "GET")

    def post(self, rule: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register a view that makes or does something, once per Idempotency-Key."""
        return self._method(rule, "POST")

    def put(self, rule: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register a view that makes or replaces the thing at this address."""
        return self._method(rule, "PUT")

    def patch(self, rule: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register a view that changes a part of the thing at this address."""
        return self._method(rule, "PATCH")

    def delete(self, rule: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register a view that removes the thing at this address."""
        return self._method(rule, "DELETE")

    def _method(self, rule: str, method: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register for one method, documented."""

        def register(view: Callable[P, R]) -> Callable[P, R]:
            describe(view, method, f"{self.name}-{view.__name__}".replace("_", "-"))
            self.add_url_rule(rule, view.__name__, view, methods=[method])
            return view

        return register


def routes_without_decision(app: Flask) -> list[str]:
    """Return "METHOD rule" of every route that states neither `scope` nor `public`; [] is the promise."""
    return [
        f"{','.join(sorted(rule.methods or ()))} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if not facts_of(app.view_functions[rule.endpoint]).is_decided
    ]


def actions_of(app: Flask) -> set[str]:
    """Return every action that some route of `app` asks for."""
    found = (facts_of(view).action for view in app.view_functions.values())
    return {action for action in found if action}


def unlisted_actions(app: Flask, roles: RoleTable) -> set[str]:
    """Return actions that routes ask for and the role table does not list: nobody may do them."""
    return actions_of(app) - set(roles.grants)
