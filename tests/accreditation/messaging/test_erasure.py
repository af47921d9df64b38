"""What a university lets go of, or keeps as a student record, when an employer erases a person."""

from __future__ import annotations

import msgspec

from services.accreditation.application.erasure import is_student_record
from shared.identifiers import new_identifier
from shared.testing.feeds import a_received
from tests.accreditation.conftest import EMPLOYER, HEI, TABLE

ACKNOWLEDGED = "accreditation.erasure-acknowledged.v1"


def erase(university, practitioner_id, number=1_000_000):
    """Let the employer's feed say, under a number, that somebody was erased."""
    row = TABLE["enrolment.practitioner-erased.v1"]
    data = {"practitioner_id": practitioner_id, "erased_on": "2026-01-01"}
    event = a_received(row, data, owner=EMPLOYER, key=practitioner_id, number=number)
    for organisation in row.concerns(event, university.partnership):
        university.unit.run(organisation, lambda work: row.reaction(work, event))


def answers(university, organisation=HEI):
    """Return the acknowledgements of a university: about whom, what became of them, and why."""
    entries = university.unit.database(organisation)["org_entries"].find({}, sort=[("_id", 1)])
    told = [event for entry in entries for event in entry["events"] if event["type"] == ACKNOWLEDGED]
    said = [msgspec.json.decode(bytes(event["data"])) for event in told]
    return [(one["practitioner_id"], one["outcome"], one.get("reason_code")) for one in said]


def test_registered_person_without_work_is_forgotten_once(university):
    """The tie goes and nobody fetches the identity again; a repeat answers nothing twice."""
    practitioner = new_identifier()
    university.confirmed(practitioner_id=practitioner)
    for _ in range(2):
        erase(university, practitioner)
    database = university.unit.database(HEI)
    assert answers(university) == [(practitioner, "erased", None)]
    assert database["releases"].count_documents({}) == 0
    assert [one.get("person_id") for one in database["candidacies"].find({})] == [None]


def test_of_whom_nothing_is_held_is_said_by_every_university(university):
    """The employer must know that everybody looked."""
    stranger = new_identifier()
    erase(university, stranger)
    for organisation in university.partnership.owners("accreditation"):
        assert answers(university, organisation) == [(stranger, "nothing_held", None)]


def test_work_handed_in_or_credit_make_a_student_record():
    """Each alone is enough; nothing of it is none."""

    class Held:
        """A candidacy as far as the rule looks at it."""

        submission = ratified = credit_id = None
        credited_before = False

    assert not is_student_record(Held())
    for name, value in (("submission", "work"), ("ratified", 60), ("credit_id", "c-1"), ("credited_before", True)):
        one = Held()
        setattr(one, name, value)
        assert is_student_record(one)
