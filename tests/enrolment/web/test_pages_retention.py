"""How long things are kept, by pages: other periods are tried before they count, and keeping them removes nothing."""

from __future__ import annotations

from services.enrolment.domain.retention import DEFAULT_DAYS
from shared.testing.pages import browser_of, hidden_fields, send_form

ADDRESS = "/settings/retention/periods"


def text_of(answer, status: int = 200) -> str:
    """Return a page."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def days_of(house) -> dict[str, int]:
    """Return the periods as the API shows them."""
    return {one["kind"]: one["days"] for one in house.good("GET", "retention")["items"]}


def test_periods_are_tried_before_they_are_kept(house):
    """First what would go under them, then kept; change an answer on the way; nothing is removed by it."""
    browser = browser_of(house.app, "brent", "hr")
    assert ADDRESS in text_of(browser.get("/settings/retention"))
    days = {kind: str(count) for kind, count in DEFAULT_DAYS.items()} | {"uploads": "30"}
    check = text_of(send_form(browser, ADDRESS, days))
    assert "Check the new periods" in check
    assert days_of(house)["uploads"] == 90
    fields = {**hidden_fields(check), **days}
    assert 'value="30"' in text_of(browser.post(ADDRESS, data={**fields, "change": "yes"}))
    kept = browser.post(ADDRESS, data={**fields, "confirmed": "yes"})
    assert "The periods are kept. Nothing was removed by it." in text_of(browser.get(kept.headers["Location"]))
    assert days_of(house) == dict(DEFAULT_DAYS) | {"uploads": 30}


def test_a_period_that_cannot_be_stands_at_its_field(house):
    """Too short for repeated requests, too long for anything, no number."""
    browser = browser_of(house.app, "brent", "hr")
    days = {kind: str(count) for kind, count in DEFAULT_DAYS.items()}
    wrong = days | {"stored_replies": "1", "uploads": "40000", "identity_releases": "long"}
    said = text_of(send_form(browser, ADDRESS, wrong), 422)
    for field in ("stored_replies", "uploads", "identity_releases"):
        assert f'<a href="#{field}">' in said
    assert '<a href="#practitioners_who_left">' not in said


def test_periods_are_hrs_to_change(house):
    """An operator and an auditor read them; the operator clears out."""
    for role in ("operator", "auditor"):
        browser = browser_of(house.app, "brent", role)
        assert ADDRESS not in text_of(browser.get("/settings/retention"))
        assert browser.get(ADDRESS).status_code == 403
