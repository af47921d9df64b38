"""An HR feed over HTTP: messages that repeat and back-date, line managers that change, numbers that stay."""

from __future__ import annotations

from typing import Any

from tests.enrolment.conftest import a_record

START = "2020-01-06"


def message(ref: str = "10001", **said: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a good message of a feed."""
    return {
        "employee_ref": ref,
        "team": "North",
        "employment_start": START,
        "effective_on": START,
        "said_at": "2026-01-05T09:00:00Z",
        "source_ref": "m-1",
    } | said


def told(house, *messages: dict[str, Any]) -> list[str]:
    """Return what became of some messages."""
    answers = house.good("POST", "practitioner-messages", json={"messages": list(messages)})["answers"]
    assert [one["message"] for one in answers] == list(range(len(messages)))
    return [one["decision"] for one in answers]


def managers(house, ref: str = "10001") -> list[tuple[str, str]]:
    """Return who manages somebody, from which day."""
    shown = house.good("GET", f"practitioners/{ref}")["line_managers"]
    return [(one["line_manager_ref"], one["from_on"]) for one in shown]


def test_feed_messages_are_answered_one_by_one(house):
    """News, a repeat, a word about an earlier day, a bad one: the good ones are kept, each knows what it was."""
    later = message(team="South", effective_on="2023-05-01", source_ref="m-2")
    early = message(team="East", effective_on="2022-05-01", source_ref="m-0", said_at="2026-01-06T09:00:00Z")
    bad = message("10002", uln="1234567890")
    unknown = message("10003", favourite_colour="green")
    answers = house.good(
        "POST", "practitioner-messages", json={"messages": [message(), later, later, early, bad, unknown]}
    )
    decisions = [one["decision"] for one in answers["answers"]]
    assert decisions == ["taken", "taken", "repeated", "older", "refused", "refused"]
    assert answers["answers"][4]["errors"][0] | {"detail": ""} == {
        "code": "enrolment-rule",
        "detail": "",
        "pointer": "/messages/4",
    }
    assert answers["answers"][5]["errors"][0]["code"] == "unknown-field"
    history = house.good("GET", "practitioners/10001/history")
    assert [(one["effective_on"], one["team"]) for one in history["statements"]] == [
        (START, "North"),
        ("2022-05-01", "East"),
        ("2023-05-01", "South"),
    ]
    assert house.ask("GET", "practitioners/10002").status_code == 404
    before = len(house.events("brent")), house.ask("GET", "practitioners/10001").headers["ETag"]
    assert told(house, early, later, message()) == ["repeated"] * 3
    assert (len(house.events("brent")), house.ask("GET", "practitioners/10001").headers["ETag"]) == before


def test_too_many_messages_are_refused_at_once(house):
    """A request is one small transaction."""
    refused = house.ask("POST", "practitioner-messages", json={"messages": [message()] * 101})
    assert refused.status_code == 422
    assert house.ask("POST", "practitioner-messages", json={"messages": []}).status_code == 422


def test_a_message_needs_no_if_match_and_an_edit_does(house):
    """PUT of a known person: the reference and the day say what it is about; a given If-Match still counts."""
    body = {name: value for name, value in message().items() if name != "employee_ref"}
    assert house.ask("PUT", "practitioners/10001", json=body).status_code == 201
    again = house.ask("PUT", "practitioners/10001", json=body)
    assert (again.status_code, again.json["team"]) == (200, "North")
    older = house.ask("PUT", "practitioners/10001", json={**body, "effective_on": "2019-01-06", "source_ref": "m-0"})
    assert older.status_code == 200
    assert older.headers["ETag"] != again.headers["ETag"]
    stale = {"If-Match": again.headers["ETag"]}
    assert house.ask("PUT", "practitioners/10001", json=body, headers=stale).status_code == 412
    for name in ("source_ref", "effective_on"):
        edit = {key: value for key, value in body.items() if key != name}
        assert house.ask("PUT", "practitioners/10001", json=edit).status_code == 428


def test_line_manager_of_a_description_counts_from_its_day(house):
    """The first from the start of employment, the next from the day told; others hear of both."""
    house.tell_of("10001", team="N", employment_start=START, line_manager_ref="A")
    house.tell_of("10001", team="S", employment_start=START, effective_on="2022-01-01", line_manager_ref="B")
    assert managers(house) == [("A", START), ("B", "2022-01-01")]
    told_of = [each["data"]["from_on"] for each in house.events("brent") if "line-manager-assigned" in each["type"]]
    assert told_of == [START, "2022-01-01"]
    house.tell_of("10001", team="S", employment_start=START, line_manager_ref="B")
    assert managers(house) == [("A", START), ("B", "2022-01-01")]
    refused = house.tell_of("10001", team="S", employment_start=START, line_manager_ref="10001")
    assert refused.status_code == 422


def test_line_managers_of_messages_stand_in_any_order(house):
    """The latest word first: whoever manages on a day is the same."""
    said = [
        message(line_manager_ref=who, effective_on=day, source_ref=f"m-{day}")
        for who, day in (("A", "2024-01-01"), ("B", "2022-01-01"), ("A", START))
    ]
    assert told(house, *said) == ["taken", "older", "older"]
    assert managers(house) == [("A", START), ("B", "2022-01-01"), ("A", "2024-01-01")]


def test_a_nomination_that_names_a_former_manager_again_is_news(house):
    """A, then B, then A: the last approval says who manages now."""
    for intake in ("2025-09", "2026-09", "2027-09"):
        house.open_course(intake=intake)
    for who, day, intake in (
        ("A", "2020-07-01", "2025-09"),
        ("B", "2021-07-01", "2026-09"),
        ("A", "2022-07-01", "2027-09"),
    ):
        record = a_record(line_manager_ref=who, manager_approved_on=day, intake=intake)
        house.good("POST", "enrolments", json=record)
    assert managers(house) == [("A", "2018-01-03"), ("B", "2021-07-01"), ("A", "2022-07-01")]


def test_hcpc_numbers_stay_when_others_are_told(house):
    """A second PUT adds; one that was never theirs is taken back, and the history still has it."""
    house.tell_of("10001", team="N", hcpc_numbers=[{"number": "SW012345", "until_on": "2019-12-01"}])
    both = house.tell_of("10001", team="N", hcpc_numbers=[{"number": "SW099999"}]).json["hcpc_numbers"]
    assert {one["number"] for one in both} == {"SW012345", "SW099999"}
    assert house.tell_of("10001", team="N", hcpc_numbers=[]).json["hcpc_numbers"] == both
    wrong = [{"number": "SW099999", "stands": False}]
    left = house.tell_of("10001", team="N", hcpc_numbers=wrong).json["hcpc_numbers"]
    assert left == [{"number": "SW012345", "from_on": None, "until_on": "2019-12-01"}]
    history = house.good("GET", "practitioners/10001/history")["hcpc_numbers"]
    assert [(one["number"], one["stands"]) for one in history] == [
        ("SW012345", True),
        ("SW099999", True),
        ("SW099999", False),
    ]
