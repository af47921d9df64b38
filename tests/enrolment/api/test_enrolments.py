"""Nominations, seats, withdrawals, completions and people through the HTTP doors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.enrolment.conftest import RECORD


def _nominate(house, org="brent", **changes):
    return house.ask("POST", "enrolments", org=org, json=RECORD | changes)


def test_a_nomination_is_taken_once_and_its_twin_is_a_duplicate(house):
    """201, then 200 with the same enrolment; other details are a conflict."""
    house.open_course()
    first = _nominate(house)
    assert (first.status_code, first.json["decision"], first.json["status"]) == (201, "accepted", "requested")
    again = _nominate(house)
    assert (again.status_code, again.json["decision"]) == (200, "duplicate")
    assert again.json["enrolment_id"] == first.json["enrolment_id"]
    other = _nominate(house, team="Elsewhere")
    assert (other.status_code, [fault["code"] for fault in other.json["errors"]]) == (422, ["conflicting_duplicate"])


def test_a_refused_nomination_names_every_fault_with_its_pointer(house):
    """The contract's codes in the contract's order; nothing that was sent is repeated."""
    house.open_course()
    answer = _nominate(house, swe_number="SW-12", date_of_birth="31/02/1985", email="")
    assert answer.status_code == 422
    assert [(fault["code"], fault["pointer"]) for fault in answer.json["errors"]] == [
        ("missing_value", "/email"),
        ("invalid_date", "/date_of_birth"),
        ("invalid_registration_number", "/swe_number"),
    ]
    assert "SW-12" not in answer.get_data(as_text=True)
    assert house.pages("enrolments") == []


def test_h10_an_unknown_field_is_refused(house):
    """Nobody sets a status from outside."""
    assert _nominate(house, status="confirmed").status_code == 422


def test_h16_fifty_twins_in_parallel_make_one_enrolment(house):
    """Whoever comes first takes it; everybody else hears of the same enrolment, or tries again."""
    house.open_course()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _nominate(house), range(50)))
    assert {answer.status_code for answer in answers} <= {200, 201, 409, 503}
    assert len({answer.json["enrolment_id"] for answer in answers if answer.status_code in (200, 201)}) == 1
    assert len(house.pages("enrolments")) == 1


def test_seats_then_queue_then_promotion(house):
    """Two seats, one waits; a withdrawal from a seat promotes the head, and the bus hears the coarse reason only."""
    house.open_course(capacity=2)
    ids = [
        _nominate(house, org, employee_ref=ref).json["enrolment_id"]
        for org, ref in (("brent", "1"), ("ealing", "1"), ("harrow", "1"), ("harrow", "2"))
    ]
    house.settle()
    statuses = [
        house.good("GET", f"enrolments/{which}", org=org)["status"]
        for org, which in zip(("brent", "ealing", "harrow", "harrow"), ids, strict=True)
    ]
    assert sorted(statuses) == ["confirmed", "confirmed", "waiting", "waiting"]
    waits = house.good("GET", "courses/SAR/cohorts/2025-09", "programme_lead")["waiting"]
    assert [place["enrolment_id"] for place in waits] == ids[2:]
    body = {"reason": "health", "withdrawn_on": "2025-09-20"}
    assert house.good("POST", f"enrolments/{ids[0]}/withdraw", json=body)["reason"] == "health"
    house.settle()
    assert house.good("GET", f"enrolments/{ids[2]}", org="harrow")["status"] == "confirmed"
    left = [event["data"] for event in house.events("brent") if event["type"] == "enrolment.withdrawn.v1"]
    assert [(event["reason"], event["held_seat"]) for event in left] == [("personal", True)]
    assert house.ask("POST", f"enrolments/{ids[0]}/withdraw", json=body).status_code == 409
    lists = house.good("GET", "waiting-lists", "programme_lead")["items"]
    assert [place["enrolment_id"] for place in lists[0]["waiting"]] == [ids[3]]


def test_replay_of_every_feed_changes_nothing(house):
    """Answers, promotions and confirmations happen once, however often the feeds are read."""
    house.open_course(capacity=1)
    first = _nominate(house, "ealing").json["enrolment_id"]
    _nominate(house, "harrow")
    house.settle()
    body = {"reason": "left_employer", "withdrawn_on": "2025-09-20"}
    house.good("POST", f"enrolments/{first}/withdraw", org="ealing", json=body)
    house.settle()
    before = {org: house.events(org) for org in ("brent", "ealing", "harrow")}
    house.settle(again=True)
    assert {org: house.events(org) for org in before} == before


def test_more_seats_promote_the_head_of_the_queue(house):
    """Capacity can rise, not fall below what is taken, and needs If-Match."""
    house.open_course(capacity=1)
    for ref in ("1", "2"):
        _nominate(house, employee_ref=ref)
    house.settle()
    path = "courses/SAR/cohorts/2025-09"
    assert house.ask("PUT", path, "programme_lead", json={"capacity": 5}).status_code == 428
    etag = house.ask("GET", path, "programme_lead").headers["ETag"]
    house.good("PUT", path, "programme_lead", json={"capacity": 2}, headers={"If-Match": etag})
    house.settle()
    assert [found["status"] for found in house.pages("enrolments")] == ["confirmed", "confirmed"]
    etag = house.ask("GET", path, "programme_lead").headers["ETag"]
    less = house.ask("PUT", path, "programme_lead", json={"capacity": 1}, headers={"If-Match": etag})
    assert less.status_code == 422


def test_a_closed_cohort_refuses_new_rows_and_still_promotes(house):
    """Closing is about new requests only."""
    house.open_course(capacity=1)
    first, _ = (_nominate(house, employee_ref=ref).json["enrolment_id"] for ref in ("1", "2"))
    house.settle()
    house.good("POST", "courses/SAR/cohorts/2025-09/close", "programme_lead", json={})
    house.settle()
    late = _nominate(house, "ealing")
    assert [fault["code"] for fault in late.json["errors"]] == ["cohort_closed"]
    house.good("POST", f"enrolments/{first}/withdraw", json={"reason": "workload", "withdrawn_on": "2025-09-20"})
    house.settle()
    assert [found["status"] for found in house.pages("enrolments")] == ["withdrawn", "confirmed"]


def test_a_course_without_evidence_set_is_completed_once_confirmed(house):
    """Only then, and only there."""
    house.open_course("SPR", level="ALL", routes=["practice_only"], evidence_set=None, awarding_hei=None, module=None)
    which = _nominate(house, course="SPR").json["enrolment_id"]
    body = {"completed_on": "2026-03-09", "outcome": "completed"}
    assert house.ask("POST", f"enrolments/{which}/complete", json=body).status_code == 409
    house.settle()
    assert house.good("POST", f"enrolments/{which}/complete", json=body)["status"] == "completed"
    house.open_course()
    other = _nominate(house).json["enrolment_id"]
    house.settle()
    assert house.ask("POST", f"enrolments/{other}/complete", json=body).status_code == 422


@pytest.mark.parametrize("credits", [-5, 0.1, 1e30, 10_000, "30", True])
def test_h20_impossible_credits_are_refused(house, credits):
    """A course's credits are a whole number that a module can have."""
    body = {"title": "X", "level": "ALL", "routes": ["practice_only"], "credits": credits}
    assert house.ask("PUT", "courses/X1", "programme_lead", json=body).status_code in (400, 422)


