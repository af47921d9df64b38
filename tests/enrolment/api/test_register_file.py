"""A register file that an employer sends: read, held against its people, shown; a lapse deletes and blocks nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.enrolment import bootstrap
from services.enrolment.domain import registrations
from services.enrolment.domain.errors import UnreadableFile
from services.enrolment.domain.registrations import LAPSED, NOT_FOUND, REGISTERED, RegisterRow, found_on, read_register
from shared.clock import SystemClock
from tests.enrolment.conftest import a_record

HEAD = "Registration number,Name,Status,Registered until\n"


def send(house, text, status=202):
    """Return the check of a register file, once everybody was looked at."""
    answer = house.ask("POST", "register-checks", data=text.encode(), content_type="text/csv")
    assert answer.status_code == status, answer.get_data(as_text=True)
    return house.good("GET", f"register-checks/{answer.json['check_id']}") if status == 202 else answer.json


def shown(house, ref):
    """Return what a person's registration is shown as."""
    return house.good("GET", f"practitioners/{ref}")["registration"]


def test_register_file_shows_who_is_registered(house):
    """Registered, lapsed, not found, not checked; figures of the file; refused lines with what to do."""
    for ref, number in (("1", "SW53380"), ("2", "SW2"), ("3", "SW3"), ("4", None)):
        house.tell_of(ref, swe_number=number)
    assert shown(house, "1")["status"] == "not_checked"
    rows = "sw 0053380,A,Registered,30/11/2099\nSW2,B,Removed,2025-11-30\nSW9,C,gone fishing,\nXX,D,Registered,\n"
    check = send(house, HEAD + rows)
    assert check["is_done"]
    assert [check[name] for name in ("rows", "refused", "registered", "lapsed", "not_found", "without_number")] == [
        2,
        2,
        1,
        1,
        1,
        1,
    ]
    assert [(one["line"], one["code"]) for one in check["faults"]] == [
        (4, "invalid_value"),
        (5, "invalid_registration_number"),
    ]
    statuses = [shown(house, ref)["status"] for ref in "1234"]
    assert statuses == ["registered", "lapsed", "not_found", "not_checked"]
    assert shown(house, "1")["registered_until"] == "2099-11-30"
    lapsed = house.good("GET", "registrations", query_string={"status": "lapsed"})["items"]
    assert [one["registered_until"] for one in lapsed] == ["2025-11-30"]
    assert house.good("GET", "register-checks")["items"][0] == check


def test_lapse_shows_and_blocks_nothing(house):
    """A person whose registration lapsed is still there, still nominated; a later file shows them registered again."""
    house.open_course()
    house.good("POST", "enrolments", json=a_record(employee_ref="1", swe_number="SW1"))
    send(house, HEAD + "SW1,,Lapsed,2024-11-30\n")
    send(house, HEAD + "SW1,,Lapsed,2024-11-30\n")
    assert (
        house.good("POST", "enrolments", json=a_record(employee_ref="1", swe_number="SW1"))["decision"] == "duplicate"
    )
    send(house, HEAD + "SW1,,Registered,2099-11-30\n")
    assert shown(house, "1")["status"] == "registered"
    history = house.good("GET", "practitioners/1/history")["registrations"]
    assert [one["status"] for one in history] == ["lapsed", "registered"]


def test_same_register_request_again_has_one_effect(house):
    """The same key gets the same reply and no second check."""
    house.tell_of("1", swe_number="SW1")
    sent = {"data": (HEAD + "SW1,,Registered,\n").encode(), "content_type": "text/csv"}
    first, second = (
        house.ask("POST", "register-checks", headers={"Idempotency-Key": "register-1"}, **sent) for _ in range(2)
    )
    assert first.json == second.json
    assert len(house.good("GET", "register-checks")["items"]) == 1


def test_register_goes_through_more_people_than_one_transaction_holds(house, monkeypatch):
    """Everybody is looked at, whatever the size of a part."""
    monkeypatch.setattr("services.enrolment.application.register_checks.AT_ONCE", 2)
    for number in range(1, 6):
        house.good("PUT", f"practitioners/{number}", json={"swe_number": f"SW{number}"})
    check = send(house, HEAD + "".join(f"SW{number},,Registered,\n" for number in range(1, 6)))
    assert check["registered"] == 5


@pytest.mark.parametrize(
    "content",
    ["", "a,b\n1,2\n", "\ufeff", "number\nSW1\n", 'number,status\n"SW1,Registered\n', "number,status\n\0\n"],
)
def test_c1_what_is_no_register_is_refused_as_a_whole(content):
    """With what is wrong with it; nothing is half read."""
    with pytest.raises(UnreadableFile):
        read_register(content.encode())


