"""Every cell of enrolment's role matrix, with real tokens."""

from __future__ import annotations

from shared.http import routes_without_decision, unlisted_actions
from shared.http.matrix import disagreements
from shared.identity import RoleTable

ROLES = RoleTable.of_service("enrolment")


def test_every_cell_of_the_role_matrix_is_as_the_table_says(house):
    """Each route, role and relation is decided as the role table says."""

    def mint(organisation: str, roles: tuple[str, ...]) -> str:
        return house.issuer.mint(organisation, list(roles), "somebody", "enrolment")

    assert disagreements(house.app, ROLES, mint, own="brent", other="ealing") == []


def test_every_route_is_decided_and_every_action_listed(house):
    """No route is without a scope, and no scope is missing from the role table."""
    assert routes_without_decision(house.app) == []
    assert unlisted_actions(house.app, ROLES) == set()
