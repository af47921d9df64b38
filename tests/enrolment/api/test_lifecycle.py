"""The lifecycle of an enrolment through the HTTP door, on real databases with the feeds delivered in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from services.enrolment.application.deadlines import DeadlineWorker
from shared.clock import SystemClock
from tests.enrolment.conftest import a_record


@dataclass
class LaterClock(SystemClock):
    """The machine's clock, some days ahead."""

    days: int

    def now(self) -> datetime:
        """Return that moment."""
        return super().now() + timedelta(days=self.days)


def settle_settings(house, org="brent", **wanted) -> None:
    """Set an employer's enrolment settings."""
    etag = house.ask("GET", "enrolment-settings", org=org).headers["ETag"]
    house.good("PUT", "enrolment-settings", org=org, json=wanted, headers={"If-Match": etag})


def nominate(house, org="brent", subject="hr-desk", **changes) -> str:
    """Return the id of a new nomination."""
    sent = house.good("POST", "enrolments", org=org, subject=subject, json=a_record(**changes))
    return sent["enrolment_id"]


def decided(house, org="brent", **changes) -> str:
    """Return the id of a new nomination after the cohort's owner gave it a seat or let it wait."""
    enrolment_id = nominate(house, org, **changes)
    house.settle()
    return enrolment_id


def act(house, enrolment_id, command, org="brent", **body):
    """Return the enrolment after a command that must succeed."""
    return house.good("POST", f"enrolments/{enrolment_id}/{command}", org=org, json=body)


def told(house, name, org="brent") -> list[dict]:
    """Return the data of one type of event on an organisation's feed."""
    return [event["data"] for event in house.events(org) if event["type"] == f"enrolment.{name}.v1"]


def sweep(house, days: int) -> int:
    """Let the deadlines of everybody be swept some days later."""
    owners = house.partnership.owners("enrolment")
    worker = DeadlineWorker(house.unit, owners, open_books=house.opener.books, open_desk=house.opener.desk)
    before, house.unit.clock = house.unit.clock, LaterClock(days)
    try:
        return worker.work_once()
    finally:
        house.unit.clock = before


def test_settings_have_defaults_and_change_with_if_match(house):
    """One stage, at once, one deferral of three months; a stale or missing precondition is refused."""
    first = house.ask("GET", "enrolment-settings")
    assert first.json == {
        "approval_stages": 1,
        "accepts_offers": "at_once",
        "offer_days": 14,
        "deferrals_allowed": 1,
        "deferral_months": 3,
        "transfer_days": 28,
    }
    assert house.ask("PUT", "enrolment-settings", json={"approval_stages": 2}).status_code == 428
    settle_settings(house, approval_stages=2)
    stale = house.ask("PUT", "enrolment-settings", json={}, headers={"If-Match": first.headers["ETag"]})
    assert stale.status_code == 412
    assert house.good("GET", "enrolment-settings")["approval_stages"] == 2
    assert house.good("GET", "enrolment-settings", org="ealing")["approval_stages"] == 1


