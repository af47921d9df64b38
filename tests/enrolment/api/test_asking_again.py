"""Asking again for somebody whose enrolment came to nothing: a new enrolment, on purpose, and no row changes it."""

from __future__ import annotations

import csv
import io

from services.enrolment.application import taken_records
from services.enrolment.application.ports import EnrolmentFilter
from services.enrolment.domain.records import fingerprint, nomination_key
from tests.enrolment.api.test_lifecycle import act, nominate, settle_settings, sweep, told
from tests.enrolment.api.test_plausible_steps import FUTURE
from tests.enrolment.api.test_transfers import PERSON, TRANSFER, give_over, statuses, take_on
from tests.enrolment.conftest import a_record

AGAIN = {"manager_approved_on": "2025-10-20"}


def withdrawn(house, **changes) -> str:
    """Return an enrolment that was withdrawn."""
    which = nominate(house, **changes)
    house.settle()
    act(house, which, "withdraw", reason="workload", withdrawn_on="2025-10-01")
    house.settle()
    return which


def test_who_was_withdrawn_is_asked_for_again_as_a_new_enrolment(house):
    """A new id and a new request; the history names the earlier one, which stays as it ended."""
    house.open_course()
    old = withdrawn(house)
    answer = house.ask("POST", f"enrolments/{old}/ask-again", json=AGAIN)
    new = answer.json["enrolment_id"]
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/organisations/brent/enrolments/{new}")
    assert (answer.json["asked_again_after"], answer.json["history"][0]["what"]) == (old, "asked-again")
    house.settle()
    assert statuses(house, ("brent", old), ("brent", new)) == ["withdrawn", "confirmed"]
    assert [each["enrolment_id"] for each in told(house, "requested")] == [old, new]
    first, second = (house.good("GET", f"enrolments/{which}") for which in (old, new))
    same = ("practitioner_id", "employee_ref", "course", "intake", "route", "pcf_level")
    assert [first[name] for name in same] == [second[name] for name in same]


def test_only_one_lives_at_a_time(house):
    """Neither what lives nor what was finished is asked again, under whichever of its enrolments."""
    house.open_course("SPR", level="ALL", routes=["practice_only"], evidence_set=None, awarding_hei=None, module=None)
    old = withdrawn(house, course="SPR")
    new = act(house, old, "ask-again", **AGAIN)["enrolment_id"]
    for which in (old, new):
        assert house.ask("POST", f"enrolments/{which}/ask-again", json=AGAIN).status_code == 409
    house.settle()
    act(house, new, "withdraw", reason="workload", withdrawn_on="2025-11-01")
    third = act(house, new, "ask-again", **AGAIN)["enrolment_id"]
    house.settle()
    act(house, third, "complete", outcome="completed", completed_on="2026-03-01")
    for which in (old, new, third):
        assert house.ask("POST", f"enrolments/{which}/ask-again", json=AGAIN).status_code == 409
    assert house.ask("POST", "enrolments/unknown/ask-again", json=AGAIN).status_code == 404


def test_a_repeated_row_stays_a_duplicate_after_asking_again(house):
    """The record that was taken first and the new one are duplicates of what stands now, at the door and in a file."""
    house.open_course()
    old = nominate(house, org="harrow")
    house.settle()
    act(house, old, "withdraw", org="harrow", reason="workload", withdrawn_on="2025-10-01")
    again = house.ask("POST", "enrolments", org="harrow", json=a_record())
    assert (again.status_code, again.json["enrolment_id"], again.json["status"]) == (200, old, "withdrawn")
    new = act(house, old, "ask-again", org="harrow", **AGAIN)["enrolment_id"]
    for record in (a_record(), a_record(**AGAIN)):
        answer = house.ask("POST", "enrolments", org="harrow", json=record)
        assert (answer.status_code, answer.json["decision"], answer.json["enrolment_id"]) == (200, "duplicate", new)
    other = house.ask("POST", "enrolments", org="harrow", json=a_record(team="South"))
    assert [fault["code"] for fault in other.json["errors"]] == ["conflicting_duplicate"]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(a_record()))
    writer.writeheader()
    writer.writerow(a_record())
    job = house.upload(text.getvalue().encode(), "people.csv", "harrow")
    [row] = house.pages(f"enrolment-uploads/{job['id']}/rows", "harrow")
    assert row["decision"] == "duplicate"