def test_c1_register_that_is_no_text_or_too_long_is_refused(house):
    """Other encodings and more than 5,000 rows are answered, not taken in part."""
    with pytest.raises(UnreadableFile):
        read_register("number,status\nSW1,Registré\n".encode("latin-1"))
    rows = "".join(f"SW{number},Registered\n" for number in range(1, 5002))
    with pytest.raises(UnreadableFile, match="5,000"):
        read_register(f"number,status\n{rows}".encode())
    send(house, "number,state\nSW1,Registered\n", 422)
    assert house.good("GET", "register-checks")["items"] == []


def test_same_number_twice_in_a_register_must_agree():
    """A line that repeats another is one; one that contradicts another is refused."""
    found = read_register(b"number;status\nSW1;Registered\nSW01;registered\nSW1;Lapsed\n")
    assert (found.rows["SW1"].status, found.refused) == (REGISTERED, 1)
    assert found.faults[0].code == "conflicting_duplicate"


@pytest.mark.parametrize(
    ("until", "day", "status", "pending"),
    [
        (date(2026, 11, 30), date(2026, 8, 31), REGISTERED, False),
        (date(2026, 11, 30), date(2026, 9, 1), REGISTERED, True),
        (date(2026, 11, 30), date(2026, 12, 1), REGISTERED, True),
        (date(2026, 11, 30), date(2026, 12, 31), REGISTERED, True),
        (date(2026, 11, 30), date(2027, 1, 1), LAPSED, False),
        (date(2026, 6, 30), date(2026, 7, 1), LAPSED, False),
        (None, date(2026, 7, 1), REGISTERED, False),
    ],
)
def test_thirtieth_of_november_may_lag(until, day, status, pending):
    """The register is brought up to date from 1 December: that date alone is no lapse for some weeks."""
    found = found_on(RegisterRow("SW1", REGISTERED, until), day)
    assert found == (status, until)
    assert registrations.in_renewal(status, until, day) is pending
    assert found_on(None, day) == (NOT_FOUND, None)


class Later(SystemClock):
    """The machine's clock, and some seconds more."""

    def __init__(self, seconds: float) -> None:
        self._more = timedelta(seconds=seconds)

    def now(self):
        """Return a later instant."""
        return super().now() + self._more


def died_in_the_middle(house, monkeypatch):
    """Return a check whose request died after its first part: the file was taken, two of five were looked at."""
    monkeypatch.setattr("services.enrolment.application.register_checks.AT_ONCE", 2)
    for number in range(1, 6):
        house.good("PUT", f"practitioners/{number}", json={"swe_number": f"SW{number}"})

    def one_step(org, step):
        house.unit.run(org, step)

    monkeypatch.setattr("services.enrolment.api.register_routes.carry_on", one_step)
    check = send(house, HEAD + "".join(f"SW{number},,Registered,\n" for number in range(1, 6)))
    assert (check["is_done"], check["registered"]) == (False, 2)
    return check


def test_check_that_died_in_the_middle_is_finished_by_the_worker(house, enrolment_settings, monkeypatch):
    """Not while its request may be alive; then once, everybody counted once, and nothing of the file is kept."""
    check = died_in_the_middle(house, monkeypatch)
    worker = bootstrap.register_worker(enrolment_settings, house.unit)
    assert worker.work_once() == 0
    assert not house.good("GET", f"register-checks/{check['check_id']}")["is_done"]
    monkeypatch.setattr(house.unit, "clock", Later(seconds=21))
    assert worker.work_once() == 1
    done = house.good("GET", f"register-checks/{check['check_id']}")
    assert (done["is_done"], done["registered"], done["rows"]) == (True, 5, 5)
    assert worker.work_once() == 0
    assert house.unit.reading("brent").rows("contents").find({}) == []
    assert {shown(house, str(number))["status"] for number in range(1, 6)} == {"registered"}


def test_two_workers_at_one_check_count_everybody_once(house, enrolment_settings, monkeypatch):
    """A second step of the same part finds that it was taken."""
    check = died_in_the_middle(house, monkeypatch)
    monkeypatch.setattr(house.unit, "clock", Later(seconds=21))
    for _ in range(2):
        bootstrap.register_worker(enrolment_settings, house.unit).work_once()
    assert house.good("GET", f"register-checks/{check['check_id']}")["registered"] == 5


def test_register_check_of_a_request_that_lived_keeps_nothing_of_the_file(house, enrolment_settings):
    """The worker lets go of what was read as soon as the check is done; names were never kept."""
    house.tell_of("1", swe_number="SW1")
    send(house, HEAD + "SW1,Zebulonia Quuxworth,Registered,\n")
    kept = house.unit.reading("brent").rows("contents").find({})
    assert len(kept) == 1
    assert b"Zebulonia" not in bytes(kept[0]["content"])
    assert bootstrap.register_worker(enrolment_settings, house.unit).work_once() == 1
    assert house.unit.reading("brent").rows("contents").find({}) == []
