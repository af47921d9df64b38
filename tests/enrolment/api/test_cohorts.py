"""Cohorts over HTTP: quotas, reserved places, invitations, days, and why each place is where it is."""

from __future__ import annotations

import json

import pytest

from services.enrolment.application import cohort_queries
from tests.enrolment.conftest import COHORT, a_record


def _set(house, *, if_match: str | None = None, status: int = 200, **body):
    etag = if_match or house.ask("GET", COHORT, "programme_lead").headers["ETag"]
    answer = house.ask("PUT", COHORT, "programme_lead", json=body, headers={"If-Match": etag})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def _nominate(house, org: str, reference: str):
    body = a_record(employee_ref=reference, swe_number=f"SW{reference}", email=f"p{reference}@{org}.example")
    return house.good("POST", "enrolments", org=org, json=body)["enrolment_id"]


def test_e8_e12_the_owner_and_the_employer_read_why_each_place_is_where_it_is(house):
    """Owner's page and employer's enrolment say the same numbers."""
    house.open_course(capacity=3)
    _set(house, capacity=3, quotas=[{"employer": "ealing", "at_most": 1}])
    people = [
        _nominate(house, "ealing", "20001"),
        _nominate(house, "ealing", "20002"),
        _nominate(house, "harrow", "30001"),
    ]
    house.settle()
    cohort = house.good("GET", COHORT, "programme_lead")
    names = {slug: one.name for slug, one in house.partnership.organisations.items()}
    assert [place["explanation"] for place in cohort["seats"]] == [
        f"1st of 3; quota of {names['ealing']} 1 of 1",
        "2nd of 3",
    ]
    assert [(place["enrolment_id"], place["explanation"]) for place in cohort["waiting"]] == [
        (people[1], f"1st in the queue; {names['ealing']} has 1 of its 1 places")
    ]
    assert cohort["shares"] == [
        {"employer": "ealing", "taken": 1, "waiting": 1},
        {"employer": "harrow", "taken": 1, "waiting": 0},
    ]
    first = house.good("GET", f"{COHORT}/places", "programme_lead", query_string={"limit": "1"})
    rest = house.good("GET", f"{COHORT}/places", "programme_lead", query_string={"after": first["next"]})
    assert [*first["items"], *rest["items"]] == cohort["seats"]
    listed = house.good("GET", f"{COHORT}/places", "programme_lead", query_string={"state": "waiting"})
    assert listed["items"] == cohort["waiting"]
    why = [house.good("GET", f"enrolments/{one}", org="ealing")["explanation"] for one in people[:2]]
    assert why == [
        f"1st of 3 as of the decision; quota of {names['ealing']} 1 of 1",
        cohort["waiting"][0]["explanation"].replace(" in the queue;", " in the queue as of the decision;"),
    ]
    assert " as of the decision; " in why[1]
    assert [each["explanation"] for each in house.pages("enrolments", "ealing")] == why
    queues = house.good("GET", "waiting-lists", "programme_lead")["items"]
    assert (queues[0]["waiting"], queues[0]["queued"]) == (cohort["waiting"], 1)


def test_e8_all_queues_at_once_show_the_first_of_each_and_how_many_wait(house, monkeypatch):
    """One who waits is shown where one is the most; the number says that there are two, and the places have both."""
    house.open_course(capacity=1)
    people = [_nominate(house, "ealing", f"2000{at}") for at in range(3)]
    house.settle()
    monkeypatch.setattr(cohort_queries, "MOST_OF_EACH_QUEUE", 1)
    [queue] = house.good("GET", "waiting-lists", "programme_lead")["items"]
    assert (queue["queued"], [place["enrolment_id"] for place in queue["waiting"]]) == (2, people[1:2])
    asked = {"state": "waiting"}
    waiting = house.good("GET", f"{COHORT}/places", "programme_lead", query_string=asked)["items"]
    assert [place["enrolment_id"] for place in waiting] == people[1:]


def test_e12_a_cohort_for_partners_only_declines_others(house):
    """The reason reaches the employer beside the answer, as a code."""
    house.open_course(capacity=3)
    _set(house, capacity=3, invited=["harrow"])
    refused, taken = _nominate(house, "ealing", "20001"), _nominate(house, "harrow", "30001")
    house.settle()
    declined = house.good("GET", f"enrolments/{refused}", org="ealing")
    assert (declined["status"], declined["reason"]) == ("declined", None)
    assert declined["explanation"] == "no place: this intake is for invited employers only"
    assert house.good("GET", f"enrolments/{taken}", org="harrow")["status"] == "confirmed"
    told = [event["data"] for event in house.events("brent") if event["type"] == "enrolment.place-explained.v1"]
    assert {each["enrolment_id"]: each["reason"] for each in told} == {refused: "not_invited", taken: None}


