"""Pages of enrolments, people and cohorts without a browser: who may, what a form does once, what a list gives away."""

from __future__ import annotations

import csv
import io
import re

import pytest

from services.enrolment.web import enrolment_pages
from shared.testing.pages import browser_of, hidden_fields, send_form
from tests.enrolment.conftest import a_record

HOSTILE = "=HYPERLINK(1)"


def nominated(house, org):
    """Return HR of `org` at a browser, with a course of two seats and three people nominated."""
    house.open_course()
    for number, changes in enumerate(({}, {"given_name": HOSTILE}, {"line_manager_ref": None, "fte": 0.8})):
        record = a_record(**{"employee_ref": f"1000{number}", "email": f"p{number}@{org}.example", **changes})
        house.good("POST", "enrolments", org=org, json=record)
    house.settle()
    return browser_of(house.app, org, "hr")


@pytest.fixture
def brent(house):
    """Brent's HR at a browser, with two people who have a seat and one who waits."""
    return nominated(house, "brent")


def text_of(answer) -> str:
    """Return a page."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def ids_of(house, org="brent") -> dict[str, str]:
    """Return the enrolments' ids by employee reference."""
    return {each["employee_ref"]: each["enrolment_id"] for each in house.pages("enrolments", org)}


def test_list_is_filtered_by_its_address_and_says_how_many(brent):
    """The count, the tag in words, the filter kept in the form."""
    everything = text_of(brent.get("/enrolments"))
    assert "Showing 3 of 3 enrolments" in everything
    waiting = text_of(brent.get("/enrolments?status=waiting&course=SAR"))
    assert "Showing 1 of 1 enrolments" in waiting
    assert "On the waiting list</strong>" in waiting
    assert re.search(r'<option value="waiting" selected', waiting)
    assert "/enrolments.csv?course=SAR&amp;status=waiting" in waiting
    assert "Showing 0 of 0" in text_of(brent.get("/enrolments?status=no-such"))


@pytest.mark.parametrize(
    ("org", "ending"),
    [("brent", "csv"), ("hillingdon", "csv"), ("westminster", "xlsx"), ("harrow", "csv"), ("harrow", "xlsx")],
)
def test_filtered_list_leaves_as_a_file_and_comes_back_as_duplicates_only(house, org, ending):
    """Under the employer's own headings; a name that a spreadsheet would run is defused and still the same name."""
    taken = nominated(house, org).get(f"/enrolments.{ending}?course=SAR")
    assert taken.headers["Content-Disposition"] == f'attachment; filename="enrolments.{ending}"'
    job = house.upload(taken.data, f"again.{ending}", org)
    assert (job["counts"]["duplicate"], job["counts"]["refused"], job["counts"]["accepted"]) == (3, 0, 0)


def test_file_holds_exactly_what_is_filtered_and_nothing_that_runs(brent):
    """Two rows with a seat, one of which has a name that would be a formula."""
    taken = brent.get("/enrolments.csv?status=confirmed")
    rows = list(csv.DictReader(io.StringIO(taken.data.decode("utf-8-sig"))))
    assert [row["Employee Number"] for row in rows] == ["10000", "10001"]
    assert rows[1]["Known As"] == f"'{HOSTILE}"


def test_longer_list_is_taken_as_csv(brent, monkeypatch):
    """A sheet is made in memory: beyond its limit the page says what to do instead."""
    monkeypatch.setattr(enrolment_pages, "MOST_IN_SHEET", 2)
    refused = brent.get("/enrolments.xlsx", headers={"Accept": "text/html"})
    assert refused.status_code == 422
    assert "Filter the list, or download it as CSV." in refused.get_data(as_text=True)
    assert brent.get("/enrolments.xlsx?status=waiting").status_code == 200


def test_pages_of_the_list_lead_on_and_back(brent, monkeypatch):
    """Two to a page: next leads to the third, previous back to the first two."""
    monkeypatch.setattr(enrolment_pages, "ON_A_PAGE", 2)
    first = text_of(brent.get("/enrolments"))
    assert "Showing 2 of 3 enrolments" in first
    assert "before=" not in first
    after = re.search(r'href="(/enrolments\?after=[^"]+)"', first)[1]
    second = text_of(brent.get(after))
    assert "Showing 1 of 3 enrolments" in second
    assert "after=" not in second
    before = re.search(r'href="(/enrolments\?before=[^"]+)"', second)[1]
    assert "Showing 2 of 3 enrolments" in text_of(brent.get(before))


def test_history_of_a_person_does_not_hinder_the_way_back(brent, house):
    """Who moved to another team since is written out as they were nominated."""
    house.tell_of("10000", given_name="Aoife", family_name="O'Neill", team="South", pcf_level="ESW")
    job = house.upload(brent.get("/enrolments.csv").data, "again.csv")
    assert job["counts"]["duplicate"] == 3


