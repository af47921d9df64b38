"""Every cell of accreditation's role matrix, with real tokens."""

from __future__ import annotations

from shared.http import routes_without_decision, unlisted_actions
from shared.http.matrix import disagreements
from shared.identity import RoleTable

ROLES = RoleTable.of_service("accreditation")


def test_every_cell_of_the_role_matrix(university):
    """Each role, in its own university and another, may do what the table says and nothing else."""
    mint = lambda organisation, roles: university.issuer.mint(organisation, roles, "s", "accreditation")  # noqa: E731
    assert disagreements(university.app, ROLES, mint, own="goldsmiths", other="riverside") == []


def test_every_route_is_decided_and_every_action_is_listed(university):
    """No route without a scope or a reason, no action that the table does not know, no grant for nothing."""
    assert routes_without_decision(university.app) == []
    assert unlisted_actions(university.app, ROLES) == set()
