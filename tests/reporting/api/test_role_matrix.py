"""Every cell of reporting's role matrix, with real tokens."""

from __future__ import annotations

from shared.http import routes_without_decision, unlisted_actions
from shared.http.matrix import disagreements
from shared.identity import RoleTable

ROLES = RoleTable.of_service("reporting")


def test_every_cell_of_the_role_matrix(house):
    """Each role, at its own board and elsewhere, may do what the table says and nothing else.

    Nobody but the board is hosted here, so that the board's instance finds no other organisation's feed: that one
    cell is stated here, and its other half below.
    """
    mint = lambda organisation, roles: house.issuer.mint(organisation, roles, "s", "reporting")  # noqa: E731
    cells = disagreements(house.app, ROLES, mint, own=house.board, other="brent")
    assert len(cells) == 1
    assert "/feed service other" in cells[0]
    assert cells[0].endswith("but got not_found")


def test_partners_instance_reads_the_boards_feed_and_its_people_do_not(house):
    """What the board published is for every partner's instance; no partner's person has the role for it."""
    feed = f"/v1/organisations/{house.board}/feed"
    assert house.get(feed, "service", org="brent").status_code == 200
    for role in ("operator", "board", "hr"):
        assert house.get(feed, role, org="brent").status_code == 404


def test_every_route_is_decided_and_every_action_is_listed(house):
    """No route without a scope or a reason, no action that the table does not know."""
    assert routes_without_decision(house.app) == []
    assert unlisted_actions(house.app, ROLES) == set()


def test_i8_board_reads_one_row_and_is_refused(told_house):
    """I8: raw rows are the operator's; the board's token opens none of them, an employer's operator finds nothing."""
    for name in ("funnel", "nominations", "self_assessment_change", "route_comparison", "credits"):
        assert told_house.get(f"/v1/projections/{name}", "board").status_code == 403
        assert told_house.get(f"/v1/projections/{name}", "auditor").status_code == 403
        assert told_house.get(f"/v1/projections/{name}", "operator", org="brent").status_code == 404
        assert told_house.get(f"/v1/projections/{name}", "operator").status_code == 200


def test_i7_another_organisation_finds_no_report_of_the_board(told_house):
    """I7: an employer's board role opens nothing here, with the body of what is absent."""
    told_house.publish()
    for path in ("/v1/reports", "/v1/reports/funnel", "/v1/freshness"):
        answer = told_house.get(path, "board", "operator", org="brent")
        assert answer.status_code == 404
