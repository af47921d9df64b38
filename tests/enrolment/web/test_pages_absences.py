"""Absences and employments on a person's page, told, changed and taken back; an erased person who is back."""

from __future__ import annotations

import pytest

from services.enrolment import bootstrap
from shared.testing.pages import browser_of, send_form
from tests.enrolment.conftest import a_record


def text_of(answer, status: int = 200) -> str:
    """Return a page."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


@pytest.fixture
def brent(house):
    """Brent's HR at a browser, and one person."""
    house.tell_of("10001", given_name="Maya", family_name="Example", employment_start="2018-01-03")
    return browser_of(house.app, "brent", "hr")


def id_of(house, ref="10001") -> str:
    """Return a person's opaque id."""
    return house.good("GET", f"practitioners/{ref}")["practitioner_id"]


def test_an_absence_is_told_ended_and_taken_back(brent, house):
    """Without a reason; the return is recorded at the same form; the history keeps what was told."""
    one = id_of(house)
    here = f"/people/{one}/absence"
    backwards = text_of(send_form(brent, here, {"from_on": "2026-02-02", "until_on": "2026-02-01"}), 422)
    assert 'href="#until_on"' in backwards
    assert 'aria-describedby="until_on-hint until_on-error"' in backwards
    assert text_of(send_form(brent, here, {"from_on": ""}), 422).count("Enter the first day away") == 2
    assert send_form(brent, here, {"from_on": "2026-02-02"}).status_code == 303
    away = text_of(brent.get(f"/people/{one}"))
    assert "Not back yet" in away
    assert f"{here}?from_on=2026-02-02" in away
    form = text_of(brent.get(f"{here}?from_on=2026-02-02"))
    assert 'value="2026-02-02"' in form
    back = send_form(brent, here, {"from_on": "2026-02-02", "until_on": "2026-03-01"})
    assert "The absence is kept." in text_of(brent.get(back.headers["Location"]))
    assert "1 March 2026" in text_of(brent.get(f"/people/{one}"))
    address = f"{here}/2026-02-02/take-back"
    assert "Take back the absence from 2 February 2026" in text_of(brent.get(address))
    assert send_form(brent, address, {}).status_code == 303
    assert "The absence is taken back." in text_of(brent.get(f"/people/{one}?done=absence-taken-back"))
    assert "1 March 2026" not in text_of(brent.get(f"/people/{one}"))
    for day in ("2026-02-02", "yesterday"):
        assert brent.get(f"{here}/{day}/take-back").status_code == 404


def test_an_employment_that_never_was_is_taken_back(brent, house):
    """The form of a known one has its end and reason in it."""
    one = id_of(house)
    here = f"/people/{one}/employment"
    ended = {"started_on": "2018-01-03", "ended_on": "2020-01-03", "reason": "resigned"}
    assert send_form(brent, here, ended).status_code == 303
    assert send_form(brent, here, {"started_on": "2024-05-06"}).status_code == 303
    form = text_of(brent.get(f"{here}?started_on=2018-01-03"))
    assert 'value="2020-01-03"' in form
    assert '<option value="resigned" selected' in form
    assert "6 May 2024" in text_of(brent.get(f"/people/{one}"))
    assert send_form(brent, f"{here}/2024-05-06/take-back", {}).status_code == 303
    assert f"{here}?started_on=2024-05-06" not in text_of(brent.get(f"/people/{one}"))


def test_only_hr_tells_absences(brent, house):  # noqa: ARG001 - the person is there
    """A practitioner sees their own and changes none; another organisation finds nobody."""
    one = id_of(house)
    own = browser_of(house.app, "brent", "practitioner", subject="10001")
    assert f"/people/{one}/absence" not in text_of(own.get(f"/people/{one}"))
    assert own.get(f"/people/{one}/absence").status_code == 403
    assert browser_of(house.app, "ealing", "hr").get(f"/people/{one}/absence").status_code == 404


def test_an_erased_person_who_is_back_may_be_nominated_again(brent, house, enrolment_settings):
    """Not before the erasure is done and answered; then by a page, with nothing of the past."""
    house.open_course()
    one = id_of(house)
    asked = house.good("POST", f"practitioners/{one}/erase", json={"basis": "person_asked"})["id"]
    address = f"/people/erasures/{asked}"
    assert "works here again" not in text_of(brent.get(address))
    early = send_form(brent, f"{address}/is-back", {})
    assert "This erasure is asked" in text_of(early, 422)
    house.good("POST", f"erasures/{asked}/approve", subject="second-desk", json={})
    while bootstrap.rights_worker(enrolment_settings, house.unit).work_once():
        pass
    assert house.ask("POST", "enrolments", json=a_record()).status_code == 422
    answer = {"practitioner_id": one, "employer": "brent", "outcome": "nothing_held", "reason_code": None}
    house.acknowledge("reporting", "nwl-board", answer)
    assert f"{address}/is-back" in text_of(brent.get(address))
    back = send_form(brent, f"{address}/is-back", {})
    assert "The person is back." in text_of(brent.get(back.headers["Location"]))
    assert house.ask("POST", "enrolments", json=a_record()).status_code == 201
