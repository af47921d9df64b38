"""What the board answers when an employer erases a person: it holds nobody, its figures stay, and it says so once."""

from __future__ import annotations

import msgspec

from services.reporting.messaging.consumed import subscriptions
from shared.identifiers import new_identifier
from shared.testing.feeds import a_received

ACKNOWLEDGED = "reporting.erasure-acknowledged.v1"


def erase(house, practitioner_id, number):
    """Let Brent's feed say, under a number, that somebody was erased."""
    rows = subscriptions(house.desk.rooms.projections)
    row = next(row for row in rows if row.type == "enrolment.practitioner-erased.v1")
    data = {"practitioner_id": practitioner_id, "erased_on": "2026-01-01"}
    event = a_received(row, data, owner="brent", key=practitioner_id, number=number)
    house.unit.run(house.board, lambda work: row.reaction(work, event))


def answers(house):
    """Return the acknowledgements of the board: about whom, and what became of them."""
    entries = house.unit.database(house.board)["org_entries"].find({}, sort=[("_id", 1)])
    told = [event for entry in entries for event in entry["events"] if event["type"] == ACKNOWLEDGED]
    said = [msgspec.json.decode(bytes(event["data"])) for event in told]
    return [(one["practitioner_id"], one["outcome"]) for one in said]


def test_board_answers_each_erasure_once_and_its_figures_stay(house):
    """A replay or a rebuild answers nothing twice; another erasure of the same id, later, is another one."""
    someone = new_identifier()
    database = house.unit.database(house.board)
    before = list(database["rollups"].find({}, sort=[("_id", 1)]))
    for number in (9, 9, 4, 12):
        erase(house, someone, number)
    assert answers(house) == [(someone, "nothing_held")] * 2
    assert list(database["rollups"].find({}, sort=[("_id", 1)])) == before
    assert [name for name in database.list_collection_names() if "practitioner" in name] == []
