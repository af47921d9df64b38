"""What waits for whom: counted, one by one, as Atom; per role, and never more than one's own."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from services.enrolment.domain.tasks import KINDS, kinds_of
from tests.enrolment.conftest import a_record

ATOM = "{http://www.w3.org/2005/Atom}"


def standing(house, kind: str, role: str = "hr", org: str = "brent") -> dict:
    """Return how one kind stands on a role's list."""
    return next(task for task in house.good("GET", "tasks", role, org)["tasks"] if task["kind"] == kind)


def test_an_unanswered_request_waits_until_it_is_answered(house):
    """It is counted with its age and a link to the list that shows it; the answer takes it away."""
    house.open_course()
    assert standing(house, "unanswered_request")["count"] == 0
    house.good("POST", "enrolments", json=a_record())
    task = standing(house, "unanswered_request")
    assert (task["count"], task["is_more"], task["age_days"]) == (1, False, 0)
    assert len(house.good("GET", task["href"])["items"]) == 1
    house.settle()
    assert standing(house, "unanswered_request")["count"] == 0


def test_files_that_want_a_hand_are_tasks(house):
    """One with refused rows before it is confirmed and after; each leads to its own address."""
    house.open_course()
    rows = [a_record(), a_record(employee_ref="10002", course="NONE")]
    house.good("PUT", "column-mapping", json={"format": "ndjson"})
    upload = house.upload("\n".join(map(json.dumps, rows)).encode(), "people.ndjson")
    assert upload["state"] == "checked", upload
    assert standing(house, "checked_file")["count"] == 1
    house.confirm(upload["id"])
    assert standing(house, "checked_file")["count"] == 0
    assert standing(house, "refused_rows")["count"] == 1
    (item,) = [item for item in house.pages("tasks/items") if item["kind"] == "refused_rows"]
    assert house.good("GET", item["href"])["id"] == upload["id"]


def test_the_feed_goes_on_where_it_stopped_and_never_repeats(house):
    """Page by page it is the same as at once, in the same order, ids unique."""
    house.open_course(capacity=10)
    for number in range(5):
        house.good(
            "POST", "enrolments", json=a_record(employee_ref=str(10001 + number), swe_number=f"SW{5000 + number}")
        )
    everything = house.good("GET", "tasks/items")["items"]
    assert len([item for item in everything if item["kind"] == "unanswered_request"]) == 5
    by_two, after = [], None
    while True:
        page = house.good("GET", "tasks/items", query_string={"limit": "2", **({"after": after} if after else {})})
        by_two, after = by_two + page["items"], page["next"]
        if after is None:
            break
    assert by_two == everything
    assert len({item["id"] for item in everything}) == len(everything)


def test_the_atom_document_says_the_same_and_names_nobody(house):
    """What reads feeds finds an entry per task, with a link; no reference, no name."""
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    answer = house.ask("GET", "tasks.atom")
    assert answer.mimetype == "application/atom+xml"
    entries = ET.fromstring(answer.get_data()).findall(f"{ATOM}entry")  # noqa: S314 - our own document
    items = house.good("GET", "tasks/items")["items"]
    assert [entry.find(f"{ATOM}link").attrib["href"] for entry in entries] == [item["href"] for item in items]
    text = answer.get_data(as_text=True)
    assert not any(told in text for told in ("10001", "Aoife", "O'Neill", "SW53380"))


@pytest.mark.parametrize("role", ["hr", "supervisor", "programme_lead"])
def test_a_list_has_the_kinds_of_ones_own_roles(house, role):
    """All of them, those with nothing to do too, in one order."""
    found = house.good("GET", "tasks", role)
    assert [task["kind"] for task in found["tasks"]] == [kind.name for kind in kinds_of([role])]


def test_a_task_is_nobodys_of_another_organisation(house):
    """Ealing's list does not know of Brent's, and Brent's is not found from there."""
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    assert standing(house, "unanswered_request", org="ealing")["count"] == 0
    assert house.ask("GET", "tasks", org="ealing", at="brent").status_code == 404


def test_every_kind_can_be_counted_where_nothing_is(house):
    """No source breaks on an empty database, for no role."""
    for kind in KINDS:
        for role in kind.roles:
            assert standing(house, kind.name, role)["count"] == 0


def test_a_nomination_that_waits_for_a_second_person_is_a_task_of_the_supervisor_too(house):
    """Where the employer asks for two approvals."""
    house.open_course()
    settings = house.good("GET", "enrolment-settings")
    house.good("PUT", "enrolment-settings", json=settings | {"approval_stages": 2}, headers={"If-Match": "*"})
    house.good("POST", "enrolments", json=a_record())
    assert standing(house, "to_approve")["count"] == standing(house, "to_approve", "supervisor")["count"] == 1


def test_an_offer_is_a_task_with_its_last_day(house):
    """Where the employer accepts by hand."""
    house.open_course()
    settings = house.good("GET", "enrolment-settings")
    house.good("PUT", "enrolment-settings", json=settings | {"accepts_offers": "by_hand"}, headers={"If-Match": "*"})
    house.good("POST", "enrolments", json=a_record())
    house.settle()
    (item,) = [item for item in house.pages("tasks/items") if item["kind"] == "offered_seat"]
    offered = house.good("GET", item["href"])
    assert offered["status"] == "offered"
    assert item["due"] == offered["offer_expires_on"]


def test_people_who_may_be_the_same_are_a_task_until_somebody_has_looked(house):
    """Two records under one registration number."""
    house.open_course()
    for reference in ("10001", "10002"):
        house.good("POST", "enrolments", json=a_record(employee_ref=reference))
    assert standing(house, "duplicate")["count"] == 1
    assert [item["kind"] for item in house.pages("tasks/items")].count("duplicate") == 1