def test_e8_terms_are_put_as_a_whole_under_the_version_that_was_read(house):
    """The same again changes nothing and tells nobody; another state needs If-Match; a stale one is refused."""
    house.open_course(capacity=3)
    body = {
        "capacity": 3,
        "quotas": [{"employer": "harrow", "reserved": 1}, {"employer": "ealing", "at_most": 2}],
        "invited": ["harrow", "ealing"],
        "starts_on": "2025-09-15",
        "ends_on": "2026-07-17",
    }
    assert house.ask("PUT", COHORT, "programme_lead", json=body).status_code == 428
    stale = house.ask("GET", COHORT, "programme_lead").headers["ETag"]
    kept = _set(house, **body)
    assert [quota["employer"] for quota in kept["quotas"]] == ["ealing", "harrow"]
    assert (kept["starts_on"], kept["ends_on"], kept["invited"]) == ("2025-09-15", "2026-07-17", ["ealing", "harrow"])
    told = len(house.events("brent"))
    again = house.ask("PUT", COHORT, "programme_lead", json=body)
    assert (again.status_code, again.get_json()) == (200, kept)
    assert len(house.events("brent")) == told
    _set(house, if_match=stale, status=412, capacity=4)
    assert _set(house, capacity=3)["quotas"] == []


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"capacity": 1}, "2 seats are taken"),
        ({"capacity": 2, "quotas": [{"employer": "harrow", "reserved": 1}]}, "2 seats are taken and 1 more"),
        ({"capacity": 3, "quotas": [{"employer": "ealing", "at_most": 1}]}, "ealing has 2 seats"),
        ({"capacity": 3, "quotas": [{"employer": "goldsmiths", "at_most": 1}]}, "no such employer"),
        ({"capacity": 3, "invited": ["nowhere"]}, "no such employer"),
        ({"capacity": 3, "starts_on": "2025-09-15", "ends_on": "2025-09-14"}, "ends after"),
    ],
)
def test_e8_what_would_take_a_seat_away_is_refused_with_the_number(house, body, part):
    """422 with a sentence that says how far the owner can go; nothing changed."""
    house.open_course(capacity=3)
    for reference in ("20001", "20002"):
        _nominate(house, "ealing", reference)
    house.settle()
    before = house.good("GET", COHORT, "programme_lead")
    assert part in _set(house, status=422, **body)["detail"]
    assert house.good("GET", COHORT, "programme_lead") == before


def test_e8_more_seats_or_another_quota_promote_in_order_at_once(house):
    """The queue moves with the change that lets it."""
    house.open_course(capacity=1)
    people = [_nominate(house, "ealing", f"2000{at}") for at in range(1, 4)]
    house.settle()
    _set(house, capacity=3, quotas=[{"employer": "ealing", "at_most": 2}])
    house.settle()
    statuses = [house.good("GET", f"enrolments/{one}", org="ealing")["status"] for one in people]
    assert statuses == ["confirmed", "confirmed", "waiting"]
    _set(house, capacity=3)
    house.settle()
    assert house.good("GET", f"enrolments/{people[2]}", org="ealing")["status"] == "confirmed"
    before = len(house.events("brent"))
    house.settle(again=True)
    assert len(house.events("brent")) == before


def test_e8_an_enrolment_that_ended_is_not_explained_by_the_seat_it_had(house):
    """What was said of a seat is history when the person has left it."""
    house.open_course(capacity=1)
    one = _nominate(house, "ealing", "20001")
    house.settle()
    assert house.good("GET", f"enrolments/{one}", org="ealing")["explanation"] == "1st of 1 as of the decision"
    body = {"reason": "workload", "withdrawn_on": "2025-10-01"}
    assert house.good("POST", f"enrolments/{one}/withdraw", org="ealing", json=body)["explanation"] is None


def test_e12_partners_read_in_the_catalogue_what_was_promised_to_whom(house):
    """Days, invitations and quotas are known before anybody asks."""
    house.open_course(capacity=3)
    quotas = [{"employer": "harrow", "at_most": 2, "reserved": 1}]
    _set(house, capacity=3, quotas=quotas, invited=["harrow"], starts_on="2025-09-15")
    house.settle()
    for org in ("harrow", "brent"):
        cohort = house.good("GET", "/v1/catalogue", org=org)["items"][0]["cohorts"][0]
        assert (cohort["quotas"], cohort["invited"], cohort["starts_on"], cohort["ends_on"]) == (
            quotas,
            ["harrow"],
            "2025-09-15",
            None,
        )


def test_e12_who_is_not_invited_is_refused_at_every_door(house):
    """Once the terms are known: before anybody waits for an answer; what was taken stays taken."""
    house.open_course(capacity=3)
    early = _nominate(house, "ealing", "20001")
    _set(house, capacity=3, invited=["harrow"])
    house.settle()
    record = a_record(employee_ref="20001", swe_number="SW20001", email="p20001@ealing.example")
    assert house.good("POST", "enrolments", org="ealing", json=record)["enrolment_id"] == early
    late = a_record(employee_ref="20002")
    refused = house.ask("POST", "enrolments", org="ealing", json=late)
    assert [(one["code"], one["pointer"]) for one in refused.json["errors"]] == [("not_open_to_employer", "/intake")]
    columns = {name: name for name in late}
    house.good("PUT", "column-mapping", org="ealing", json={"format": "csv", "columns": columns})
    line = ",".join("" if value is None else str(value) for value in late.values())
    job = house.upload(f"{','.join(columns)}\n{line}".encode(), "late.csv", "ealing")
    assert job["counts"] == {"accepted": 0, "duplicate": 0, "refused": 1}
    house.intake("ealing", json.dumps({"record_ref": "told-late", "record": late}).encode())
    assert house.events("ealing", "out")[-1]["data"]["codes"] == ["not_open_to_employer"]
    _set(house, capacity=3)
    house.settle()
    house.good("POST", "enrolments", org="ealing", json=late)
