"""Merges and nominations of one person that come at the same moment: two threads, two open transactions, one truth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from services.enrolment.application import handlers
from services.enrolment.application.duplicates import merge
from services.enrolment.application.ports import Desk
from services.enrolment.domain.errors import RecordRefused, WrongState
from services.enrolment.domain.mapping import FileMapping, read_row
from tests.enrolment.conftest import a_record

PATIENCE = 30


def at_once(house, *changes: Callable[[Desk], Any]) -> list[Any]:
    """Return what became of changes whose transactions are all open before any of them writes."""
    gate = Barrier(len(changes))

    def run(change: Callable[[Desk], Any]) -> Any:  # noqa: ANN401
        tries: list[int] = []

        def attempt(work) -> Any:  # noqa: ANN401
            desk = house.opener.desk(work)
            desk.people.page(None, 1)  # the transaction sees the database as it is now
            if not tries:
                tries.append(1)
                gate.wait(PATIENCE)
            return change(desk)

        try:
            return house.unit.run("brent", attempt)
        except (RecordRefused, WrongState) as refused:
            return refused

    with ThreadPoolExecutor(len(changes)) as pool:
        return list(pool.map(run, changes))


def nominating(ref: str, **changes: Any) -> Callable[[Desk], Any]:  # noqa: ANN401
    """Return the nomination of somebody under this reference."""
    row = read_row(1, {**a_record(employee_ref=ref, **changes), "fte": "1.0"}, FileMapping())
    return lambda desk: handlers.nominate(desk, row, "somebody")


def merging(into: str, other: str) -> Callable[[Desk], Any]:
    """Return the merge of one person into another."""
    return lambda desk: merge(desk, into, other)


def known(house, *refs: str) -> None:
    """Have people who were nominated before, so that nothing about them is news."""
    house.open_course("OLD", capacity=30)
    for ref in refs:
        house.good("POST", "enrolments", json=a_record(employee_ref=ref, course="OLD", intake="2025-09"))


def leads(house) -> dict[str, bool]:
    """Return of every person whether their id leads to another one's."""
    rows = house.unit.database("brent")["practitioners"].find({})
    return {row["employee_ref"]: bool(row["merged_into"]) for row in rows}


def test_two_merges_in_opposite_directions_leave_one_person(house):
    """The second one sees the first and is refused; no circle is left in which everybody is looked for, for ever."""
    for ref in ("A1", "B1"):
        house.tell_of(ref, team="North", employment_start="2020-01-06")
    outcomes = at_once(house, merging("A1", "B1"), merging("B1", "A1"))
    assert sorted(isinstance(one, WrongState) for one in outcomes) == [False, True]
    assert sorted(leads(house).values()) == [False, True]
    assert house.ask("GET", "practitioners/A1").status_code == 200


def test_three_merges_in_a_ring_leave_no_ring(house):
    """A into B, B into C, C into A at once: somebody is left to whom all lead."""
    for ref in ("A1", "B1", "C1"):
        house.tell_of(ref, team="North", employment_start="2020-01-06")
    at_once(house, merging("A1", "B1"), merging("B1", "C1"), merging("C1", "A1"))
    assert sorted(leads(house).values()) == [False, True, True]


def test_ids_that_lead_round_in_a_circle_are_answered_and_can_be_split(house):
    """What an older version may have left behind hangs nobody, and HR can put it right."""
    for ref in ("A1", "B1"):
        house.tell_of(ref, team="North", employment_start="2020-01-06")
    rows = house.unit.database("brent")["practitioners"]
    one, other = sorted(row["_id"] for row in rows.find({}))
    for name, to in ((one, other), (other, one)):
        rows.update_one({"_id": name}, {"$set": {"merged_into": to}})
    assert house.good("GET", "practitioners/A1")["practitioner_id"] == one
    ref = rows.find_one({"_id": other})["employee_ref"]
    house.good("POST", "practitioner-duplicates/split", json={"merged": ref})
    assert leads(house)[ref] is False


def test_one_person_under_two_references_at_once_gets_one_seat(house):
    """Both nominations were read before either was kept; still the second one is the first one again."""
    house.open_course(capacity=30)
    known(house, "A1")
    house.tell_of("B1", team="North", employment_start="2018-01-03")
    house.good("POST", "practitioner-duplicates/merge", json={"into": "A1", "merged": "B1"})
    at_once(house, nominating("A1"), nominating("B1"))
    house.settle()
    held = [one for one in house.good("GET", "practitioners/A1/enrolments")["items"] if one["course"] == "SAR"]
    assert [one["status"] for one in held] == ["confirmed"]


@pytest.mark.parametrize("into", ["A1", "B1"])
def test_a_merge_while_one_of_both_is_nominated_sees_the_nomination(house, into):
    """A1 has a seat already: either the merge is refused, or the nomination is."""
    house.open_course(capacity=30)
    known(house, "B1")
    house.good("POST", "enrolments", json=a_record(employee_ref="A1"))
    other = "B1" if into == "A1" else "A1"
    outcomes = at_once(house, merging(into, other), nominating("B1"))
    assert any(isinstance(one, (WrongState, RecordRefused)) or one_is_duplicate(one) for one in outcomes)
    live = [row["employee_ref"] for row in house.unit.database("brent")["enrolments"].find({"course": "SAR"})]
    assert len(live) == 1 or not any(leads(house).values())


def one_is_duplicate(outcome: Any) -> bool:  # noqa: ANN401
    """Return whether a nomination was the one that was taken before."""
    return getattr(getattr(outcome, "verdict", None), "decision", None) == "duplicate"
