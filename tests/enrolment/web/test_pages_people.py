"""Pages of people, cohorts and settings without a browser: what they show, take and refuse."""

from __future__ import annotations

import pytest

from shared.testing.pages import browser_of, send_form
from tests.enrolment.conftest import a_record

TODAY = "2026-11-20"


def text_of(answer) -> str:
    """Return a page."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


@pytest.fixture
def brent(house):
    """Brent's HR at a browser, with a course of two seats and three people nominated."""
    house.open_course()
    for number, name in enumerate(("O'Neill", "Onuoha", "Zhu")):
        changes = {"employee_ref": f"1000{number}", "family_name": name, "team": ("North", "South", "North")[number]}
        house.good("POST", "enrolments", json=a_record(**changes))
    house.settle()
    return browser_of(house.app, "brent", "hr")


@pytest.fixture
def lead(brent, house):  # noqa: ARG001 - the course is there
    """Brent's programme lead at a browser."""
    return browser_of(house.app, "brent", "programme_lead")


def id_of(house, ref="10000") -> str:
    """Return a person's opaque id."""
    return house.good("GET", f"practitioners/{ref}")["practitioner_id"]


def test_people_are_listed_by_name_and_found_in_any_spelling(brent):
    """In the order of their names; the filter stands in the address."""
    everybody = text_of(brent.get("/people"))
    assert "Showing 3 of 3 people" in everybody
    assert everybody.index("O&#39;Neill") < everybody.index("Onuoha") < everybody.index("Zhu")
    assert "Showing 2 of 2 people" in text_of(brent.get("/people?name=on"))
    assert "Showing 1 of 1 people" in text_of(brent.get("/people?name=o-NEIL"))
    assert "Showing 2 of 2 people" in text_of(brent.get("/people?team=North"))
    assert "Showing 1 of 1 people" in text_of(brent.get("/people?employee_ref=10002"))
    assert "Showing 0 of 0 people" in text_of(brent.get("/people?employee_ref=nobody"))


def test_person_is_shown_as_of_a_day_with_both_times(brent, house):
    """What was told later does not change an earlier day; a day before anything was known says so."""
    one = id_of(house)
    details = {"effective_on": "2026-02-01", "given_name": "Aoife", "family_name": "Byrne", "team": "South"}
    sent = send_form(brent, f"/people/{one}/details", details)
    assert sent.status_code == 303, sent.get_data(as_text=True)
    now = text_of(brent.get(f"/people/{one}"))
    assert "Aoife Byrne" in now
    assert "family name: Byrne" in now
    assert "Aoife O&#39;Neill</h1>" in text_of(brent.get(f"/people/{one}?as_of=2026-01-31"))
    assert "Nothing was known of 1 January 2010" in text_of(brent.get(f"/people/{one}?as_of=2010-01-01"))
    wrong = brent.get(f"/people/{one}?as_of=yesterday")
    assert wrong.status_code == 422
    assert "Enter the day as a date like 2026-11-21" in wrong.get_data(as_text=True)


def test_details_are_not_emptied_by_mistake(brent, house):
    """A form without day and names is refused at their fields; everything stays as it was."""
    one = id_of(house)
    day = send_form(brent, f"/people/{one}/details", {"effective_on": ""})
    assert '<a href="#effective_on">' in day.get_data(as_text=True)
    names = send_form(brent, f"/people/{one}/details", {"effective_on": TODAY, "given_name": "", "family_name": " "})
    assert names.status_code == 422
    said = names.get_data(as_text=True)
    assert [said.count(f"Enter the {which} name") for which in ("given", "family")] == [2, 2]
    assert "Aoife O&#39;Neill</h1>" in text_of(brent.get(f"/people/{one}"))


def test_line_manager_and_employment_are_told_by_forms(brent, house):
    """Refusals stand at their fields."""
    one = id_of(house)
    own = send_form(brent, f"/people/{one}/line-manager", {"line_manager_ref": "10000", "from_on": TODAY})
    assert own.status_code == 422
    assert 'href="#line_manager_ref"' in own.get_data(as_text=True)
    kept = send_form(brent, f"/people/{one}/line-manager", {"line_manager_ref": "90009", "from_on": TODAY})
    assert kept.status_code == 303
    backwards = {"started_on": "2018-01-03", "ended_on": "2017-01-01"}
    wrong = send_form(brent, f"/people/{one}/employment", backwards)
    assert wrong.status_code == 422
    assert 'href="#ended_on"' in wrong.get_data(as_text=True)
    ended = {"started_on": "2018-01-03", "ended_on": TODAY, "reason": "resigned"}
    assert send_form(brent, f"/people/{one}/employment", ended).status_code == 303
    shown = text_of(brent.get(f"/people/{one}"))
    assert "90009" in shown
    assert "Resigned" in shown


