"""The application as a whole: a request from one end to the other, the document, headers, health."""

from __future__ import annotations

from shared.http import routes_without_decision, unlisted_actions


def test_a_counter_is_made_read_and_listed(client, headers, counters):
    """What a POST made, GET shows, with the same ETag."""
    made = client.post(counters, json={"name": "one", "amount": 1}, headers=headers())
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == '"1"'
    got = client.get(made.headers["Location"], headers=headers())
    assert got.json == made.json
    assert got.headers["ETag"] == made.headers["ETag"]
    listed = client.get(counters, headers=headers())
    assert listed.json == {"items": [made.json], "next": None}


def test_every_route_states_who_may_call_it(app, role_table):
    """No route is without a decision, and no action is without an entry in the role table."""
    assert routes_without_decision(app) == []
    assert unlisted_actions(app, role_table) == set()
