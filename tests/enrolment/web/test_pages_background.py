"""What HR vouches for of a person, and who gets to learn, by pages."""

from __future__ import annotations

import re

import pytest

from shared.testing.pages import browser_of, send_form
from tests.enrolment.conftest import a_record


def text_of(answer, status: int = 200) -> str:
    """Return a page."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


@pytest.fixture
def brent(house):
    """Brent's HR at a browser, with two people, one of whom has a place."""
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    house.tell_of("2", given_name="Maya", family_name="Example", team="South", pcf_level="SW", fte="0.5")
    house.good("PUT", "practitioners/2/employments/2020-01-06", json={"ended_on": None, "reason": None})
    house.settle()
    return browser_of(house.app, "brent", "hr")


def test_roles_and_earlier_courses_are_vouched_for_by_a_form(brent, house):
    """Lines are added and taken back; a line that was begun is finished; two do not undo each other."""
    here = f"/people/{house.good('GET', 'practitioners/2')['practitioner_id']}/background"
    half = text_of(send_form(brent, here, {"course_1": "CCB", "completed_2": "2024-05-06"}), 422)
    for field in ("completed_1", "course_2"):
        assert f'<a href="#{field}">' in half
        assert f'id="{field}-error"' in half
    told = {"roles": ["supervisor"], "course_1": "CCB", "completed_1": "2024-05-06"}
    twice = text_of(send_form(brent, here, told | {"course_2": "CCB", "completed_2": "2025-05-06"}), 422)
    assert "A prior course is named once" in twice
    assert re.search(r'value="supervisor" checked', twice)
    assert send_form(brent, here, told).status_code == 303
    kept = house.good("GET", "practitioners/2/background")
    assert (kept["roles"], kept["prior_courses"]) == (
        ["supervisor"],
        [{"course": "CCB", "completed_on": "2024-05-06"}],
    )
    form = text_of(brent.get(here))
    assert 'value="CCB"' in form
    assert "Course 4" in form
    assert "Somebody else has changed this" in text_of(send_form(brent, here, {"version": "0"}), 422)
    assert send_form(brent, here, {"course_1": "", "completed_1": ""}).status_code == 303
    assert house.good("GET", "practitioners/2/background")["prior_courses"] == []
    assert browser_of(house.app, "brent", "supervisor").get(here).status_code == 403


def test_who_gets_to_learn_is_counted_by_level_team_and_hours(brent, house):
    """The same figures as through the API; a day that is none is refused at its field."""
    shown = text_of(brent.get("/people/access"))
    assert "Less than 0.6 of full time" in shown
    assert re.search(r"South</th>\s*<td[^>]*>1</td>\s*<td[^>]*>0</td>", shown)
    assert re.search(r"North</th>\s*<td[^>]*>1</td>\s*<td[^>]*>1</td>\s*<td[^>]*>1</td>", shown)
    wrong = text_of(brent.get("/people/access?from_on=then"), 422)
    assert '<a href="#from_on">' in wrong
    backwards = text_of(brent.get("/people/access?from_on=2026-02-01&until_on=2026-01-01"), 422)
    assert '<a href="#until_on">' in backwards
    assert browser_of(house.app, "brent", "auditor").get("/people/access").status_code == 200
    assert browser_of(house.app, "brent", "supervisor").get("/people/access").status_code == 403
