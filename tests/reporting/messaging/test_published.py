"""A closed publication as events."""

from __future__ import annotations

import json

from services.reporting.domain.publication import TITLES


def entry_of(house):
    """Return the one entry on the board's feed."""
    entries = list(house.unit.database(house.board)["org_entries"].find({}))
    assert len(entries) == 1
    return entries[0]


def test_publication_emits_each_table_once(told_house):
    """Five tables, one event each, all under the publication's key, in one entry."""
    identifier = told_house.publish("Title with a name in it").get_json()["id"]
    events = entry_of(told_house)["events"]
    assert [json.loads(event["data"])["table"] for event in events] == list(TITLES)
    assert {event["subject"] for event in events} == {identifier}
    assert b"Title with" not in b"".join(bytes(event["data"]) for event in events)
    told_house.unit.database(told_house.board)
