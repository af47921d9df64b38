"""How often a person is to be supervised on a day: the clock that starts with the employment and stops when absent.

Source: BR-4 and BR-26: at least weekly to day 42, fortnightly to six months, monthly after; recorded absence pauses it,
a new employment starts it again. Only a newly qualified person has the first two stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.enrolment.domain.employments import Absence

WEEKLY = "weekly"
FORTNIGHTLY = "fortnightly"
MONTHLY = "monthly"
PAUSED = "paused"
FREQUENCIES = (WEEKLY, FORTNIGHTLY, MONTHLY, PAUSED)
LAST_WEEKLY_DAY = 42
FIRST_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Clock:
    """What the clock says on `on`. `counted_days` are days of employment without the absent ones.

    `weekly_until` and `fortnightly_until` are the last days of those stages as far as absences are known; None: the
    person is not newly qualified.
    """

    on: date
    started_on: date
    counted_days: int
    frequency: str
    weekly_until: date | None
    fortnightly_until: date | None


def clock(started_on: date, absences: Sequence[Absence], on: date, *, is_newly_qualified: bool) -> Clock:
    """Return what the clock says on `on`, a day on or after the start."""
    counted = (on - started_on).days - absent_days(absences, started_on, on)
    six_months = (months_later(started_on, FIRST_MONTHS) - started_on).days
    is_absent = any(_covers(absence, on) for absence in absences)
    stage = MONTHLY
    if is_newly_qualified:
        stage = WEEKLY if counted <= LAST_WEEKLY_DAY else FORTNIGHTLY if counted < six_months else MONTHLY
    return Clock(
        on=on,
        started_on=started_on,
        counted_days=counted,
        frequency=PAUSED if is_absent else stage,
        weekly_until=day_of(started_on, absences, LAST_WEEKLY_DAY) if is_newly_qualified else None,
        fortnightly_until=day_of(started_on, absences, six_months - 1) if is_newly_qualified else None,
    )


def absent_days(absences: Sequence[Absence], from_on: date, before_on: date) -> int:
    """Return how many days from `from_on` and before `before_on` are absent ones, each counted once."""
    days: set[int] = set()
    for absence in absences:
        first = max(absence.from_on, from_on)
        last = min(absence.until_on or before_on, before_on - timedelta(days=1))
        days.update(range(first.toordinal(), last.toordinal() + 1))
    return len(days)


def day_of(started_on: date, absences: Sequence[Absence], counted: int) -> date | None:
    """Return the day on which the clock shows `counted`; None while an absence without an end stands before it."""
    day = started_on + timedelta(days=counted)
    while True:
        if any(absence.until_on is None and absence.from_on <= day for absence in absences):
            return None
        shifted = started_on + timedelta(days=counted + absent_days(absences, started_on, day))
        if shifted == day:
            return day if not any(_covers(absence, day) for absence in absences) else _after(absences, day)
        day = shifted


def months_later(day: date, months: int) -> date:
    """Return the day `months` months on; a day that the month does not have becomes its last."""
    years, month = divmod(day.month - 1 + months, 12)
    for wanted in range(day.day, 27, -1):
        try:
            return date(day.year + years, month + 1, wanted)
        except ValueError:
            continue
    return date(day.year + years, month + 1, min(day.day, 28))


def _after(absences: Sequence[Absence], day: date) -> date:
    """Return the first day from `day` on that is not absent; every absence here has an end."""
    while any(_covers(absence, day) for absence in absences):
        day += timedelta(days=1)
    return day


def _covers(absence: Absence, day: date) -> bool:
    return absence.from_on <= day and (absence.until_on is None or day <= absence.until_on)
