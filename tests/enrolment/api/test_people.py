"""People over HTTP: dated history, employments, absences, numbers, time to learn."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shared.clock import SystemClock, london_date
from tests.enrolment.conftest import a_record

TODAY = london_date(SystemClock().now())


def put(house, ref="10001", **body):
    """Return a person once their details were told."""
    answer = house.tell_of(ref, **body)
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer.json


def as_of(house, day, ref="10001", **more):
    """Return a person as of a day."""
    return house.good("GET", f"practitioners/{ref}", query_string={"as_of": str(day), **more})


def test_dated_changes_are_read_as_of_a_day_and_as_known_then(house):
    """A back-dated change lands in its place; what was known before it was told still can be asked."""
    put(house, team="North", fte=1, pcf_level="SW", employment_start="2020-01-06")
    put(house, team="South", fte=1, pcf_level="ESW", effective_on="2023-05-01")
    known_at = house.good("GET", "practitioners/10001/history")["statements"][-1]["recorded_at"]
    put(house, team="North", fte=0.5, pcf_level="SW", effective_on="2022-02-01")
    shown = [as_of(house, day) for day in ("2021-01-01", "2022-06-01", "2023-06-01")]
    assert [(one["team"], one["fte"], one["pcf_level"]) for one in shown] == [
        ("North", "1", "SW"),
        ("North", "0.5", "SW"),
        ("South", "1", "ESW"),
    ]
    assert as_of(house, "2022-06-01", known_at=known_at)["fte"] == "1"
    assert house.good("GET", "practitioners/10001")["team"] == "South"
    history = house.good("GET", "practitioners/10001/history")
    assert [one["effective_on"] for one in history["statements"]] == ["2020-01-06", "2022-02-01", "2023-05-01"]
    assert house.ask("GET", "practitioners/10001", query_string={"as_of": "2019-01-01"}).status_code == 404


def test_same_message_again_changes_nothing(house):
    """Neither version nor history nor feed moves, also when a correction came in between."""
    said = {"team": "North", "employment_start": "2020-01-06", "effective_on": "2020-01-06", "source_ref": "m-1"}
    put(house, **said)
    put(house, **{**said, "team": "South", "source_ref": "m-2"})
    before = house.ask("GET", "practitioners/10001"), len(house.events("brent"))
    again = house.tell_of("10001", **said)
    assert (again.status_code, again.json["team"]) == (200, "South")
    assert (again.headers["ETag"], len(house.events("brent"))) == (before[0].headers["ETag"], before[1])


def test_nomination_files_and_details_are_one_history(house):
    """A row that says otherwise is a change from the day on which it came; the first holds from the employment."""
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    house.good("POST", "enrolments", json=a_record(course="SAR", team="South", intake="2025-09", employee_ref="10002"))
    put(house, team="West", employment_start="2018-01-03")
    found = house.good("GET", "practitioners/10001/history")["statements"]
    assert [(one["effective_on"], one["team"]) for one in found] == [("2018-01-03", "North"), (str(TODAY), "West")]


def test_employments_absences_and_the_supervision_clock(house):
    """A person leaves and comes back; the clock starts with the employment and stops when they are away."""
    started = TODAY - timedelta(days=50)
    put(house, pcf_level="ASYE", employment_start="2015-01-05", effective_on="2015-01-05")
    ended = {"ended_on": "2016-01-31", "reason": "resigned"}
    house.good("PUT", "practitioners/10001/employments/2015-01-05", json=ended)
    assert house.ask("GET", "practitioners/10001/supervision-clock").status_code == 422
    shown = house.good("PUT", f"practitioners/10001/employments/{started}", json={"ended_on": None})
    assert [(one["started_on"], one["reason"]) for one in shown["employments"]] == [
        ("2015-01-05", "resigned"),
        (str(started), None),
    ]
    found = house.good("GET", "practitioners/10001/supervision-clock")
    assert (found["frequency"], found["counted_days"]) == ("fortnightly", 50)
    away = f"practitioners/10001/absences/{started + timedelta(days=10)}"
    house.good("PUT", away, json={"until_on": str(started + timedelta(days=19))})
    found = house.good("GET", "practitioners/10001/supervision-clock")
    assert (found["frequency"], found["counted_days"]) == ("weekly", 40)
    on = {"on": str(started + timedelta(days=12))}
    assert house.good("GET", "practitioners/10001/supervision-clock", query_string=on)["frequency"] == "paused"
    told = [event["data"] for event in house.events("brent") if event["type"] == "enrolment.employment-dated.v1"]
    assert told[-1]["started_on"] == str(started)
    assert told[-1]["absences"][0]["from_on"] == str(started + timedelta(days=10))
    assert "reason" not in str(told)
    house.good("DELETE", away)
    assert house.good("GET", "practitioners/10001/supervision-clock")["counted_days"] == 50
    history = house.good("GET", "practitioners/10001/history")
    assert [one["stands"] for one in history["absences"]] == [True, False]
    overlapping = f"practitioners/10001/employments/{TODAY - timedelta(days=1)}"
    assert house.ask("PUT", overlapping, json={"ended_on": None}).status_code == 422
    assert house.ask("PUT", "practitioners/10001/employments/2015-02-30", json=ended).status_code == 422
    assert house.ask("DELETE", "practitioners/10001/absences/2001-01-01").status_code == 404


def test_absences_of_the_experienced_stay_with_the_employer(house):
    """Only a newly qualified person's days are counted elsewhere: nobody else's absence is told."""
    put(house, pcf_level="SW", employment_start="2015-01-05")
    house.good("PUT", "practitioners/10001/absences/2020-01-06", json={"until_on": "2020-03-01"})
    assert all(not event["data"].get("absences") for event in house.events("brent"))


def test_numbers_are_checked_kept_and_never_told(house):
    """HCPC history, ULN, HUSID and SID stay with the employer; what is not said stays as it was."""
    numbers = {
        "hcpc_numbers": [{"number": "sw 012345", "from_on": "2016-01-01", "until_on": "2019-12-01"}],
        "uln": "9276308686",
        "husid": "1811560098335",
        "sid": "1811560098335",
    }
    put(house, swe_number="sw00136973", team="North", **numbers)
    shown = put(house, swe_number="sw00136973", team="South")
    assert (shown["swe_number"], shown["uln"], shown["hcpc_numbers"][0]["number"]) == (
        "SW136973",
        "9276308686",
        "SW012345",
    )
    for wrong in ({"uln": "9999999999"}, {"husid": "1811560098336"}, {"sid": "12345678901234567"}):
        assert house.tell_of("10001", **wrong).status_code == 422
    said = str(house.events("brent"))
    assert not [number for number in ("9276308686", "1811560098335", "136973", "012345") if number in said]


def test_e24_access_is_monitored_by_level_team_and_hours(house):
    """Everybody counts once, whatever they were nominated for; hr and auditors of the employer see it, nobody else."""
    house.open_course(capacity=1)
    for number, team in ((10001, "North"), (10002, "North"), (10003, "South")):
        house.good(
            "POST", "enrolments", json=a_record(employee_ref=str(number), team=team, email=f"{number}@b.example")
        )
    put(house, "10004", team="South", pcf_level="ASYE", fte=0.5, employment_start="2020-01-06")
    put(house, "10005", team="South", employment_start="2020-01-06")
    gone = {"ended_on": "2021-01-01", "reason": "retired"}
    house.good("PUT", "practitioners/10005/employments/2020-01-06", json=gone)
    house.settle()
    found = house.good("GET", "access-summary", "auditor")
    rows = {
        (one["by"], one["group"]): (one["headcount"], one["nominated"], one["confirmed"]) for one in found["groups"]
    }
    assert rows["all", "all"] == (4, 3, 1)
    assert rows["team", "South"] == (2, 1, 0)
    assert rows["fte", "below_0.6"] == (1, 0, 0)
    assert rows["pcf_level", "ASYE"] == (1, 0, 0)
    assert house.good("GET", "access-summary", query_string={"from_on": "2099-01-01"})["groups"][0]["nominated"] == 0
    assert house.ask("GET", "access-summary", "board").status_code == 403
    assert house.ask("GET", "access-summary", org="ealing", at="brent").status_code == 404


def test_e25_asye_support_package(house):
    """Protected time, workload, development plan and supervision of a newly qualified person, pro rata."""
    started = TODAY - timedelta(days=10)
    put(house, pcf_level="ASYE", employment_start=str(started), fte=0.8)
    found = house.good("GET", "practitioners/10001/asye-support")
    assert (found["protected_time_percent"], found["workload_percent"]) == (10, 90)
    assert (found["protected_days_a_week"], found["supervision"]["frequency"]) == ("0.4", "weekly")
    assert [one["after_months"] for one in found["pdp"]] == [0, 3, 6, 12]
    assert (found["pdp"][0]["due_on"], found["is_met"]) == (str(started), False)
    agreed = {"protected_time_percent": 10, "workload_percent": 90, "pdp_held_on": [str(started)]}
    found = house.good("PUT", "practitioners/10001/asye-support", json=agreed)
    assert (found["is_met"], found["pdp"][0]["held_on"]) == (True, str(started))
    assert not house.good("PUT", "practitioners/10001/asye-support", json={**agreed, "workload_percent": 95})["is_met"]
    away = f"practitioners/10001/absences/{TODAY - timedelta(days=5)}"
    house.good("PUT", away, json={"until_on": str(TODAY - timedelta(days=1))})
    later = house.good("GET", "practitioners/10001/asye-support")
    assert date.fromisoformat(later["ends_on"]) - date.fromisoformat(found["ends_on"]) == timedelta(days=5)
    own = house.ask("GET", "practitioners/10001/asye-support", "practitioner", subject="10001")
    other = house.ask("GET", "practitioners/10001/asye-support", "practitioner", subject="10002")
    assert (own.status_code, other.status_code) == (200, 404)
    put(house, "10002", pcf_level="SW", employment_start=str(started))
    assert house.ask("GET", "practitioners/10002/asye-support").status_code == 422


def test_e26_formal_and_informal_cpd_entitlement(house):
    """Days a year as the employer sets them, pro rata, used by items; places of the year stand beside them."""
    put(house, fte=0.5, employment_start="2020-01-06")
    assert house.ask("GET", "cpd-entitlement").status_code == 404
    house.good("PUT", "cpd-entitlement", json={"formal_days": 5, "informal_days": "3", "is_pro_rata": True})
    items = (
        {"kind": "formal", "activity": "course", "held_on": "2026-02-03", "days": 1, "course": "SAR"},
        {"kind": "informal", "activity": "peer_reflection", "held_on": "2025-12-01", "days": 0.5},
        {"kind": "informal", "activity": "reading", "held_on": "2025-11-30", "days": 2},
    )
    for item in items:
        house.good("POST", "practitioners/10001/cpd-items", json=item)
    found = house.good("GET", "practitioners/10001/cpd", query_string={"on": "2026-06-01"})
    assert (found["from_on"], found["until_on"]) == ("2025-12-01", "2026-11-30")
    assert [(one["entitled_days"], one["used_days"], one["left_days"]) for one in found["balances"]] == [
        ("2.5", "1", "1.5"),
        ("1.5", "0.5", "1"),
    ]
    assert len(found["items"]) == 2
    mine = house.ask("POST", "practitioners/10001/cpd-items", "practitioner", subject="10001", json=items[0])
    theirs = house.ask("POST", "practitioners/10001/cpd-items", "practitioner", subject="10002", json=items[0])
    assert (mine.status_code, theirs.status_code) == (201, 404)


@pytest.mark.parametrize("day", ["2026-02-30", "tomorrow", "1899-12-31"])
def test_h9_day_in_the_address_is_a_real_one(house, day):
    """What is no day is refused at every address that names one."""
    put(house, employment_start="2020-01-06")
    for path in (f"employments/{day}", f"absences/{day}"):
        assert house.ask("PUT", f"practitioners/10001/{path}", json={"until_on": None}).status_code == 422
    assert house.ask("GET", "practitioners/10001", query_string={"as_of": day}).status_code == 400
