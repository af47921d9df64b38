"""Registrations follow dated route changes and transfers, however often the feeds are read."""

from __future__ import annotations

import pytest

from shared.identifiers import new_identifier

ACADEMIC, PRACTICE = "practice_and_academic", "practice_only"


def _changed(university, enrolment_id, route, number, **changes):
    return university.hear(
        "enrolment.route-changed.v1",
        **{
            "enrolment_id": enrolment_id,
            "practitioner_id": new_identifier(),
            "cohort_owner": "brent",
            "course": "SAR",
            "intake": "2025-09",
            "route": route,
            "change_number": number,
            "effective_on": "2025-11-03",
            "awarding_hei": "goldsmiths",
            "module": "M7",
            **changes,
        },
    )


def _hand_in(university, registration_id):
    """Work is handed in for a registration."""
    return university.registrar().post(
        f"registrations/{registration_id}/submissions", {"submitted_on": "2025-12-01", "words": 3400}
    )


def test_e9_adding_the_academic_element_registers_as_a_confirmation_does(university):
    """The course's university only, once however often it is read; the practice outcome then leads to it."""
    university.opened()
    enrolment_id = new_identifier()
    assert _changed(university, enrolment_id, ACADEMIC, 1) == ("goldsmiths",)
    _changed(university, enrolment_id, ACADEMIC, 1)
    university.identified(enrolment_id)
    assert university.registration(enrolment_id)["state"] == "registered"
    assert [kind for kind, _ in university.events()].count("accreditation.candidate-registered.v1") == 1
    assert _changed(university, new_identifier(), ACADEMIC, 1, awarding_hei="ealing") == ()


def test_e9_dropping_the_academic_element_ends_the_registration_and_taking_it_up_again_lifts_that(university):
    """Nothing is taken in meanwhile; an older change that is read again changes nothing."""
    university.opened()
    enrolment_id, registration_id = university.registered()
    _changed(university, enrolment_id, PRACTICE, 1)
    assert university.registration(enrolment_id)["state"] == "withdrawn"
    assert _hand_in(university, registration_id).status_code == 409
    _changed(university, enrolment_id, ACADEMIC, 2)
    _changed(university, enrolment_id, PRACTICE, 1)
    assert university.registration(enrolment_id)["state"] == "registered"


@pytest.mark.parametrize("told", ["dropped", "transferred"])
def test_work_that_was_handed_in_is_marked_whatever_comes_after(university, told):
    """Dropping the element, or going to another employer, ends no registration that has work."""
    university.opened()
    enrolment_id, registration_id = university.registered()
    university.agreed(registration_id)
    if told == "dropped":
        _changed(university, enrolment_id, PRACTICE, 1)
    else:
        university.hear("enrolment.transferred.v1", enrolment_id=enrolment_id, transferred_on="2025-12-05")
    assert university.registration(enrolment_id)["state"] == "agreed"


def test_a_transfer_ends_the_registration_under_the_old_employer(university):
    """Without work; the new employer's confirmation opens another, of the same person."""
    university.opened()
    enrolment_id, _ = university.registered()
    university.hear("enrolment.transferred.v1", enrolment_id=enrolment_id, transferred_on="2025-11-01")
    assert university.registration(enrolment_id)["state"] == "withdrawn"
    _, again = university.registered(employer="harrow")
    assert again


def test_practice_only_people_leave_no_trace_at_a_university(university):
    """An outcome or a withdrawal of somebody who was never registered is not kept."""
    university.opened()
    enrolment_id = new_identifier()
    university.hear(
        "assessment.practice-confirmed.v1",
        enrolment_id=enrolment_id,
        route=PRACTICE,
        outcome="pass",
        confirmed_on="2026-02-01",
    )
    university.hear("enrolment.withdrawn.v1", enrolment_id=enrolment_id, route=PRACTICE, withdrawn_on="2026-02-02")
    assert university.unit.database("goldsmiths")["candidacies"].count_documents({"enrolment_id": enrolment_id}) == 0
    assert university.unit.database("goldsmiths")["candidacies"].count_documents({}) == 0