def test_each_time_is_written_out_as_it_was_taken(house):
    """With its own day of approval and its own fingerprint, so that a list that left comes back as duplicates."""
    house.open_course()
    act(house, withdrawn(house), "ask-again", **AGAIN)
    books = house.opener.books(house.unit.reading("brent"))
    written = list(taken_records.records(books, EnrolmentFilter()))
    assert [str(record.manager_approved_on) for record in written] == ["2025-07-01", "2025-10-20"]
    [taken] = books.nominations.known([nomination_key(written[0])]).values()
    assert [fingerprint(record) for record in written] == [taken.earlier[0].fingerprint, taken.fingerprint]


def test_the_rules_of_a_nomination_hold_again(house):
    """The day of approval, a second person, a closed cohort."""
    house.open_course()
    old = withdrawn(house)
    path = f"enrolments/{old}/ask-again"
    for day in (FUTURE, "2025-06-30"):
        assert house.ask("POST", path, json={"manager_approved_on": day}).status_code == 422
    assert house.ask("POST", path, json={}).status_code == 422
    settle_settings(house, approval_stages=2)
    asked = house.good("POST", path, subject="first", json=AGAIN)
    assert asked["status"] == "nominated"
    new = asked["enrolment_id"]
    assert house.ask("POST", f"enrolments/{new}/approve", subject="first", json={}).status_code == 403
    refusal = {"reason": "no_funding"}
    assert house.good("POST", f"enrolments/{new}/refuse", subject="second", json=refusal)["status"] == "refused"
    third = house.good("POST", f"enrolments/{new}/ask-again", subject="first", json=AGAIN)["enrolment_id"]
    act(house, third, "withdraw", reason="workload", withdrawn_on="2025-11-01")
    house.good("POST", "courses/SAR/cohorts/2025-09/close", "programme_lead", json={})
    house.settle()
    closed = house.ask("POST", f"enrolments/{third}/ask-again", json=AGAIN)
    assert (closed.status_code, [each["code"] for each in closed.json["errors"]]) == (422, ["cohort_closed"])


def test_who_let_an_offer_lapse_may_be_asked_for_again(house):
    """It stands as withdrawn."""
    house.open_course()
    settle_settings(house, accepts_offers="by_hand", offer_days=5)
    old = nominate(house)
    house.settle()
    assert sweep(house, 6) == 1
    assert act(house, old, "ask-again", **AGAIN)["status"] == "requested"


def test_who_was_withdrawn_or_went_away_may_come_with_another_employers_place(house):
    """Withdrawn here before, taken on with a place; given over again, and back once more."""
    house.open_course(capacity=3)
    gone = house.good("POST", "enrolments", org="ealing", json=PERSON | _place("E-1"))["enrolment_id"]
    house.settle()
    act(house, gone, "withdraw", org="ealing", reason="workload", withdrawn_on="2025-10-01")
    old = nominate(house)
    house.settle()
    give_over(house, old)
    new = take_on(house, old, person=None)["enrolment_id"]
    house.settle()
    assert statuses(house, ("ealing", gone), ("ealing", new), ("brent", old)) == [
        "withdrawn",
        "confirmed",
        "transferred",
    ]
    back = {**TRANSFER, "to_employer": "brent", "transferred_on": "2026-01-05"}
    house.good("POST", f"enrolments/{new}/transfer", org="ealing", json=back)
    house.settle()
    home = take_on(house, new, org="brent", employee_ref="10001", person=None)["enrolment_id"]
    house.settle()
    assert statuses(house, ("ealing", new), ("brent", home)) == ["transferred", "confirmed"]


def _place(reference: str) -> dict[str, str]:
    return {
        "employee_ref": reference,
        "pcf_level": "SW",
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_only",
        "manager_approved_on": "2025-07-04",
    }