def test_two_stages_of_approval_are_two_people(house):
    """Nobody outside hears of a nomination before a second person approved it; refused, nobody ever does."""
    house.open_course()
    settle_settings(house, approval_stages=2)
    which = nominate(house, subject="first")
    assert house.good("GET", f"enrolments/{which}")["status"] == "nominated"
    assert told(house, "requested") == []
    path = f"enrolments/{which}/approve"
    same = house.ask("POST", path, subject="first", json={})
    assert (same.status_code, same.json["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1]) == (403, "same-person")
    approved = house.good("POST", path, "supervisor", subject="second", json={})
    assert approved["status"] == "requested"
    assert [line["what"] for line in approved["history"]] == ["nominated", "approve"]
    house.settle()
    assert house.good("GET", f"enrolments/{which}")["status"] == "confirmed"
    assert house.ask("POST", path, subject="second", json={}).status_code == 409
    other = nominate(house, employee_ref="10002")
    refused = house.good("POST", f"enrolments/{other}/refuse", subject="second", json={"reason": "no_funding"})
    assert (refused["status"], refused["reason"]) == ("refused", "no_funding")
    third = nominate(house, employee_ref="10003")
    assert act(house, third, "withdraw", reason="workload", withdrawn_on="2025-09-01")["status"] == "withdrawn"
    assert {event["enrolment_id"] for event in told(house, "requested") + told(house, "withdrawn")} == {which}


def test_an_offer_waits_for_acceptance(house):
    """A seat is an offer first: only acceptance confirms; what is declined goes to whoever waits."""
    house.open_course(capacity=1)
    settle_settings(house, accepts_offers="by_hand", offer_days=5)
    first = nominate(house)
    house.settle()
    waits = nominate(house, employee_ref="10002")
    house.settle()
    offered = house.good("GET", f"enrolments/{first}")
    assert (offered["status"], told(house, "confirmed")) == ("offered", [])
    assert offered["offer_expires_on"] is not None
    assert act(house, first, "decline-offer", reason="workload")["status"] == "withdrawn"
    assert told(house, "withdrawn")[0]["held_seat"] is True
    house.settle()
    accepted = act(house, waits, "accept")
    assert (accepted["status"], accepted["offer_expires_on"]) == ("confirmed", None)
    assert [event["enrolment_id"] for event in told(house, "confirmed")] == [waits]
    assert house.ask("POST", f"enrolments/{first}/accept", json={}).status_code == 409


def test_an_offer_that_nobody_accepts_lapses_and_its_seat_goes_on(house):
    """Not before its last day is over, once only, and whoever waits is promoted."""
    house.open_course(capacity=1)
    settle_settings(house, accepts_offers="by_hand", offer_days=5)
    first = nominate(house)
    house.settle()
    waits = nominate(house, org="ealing")
    house.settle()
    assert sweep(house, 4) == 0
    assert sweep(house, 6) == 1
    assert sweep(house, 6) == 0
    house.settle()
    lapsed = house.good("GET", f"enrolments/{first}")
    assert (lapsed["status"], lapsed["reason"], lapsed["history"][-1]["what"]) == ("withdrawn", "offer_lapsed", "lapse")
    assert [event["reason"] for event in told(house, "withdrawn")] == ["other"]
    assert house.good("GET", f"enrolments/{waits}", org="ealing")["status"] == "confirmed"


def test_started_deferred_resumed_and_no_second_time(house):
    """Each is told without its reason; the second deferral is refused with a sentence; the seat stays taken."""
    house.open_course()
    which = nominate(house)
    house.settle()
    assert act(house, which, "start", started_on="2025-09-22")["status"] == "started"
    deferred = act(house, which, "defer", reason="health", from_on="2025-11-03")
    assert (deferred["status"], deferred["deferrals"][0]["until_on"]) == ("deferred", "2026-02-03")
    assert len(house.good("GET", "courses/SAR/cohorts/2025-09", "programme_lead")["seats"]) == 1
    assert act(house, which, "resume", resumed_on="2026-01-12")["status"] == "started"
    again = house.ask(
        "POST", f"enrolments/{which}/defer", json={"reason": "leave", "from_on": "2026-02-02", "until_on": None}
    )
    assert again.status_code == 422
    assert "deferral" in again.json["detail"]
    assert "reason" not in told(house, "deferred")[0]
    assert [told(house, name)[0]["enrolment_id"] for name in ("started", "deferred", "resumed")] == [which] * 3


def test_e7_sponsorship_and_release_are_kept_beside_the_record(house):
    """Who pays, how many days, agreed when: with If-Match, told to nobody, the same again changes nothing."""
    house.open_course()
    which = nominate(house)
    house.settle()
    path, body = (
        f"enrolments/{which}/sponsorship",
        {"funded_by": "employer", "release_days": 12, "agreed_on": "2025-07-15"},
    )
    assert house.ask("PUT", path, json=body).status_code == 428
    said = len(house.events("brent"))
    etag = house.ask("GET", f"enrolments/{which}").headers["ETag"]
    kept = house.ask("PUT", path, json=body, headers={"If-Match": etag})
    assert kept.json["sponsorship"] == body
    again = house.ask("PUT", path, json=body, headers={"If-Match": kept.headers["ETag"]})
    assert again.headers["ETag"] == kept.headers["ETag"]
    assert len(house.events("brent")) == said


def test_e9_the_academic_element_can_be_added_and_dropped_later(house):
    """Dated, told with the university either way, and counted; before confirmation the confirmation carries it."""
    house.open_course()
    which = nominate(house)
    early = {
        "route": "practice_and_academic",
        "effective_on": "2025-09-01",
        "agreed_with_worker_on": "2025-08-20",
        "reason": "worker_choice",
    }
    refused = house.ask("POST", f"enrolments/{which}/change-route", json=early)
    assert (refused.status_code, "prerequisite" in refused.json["detail"]) == (422, True)
    early["prerequisite_on"] = "2024-02-01"
    act(house, which, "change-route", **early)
    assert told(house, "route-changed") == []
    house.settle()
    assert told(house, "confirmed")[0]["route"] == "practice_and_academic"
    act(
        house,
        which,
        "change-route",
        route="practice_only",
        effective_on="2026-01-05",
        agreed_with_worker_on="2025-12-20",
        reason="workload",
    )
    dropped = told(house, "route-changed")[0]
    assert (dropped["route"], dropped["previous_route"], dropped["change_number"], dropped["awarding_hei"]) == (
        "practice_only",
        "practice_and_academic",
        2,
        "goldsmiths",
    )
    assert "reason" not in dropped
    shown = house.good("GET", f"enrolments/{which}")
    assert [each["effective_on"] for each in shown["route_changes"]] == ["2025-09-01", "2026-01-05"]


def test_e10_the_route_is_chosen_by_employer_and_worker_where_the_course_offers_it(house):
    """A course without the academic element refuses it; so does a change that the worker has not agreed to."""
    house.open_course("SPR", level="ALL", routes=["practice_only"], evidence_set=None, awarding_hei=None, module=None)
    which = nominate(house, course="SPR")
    house.settle()
    body = {
        "route": "practice_and_academic",
        "effective_on": "2025-10-01",
        "agreed_with_worker_on": "2025-09-20",
        "reason": "employer_choice",
    }
    assert house.ask("POST", f"enrolments/{which}/change-route", json=body).status_code == 422
    unagreed = {name: value for name, value in body.items() if name != "agreed_with_worker_on"}
    assert house.ask("POST", f"enrolments/{which}/change-route", json=unagreed).status_code == 422


@pytest.mark.parametrize(("outcome", "shown"), [("pass", "completed"), ("fail", "not_completed")])
def test_the_outcome_of_practice_finishes_the_enrolment(house, outcome, shown):
    """Only its own organisation's, once; what was withdrawn before stays withdrawn."""
    house.open_course()
    which, gone = nominate(house), nominate(house, employee_ref="10002")
    house.settle()
    act(house, gone, "withdraw", reason="workload", withdrawn_on="2025-10-01")
    for enrolment_id in (which, which, gone):
        data = {"enrolment_id": enrolment_id, "course": "SAR", "outcome": outcome, "confirmed_on": "2026-03-01"}
        house.hear("assessment.practice-confirmed.v1", "brent", enrolment_id, data)
    finished = house.good("GET", f"enrolments/{which}")
    assert (finished["status"], finished["outcome"], finished["ended_on"]) == ("completed", shown, "2026-03-01")
    assert [line["what"] for line in finished["history"]] == ["requested", "confirm", "complete"]
    assert house.good("GET", f"enrolments/{gone}")["status"] == "withdrawn"
    assert told(house, "completed") == []


def test_every_step_is_dated_twice(house):
    """The day that counts and the moment of writing down stand beside each other; lists can be narrowed by status."""
    house.open_course()
    which = nominate(house)
    house.settle()
    act(house, which, "start", started_on="2025-09-22")
    lines = house.good("GET", f"enrolments/{which}")["history"]
    assert [line["what"] for line in lines] == ["requested", "confirm", "start"]
    assert lines[-1]["on"] == "2025-09-22"
    assert lines[-1]["recorded_at"] > "2026"
    listed = house.good("GET", "enrolments", query_string={"status": "started"})["items"]
    assert [found["enrolment_id"] for found in listed] == [which]


def test_a_refusal_says_what_to_do(house):
    """A sentence with the status and the way on, not only a code."""
    house.open_course()
    which = nominate(house)
    answer = house.ask("POST", f"enrolments/{which}/start", json={"started_on": "2025-09-22"})
    assert answer.status_code == 409
    assert "requested" in answer.json["detail"]
    assert house.ask("POST", "enrolments/unknown/start", json={"started_on": "2025-09-22"}).status_code == 404