def test_duplicates_are_merged_and_split(brent, house):
    """Three records of one registration number: two are merged, and one is split again."""
    one, other = id_of(house, "10000"), id_of(house, "10001")
    both = send_form(brent, "/people/duplicates", {"what": "merge", "into": one, "other": other})
    assert both.status_code == 422
    assert "Both hold a live enrolment in SAR 2025-09" in both.get_data(as_text=True)
    apart = send_form(brent, "/people/duplicates", {"what": "apart", "into": one, "other": other})
    assert apart.headers["Location"] == "/people/duplicates?done=apart"
    nobody = send_form(brent, "/settings", {"merged": "nobody"}, "/people/duplicates/split")
    assert "Nobody has this reference" in nobody.get_data(as_text=True)
    third = next(each for each in house.pages("enrolments") if each["employee_ref"] == "10002")
    answers = {"reason": "other", "withdrawn_on": TODAY, "confirmed": "yes"}
    assert send_form(brent, f"/enrolments/{third['enrolment_id']}/withdraw", answers).status_code == 303
    merged = send_form(brent, "/settings", {"what": "merge", "into": "10000", "other": "10002"}, "/people/duplicates")
    assert "The two records are one person from now on." in text_of(brent.get(merged.headers["Location"]))
    split = send_form(brent, "/settings", {"merged": "10002"}, "/people/duplicates/split")
    assert "Aoife Zhu" in text_of(brent.get(split.headers["Location"]))


def test_erasure_needs_a_second_person(brent, house):
    """Who asked is told so; somebody else decides."""
    one = id_of(house)
    waits = send_form(brent, f"/people/{one}/erase", {"basis": "person_asked"})
    enrolment = house.pages("enrolments")[0]["enrolment_id"]
    assert waits.status_code == 303, waits.get_data(as_text=True)
    assert enrolment
    address = waits.headers["Location"].partition("?")[0]
    assert "Somebody else has to decide" in text_of(brent.get(address))
    own = send_form(brent, address, {"decision": "approve"})
    assert own.status_code == 422
    second = browser_of(house.app, "brent", "hr", subject="second")
    without = send_form(second, address, {"decision": "refuse"})
    assert "Choose why it is refused" in without.get_data(as_text=True)
    assert send_form(second, address, {"decision": "approve"}).status_code == 303
    assert "Under way" in text_of(second.get("/people/erasures"))


def test_access_report_is_a_download(brent, house):
    """HR takes it for the person; a practitioner takes their own only."""
    one = id_of(house)
    report = brent.get(f"/people/{one}/access-report")
    assert report.headers["Content-Disposition"].startswith("attachment")
    assert report.get_json()["practitioner_id"] == one
    own = browser_of(house.app, "brent", "practitioner", subject="10000")
    assert own.get(f"/people/{one}/access-report").status_code == 200
    assert f"/people/{one}/access-report" in text_of(own.get(f"/people/{one}"))
    assert f"/people/{one}/erase" not in text_of(own.get(f"/people/{one}"))
    assert own.get(f"/people/{id_of(house, '10001')}/access-report").status_code == 404


def test_advice_says_why_and_needs_are_rated(brent, house):
    """E16: the self-audit is a form; what is left out says why."""
    one = id_of(house)
    sent = send_form(brent, f"/people/{one}/learning-needs", {"audited_on": TODAY, "domain_3": "1"})
    assert sent.status_code == 303, sent.get_data(as_text=True)
    shown = text_of(brent.get(sent.headers["Location"]))
    assert "There is an enrolment on it already" in shown
    assert 'value="1" checked' in text_of(brent.get(f"/people/{one}/learning-needs"))


