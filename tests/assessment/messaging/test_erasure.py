"""What assessment forgets and answers when the employer erases a person."""

from __future__ import annotations

import json

import pytest

from services.assessment.messaging.consumed import subscriptions
from shared.identifiers import new_identifier
from shared.testing.feeds import a_received

ACKNOWLEDGED = "assessment.erasure-acknowledged.v1"
TYPED = "Zebulonia-Quuxworth-visit"


@pytest.fixture
def erased(house):
    """Let Brent's enrolment feed say, under a number, that somebody was erased."""
    row = next(row for row in subscriptions(house.ports) if row.type == "enrolment.practitioner-erased.v1")

    def send(practitioner_id: str, number: int = 9) -> None:
        data = {"practitioner_id": practitioner_id, "erased_on": "2026-01-01"}
        event = a_received(row, data, owner="brent", key=practitioner_id, number=number)
        house.unit.run("brent", lambda work: row.reaction(work, event))

    return send


def answers(house):
    """Return the acknowledgements on the feed: about whom, and what became of them."""
    return [(key, json.loads(data)["outcome"]) for name, key, data in house.events() if name == ACKNOWLEDGED]


def typed_words_left(house):
    """Return the collections in which what a person typed still stands."""
    database = house.unit.database("brent")
    return {
        name for name in database.list_collection_names() for one in database[name].find({}) if "Zebulonia" in repr(one)
    }


def test_what_a_person_typed_goes_and_the_portfolio_stays(house, erased):
    """The outcome counts on, under an id that leads to nobody; one acknowledgement says `erased`."""
    portfolio, person = house.enrol(), house.person_id("10001")
    kind = house.ports.rulebook.rules("cpd-portfolio").items[0].kind
    piece = {"ref": TYPED, "kind": kind, "author_role": "observer", "author_ref": None, "made_on": "2026-01-20"}
    body = {"items": [{**piece, "domains": [], "level": "SW"}]}
    sent = house.ask("POST", f"portfolios/{portfolio}/evidence", "practitioner", "10001", json=body)
    assert sent.status_code == 201, sent.get_data(as_text=True)
    assert "portfolios" in typed_words_left(house)
    before = house.unit.database("brent")["portfolios"].count_documents({})
    erased(person)
    assert typed_words_left(house) == set()
    assert house.unit.database("brent")["portfolios"].count_documents({}) == before
    assert house.unit.database("brent")["people"].find_one({"_id": person}) is None
    assert answers(house) == [(person, "erased")]


def test_same_erasure_again_is_answered_once_and_a_later_one_again(house, erased):
    """A replay or a rebuild brings nothing back and tells nothing twice."""
    house.enrol()
    person = house.person_id("10001")
    for number in (9, 9, 4, 12):
        erased(person, number)
    assert [key for key, _ in answers(house)] == [person, person]


def test_of_whom_nothing_is_held_is_said(house, erased):
    """The employer must know that somebody looked."""
    stranger = new_identifier()
    erased(stranger)
    assert answers(house) == [(stranger, "nothing_held")]