def test_line_managers_are_dated_and_travel_as_opaque_ids(house):
    """The first counts from the start of employment; later ones from their own day."""
    house.open_course()
    _nominate(house)
    body = {"line_manager_ref": "90002", "from_on": "2025-10-01"}
    kept = house.good("POST", "practitioners/10001/line-managers", json=body)
    assert [(each["line_manager_ref"], each["from_on"]) for each in kept["line_managers"]] == [
        ("90001", "2018-01-03"),
        ("90002", "2025-10-01"),
    ]
    told = [event["data"] for event in house.events("brent") if event["type"] == "enrolment.line-manager-assigned.v1"]
    assert [event["from_on"] for event in told] == ["2018-01-03", "2025-10-01"]
    assert "9000" not in str([event["line_manager_id"] for event in told if event["line_manager_id"] == "9000"])
    selfish = {"line_manager_ref": "10001", "from_on": "2025-11-01"}
    assert house.ask("POST", "practitioners/10001/line-managers", json=selfish).status_code == 422


def test_an_identity_is_released_to_the_awarding_university_only_and_written_down(house):
    """Confirmed, academic, that university, that purpose; everything else is not there."""
    house.open_course()
    academic = {"route": "practice_and_academic", "prerequisite_on": "2025-01-02"}
    person = _nominate(house, **academic).json["practitioner_id"]
    where = f"practitioners/{person}/identity"

    def ask(org="goldsmiths", purpose="registration", role="service"):
        return house.ask("GET", where, role, org, at="brent", query_string={"purpose": purpose})

    assert ask().status_code == 404
    house.settle()
    released = ask()
    assert (released.status_code, released.json["registration_number"]) == (200, "SW53380")
    assert ask(org="ealing").status_code == 404
    assert ask(purpose="marketing").status_code == 400
    assert ask(org="goldsmiths", role="registrar").status_code == 404
    log = list(house.unit.database("brent")["identity_releases"].find({}))
    assert [(row["asking"], row["purpose"]) for row in log] == [("goldsmiths", "registration")]


