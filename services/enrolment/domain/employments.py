"""Employments and absences of a person: dated, corrected by telling them again, nothing forgotten.

A person may leave and come back: each employment has its own start. Of an absence the days are kept and no reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from services.enrolment.domain.errors import RuleSaysNo

RESIGNED = "resigned"
END_REASONS = (RESIGNED, "retired", "end_of_contract", "transferred", "dismissed", "died", "other")
MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Employment:
    """One employment as told at `recorded_at`; `stands` is False where it was said never to have been."""

    started_on: date
    recorded_at: datetime
    ended_on: date | None = None
    reason: str | None = None
    stands: bool = True


@dataclass(frozen=True, slots=True)
class Absence:
    """Days away from work, both included; `until_on` None: not back yet. No reason is kept."""

    from_on: date
    recorded_at: datetime
    until_on: date | None = None
    stands: bool = True


Dated = TypeVar("Dated", Employment, Absence)


def employments_at(told: Sequence[Employment], known_at: datetime | None = None) -> tuple[Employment, ...]:
    """Return the employments, oldest first, as they were known at `known_at` (now)."""
    last = {one.started_on: one for one in told if known_at is None or one.recorded_at <= known_at}
    return tuple(one for _, one in sorted(last.items()) if one.stands)


def absences_at(told: Sequence[Absence], known_at: datetime | None = None) -> tuple[Absence, ...]:
    """Return the absences, oldest first, as they were known at `known_at` (now)."""
    last = {one.from_on: one for one in told if known_at is None or one.recorded_at <= known_at}
    return tuple(one for _, one in sorted(last.items()) if one.stands)


def employment_on(told: Sequence[Employment], day: date, known_at: datetime | None = None) -> Employment | None:
    """Return the last employment that had begun by `day`, else the first one; None: none is known."""
    found = employments_at(told, known_at)
    begun = [one for one in found if one.started_on <= day]
    return begun[-1] if begun else next(iter(found), None)


def told_employment(told: tuple[Employment, ...], new: Employment) -> tuple[Employment, ...]:
    """Return the employments with a new one, or with another end of a known one.

    Raises:
        RuleSaysNo: It ends before it begins, overlaps another, or is one change too many.
    """
    if new.ended_on is not None and new.ended_on < new.started_on:
        raise RuleSaysNo("an employment does not end before it begins", about="ended_on")
    for other in employments_at(told):
        if other.started_on != new.started_on and new.stands and _overlap(other, new):
            began = other.started_on.isoformat()
            raise RuleSaysNo(
                f"the employment from {began} covers this day: say first when it ended", about="started_on"
            )
    same = [one for one in told if one.started_on == new.started_on]
    return told if same and _same(same[-1], new) else _bounded((*told, new))


def described_start(told: tuple[Employment, ...], started_on: date | None, at: datetime) -> tuple[Employment, ...]:
    """Return the employments once a description of the person gives a start of employment.

    It begins another employment where the last one has ended before that day, else it corrects the last one's start.
    """
    known = employments_at(told)
    if started_on is None or any(one.started_on == started_on for one in known):
        return told
    if not known:
        return (*told, Employment(started_on, at))
    last = known[-1]
    if last.ended_on is not None and last.ended_on < started_on:
        return (*told, Employment(started_on, at))
    if any(_overlap(other, Employment(started_on, at, last.ended_on)) for other in known[:-1]):
        return told
    if last.ended_on is not None and started_on > last.ended_on:
        return told
    withdrawn = Employment(last.started_on, at, last.ended_on, last.reason, stands=False)
    return _bounded((*told, withdrawn, Employment(started_on, at, last.ended_on, last.reason)))


def told_absence(told: tuple[Absence, ...], new: Absence) -> tuple[Absence, ...]:
    """Return the absences with a new one, or with another end of a known one.

    Raises:
        RuleSaysNo: It ends before it begins, or is one change too many.
    """
    if new.until_on is not None and new.until_on < new.from_on:
        raise RuleSaysNo("an absence does not end before it begins", about="until_on")
    same = [one for one in told if one.from_on == new.from_on]
    return told if same and _same(same[-1], new) else _bounded((*told, new))


def _overlap(one: Employment, other: Employment) -> bool:
    return one.started_on <= (other.ended_on or date.max) and other.started_on <= (one.ended_on or date.max)


def _bounded(told: tuple[Dated, ...]) -> tuple[Dated, ...]:
    if len(told) > MOST_TOLD:
        raise RuleSaysNo(f"more than {MOST_TOLD} changes of one person's employments or absences")
    return told


def _same(one: Employment | Absence, other: Employment | Absence) -> bool:
    ends = {"ended_on", "until_on", "reason", "stands"}
    return all(getattr(one, name, None) == getattr(other, name, None) for name in ends)
