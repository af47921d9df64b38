"""Supervision: whether a session meets the standard, and whether sessions come often enough.

Frequency and quality are separate findings (BR-26): a short session was held, it only does not count.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta

from services.assessment.domain.events import SupervisionHeld

STANDARD_MINUTES = 90
"""Source: BR-4, LGA employer standard 5 (at least an hour and a half of uninterrupted time)."""


@dataclass(frozen=True, slots=True)
class Session:
    """One supervision session. `supervisor_id` is opaque."""

    session_id: str
    practitioner_id: str
    supervisor_id: str
    held_on: date
    minutes: int
    uninterrupted: bool
    pcf_discussed: bool

    @property
    def is_standard_met(self) -> bool:
        """Tell whether it lasted at least 90 uninterrupted minutes. Source: BR-4."""
        return self.uninterrupted and self.minutes >= STANDARD_MINUTES


def held(session: Session, supervisee_id: str) -> SupervisionHeld:
    """Return the event of a session, under the person's random pseudonym."""
    return SupervisionHeld(supervisee_id, session.held_on, session.is_standard_met, session.pcf_discussed)


@dataclass(frozen=True, slots=True)
class Absence:
    """Days away, both included; None: not back yet. Nobody here knows why."""

    from_on: date
    until_on: date | None


@dataclass(frozen=True, slots=True)
class Employment:
    """When the latest employment began, and the days of it that do not count."""

    started_on: date
    absences: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a session to standard that was longer than allowed; `until_on` is its last day."""

    after_on: date
    until_on: date
    days: int
    allowed_days: int


@dataclass(frozen=True, slots=True)
class Compliance:
    """How supervision compares with the standard from `from_on` until `until_on`, both included."""

    from_on: date
    until_on: date
    held: int
    to_standard: int
    pcf_discussed: int
    gaps: tuple[Gap, ...]
    months_without: tuple[str, ...]

    @property
    def is_met(self) -> bool:
        """Tell whether no gap was too long and no month went without."""
        return not self.gaps and not self.months_without


WEEKLY_DAYS, FORTNIGHTLY_DAYS, FIRST_WEEKS_DAYS, FIRST_MONTHS = 7, 14, 42, 6


def compliance(
    sessions: tuple[Session, ...],
    *,
    started_on: date,
    from_on: date,
    until_on: date,
    is_newly_qualified: bool,
    absences: tuple[Absence, ...] = (),
) -> Compliance:
    """Return how often sessions to standard were held between `from_on` and `until_on`, both included.

    The clock starts at `started_on`, the first day of employment. Newly qualified: gaps of at most 7 days in days 0
    to 42, of at most 14 until six months, then one session in each full calendar month. Everybody else: one in each
    full calendar month. Absent days stop the clock: they count neither towards a gap nor towards six weeks or six
    months, and a month that has one is not asked about. Source: BR-4, BR-26.
    """
    begin_on = max(started_on, from_on)
    good = sorted(session.held_on for session in sessions if session.is_standard_met and session.held_on <= until_on)
    window = tuple(session for session in sessions if begin_on <= session.held_on <= until_on)
    monthly_from = _six_months_on(started_on, absences, until_on) if is_newly_qualified else started_on
    early_until = min(until_on, monthly_from - timedelta(days=1))
    early = [day for day in good if day >= started_on]
    gaps = _gaps(early, started_on, early_until, absences) if is_newly_qualified else ()
    return Compliance(
        from_on=begin_on,
        until_on=until_on,
        held=len(window),
        to_standard=sum(session.is_standard_met for session in window),
        pcf_discussed=sum(session.pcf_discussed for session in window),
        gaps=tuple(gap for gap in gaps if gap.until_on >= begin_on),
        months_without=_months_without(good, max(monthly_from, begin_on), until_on, absences),
    )


def _gaps(good: list[date], started_on: date, until_on: date, absences: tuple[Absence, ...]) -> tuple[Gap, ...]:
    """Return the gaps in the weekly and fortnightly stretch; the day a gap begins says which is allowed."""
    marks = [started_on, *(day for day in good if day <= until_on), until_on]
    found: list[Gap] = []
    for earlier, later in itertools.pairwise(marks):
        allowed = WEEKLY_DAYS if _counted(started_on, earlier, absences) < FIRST_WEEKS_DAYS else FORTNIGHTLY_DAYS
        days = _counted(earlier, later, absences)
        if days > allowed:
            found.append(Gap(earlier, later, days, allowed))
    return tuple(found)


def _counted(from_on: date, until_on: date, absences: tuple[Absence, ...]) -> int:
    """Return how many days lie between the two, without absent ones; each is counted once."""
    return (until_on - from_on).days - sum(from_on <= day < until_on for day in _absent(absences, until_on))


def _absent(absences: tuple[Absence, ...], until_on: date) -> set[date]:
    """Return the absent days until `until_on`."""
    days: set[date] = set()
    for absence in absences:
        last = min(absence.until_on or until_on, until_on)
        days.update(map(date.fromordinal, range(absence.from_on.toordinal(), last.toordinal() + 1)))
    return days


def _six_months_on(started_on: date, absences: tuple[Absence, ...], until_on: date) -> date:
    """Return the day on which six months have counted; the day after `until_on` when they have not by then."""
    wanted = (_months_later(started_on, FIRST_MONTHS) - started_on).days
    day = started_on + timedelta(days=wanted)
    while day <= until_on and (missing := wanted - _counted(started_on, day, absences)) > 0:
        day += timedelta(days=missing)
    return day


def _months_without(good: list[date], from_on: date, until_on: date, absences: tuple[Absence, ...]) -> tuple[str, ...]:
    """Return the full calendar months (`2026-01`) between the two days without a session to standard or an absence."""
    have = {(day.year, day.month) for day in [*good, *_absent(absences, until_on)]}
    month = from_on if from_on.day == 1 else _months_later(from_on.replace(day=1), 1)
    without: list[str] = []
    while _months_later(month, 1) <= until_on + timedelta(days=1):
        if (month.year, month.month) not in have:
            without.append(f"{month.year:04d}-{month.month:02d}")
        month = _months_later(month, 1)
    return tuple(without)


def _months_later(day: date, months: int) -> date:
    """Return the day `months` months on; a day that the month does not have becomes its last."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    for wanted in range(day.day, 27, -1):
        try:
            return first.replace(day=wanted)
        except ValueError:
            continue
    return first.replace(day=min(day.day, 28))
