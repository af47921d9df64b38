"""HR and the programme lead at a browser: lists, people, cohorts and every step of an enrolment.

Also with the keyboard only, on a telephone, and without JavaScript; axe looks at every page.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.enrolment.conftest import a_record

pytestmark = pytest.mark.browser

HR = "Made-up HR officer"
LEAD = "Made-up programme lead"
SUPERVISOR = "Made-up supervisor"
RECORD = a_record(employee_ref="20001", given_name="Maya", family_name="Example", email="maya@brent.example")


@pytest.fixture
def busy(site):
    """A course of two seats; three of Brent's people are nominated, one of whom waits."""
    house = site.house
    house.open_course()
    for number, name in enumerate(("Example", "Invented", "Madeup")):
        numbers = {"employee_ref": f"1000{number}", "swe_number": f"SW1{min(number, 1)}"}
        record = a_record(family_name=name, email=f"p{number}@brent.example", **numbers)
        house.good("POST", "enrolments", json=record)
    house.settle()
    return house


def enrolments(house, org="brent") -> dict[str, str]:
    """Return ids by employee reference."""
    return {one["employee_ref"]: one["enrolment_id"] for one in house.pages("enrolments", org)}


def heading(somebody) -> str:
    """Return what the page is about."""
    return somebody.page.get_by_role("heading", level=1).inner_text()


def settings(house, org="brent", **changes) -> None:
    """Change an employer's settings."""
    etag = house.ask("GET", "enrolment-settings", org=org).headers["ETag"]
    house.good("PUT", "enrolment-settings", org=org, json=changes, headers={"If-Match": etag})


def nominate(somebody, **changes) -> None:
    """Fill in the form of one person."""
    page = somebody.page
    for name, value in (RECORD | changes).items():
        field = page.locator(f"#{name}")
        if name in ("course", "intake", "route", "pcf_level"):
            field.select_option(str(value))
        else:
            field.fill("" if value is None else str(value))
    page.get_by_role("button", name="Nominate").click()


@pytest.mark.usefixtures("busy")
def test_nominating_with_errors_on_the_way_and_withdrawing(visitor):
    """Errors in the title, the summary and at the fields; the summary leads to the field; then check and confirm."""
    visitor.sign_in("brent", HR)
    visitor.open("/enrolments")
    visitor.must_be_accessible("enrolments-list")
    visitor.page.get_by_role("button", name="Nominate one person").click()
    visitor.must_be_accessible("enrolments-nominate")
    nominate(visitor, email="", date_of_birth="30/02/1985")
    assert visitor.page.title().startswith("Error: ")
    visitor.must_be_accessible("enrolments-nominate-errors")
    summary = visitor.page.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Enter the e-mail").click()
    expect(visitor.page.locator("#email")).to_be_focused()
    visitor.page.locator("#email").fill("maya@brent.example")
    visitor.page.locator("#date_of_birth").fill("1985-02-28")
    visitor.page.get_by_role("button", name="Nominate").click()
    expect(visitor.page.get_by_text("The nomination is taken.")).to_be_visible()
    assert heading(visitor) == "Maya Example"
    visitor.must_be_accessible("enrolment-nominated")
    withdraw(visitor)


def withdraw(visitor) -> None:
    """Withdraw the enrolment on the page, with an error and a change of mind on the way."""
    visitor.page.get_by_role("link", name="Withdraw").click()
    visitor.must_be_accessible("enrolment-withdraw")
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.must_be_accessible("enrolment-withdraw-errors")
    visitor.page.get_by_label("Workload").check()
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.must_be_accessible("enrolment-withdraw-check")
    visitor.page.get_by_role("button", name="Change an answer").click()
    assert visitor.page.get_by_label("Workload").is_checked()
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.page.get_by_role("button", name="Withdraw").click()
    expect(visitor.page.get_by_text("The enrolment is withdrawn.")).to_be_visible()
    visitor.must_be_accessible("enrolment-withdrawn")


