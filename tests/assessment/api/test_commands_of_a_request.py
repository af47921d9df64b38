"""How many commands a piece of evidence sends to the database: it is what most of a term's requests are."""

from __future__ import annotations

from collections import Counter

from services.assessment import bootstrap
from tests.commands import counting

CANDIDATE = "10001"
PIECES = [
    {
        "ref": ref,
        "kind": "observation",
        "author_role": "observer",
        "author_ref": "90777",
        "made_on": "2026-01-20",
        "domains": ["knowledge"],
        "level": "SW",
    }
    for ref in ("e1", "e2")
]
SENT = {"find": 1, "aggregate": 1, "bulkWrite": 1, "commitTransaction": 1}
"""The reply under the key; the portfolio with what is shown beside it, for the ETag; all that is written; the
commit."""


def test_a1_a_piece_of_evidence_sends_no_more_commands_than_these(
    house, assessment_settings, mongodb_uri, portfolio_id
):
    """One for each thing that must be known, one for all that is inserted, one commit."""
    with counting(mongodb_uri) as (client, commands):
        client.admin.command("ping")
        house.app = bootstrap.build_web_app(assessment_settings, client)
        for piece in PIECES:
            commands.clear()
            path, body = f"portfolios/{portfolio_id}/evidence", {"items": [piece]}
            answer = house.ask("POST", path, "practitioner", CANDIDATE, json=body)
            assert answer.status_code == 201
            assert Counter(commands) == SENT


def test_etag_of_a_change_is_that_of_the_portfolio_as_it_is_read_then(house, portfolio_id):
    """Whoever has just changed a portfolio may change it again without reading it."""
    path, body = f"portfolios/{portfolio_id}", {"items": PIECES[:1]}
    changed = house.ask("POST", f"{path}/evidence", "practitioner", CANDIDATE, json=body)
    read = house.ask("GET", path, "practitioner", CANDIDATE)
    assert changed.headers["ETag"] == read.headers["ETag"]
    again = house.ask(
        "POST", f"{path}/evidence", "practitioner", CANDIDATE, json={"items": PIECES[1:]},
        headers={"If-Match": changed.headers["ETag"]},
    )  # fmt: skip
    assert again.status_code == 201
