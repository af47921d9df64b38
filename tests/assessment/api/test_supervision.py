"""Supervision over HTTP: recorded by the supervisor, read by few."""

from __future__ import annotations

import json
from datetime import date

CANDIDATE, MANAGER = "10001", "90001"


def sessions(*items):
    """Return the body that records sessions (held_on, minutes, uninterrupted) with the candidate."""
    shown = [
        {"held_on": held_on, "minutes": minutes, "uninterrupted": uninterrupted, "pcf_discussed": True}
        for held_on, minutes, uninterrupted in items
    ]
    return {"practitioner_ref": CANDIDATE, "items": shown}


def test_sessions_are_recorded_under_a_pseudonym_of_their_own(house, post, portfolio_id):
    """A session is kept with its supervisor; the event carries a random id that leads to nobody."""
    body = sessions(("2025-10-01", 90, True), ("2025-11-01", 89, True), ("2025-12-01", 120, False))
    answer = post("supervision-sessions", body, "supervisor", MANAGER)
    assert [item["is_standard_met"] for item in answer.json["items"]] == [True, False, False]
    assert answer.json["items"][0]["supervisor_id"] == house.person_id(MANAGER)
    told = [(key, data) for name, key, data in house.events() if name == "assessment.supervision-held.v1"]
    assert [json.loads(data)["is_standard_met"] for _, data in told] == [True, False, False]
    assert {key for key, _ in told}.isdisjoint({portfolio_id, house.person_id(CANDIDATE)})
    assert not [data for _, data in told if portfolio_id.encode() in data]


def test_sessions_of_one_person_keep_one_pseudonym(house, post, portfolio_id):
    """Sessions recorded later go under the same random id, also in another month."""
    assert portfolio_id
    post("supervision-sessions", sessions(("2025-10-01", 90, True)), "supervisor", MANAGER)
    post("supervision-sessions", sessions(("2025-11-01", 90, True)), "supervisor", "90002")
    told = {key for name, key, _ in house.events() if name == "assessment.supervision-held.v1"}
    assert len(told) == 1


def test_same_session_is_not_recorded_twice(house, post, portfolio_id):
    """One supervisor records one session with one person a day, all or none."""
    assert portfolio_id
    post("supervision-sessions", sessions(("2025-10-01", 90, True)), "supervisor", MANAGER)
    again = post(
        "supervision-sessions", sessions(("2025-11-01", 90, True), ("2025-10-01", 60, True)), "supervisor", MANAGER
    )
    assert (again.status_code, again.json["errors"][0]["pointer"]) == (409, "/items/1/held_on")
    asked = {"practitioner_ref": CANDIDATE}
    found = house.ask("GET", "supervision-sessions", "supervisor", MANAGER, query_string=asked)
    assert [item["held_on"] for item in found.json["items"]] == ["2025-10-01"]


def test_nobody_supervises_themselves_or_a_stranger(post, portfolio_id):
    """Supervision of oneself is refused; a person that enrolment never told of is not found."""
    assert portfolio_id
    assert post("supervision-sessions", sessions(("2025-10-01", 90, True)), "supervisor", CANDIDATE).status_code == 403
    stranger = {**sessions(("2025-10-01", 90, True)), "practitioner_ref": "99999"}
    assert post("supervision-sessions", stranger, "supervisor", MANAGER).status_code == 404


def test_i8_university_does_not_read_supervision(house, portfolio_id):
    """A tutor or registrar of a university, at the employer's address, finds nothing there at all."""
    assert portfolio_id
    asked = {"practitioner_ref": CANDIDATE}
    for role in ("tutor", "registrar", "service", "operator"):
        answer = house.ask("GET", "supervision-sessions", role, "t", org="goldsmiths", query_string=asked)
        assert (role, answer.status_code) == (role, 404)
    for role in ("hr", "assessor", "board"):
        answer = house.ask("GET", "supervision-sessions", role, "t", query_string=asked)
        assert (role, answer.status_code) == (role, 403)


def test_practitioner_reads_only_their_own_supervision(house, portfolio_id):
    """A practitioner sees their own sessions and nobody else's."""
    assert portfolio_id
    asked = {"practitioner_ref": CANDIDATE}
    assert house.ask("GET", "supervision-sessions", "practitioner", CANDIDATE, query_string=asked).status_code == 200
    assert house.ask("GET", "supervision-sessions", "practitioner", "10002", query_string=asked).status_code == 403


def test_compliance_counts_sessions_and_names_months_without(house, post, portfolio_id):
    """Held and to-standard are counted apart; full months without a session to standard are named (BR-26)."""
    assert portfolio_id
    house.manage(CANDIDATE, MANAGER, date(2020, 1, 1))
    post("supervision-sessions", sessions(("2025-10-01", 90, True), ("2025-11-03", 60, True)), "supervisor", MANAGER)
    asked = {"practitioner_ref": CANDIDATE, "until": "2025-11-30"}
    found = house.ask("GET", "supervision-compliance", "hr", "hr-1", query_string=asked).json
    assert (found["held"], found["to_standard"], found["is_met"]) == (2, 1, False)
    assert "2025-10" not in found["months_without"]
    assert found["months_without"][-1] == "2025-11"