def test_two_people_approve(make_visitor, busy):
    """HR nominates; the approval is the supervisor's."""
    settings(busy, approval_stages=2)
    first, second = make_visitor(), make_visitor()
    first.sign_in("brent", HR)
    first.open("/enrolments/nominate")
    nominate(first)
    assert not first.page.get_by_role("link", name="Approve this nomination").count()
    second.sign_in("brent", SUPERVISOR)
    second.page.get_by_role("link", name="Nominations that wait for a second approval").click()
    second.must_be_accessible("enrolments-to-approve")
    second.page.get_by_role("link", name="20001").click()
    second.page.get_by_role("link", name="Approve this nomination").click()
    second.must_be_accessible("enrolment-approve")
    second.page.get_by_role("button", name="Approve").click()
    expect(second.page.get_by_text("The nomination is approved.")).to_be_visible()


def test_offer_is_accepted_by_keyboard_only(visitor, busy):
    """From the list to the confirmation without a mouse."""
    settings(busy, accepts_offers="by_hand")
    busy.good("POST", "enrolments", json=RECORD)
    one = enrolments(busy)["10000"]
    busy.good("POST", f"enrolments/{one}/withdraw", json={"reason": "workload", "withdrawn_on": "2026-11-20"})
    busy.settle()
    visitor.sign_in("brent", HR)
    visitor.open("/enrolments?status=offered")
    press_on(visitor, "Aoife Madeup")
    visitor.must_be_accessible("enrolment-offered")
    press_on(visitor, "Accept the offered seat")
    press_on(visitor, "Accept the seat")
    expect(visitor.page.get_by_text("The offer is accepted.")).to_be_visible()


def press_on(somebody, words: str) -> None:
    """Go to a link or button with the tab key and press Enter."""
    for _ in range(80):
        somebody.page.keyboard.press("Tab")
        at = somebody.page.evaluate("document.activeElement.innerText || ''")
        if at.strip() == words:
            with somebody.page.expect_navigation():
                somebody.page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach: {words}")


def test_a_place_goes_to_another_employer(make_visitor, busy):
    """Brent gives it over, Ealing takes the person on."""
    one = enrolments(busy)["10000"]
    brent, ealing = make_visitor(), make_visitor()
    brent.sign_in("brent", HR)
    brent.open(f"/enrolments/{one}/transfer")
    brent.must_be_accessible("enrolment-transfer")
    brent.page.get_by_label("Their new employer").select_option("ealing")
    brent.page.get_by_label("A new job there").check()
    brent.page.get_by_role("button", name="Continue").click()
    brent.page.get_by_role("button", name="Give the place over to another employer").click()
    expect(brent.page.get_by_text("The place is given over.")).to_be_visible()
    busy.settle()
    ealing.sign_in("ealing", HR)
    ealing.open("/incoming-transfers")
    ealing.must_be_accessible("transfers-list")
    ealing.page.get_by_role("link", name="London Borough of Brent").click()
    ealing.must_be_accessible("transfer-take-on")
    ealing.page.get_by_role("button", name="Take the person on").click()
    ealing.must_be_accessible("transfer-take-on-errors")
    for name in ("given_name", "family_name", "email", "date_of_birth", "swe_number", "employment_start"):
        ealing.page.locator(f"#{name}").fill(str(RECORD[name]))
    ealing.page.locator("#employee_ref").fill("E-77")
    ealing.page.get_by_role("button", name="Take the person on").click()
    expect(ealing.page.get_by_text("The person is taken on.")).to_be_visible()
    busy.settle()
    ealing.page.reload()
    expect(ealing.page.get_by_text("Place confirmed", exact=True).first).to_be_visible()
    ealing.must_be_accessible("enrolment-taken-on")