@pytest.mark.parametrize("outcome", ["pass", "fail"])
def test_an_identity_is_released_though_practice_ended_before_the_university_asked(house, outcome):
    """Credit is marked after practice, and a fail there is none at the university (BR-13): it must know the person."""
    house.open_course()
    nominated = _nominate(house, route="practice_and_academic", prerequisite_on="2025-01-02").json
    house.settle()
    practised = {"enrolment_id": nominated["enrolment_id"], "course": "SAR", "outcome": outcome}
    practised["confirmed_on"] = "2025-12-01"
    house.hear("assessment.practice-confirmed.v1", "brent", nominated["enrolment_id"], practised)
    assert house.ask("GET", f"enrolments/{nominated['enrolment_id']}").json["status"] == "completed"
    where = f"practitioners/{nominated['practitioner_id']}/identity"
    asked = house.ask("GET", where, "service", "goldsmiths", at="brent", query_string={"purpose": "registration"})
    assert (asked.status_code, asked.json["registration_number"]) == (200, "SW53380")


def test_i7_another_employers_enrolment_and_person_are_not_there(house):
    """The same 404 as for what does not exist; a practitioner sees their own only."""
    house.open_course()
    which = _nominate(house).json["enrolment_id"]
    assert house.ask("GET", f"enrolments/{which}", org="ealing", at="brent").status_code == 404
    assert house.ask("GET", "practitioners/10001", org="ealing", at="brent").status_code == 404
    mine = house.ask("GET", f"enrolments/{which}", "practitioner", subject="10001")
    theirs = house.ask("GET", f"enrolments/{which}", "practitioner", subject="10002")
    assert (mine.status_code, theirs.status_code) == (200, 404)


def test_the_same_course_again_needs_no_precondition_and_says_nothing_new(house):
    """PUT of what stands is no change; PUT of something else needs the ETag."""
    house.open_course()
    said = len(house.events("brent"))
    house.open_course()
    assert len(house.events("brent")) == said
    changed = {"title": "Other", "level": "SW", "routes": ["practice_only"]}
    assert house.ask("PUT", "courses/SAR", "programme_lead", json=changed).status_code == 428


def test_only_a_programme_lead_has_courses(house):
    """An employer's programme lead without a programme publishes nothing."""
    body = {"title": "X", "level": "ALL", "routes": ["practice_only"]}
    assert house.ask("PUT", "courses/X1", "programme_lead", "ealing", json=body).status_code == 404


def test_person_without_a_line_manager_is_told_to_have_none(house):
    """That nobody manages somebody is a fact with a day, so that a later manager is not taken for an earlier one."""
    house.open_course()
    assert _nominate(house, line_manager_ref=None).status_code == 201
    told = [event for event in house.events("brent") if event["type"] == "enrolment.line-manager-assigned.v1"]
    assert [event["data"]["line_manager_id"] for event in told] == [None]
    assert told[0]["data"]["from_on"] == RECORD["employment_start"]
