"""The decision function: deny by default, and the table it reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.identity import ROLES, Decision, Principal, Resource, RoleTable, decide, may
from shared.identity.decisions import ROLES_DIRECTORY

TABLE = """
things.make: {summary: Make., roles: {hr: own}}
things.see: {summary: See., roles: {hr: own, service: partner, practitioner: self}}
"""


@pytest.fixture
def table(tmp_path) -> RoleTable:
    """A small table."""
    path = tmp_path / "roles.yaml"
    path.write_text(TABLE)
    return RoleTable.load(path)


def person(*roles: str, organisation: str = "brent") -> Principal:
    """Return somebody."""
    return Principal(organisation, "E-1", frozenset(roles))


@pytest.mark.parametrize(
    ("roles", "action", "resource", "decision"),
    [
        (("hr",), "things.make", Resource("brent"), Decision.ALLOWED),
        (("hr",), "things.make", Resource("camden"), Decision.NOT_FOUND),
        (("auditor",), "things.make", Resource("brent"), Decision.FORBIDDEN),
        ((), "things.make", Resource("brent"), Decision.FORBIDDEN),
        (("hr",), "things.unheard-of", Resource("brent"), Decision.FORBIDDEN),
        (("service",), "things.see", Resource("camden"), Decision.ALLOWED),
        (("service",), "things.see", Resource("brent"), Decision.ALLOWED),
        (("practitioner",), "things.see", Resource("brent", "E-1"), Decision.ALLOWED),
        (("practitioner",), "things.see", Resource("brent", "E-2"), Decision.FORBIDDEN),
        (("practitioner",), "things.see", Resource("camden", "E-1"), Decision.NOT_FOUND),
        (("hr", "auditor"), "things.make", Resource("brent"), Decision.ALLOWED),
    ],
)
def test_decisions(table, roles, action, resource, decision):
    """Own, partner, self, and the two ways of saying no."""
    assert decide(person(*roles), action, resource, table) is decision


@given(st.frozensets(st.sampled_from(ROLES)), st.sampled_from(["things.make", "things.see", "x"]))
def test_i11_nobody_may_more_with_a_role_that_the_table_does_not_name(tmp_path_factory, roles, action):
    """Whatever the roles, a foreign resource is open to `partner` grants only."""
    path = tmp_path_factory.getbasetemp() / "any-roles.yaml"
    path.write_text(TABLE)
    table = RoleTable.load(path)
    assert may(person(*roles), action, Resource("camden"), table) == ("service" in roles and action == "things.see")


@pytest.mark.parametrize(
    "text",
    [
        "a.b: {summary: x}",
        "a.b: {roles: {king: own}}",
        "a.b: {roles: {hr: everything}}",
        "a.b: {roles: {hr: []}}",
        "a: 1",
    ],
)
def test_a_table_with_faults_is_malformed(tmp_path, text):
    """A role or relation that does not exist is a fault, not a refusal that nobody notices."""
    path = tmp_path / "roles.yaml"
    path.write_text(text)
    with pytest.raises(Malformed):
        RoleTable.load(path)


def test_an_action_that_stands_in_two_files_is_malformed(tmp_path):
    """One action, one entry."""
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(TABLE)
    two.write_text(TABLE)
    with pytest.raises(Malformed):
        RoleTable.load(one, two)


@pytest.mark.parametrize("path", sorted(ROLES_DIRECTORY.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_table_of_the_repository_can_be_read(path):
    """Each service's table is one, with a summary for every action."""
    table = RoleTable.load(path)
    assert all(grant.summary for grant in table)


def test_every_service_has_the_common_actions():
    """The feed is read on every service."""
    assert RoleTable.of_service("enrolment").relations("feed.read", "service") == {"partner"}