@pytest.mark.usefixtures("busy")
def test_people_and_their_pages(visitor):
    """The list, one person as of a day, the forms, duplicates, advice, erasure, settings: nothing for axe to find."""
    visitor.sign_in("brent", HR)
    visitor.open("/people")
    visitor.must_be_accessible("people-list")
    visitor.page.get_by_role("link", name="Aoife Example").click()
    visitor.must_be_accessible("person")
    here = visitor.page.url.removeprefix(visitor.site.address)
    visitor.open(f"{here}?as_of=2010-01-01")
    visitor.must_be_accessible("person-as-of")
    for name in ("details", "line-manager", "employment", "advice", "learning-needs", "erase"):
        visitor.open(f"{here}/{name}")
        visitor.must_be_accessible(f"person-{name}")
    visitor.page.get_by_label("The person asked for it").check()
    visitor.page.get_by_role("button", name="Ask for erasure").click()
    visitor.must_be_accessible("erasure")
    for path in ("/people/erasures", "/people/duplicates", "/people/registrations", "/settings", "/settings/notices"):
        visitor.open(path)
        visitor.must_be_accessible(path.strip("/").replace("/", "-"))
    visitor.open("/settings/retention")
    visitor.must_be_accessible("settings-retention")


def test_cohort_with_seats_queue_and_sessions(visitor, busy):
    """The programme lead sees the queue move, plans a day and says who was there."""
    visitor.sign_in("brent", LEAD)
    visitor.open("/courses")
    visitor.must_be_accessible("courses")
    visitor.page.get_by_role("link", name="Safeguarding").click()
    visitor.must_be_accessible("course")
    visitor.page.get_by_role("link", name="2025-09").click()
    visitor.must_be_accessible("cohort-seats")
    visitor.page.get_by_role("link", name="Queue").click()
    expect(visitor.page.get_by_text("1st in the queue")).to_be_visible()
    visitor.must_be_accessible("cohort-queue")
    visitor.page.get_by_role("button", name="Change seats, quotas and days").click()
    visitor.must_be_accessible("cohort-change")
    visitor.page.get_by_label("Seats", exact=True).fill("3")
    visitor.page.get_by_role("button", name="Save").click()
    expect(visitor.page.get_by_text("3 of 3", exact=True)).to_be_visible()
    visitor.page.get_by_role("button", name="Plan a session").click()
    visitor.must_be_accessible("session-plan")
    visitor.page.get_by_label("Code").fill("day-1")
    visitor.page.get_by_label("Type").select_option("direct_teaching")
    visitor.page.get_by_label("Minutes").fill("360")
    visitor.page.get_by_role("button", name="Save").click()
    visitor.page.get_by_role("link", name="day-1").click()
    visitor.page.get_by_label("Attended").first.check()
    visitor.must_be_accessible("session")
    visitor.page.get_by_role("button", name="Save attendance").click()
    expect(visitor.page.get_by_text("Attendance is recorded.")).to_be_visible()
    visitor.open("/courses/SAR/cohorts/2025-09/close")
    visitor.must_be_accessible("cohort-close")
    busy.settle()


def test_pages_fit_a_telephone(phone, busy):
    """Nothing is wider than the window."""
    phone.sign_in("brent", HR)
    one = enrolments(busy)["10000"]
    for path in ("/enrolments", f"/enrolments/{one}", f"/enrolments/{one}/withdraw", "/enrolments/nominate", "/people"):
        phone.open(path)
        phone.must_fit()
        phone.must_be_accessible(f"phone-{path.strip('/').replace('/', '-').replace(one, 'one')}")
    phone.open("/people")
    phone.page.get_by_role("link", name="Aoife Example").click()
    phone.must_fit()
    phone.must_be_accessible("phone-person")
    phone.open("/courses/SAR")
    phone.must_fit()


def test_nothing_needs_javascript(plain, busy):
    """Filtering, taking the list as a file, withdrawing with its check."""
    plain.sign_in("brent", HR)
    plain.open("/enrolments")
    plain.page.get_by_label("Status").select_option("waiting")
    plain.page.get_by_role("button", name="Apply filters").click()
    assert "status=waiting" in plain.page.url
    assert plain.page.get_by_text("Showing 1 of 1 enrolments").is_visible()
    with plain.page.expect_download() as fetched:
        plain.page.get_by_role("link", name="Download as CSV").click()
    assert fetched.value.suggested_filename == "enrolments.csv"
    plain.open(f"/enrolments/{enrolments(busy)['10002']}/withdraw")
    plain.page.get_by_label("Workload").check()
    plain.page.get_by_role("button", name="Continue").click()
    plain.page.get_by_role("button", name="Withdraw").click()
    assert plain.page.get_by_text("The enrolment is withdrawn.").is_visible()
