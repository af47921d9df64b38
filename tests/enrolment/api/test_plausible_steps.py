"""Steps that cannot be: days, routes whose prerequisites are missing, transfers that go round a rule."""

from __future__ import annotations

import pytest

from shared.clock import SystemClock, london_date
from tests.enrolment.api.test_lifecycle import act, decided, nominate, told
from tests.enrolment.api.test_transfers import (
    PERSON,
    TRANSFER,
    give_over,
    places,
    statuses,
    take_on,
    withdrawn_before_the_place_moved,
)

FUTURE = london_date(SystemClock().now()).replace(year=2090).isoformat()
ROUTE = {
    "route": "practice_and_academic",
    "effective_on": "2025-10-01",
    "agreed_with_worker_on": "2025-09-20",
    "reason": "worker_choice",
}


def refused(house, enrolment_id: str, command: str, org: str = "brent", **body) -> str:
    """Return the sentence with which a command is refused."""
    answer = house.ask("POST", f"enrolments/{enrolment_id}/{command}", org=org, json=body)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    return answer.json["detail"]


def test_no_step_happens_in_the_future_or_before_the_approval(house):
    """Every step with a day; what is refused leaves the enrolment as it was."""
    house.open_course()
    which = decided(house)
    for day, word in ((FUTURE, "future"), ("2025-06-30", "approved")):
        assert word in refused(house, which, "start", started_on=day)
        assert word in refused(house, which, "defer", reason="health", from_on=day)
        assert word in refused(house, which, "withdraw", reason="health", withdrawn_on=day)
        assert word in refused(house, which, "transfer", **(TRANSFER | {"transferred_on": day}))
    later = ROUTE | {"effective_on": FUTURE, "prerequisite_on": "2025-02-01"}
    assert "come back on the day" in refused(house, which, "change-route", **later)
    act(house, which, "defer", reason="health", from_on="2025-10-01")
    assert "future" in refused(house, which, "resume", resumed_on=FUTURE)
    assert "deferral" in refused(house, which, "withdraw", reason="health", withdrawn_on="2025-09-30")
    assert house.good("GET", f"enrolments/{which}")["status"] == "deferred"
    assert told(house, "route-changed") == []


def test_nobody_starts_outside_the_days_of_the_cohort(house):
    """The employer knows them from the cohort's owner."""
    house.open_course()
    house.set_terms(capacity=2, starts_on="2025-09-15", ends_on="2026-07-17")
    house.settle()
    which = decided(house)
    assert "2025-09-15" in refused(house, which, "start", started_on="2025-09-14")
    assert "2026-07-17" in refused(house, which, "start", started_on="2026-07-18")
    assert act(house, which, "start", started_on="2025-09-15")["status"] == "started"


def test_e9_another_route_asks_for_what_a_nomination_for_it_asks_for(house):
    """A course that comes first, and an in-house prerequisite that is not too old; its day is kept."""
    house.open_course("ONE", level="ALL", prerequisite=None)
    first = [{"course": "ONE", "routes": ["practice_and_academic"], "within_months": None}]
    house.open_course(eligibility={"courses_first": first, "in_house_within_months": 12})
    which = decided(house)
    assert "course ONE" in refused(house, which, "change-route", **ROUTE, prerequisite_on="2025-02-01")
    prior = {"roles": [], "prior_courses": [{"course": "ONE", "completed_on": "2024-05-01"}]}
    house.good("PUT", "practitioners/10001/background", json=prior)
    assert "12 months" in refused(house, which, "change-route", **ROUTE, prerequisite_on="2024-02-01")
    assert "met first" in refused(house, which, "change-route", **ROUTE, prerequisite_on="2025-10-02")
    changed = act(house, which, "change-route", **ROUTE, prerequisite_on="2025-02-01")
    assert (changed["route"], changed["route_changes"][0]["prerequisite_on"]) == (ROUTE["route"], "2025-02-01")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"open_to": ["county"]}, "not_open_to_employer"),
        ({"roles": ["manager"]}, "role_not_eligible"),
        ({"after": ["ONE"]}, "sequence_not_met"),
    ],
)
def test_a_transfer_is_no_way_round_the_rules_of_a_course(house, asked, code):
    """Whom a course is not open to at the new employer is not taken on there; the transfer stays open."""
    house.open_course("ONE", level="ALL", prerequisite=None)
    house.open_course()
    old = decided(house, org="harrow")
    give_over(house, old, org="harrow")
    etag = house.ask("GET", "courses/SAR", "programme_lead").headers["ETag"]
    course = house.good("GET", "courses/SAR", "programme_lead")
    writable = ("title", "level", "routes", "credits", "accreditation", "awarding_hei", "module", "evidence_set")
    body = {name: course[name] for name in writable} | {"eligibility": asked}
    house.good("PUT", "courses/SAR", "programme_lead", json=body, headers={"If-Match": etag})
    house.settle()
    path = f"incoming-transfers/{old}/accept"
    answer = house.ask("POST", path, org="ealing", json={"employee_ref": "E-1", "person": PERSON})
    assert (answer.status_code, [each["code"] for each in answer.json["errors"]]) == (422, [code])
    assert house.good("GET", f"incoming-transfers/{old}", org="ealing")["state"] == "open"


def test_e12_a_place_for_invited_employers_is_not_handed_to_another(house):
    """Refused at the new employer's door; where it had not heard of it, the owner gives the place back."""
    house.open_course(capacity=1)
    old = decided(house, org="harrow")
    waits = decided(house, org="hounslow")
    give_over(house, old, org="harrow")
    house.set_terms(capacity=1, invited=["harrow", "hounslow"])
    new = take_on(house, old)["enrolment_id"]  # before the employer hears that it is not invited
    house.settle()
    assert statuses(house, ("harrow", old), ("ealing", new), ("hounslow", waits)) == [
        "transferred",
        "declined",
        "confirmed",
    ]
    assert house.good("GET", f"enrolments/{old}", org="harrow")["transfer"]["state"] == "refused"
    other = nominate(house, org="harrow", employee_ref="10002")
    act(house, waits, "withdraw", org="hounslow", reason="workload", withdrawn_on="2025-11-10")
    house.settle()
    give_over(house, other, org="harrow")
    answer = house.ask(
        "POST", f"incoming-transfers/{other}/accept", org="ealing", json={"employee_ref": "E-2", "person": PERSON}
    )
    assert [each["code"] for each in answer.json["errors"]] == ["not_open_to_employer"]


def test_a_transfer_whose_person_withdrew_is_closed_as_refused(house):
    """No place moved: the word on the bus says so, and the place goes to nobody or to whoever waits."""
    old, _ = withdrawn_before_the_place_moved(house)
    assert [each["outcome"] for each in told(house, "transfer-closed")] == ["refused"]
    assert house.good("GET", f"enrolments/{old}", org="harrow")["transfer"]["state"] == "refused"
    assert places(house) == ([], [])
