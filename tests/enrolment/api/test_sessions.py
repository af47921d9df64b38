"""Session plans and attendance over HTTP: E17 to E20, at the cohort's owner and at the employer."""

from __future__ import annotations

import pytest

from tests.enrolment.conftest import COHORT, a_record


@pytest.fixture
def seated(house) -> str:
    """One person of Ealing with a seat, and another who waits."""
    house.open_course(capacity=1)
    first = house.good("POST", "enrolments", org="ealing", json=a_record())["enrolment_id"]
    second = a_record(employee_ref="10002", swe_number="SW53381", email="b@ealing.example")
    house.good("POST", "enrolments", org="ealing", json=second)
    house.settle()
    return first


def _plan(house, session: str = "day-1", **changes):
    body = {"kind": "direct_teaching", "minutes": 360, "held_on": "2025-09-15", "title": "Law and practice"} | changes
    return house.good("PUT", f"{COHORT}/sessions/{session}", "programme_lead", json=body)


def _record(house, enrolment_id: str, session: str = "day-1", **body):
    path = f"{COHORT}/sessions/{session}/attendance/{enrolment_id}"
    headers = body.pop("headers", {})
    return house.ask("PUT", path, "programme_lead", json={"attendance": "attended"} | body, headers=headers)


def test_e17_e18_e19_e20_a_plan_of_every_type_is_kept_and_listed(house):
    """Nine types: the five of the framework, the extra day, coaching alone and in a group, career counselling."""
    house.open_course()
    kinds = (
        "applied_learning",
        "career_counselling",
        "direct_teaching",
        "extra_day",
        "group_coaching",
        "group_learning",
        "individual_coaching",
        "one_to_one",
        "self_directed",
    )
    for kind in kinds:
        assert _plan(house, kind.replace("_", "-"), kind=kind)["kind"] == kind
    listed = house.pages(f"{COHORT}/sessions", role="programme_lead", org="brent")
    assert tuple(session["kind"] for session in listed) == kinds
    assert _plan(house, "extra-day", kind="extra_day") == house.good(
        "GET", f"{COHORT}/sessions/extra-day", "programme_lead"
    )


def _attended(house, seated: str, session: str, **plan) -> list[tuple[str, str, int]]:
    """Plan a session, record that the person was there, and return what the person and the employer both read."""
    _plan(house, session, **plan)
    assert _record(house, seated, session).status_code == 201
    house.settle()
    path = f"enrolments/{seated}/attendance"
    themselves = house.good("GET", path, "practitioner", "ealing", subject="10001")
    assert house.good("GET", path, org="ealing") == themselves
    assert themselves["summary"]["attended"] == len(themselves["items"])
    return [(one["session"], one["kind"], one["minutes"]) for one in themselves["items"]]


def test_e18_an_extra_day_is_attended_and_seen(house, seated):
    """One specialised day beside the programme's own, counted apart by its type."""
    _attended(house, seated, "day-1")
    found = _attended(house, seated, "extra", kind="extra_day", minutes=390, held_on="2025-10-01", title="Court skills")
    assert found == [("day-1", "direct_teaching", 360), ("extra", "extra_day", 390)]


def test_e19_coaching_alone_and_in_a_group_is_attended_and_seen(house, seated):
    """The one by arrangement, the other on a day; both stand with the person's enrolment under their own types."""
    _attended(house, seated, "alone", kind="individual_coaching", minutes=60, held_on=None, title=None)
    found = _attended(house, seated, "group", kind="group_coaching", minutes=90, held_on="2025-10-02", title=None)
    assert found == [("alone", "individual_coaching", 60), ("group", "group_coaching", 90)]


def test_e20_career_counselling_is_attended_and_seen(house, seated):
    """Personal, so by arrangement; the employer reads that it took place, never what was said."""
    found = _attended(house, seated, "career", kind="career_counselling", minutes=45, held_on=None, title=None)
    assert found == [("career", "career_counselling", 45)]


def test_e17_attendance_reaches_the_employer_and_the_person_by_codes_and_minutes(house, seated):
    """The owner records, the employer reads the sums; titles and names stay where they are."""
    _plan(house)
    _plan(house, "coaching-1", kind="individual_coaching", minutes=60, held_on=None)
    assert _record(house, seated).status_code == 201
    assert _record(house, seated, "coaching-1", attendance="excused").get_json()["minutes"] == 0
    house.settle()
    own = house.good("GET", f"{COHORT}/attendance/{seated}", "programme_lead")
    heard = house.good("GET", f"enrolments/{seated}/attendance", org="ealing")
    assert heard == own
    assert heard["summary"] == {"attended": 1, "absent": 0, "excused": 1, "minutes": 360}
    themselves = {"role": "practitioner", "org": "ealing"}
    assert house.good("GET", f"enrolments/{seated}/attendance", subject="10001", **themselves) == heard
    other = house.ask("GET", f"enrolments/{seated}/attendance", subject="10002", **themselves)
    assert other.status_code == 404
    told = [event for event in house.events("brent") if event["type"] == "enrolment.attendance-recorded.v1"]
    assert "Law and practice" not in str(told)
    assert [event["data"]["kind"] for event in told] == ["direct_teaching", "individual_coaching"]


def test_e17_attendance_is_put_right_under_its_version_and_told_once(house, seated):
    """The same again changes nothing; a correction needs what was read; the employer has the latest."""
    _plan(house)
    first = _record(house, seated)
    assert _record(house, seated).status_code == 200
    assert _record(house, seated, attendance="absent").status_code == 428
    mended = _record(house, seated, minutes=180, headers={"If-Match": first.headers["ETag"]})
    assert mended.get_json()["minutes"] == 180
    house.settle()
    house.settle(again=True)
    heard = house.good("GET", f"enrolments/{seated}/attendance", org="ealing")
    assert (heard["summary"]["minutes"], len(heard["items"])) == (180, 1)
    told = [event for event in house.events("brent") if event["type"] == "enrolment.attendance-recorded.v1"]
    assert len(told) == 2
    listed = house.pages(f"{COHORT}/sessions/day-1/attendance", role="programme_lead", org="brent")
    assert [each["enrolment_id"] for each in listed] == [seated]


def test_e17_only_seats_of_this_cohort_attend_and_the_type_then_stands(house, seated):
    """Who waits is refused, a session that is not planned is absent, and so is a future day."""
    _plan(house)
    waiting = house.good("GET", COHORT, "programme_lead")["waiting"][0]["enrolment_id"]
    assert _record(house, waiting).status_code == 422
    assert _record(house, seated, "nowhere").status_code == 404
    assert _record(house, seated, attendance="absent", minutes=5).status_code == 422
    _plan(house, "far", held_on="2099-01-01")
    assert _record(house, seated, "far").status_code == 422
    assert _record(house, seated).status_code == 201
    path = f"{COHORT}/sessions/day-1"
    etag = house.ask("GET", path, "programme_lead").headers["ETag"]
    body = {"kind": "extra_day", "minutes": 360}
    assert house.ask("PUT", path, "programme_lead", json=body, headers={"If-Match": etag}).status_code == 422
    assert house.ask("PUT", f"{COHORT}/sessions/day 1", "programme_lead", json=body).status_code == 422
