"""Forms of an enrolment's steps: what a rule says stands at the field that it is about; asking again after an end."""

from __future__ import annotations

import re

import pytest

from services.enrolment.web.lifecycle_forms import DAY, FORMS
from shared.testing.pages import browser_of, hidden_fields, send_form
from tests.enrolment.conftest import a_record

LONG_AGO, DISTANT = "2020-01-06", "2099-01-05"
PLAIN = {"evidence_set": None, "prerequisite": None}
REASON = {"withdraw": "workload", "defer": "leave", "transfer": "new_job", "change-route": "worker_choice"}


def text_of(answer) -> str:
    """Return a page."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


@pytest.fixture
def brent(house):
    """Brent's HR at a browser, with a course of two seats that ends without a portfolio."""
    house.open_course(capacity=2, **PLAIN)
    return browser_of(house.app, "brent", "hr")


def nominated(house, ref: str = "10001", **changes) -> str:
    """Return an enrolment once its place was answered."""
    record = a_record(employee_ref=ref, swe_number=f"SW{ref}", email=f"p{ref}@brent.example", **changes)
    one = house.good("POST", "enrolments", json=record)["enrolment_id"]
    house.settle()
    return one


def withdrawn(house, ref: str = "10001") -> str:
    """Return an enrolment that was withdrawn."""
    one = nominated(house, ref)
    body = {"reason": "workload", "withdrawn_on": "2026-01-05"}
    house.good("POST", f"enrolments/{one}/withdraw", json=body)
    house.settle()
    return one


def fields_at_fault(said: str) -> set[str]:
    """Return the fields that the summary links to, each of which must say at itself what is wrong with it."""
    summary = re.search(r'<div class="govuk-error-summary".*?</ul>', said, re.DOTALL)[0]
    fields = set(re.findall(r'href="#([^"]+)"', summary))
    for field in fields:
        assert f'id="{field}"' in said
        assert f'id="{field}-error"' in said
        assert re.search(rf'aria-describedby="[^"]*\b{field}-error\b', said)
    assert summary.count("<li>") == len(fields), f"the summary says something of no field: {summary}"
    return fields


DAYS = {
    "start": {"started_on": DISTANT},
    "withdraw": {"withdrawn_on": LONG_AGO},
    "transfer": {"transferred_on": LONG_AGO, "to_employer": "ealing"},
    "change-route": {"effective_on": LONG_AGO, "agreed_with_worker_on": LONG_AGO, "route": "practice_and_academic"},
    "complete": {"completed_on": DISTANT, "outcome": "completed"},
    "defer": {"from_on": LONG_AGO},
    "resume": {"resumed_on": LONG_AGO},
    "ask-again": {"manager_approved_on": DISTANT},
}
MORE = (
    ("defer", {"from_on": "2026-01-05", "until_on": "2026-01-04"}, "until_on"),
    ("defer", {"from_on": "2026-01-05", "until_on": DISTANT}, "until_on"),
    (
        "change-route",
        {"effective_on": "2026-01-05", "agreed_with_worker_on": "2026-01-06", "route": "practice_and_academic"},
        "agreed_with_worker_on",
    ),
    (
        "change-route",
        {"effective_on": "2026-01-05", "agreed_with_worker_on": "2026-01-05", "route": "practice_only"},
        "route",
    ),
)


def answered(browser, one: str, command: str, answers: dict[str, str]) -> str:
    """Return the page after the answers were given and confirmed, which a rule must refuse."""
    given = answers | ({"reason": REASON[command]} if command in REASON else {})
    sent = send_form(browser, f"/enrolments/{one}/{command}", given | {"confirmed": "yes"})
    assert sent.status_code == 422, f"{command}: {sent.get_data(as_text=True)}"
    return sent.get_data(as_text=True)