def test_withdrawing_asks_checks_and_is_done_once(brent, house):
    """Errors at the fields, then the answers to check, then one withdrawal however often it is sent."""
    address = f"/enrolments/{ids_of(house)['10000']}/withdraw"
    wrong = send_form(brent, address, {"withdrawn_on": "tomorrow"})
    assert wrong.status_code == 422
    said = wrong.get_data(as_text=True)
    assert "<title>Error: Withdraw" in said
    assert said.count("Choose a reason") == 2
    assert said.count("Enter the day it ends as a date like 2026-11-21") == 2
    answers = {"reason": "workload", "withdrawn_on": "2026-11-20"}
    check = text_of(send_form(brent, address, answers))
    assert "Check your answers" in check
    assert "20 November 2026" in check
    sent = {**hidden_fields(check), **answers, "confirmed": "yes"}
    first, second = brent.post(address, data=sent), brent.post(address, data=sent)
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    shown = text_of(brent.get(first.headers["Location"]))
    assert "The enrolment is withdrawn." in shown
    assert "Withdrawn</strong>" in shown
    gone = brent.get(address)
    assert gone.status_code == 409
    withdrawn = [event for event in house.events("brent") if event["type"].endswith("withdrawn.v1")]
    assert len(withdrawn) == 1


def test_form_without_its_token_is_refused(brent, house):
    """What another site sends in our name changes nothing."""
    address = f"/enrolments/{ids_of(house)['10000']}/withdraw"
    fields = {"reason": "workload", "withdrawn_on": "2026-11-20", "confirmed": "yes", "form_key": "k"}
    assert brent.post(address, data=fields).status_code == 403


@pytest.mark.usefixtures("brent")
def test_another_organisations_things_are_not_there(house):
    """Another borough's HR finds neither the page nor the form nor the row."""
    one = ids_of(house)["10000"]
    ealing = browser_of(house.app, "ealing", "hr")
    assert ealing.get(f"/enrolments/{one}").status_code == 404
    assert ealing.get(f"/enrolments/{one}/withdraw").status_code == 404
    assert send_form(ealing, "/enrolments", {}, f"/enrolments/{one}/withdraw").status_code in (403, 404, 422)
    assert "Showing 0 of 0" in text_of(ealing.get("/enrolments"))


@pytest.mark.usefixtures("brent")
def test_roles_see_what_the_table_gives_them(house):
    """Supervisors approve and see no names; practitioners see their own; tutors nothing."""
    ids = ids_of(house)
    supervisor = browser_of(house.app, "brent", "supervisor")
    seen = text_of(supervisor.get("/enrolments"))
    assert "Showing 3 of 3" in seen
    assert "O&#39;Neill" not in seen
    assert supervisor.get("/enrolments.csv").status_code == 403
    assert supervisor.get(f"/enrolments/{ids['10000']}/withdraw").status_code == 403
    own = browser_of(house.app, "brent", "practitioner", subject="10000")
    assert "Showing 1 of 1" in text_of(own.get("/enrolments"))
    assert own.get(f"/enrolments/{ids['10001']}").status_code == 404
    assert own.get("/enrolments.csv").status_code == 403
    assert browser_of(house.app, "brent", "tutor").get("/enrolments").status_code == 403
    assert house.app.test_client().get("/enrolments").headers["Location"] == "/sign-in"


def test_two_persons_approve(house):
    """Whoever nominated is not offered the approval; the second person approves."""
    etag = house.ask("GET", "enrolment-settings").headers["ETag"]
    house.good("PUT", "enrolment-settings", json={"approval_stages": 2}, headers={"If-Match": etag})
    house.open_course()
    first = browser_of(house.app, "brent", "hr", subject="first")
    second = browser_of(house.app, "brent", "supervisor", subject="second")
    record = {name: "" if value is None else str(value) for name, value in a_record().items()}
    sent = send_form(first, "/enrolments/nominate", record)
    assert sent.status_code == 303, sent.get_data(as_text=True)
    one = ids_of(house)["10001"]
    assert "Approve this nomination" not in text_of(first.get(f"/enrolments/{one}"))
    refused = send_form(first, f"/enrolments/{one}/approve", {})
    assert refused.status_code == 422
    assert send_form(second, f"/enrolments/{one}/approve", {}).status_code == 303
    assert "Place asked for" in text_of(second.get(f"/enrolments/{one}"))


def test_nomination_names_every_fault_at_its_field(house):
    """The rules of the import, in their words, beside the field and in the summary."""
    house.open_course()
    browser = browser_of(house.app, "brent", "hr")
    record = {name: "" if value is None else str(value) for name, value in a_record().items()}
    record |= {"email": "", "date_of_birth": "1982-02-30", "route": "practice_and_academic"}
    sent = send_form(browser, "/enrolments/nominate", record)
    said = sent.get_data(as_text=True)
    assert sent.status_code == 422
    assert said.count("Enter the e-mail") == 2
    assert said.count("Date of birth: enter an existing day as YYYY-MM-DD") == 2
    assert said.count("Prerequisite met on: enter the day the prerequisite was met") == 2
    assert 'value="O&#39;Neill"' in said


def test_a_line_break_in_an_address_leads_nobody_back_after_signing_in(house):
    """A stranger's page is remembered; one whose path holds a decoded line break is not."""
    for path, kept in (("/enrolments/abc", "/enrolments/abc"), ("/enrolments/%0D%0ASet-Cookie:%20a=b", None)):
        stranger = house.app.test_client()
        assert stranger.get(path).headers["Location"] == "/sign-in"
        with stranger.session_transaction() as session:
            assert session.get("back") == kept
