"""Every cell of assessment's role matrix, asked with real tokens."""

from __future__ import annotations

from shared.http.matrix import disagreements
from shared.http.routes import actions_of, routes_without_decision, unlisted_actions
from shared.identity import RoleTable


def test_every_cell_of_the_role_matrix(house):
    """Each role gets on each route, at home and elsewhere, exactly what the table says."""

    def mint(organisation, roles):
        return house.issuer.mint(organisation, roles, "somebody", "assessment")

    roles = RoleTable.of_service("assessment")
    assert disagreements(house.app, roles, mint, own="brent", other="ealing") == []


def test_every_route_is_decided_and_listed(house):
    """No route is open by omission, and no action is missing from the table."""
    assert routes_without_decision(house.app) == []
    assert unlisted_actions(house.app, RoleTable.of_service("assessment")) == set()


def test_every_listed_action_has_a_route(house):
    """The table lists nothing that nobody can ask for."""
    listed = {grant.action for grant in RoleTable.of_service("assessment")}
    assert listed <= actions_of(house.app)