def test_a_rule_about_a_day_stands_at_that_days_field_on_every_form(brent, house):
    """Every form with days but funding, which no rule holds against others: link, message, aria-describedby."""
    asked = {
        form.command: next(one.name for one in form.questions if one.kind == DAY)
        for form in FORMS
        if form.questions and any(one.kind == DAY for one in form.questions)
    }
    assert set(asked) - {"sponsor"} == set(DAYS)
    place, paused, over = nominated(house), nominated(house, "10002"), withdrawn(house, "10003")
    pause = {"reason": "leave", "from_on": "2026-02-02"}
    house.good("POST", f"enrolments/{paused}/defer", json=pause)
    for command, answers in DAYS.items():
        one = {"resume": paused, "ask-again": over}.get(command, place)
        assert fields_at_fault(answered(brent, one, command, answers)) == {asked[command]}, command
    for command, answers, field in MORE:
        assert fields_at_fault(answered(brent, place, command, answers)) == {field}, answers


def test_the_same_rules_point_at_the_same_fields_through_the_api(brent, house):  # noqa: ARG001 - the course is there
    """The problem names the field, as the form does."""
    one = nominated(house)
    late = house.ask("POST", f"enrolments/{one}/start", json={"started_on": DISTANT})
    assert (late.status_code, late.json["type"].rpartition(":")[2]) == (422, "enrolment-rule")
    assert [(each["code"], each["pointer"]) for each in late.json["errors"]] == [("enrolment-rule", "/started_on")]


def test_who_was_withdrawn_is_asked_for_again_by_a_form(brent, house):
    """Offered where it may come; question, check, the new enrolment, which names the earlier one."""
    old = withdrawn(house)
    assert "Ask for a place again" in text_of(brent.get(f"/enrolments/{old}"))
    address = f"/enrolments/{old}/ask-again"
    empty = send_form(brent, address, {"manager_approved_on": ""})
    assert fields_at_fault(empty.get_data(as_text=True)) == {"manager_approved_on"}
    answers = {"manager_approved_on": "2026-03-02"}
    check = text_of(send_form(brent, address, answers))
    assert "Check your answers" in check
    sent = {**hidden_fields(check), **answers, "confirmed": "yes"}
    first, second = brent.post(address, data=sent), brent.post(address, data=sent)
    assert (first.status_code, first.headers["Location"]) == (303, second.headers["Location"])
    new = first.headers["Location"].split("/")[-1].partition("?")[0]
    assert new != old
    shown = text_of(brent.get(first.headers["Location"]))
    assert "A place was asked for again." in shown
    assert f'href="/enrolments/{old}"' in shown
    house.settle()
    assert "Place confirmed</strong>" in text_of(brent.get(f"/enrolments/{new}"))
    assert "Withdrawn</strong>" in text_of(brent.get(f"/enrolments/{old}"))


def test_asking_again_is_offered_only_where_it_may_come(brent, house):
    """Not while it lives, not once a later one lives, not to who may not nominate; the page says why."""
    living, old = nominated(house, "10002"), withdrawn(house)
    assert "Ask for a place again" not in text_of(brent.get(f"/enrolments/{living}"))
    assert brent.get(f"/enrolments/{living}/ask-again").status_code == 409
    answers = {"manager_approved_on": "2026-03-02", "confirmed": "yes"}
    assert send_form(brent, f"/enrolments/{old}/ask-again", answers).status_code == 303
    assert "Ask for a place again" not in text_of(brent.get(f"/enrolments/{old}"))
    gone = brent.get(f"/enrolments/{old}/ask-again", headers={"Accept": "text/html"})
    assert gone.status_code == 409
    assert "go on with it, or withdraw it first" in gone.get_data(as_text=True)
    supervisor = browser_of(house.app, "brent", "supervisor")
    assert supervisor.get(f"/enrolments/{old}/ask-again").status_code == 403


def test_asking_again_says_in_words_why_it_is_refused(brent, house):
    """The intake is closed: no field is at fault, the summary says so."""
    old = withdrawn(house)
    house.good("POST", "courses/SAR/cohorts/2025-09/close", "programme_lead", json={})
    house.settle()
    said = answered(brent, old, "ask-again", {"manager_approved_on": "2026-03-02"})
    summary = re.search(r'<div class="govuk-error-summary".*?</ul>', said, re.DOTALL)[0]
    assert re.search(r"closed", summary)
    assert "href" not in summary
