"""Registrations, work and marks over HTTP."""

from __future__ import annotations

import json

WORK = {"submitted_on": "2026-05-11", "words": 3400}


def test_registration_appears_once_the_person_is_known(university):
    """Before the identity arrives it shows only when asked for; afterwards to everybody at the university's desks."""
    university.opened()
    enrolment_id = university.confirmed()
    assert university.tutor().get("registrations").get_json()["items"] == []
    (pending,) = university.tutor().get("registrations", state="identity_pending").get_json()["items"]
    refused = university.tutor().post(f"registrations/{pending['registration_id']}/submissions", WORK)
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:not-registered-yet")
    university.identified(enrolment_id)
    seen = university.registration(enrolment_id)
    assert (seen["state"], seen["academic"], seen["module"], seen["employer"]) == (
        "registered",
        "not_submitted",
        "M7",
        "ealing",
    )


def test_candidate_registered_and_work_submitted_are_told_once_without_marks(university):
    """The bus hears ids only; no mark and no name ever leaves."""
    instance_id = university.opened()
    enrolment_id, registration_id = university.registered()
    university.agreed(registration_id, 87)
    university.tutor().post(f"registrations/{registration_id}/submissions", WORK)
    told = university.events()[2:]
    who = {"registration_id": registration_id, "enrolment_id": enrolment_id, "employer": "ealing"}
    assert told == [
        (
            "accreditation.candidate-registered.v1",
            {**who, "instance_id": instance_id, "course": "SAR", "intake": "2025-09"},
        ),
        ("accreditation.work-submitted.v1", {**who, "submitted_on": "2026-05-11"}),
    ]
    assert "87" not in json.dumps([data for _, data in told if "mark" in data])
    assert "Lovelace" not in json.dumps(told)


def test_marks_follow_the_two_person_rule(university):
    """First by one tutor, agreed by another; each kind once; whole numbers from 0 to 100."""
    university.opened()
    _, registration_id = university.registered()
    path, first, second = f"registrations/{registration_id}/marks", university.tutor("t-1"), university.tutor("t-2")
    assert first.post(path, {"kind": "first", "mark": 60}).get_json()["type"] == "urn:problem:nothing-submitted"
    assert first.post(f"registrations/{registration_id}/submissions", WORK).status_code == 201
    assert second.post(path, {"kind": "agreed", "mark": 60}).get_json()["type"] == "urn:problem:first-mark-missing"
    for wrong in (-1, 101, 50.5, "60", None):
        assert first.post(path, {"kind": "first", "mark": wrong}).status_code == 422
    assert first.post(path, {"kind": "first", "mark": 60}).get_json()["first_mark"] == 60
    assert first.post(path, {"kind": "first", "mark": 60}).status_code == 201
    assert first.post(path, {"kind": "first", "mark": 61}).status_code == 409
    same = first.post(path, {"kind": "agreed", "mark": 60})
    assert (same.status_code, same.get_json()["type"]) == (403, "urn:problem:same-marker")
    agreed = second.post(path, {"kind": "agreed", "mark": 49})
    assert (agreed.get_json()["academic"], agreed.get_json()["state"]) == ("fail", "agreed")


def test_i11_registrar_may_not_mark(university):
    """Marks are the tutors'."""
    university.opened()
    _, registration_id = university.registered()
    university.tutor().post(f"registrations/{registration_id}/submissions", WORK)
    body = {"kind": "first", "mark": 60}
    assert university.registrar().post(f"registrations/{registration_id}/marks", body).status_code == 403


def test_i8_employer_cannot_read_registrations_or_marks(university):
    """Another organisation's registration looks like none, whatever role its token claims."""
    university.opened()
    enrolment_id, registration_id = university.registered()
    university.agreed(registration_id)
    for role in ("hr", "programme_lead", "registrar", "tutor", "operator", "service"):
        employer = university.as_("ealing", role)
        assert employer.get(f"registrations/{registration_id}").status_code == 404
        assert employer.get("registrations", enrolment_id=enrolment_id).status_code == 404
        assert employer.get("registry-feed").status_code == 404
        assert employer.get("credits").status_code == 404


def test_i7_another_university_finds_nothing_at_any_door(university):
    """Riverside's registrar and tutor, at Goldsmiths' address and with Goldsmiths' ids at their own."""
    instance_id = university.opened()
    _, registration_id = university.registered()
    board_id = university.convened(instance_id)
    absent = university.tutor().get("registrations/unknown").data
    before = university.events()
    doors = [
        ("GET", f"registrations/{registration_id}", None),
        ("POST", f"registrations/{registration_id}/submissions", WORK),
        ("POST", f"registrations/{registration_id}/marks", {"kind": "first", "mark": 60}),
        ("GET", f"boards/{board_id}", None),
        ("POST", f"boards/{board_id}/ratify", {}),
        ("GET", f"module-instances/{instance_id}", None),
        ("POST", f"module-instances/{instance_id}/refuse", {}),
        ("GET", "shell-modules/M7", None),
    ]
    for hei in ("goldsmiths", "riverside"):
        caller = university.as_("riverside", "registrar", "tutor", hei=hei)
        for method, path, body in doors:
            answer = caller.ask(method, path, body)
            assert (hei, path, answer.status_code, answer.data) == (hei, path, 404, absent)
    for path in ("registrations", "boards", "credits", "registry-feed", "module-instances", "shell-modules"):
        assert university.as_("riverside", "registrar", hei="riverside").get(path).get_json()["items"] == []
        assert university.as_("riverside", "registrar").get(path).status_code == 404
    assert university.events() == before


def test_i8_a_role_in_a_header_or_body_gives_no_mark(university):
    """A registrar, or an employer, is no tutor by saying so."""
    university.opened()
    _, registration_id = university.registered()
    university.tutor().post(f"registrations/{registration_id}/submissions", WORK)
    path = f"/v1/organisations/goldsmiths/registrations/{registration_id}/marks"
    for organisation, role, status in (("goldsmiths", "registrar", 403), ("ealing", "tutor", 404)):
        sent = {
            "Authorization": f"Bearer {university.as_(organisation, role).token}",
            "Idempotency-Key": "k-1",
            "X-Role": "tutor",
            "X-Organisation": "goldsmiths",
        }
        body = {"kind": "first", "mark": 60, "role": "tutor", "organisation": "goldsmiths"}
        assert university.app.test_client().post(path, json=body, headers=sent).status_code == status


def test_h20_work_and_marks_after_withdrawal_are_refused(university):
    """A withdrawn registration takes in nothing more."""
    university.opened()
    enrolment_id, registration_id = university.registered()
    university.withdrawn(enrolment_id)
    refused = university.tutor().post(f"registrations/{registration_id}/submissions", WORK)
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:problem:registration-withdrawn")
    assert university.registration(enrolment_id)["state"] == "withdrawn"


def test_registrations_are_paged_and_filtered(university):
    """Two pages of one, then none; unknown filters are refused."""
    university.opened()
    ids = [university.registered(f"SW{number}")[0] for number in (11, 12)]
    first = university.tutor().get("registrations", limit=1).get_json()
    second = university.tutor().get("registrations", limit=1, after=first["next"]).get_json()
    assert [first["items"][0]["enrolment_id"], second["items"][0]["enrolment_id"]] == ids
    assert second["next"] is None
    assert university.tutor().get("registrations", course="XYZ").get_json()["items"] == []
    assert university.tutor().get("registrations", mark="60").status_code == 400
    assert university.tutor().get("registrations/unknown").status_code == 404
