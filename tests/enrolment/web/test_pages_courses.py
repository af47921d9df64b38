"""The programme lead's forms: a course published and changed, an intake for invited employers."""

from __future__ import annotations

import re

import pytest

from shared.testing.pages import browser_of, send_form

NEW = {
    "code": "SUP",
    "title": "Supervising well",
    "level": "ESW",
    "kind": "course",
    "routes": ["practice_only", "practice_and_academic"],
    "credits": "30",
    "accreditation": "pending",
    "awarding_hei": "goldsmiths",
    "module": "SUP7",
    "evidence_set": "cpd-portfolio",
    "prerequisite": "the in-house day",
    "prerequisite_routes": ["practice_and_academic"],
    "after": "asye\nSAR",
    "roles": ["supervisor", "manager"],
    "rated_domains": ["3", "7"],
}


def text_of(answer, status: int = 200) -> str:
    """Return a page."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


@pytest.fixture
def lead(house):
    """Brent's programme lead at a browser."""
    return browser_of(house.app, "brent", "programme_lead")


def kept(house, code="SUP") -> dict:
    """Return a course as the API shows it."""
    return house.good("GET", f"courses/{code}", "programme_lead")


def version_of(browser, code="SUP") -> str:
    """Return which version the form of a course is about."""
    return re.search(r'name="version" value="([^"]*)"', text_of(browser.get(f"/courses/{code}/change")))[1]


def test_a_course_is_published_by_a_form_and_everybody_knows_it(lead, house):
    """What the form asks is what is kept; then it has an intake."""
    assert "/publish-course" in text_of(lead.get("/courses"))
    sent = send_form(lead, "/publish-course", NEW)
    assert sent.status_code == 303, sent.get_data(as_text=True)
    assert "The course is published." in text_of(lead.get(sent.headers["Location"]))
    course = kept(house)
    assert (course["credits"], course["awarding_hei"], course["prerequisite"]["routes"]) == (
        30,
        "goldsmiths",
        ["practice_and_academic"],
    )
    asked = course["eligibility"]
    assert (asked["after"], asked["roles"], asked["rated_domains"]) == (
        ["asye", "SAR"],
        ["supervisor", "manager"],
        [3, 7],
    )
    house.settle()
    hr = browser_of(house.app, "ealing", "hr")
    shown = text_of(hr.get("/courses/SUP"))
    assert "It comes after the ASYE" in shown
    assert "/courses/SUP/change" not in shown
    assert hr.get("/publish-course").status_code == 403
    again = text_of(send_form(lead, "/publish-course", NEW), 422)
    assert "There is a course with this code: change that one instead" in again


def test_a_changed_course_keeps_what_the_form_does_not_ask(lead, house):
    """Ticks and words come back on the form; a handbook is added; elements and developed domains stay."""
    body = {"title": "Old", "level": "SW", "routes": ["practice_only"], "credits": 0}
    body |= {"eligibility": {"open_to": ["local_authority"], "elements": ["PART"], "after": ["asye"]}}
    body |= {"description": {"develops": [{"framework": "pcf", "domain": 2}], "minutes": 45}}
    house.good("PUT", "courses/SUP", "programme_lead", json=body)
    form = text_of(lead.get("/courses/SUP/change"))
    assert re.search(r'value="practice_only" checked', form)
    changed = {"version": version_of(lead), "title": "New", "level": "SW", "kind": "webinar", "minutes": "50"}
    changed |= {"routes": ["practice_only"], "accreditation": "none", "after": ""}
    changed |= {"handbook_version": "2026", "handbook_link": "https://example.org/h.pdf", "handbook_from": "2026-09-01"}
    sent = send_form(lead, "/courses/SUP/change", changed)
    assert sent.status_code == 303, sent.get_data(as_text=True)
    course = kept(house)
    assert (course["title"], course["description"]["kind"], course["description"]["minutes"]) == ("New", "webinar", 50)
    assert (course["eligibility"]["elements"], course["eligibility"]["after"]) == (["PART"], [])
    assert course["description"]["develops"] == [{"framework": "pcf", "domain": 2}]
    assert course["description"]["handbooks"][0]["version"] == "2026"


def test_two_who_change_one_course_at_once_do_not_undo_each_other(lead, house):
    """The second is told, and what they typed stays on the form."""
    send_form(lead, "/publish-course", NEW)
    old = version_of(lead)
    sent = {name: value for name, value in NEW.items() if name != "code"} | {"version": old}
    assert send_form(lead, "/courses/SUP/change", sent | {"title": "First"}).status_code == 303
    second = text_of(send_form(lead, "/courses/SUP/change", sent | {"title": "Second"}), 422)
    assert "Somebody else has changed this course meanwhile" in second
    assert 'value="Second"' in second
    assert kept(house)["title"] == "First"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": ""}, "code"),
        ({"title": ""}, "title"),
        ({"routes": []}, "routes"),
        ({"minutes": "60"}, "credits"),
        ({"routes": ["practice_only"], "prerequisite": "", "prerequisite_routes": []}, "awarding_hei"),
        ({"prerequisite": ""}, "prerequisite"),
        ({"prerequisite_routes": []}, "prerequisite_routes"),
        ({"after": "SUP"}, "after"),
        ({"after": "no code!"}, "after"),
        ({"handbook_version": "1"}, "handbook_link"),
        ({"handbook_link": "http://example.org"}, "handbook_link"),
    ],
)
def test_what_is_wrong_with_a_course_stands_at_its_field(lead, wrong, field):
    """By the form and by the domain's rules alike; ticks are kept."""
    said = text_of(send_form(lead, "/publish-course", NEW | wrong), 422)
    assert f'<a href="#{field}">' in said
    assert f'id="{field}-error"' in said
    assert re.search(r'value="supervisor" checked', said)


def test_an_intake_for_invited_employers_only(lead, house):
    """Ticked and shown; nobody ticked is refused at the field, a quota for somebody not invited too."""
    house.open_course()
    here = "/courses/SAR/cohorts/2025-09/change"
    plain = {"capacity": "5", "who_may_ask": "invited"}
    nobody = text_of(send_form(lead, here, plain), 422)
    assert '<a href="#invited">' in nobody
    other = text_of(send_form(lead, here, plain | {"invited": ["brent"], "most_ealing": "2"}), 422)
    assert '<a href="#invited">' in other
    sent = send_form(lead, here, plain | {"invited": ["brent", "harrow"], "most_brent": "3"})
    assert sent.status_code == 303, sent.get_data(as_text=True)
    assert "London Borough of Brent, London Borough of Harrow" in text_of(lead.get("/courses/SAR/cohorts/2025-09"))
    form = text_of(lead.get(here))
    assert re.search(r'value="invited" checked', form)
    assert re.search(r'value="harrow" checked', form)
    house.settle()
    assert "Not invited" in text_of(browser_of(house.app, "ealing", "hr").get("/courses/SAR"))
    assert send_form(lead, here, plain | {"who_may_ask": "every"}).status_code == 303
    assert "Every employer" in text_of(lead.get("/courses/SAR/cohorts/2025-09"))


def test_errors_stand_in_the_order_of_the_fields(lead, house):
    """The first error is the first field's, whoever found it."""
    house.open_course()
    for page, first in (("/publish-course", "code"), ("/courses/SAR/open-cohort", "intake")):
        said = text_of(send_form(lead, page, {}), 422)
        links = re.findall(r'<li><a href="#([^"]+)">', said)
        assert links[0] == first
        places = [said.index(f'id="{field}-error"') for field in links]
        assert places == sorted(places)
