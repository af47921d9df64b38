"""What the university takes from employers' feeds, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from services.accreditation.messaging.consumed import FEEDS, IGNORED, subscriptions
from shared.events.contracts import ContractBook
from shared.events.subscriptions import SubscriptionBook

CONTRACTS = Path(__file__).parents[3] / "shared" / "contracts"
BOOK = ContractBook()
SUBSCRIPTIONS = subscriptions(lambda _: None)  # looked at, never called


def _org_types(service):
    rows = yaml.safe_load((CONTRACTS / "catalogue" / f"{service}.yaml").read_text(encoding="utf-8"))
    return {row["type"] for row in rows if row["feed"] == "org"}


def test_k4_every_type_of_the_feeds_read_is_acted_upon_or_ignored_by_name():
    """No known type of an employer's feed is parked as unknown, and none stands in both lists."""
    known = set().union(*(_org_types(service) for service in FEEDS))
    named = SubscriptionBook(SUBSCRIPTIONS, IGNORED).types()
    assert named == known


@pytest.mark.parametrize("row", SUBSCRIPTIONS, ids=lambda row: row.type)
def test_k3_every_example_is_read_with_newer_fields_ignored(row):
    """Each example of each type is readable, also with a field that we do not know."""
    for data in BOOK.examples(row.type).values():
        msgspec.json.decode(data, type=row.struct)
        msgspec.json.decode(json.dumps({**json.loads(data), "newer": 1}), type=row.struct)


def test_confirmed_enrolment_concerns_the_named_university_only(university):
    """Another university's candidate, a practice-only one, or one of a non-employer is nobody's here."""
    university.opened()
    assert university.hear(
        "enrolment.confirmed.v1", **_confirmed(awarding_hei="goldsmiths", route="practice_and_academic")
    ) == ("goldsmiths",)
    assert university.hear(
        "enrolment.confirmed.v1", **_confirmed(awarding_hei="riverside", route="practice_and_academic")
    ) == ("riverside",)
    for changes in (
        {"awarding_hei": "goldsmiths", "route": "practice_only"},
        {"awarding_hei": "ealing", "route": "practice_and_academic"},
        {"awarding_hei": None, "route": "practice_and_academic"},
    ):
        assert university.hear("enrolment.confirmed.v1", **_confirmed(**changes)) == ()
    pending = university.tutor().get("registrations", state="identity_pending").get_json()["items"]
    assert len(pending) == 1


def _confirmed(**changes: object):
    return {
        "enrolment_id": "01981f3e-6d2a-7c11-8f00-5a2b3c4d5e11",
        "practitioner_id": "01981f3e-6d2a-7c11-8f00-5a2b3c4d5e12",
        "cohort_owner": "brent",
        "course": "SAR",
        "intake": "2025-09",
        "module": "M7",
        "confirmed_on": "2025-09-01",
        **changes,
    }


def test_facts_of_another_employer_never_complete_a_registration(university):
    """An organisation that names somebody else's enrolment id changes nothing of it, in either order."""
    instance_id = university.opened()
    enrolment_id = university.confirmed()
    university.practised(enrolment_id, employer="harrow")
    university.withdrawn(enrolment_id, employer="harrow")
    university.identified(enrolment_id)
    seen = university.registration(enrolment_id)
    assert (seen["state"], seen["practice_outcome"], seen["instance_id"]) == ("registered", None, instance_id)


def test_reactions_replayed_give_one_registration_and_one_credit(university):
    """Every event delivered three times over, at any time: one registration, one candidate-registered, one credit."""
    instance_id = university.opened()
    enrolment_id, registration_id = university.registered()
    university.agreed(registration_id)
    for _ in range(3):
        university.confirmed(enrolment_id)
        university.practised(enrolment_id)
    board_id = university.convened(instance_id)
    for _ in range(3):
        university.ratify(board_id)
        university.confirmed(enrolment_id)
        university.practised(enrolment_id)
    kinds = [kind for kind, _ in university.events()]
    assert kinds.count("accreditation.candidate-registered.v1") == 1
    assert kinds.count("accreditation.credit-awarded.v1") == 1
    assert len(university.credits()) == 1
    assert len(university.tutor().get("registrations").get_json()["items"]) == 1


def test_practice_before_enrolment_waits_as_a_fact(university):
    """The outcome may arrive before the enrolment it belongs to."""
    university.opened()
    enrolment_id = "01981f3e-6d2a-7c11-8f00-5a2b3c4d5e13"
    university.practised(enrolment_id)
    university.confirmed(enrolment_id)
    university.identified(enrolment_id)
    assert university.registration(enrolment_id)["practice_outcome"] == "pass"


def test_withdrawal_before_enrolment_asks_for_no_identity(university):
    """Nobody's identity is fetched for a registration that is over."""
    university.opened()
    enrolment_id = "01981f3e-6d2a-7c11-8f00-5a2b3c4d5e14"
    university.withdrawn(enrolment_id)
    university.confirmed(enrolment_id)
    assert university.unit.reading("goldsmiths").rows("releases").find({}) == []
