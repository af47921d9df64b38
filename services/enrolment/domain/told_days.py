"""Which days may be said of an enrolment's steps: held against today and against each other.

A day on which something is said to have happened is today or earlier. It is never held against the day on which a
machine wrote something down (requested, confirmed): terms that lie in the past are entered later. The earliest day
that counts is the one on which the manager approved the nomination. Rule: decision 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.enrolment.domain.enrolment_parts import RouteChange
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import RuleSaysNo


@dataclass(frozen=True, slots=True)
class Around:
    """What a day is held against: today, the manager's approval, and the cohort's days, each where it is known."""

    today: date
    approved_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None


def held_approval(on: date, around: Around) -> None:
    """Refuse a manager's new approval that cannot have been.

    Raises:
        RuleSaysNo: It lies in the future, or before the earlier one.
    """
    _has_been(on, around, "the new approval", "manager_approved_on")


def held_start(on: date, around: Around) -> None:
    """Refuse a start that cannot have been.

    Raises:
        RuleSaysNo: It lies in the future, before the approval, or outside the cohort's days.
    """
    _has_been(on, around, "the start", "started_on")
    if around.starts_on is not None and on < around.starts_on:
        raise RuleSaysNo(f"the cohort starts on {around.starts_on}; give that day or a later one", about="started_on")
    if around.ends_on is not None and on > around.ends_on:
        raise RuleSaysNo(f"the cohort ends on {around.ends_on}; give that day or an earlier one", about="started_on")


def held_deferral(before: Enrolment, from_on: date, around: Around) -> None:
    """Refuse a pause that cannot have begun on that day: it pauses the enrolment now.

    Raises:
        RuleSaysNo: It begins in the future, before the approval, or before an earlier pause was over.
    """
    _has_been(from_on, around, "the deferral", "from_on")
    _not_before_pauses(before, from_on, "a deferral begins", "from_on")


def held_return(on: date, around: Around) -> None:
    """Refuse a return that has not been yet.

    Raises:
        RuleSaysNo: It lies in the future, or before the approval.
    """
    _has_been(on, around, "the return", "resumed_on")


def held_route_change(change: RouteChange, prerequisite_on: date | None, around: Around) -> None:
    """Refuse days of a route change that cannot be: it counts as soon as it is written down.

    Raises:
        RuleSaysNo: It counts from a day in the future or before the approval, or the prerequisite was met after it.
    """
    if change.effective_on > around.today:
        raise RuleSaysNo(
            "a change of route counts as soon as it is written down: come back on the day from which it counts",
            about="effective_on",
        )
    _has_been(change.effective_on, around, "the change of route", "effective_on")
    if prerequisite_on is not None and prerequisite_on > change.effective_on:
        raise RuleSaysNo(
            "the prerequisite is met first: give a day up to the day from which the route counts",
            about="prerequisite_on",
        )


def held_end(before: Enrolment, on: date, around: Around, about: str) -> None:
    """Refuse an end (withdrawal, completion, transfer) that cannot have been; `about` is what its day is called.

    Raises:
        RuleSaysNo: It lies in the future, before the approval, before the start, or before a pause.
    """
    _has_been(on, around, "the end", about)
    if before.started_on is not None and on < before.started_on:
        raise RuleSaysNo("it ends before it started; give the day of the start or a later one", about=about)
    _not_before_pauses(before, on, "it ends", about)


def _has_been(on: date, around: Around, what: str, about: str) -> None:
    if on > around.today:
        raise RuleSaysNo(
            f"{what} lies in the future: give today or an earlier day, and come back when it has been", about=about
        )
    if around.approved_on is not None and on < around.approved_on:
        raise RuleSaysNo(
            f"{what} lies before the manager approved the nomination, on {around.approved_on}", about=about
        )


def _not_before_pauses(before: Enrolment, on: date, what: str, about: str) -> None:
    for pause in before.deferrals:
        last = pause.resumed_on or pause.from_on
        if on < last:
            raise RuleSaysNo(f"{what} on the day of the last deferral or return, {last}, or later", about=about)