def test_cohort_shows_seats_queue_and_quotas_and_takes_more_seats(lead, house):
    """The queue moves when there are more seats; fewer than are taken is refused at the field."""
    here = "/courses/SAR/cohorts/2025-09"
    seats = text_of(lead.get(here))
    assert "2 of 2" in seats
    assert "1st of 2" in seats
    assert "1st in the queue" in text_of(lead.get(f"{here}?show=waiting"))
    fewer = send_form(lead, f"{here}/change", {"capacity": "1", "who_may_ask": "every"})
    assert fewer.status_code == 422
    assert 'href="#capacity"' in fewer.get_data(as_text=True)
    more = send_form(
        lead, f"{here}/change", {"capacity": "5", "who_may_ask": "every", "most_brent": "4", "reserved_ealing": "1"}
    )
    assert more.status_code == 303, more.get_data(as_text=True)
    after = text_of(lead.get(more.headers["Location"]))
    assert "3 of 5" in after
    assert "quota of London Borough of Brent 3 of 4" in after
    house.settle()
    hr = browser_of(house.app, "brent", "hr")
    assert "At most 4" in text_of(hr.get("/courses/SAR"))
    assert hr.get(here).status_code == 403


def test_sessions_are_planned_and_marked(lead, house):
    """Who has a seat is marked; the employer sees it with the enrolment."""
    here = "/courses/SAR/cohorts/2025-09"
    wrong = send_form(lead, f"{here}/plan-session", {"session": "day-1", "minutes": "long"})
    assert wrong.status_code == 422
    assert "Enter how long it lasts" in wrong.get_data(as_text=True)
    plan = {"session": "day-1", "kind": "direct_teaching", "minutes": "360", "held_on": TODAY}
    wide = send_form(lead, f"{here}/plan-session", plan | {"session": "A.Person"})
    assert (wide.status_code, 'href="#session"' in wide.get_data(as_text=True)) == (422, True)
    assert send_form(lead, f"{here}/plan-session", plan).status_code == 303
    seat = house.good("GET", "courses/SAR/cohorts/2025-09", "programme_lead")["seats"][0]["enrolment_id"]
    nothing = send_form(lead, f"{here}/sessions/day-1", {})
    assert nothing.status_code == 422
    assert '<a href="#was_' in nothing.get_data(as_text=True)
    assert send_form(lead, f"{here}/sessions/day-1", {f"was_{seat}": "attended"}).status_code == 303
    house.settle()
    shown = text_of(browser_of(house.app, "brent", "hr").get(f"/enrolments/{seat}"))
    assert "Attended 1, absent 0, excused 0; 360 minutes in all." in shown


def test_cohort_is_opened_and_closed(lead):
    """A new intake appears in the catalogue; a closed one says so."""
    assert send_form(lead, "/courses/SAR/open-cohort", {"capacity": "5", "who_may_ask": "every"}).status_code == 422
    opened = send_form(lead, "/courses/SAR/open-cohort", {"intake": "2027-01", "capacity": "5", "who_may_ask": "every"})
    assert opened.status_code == 303, opened.get_data(as_text=True)
    assert send_form(lead, "/courses/SAR/cohorts/2027-01/close", {}).status_code == 303
    assert "Closed to new requests" in text_of(lead.get("/courses/SAR/cohorts/2027-01"))


def test_settings_are_kept_and_refused_at_their_fields(brent):
    """E-mails too."""
    good = {"approval_stages": "2", "accepts_offers": "by_hand", "offer_days": "7", "deferrals_allowed": "1"}
    good |= {"deferral_months": "3", "transfer_days": "28"}
    wrong = send_form(brent, "/settings", good | {"offer_days": "0"})
    assert wrong.status_code == 422
    assert wrong.get_data(as_text=True).count("Enter a whole number of days from 1 to 365") == 2
    assert send_form(brent, "/settings", good).status_code == 303
    assert 'value="2" checked' in text_of(brent.get("/settings"))
    bad = send_form(brent, "/settings/notices", {"hr": "nobody"})
    assert bad.status_code == 422
    assert send_form(brent, "/settings/notices", {"hr": "hr@brent.example"}).status_code == 303
    assert "hr@brent.example" in text_of(brent.get("/settings/notices"))
    assert "Nothing is too old" in text_of(brent.get("/settings/retention"))


def test_who_only_reads_settings_is_shown_no_form(house):
    """Values in words; a form that cannot be sent would only mislead."""
    seen = text_of(browser_of(house.app, "brent", "supervisor").get("/settings"))
    assert "The manager’s approval in the record is enough" in seen
    assert "Days until an offer lapses" in seen
    addresses = text_of(browser_of(house.app, "brent", "auditor").get("/settings/notices"))
    for page in (seen, addresses):
        assert '<form method="post" novalidate>' not in page
