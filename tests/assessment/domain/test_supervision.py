"""Supervision against the standard: length first, then frequency."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.assessment.domain.supervision import Absence, Session, compliance

START = date(2025, 9, 1)


def held_on(day, minutes=90, *, uninterrupted=True):
    """Return a session."""
    return Session(f"s-{day}", "p", "s", day, minutes, uninterrupted, pcf_discussed=True)


def every(days, until):
    """Return sessions to standard every `days` days from the start."""
    count = (until - START).days // days
    return tuple(held_on(START + timedelta(days * number)) for number in range(1, count + 1))


@pytest.mark.parametrize(
    ("minutes", "uninterrupted", "met"), [(90, True, True), (89, True, False), (120, False, False), (91, True, True)]
)
def test_standard_is_ninety_uninterrupted_minutes(minutes, uninterrupted, met):
    """Ninety minutes without interruption meet the standard, one less or an interruption does not (BR-4)."""
    assert held_on(START, minutes, uninterrupted=uninterrupted).is_standard_met is met


def found(sessions, until, *, is_new, start=START):
    """Return how `sessions` compare with the standard from the start of employment until `until`."""
    return compliance(sessions, started_on=start, from_on=start, until_on=until, is_newly_qualified=is_new)


def test_newly_qualified_needs_weekly_sessions_for_six_weeks():
    """In days 0 to 42 a gap of eight days is too long, one of seven is not (BR-26)."""
    until = START + timedelta(42)
    assert found(every(7, until), until, is_new=True).is_met
    assert [gap.days for gap in found(every(8, until), until, is_new=True).gaps] == [8, 8, 8, 8, 8]


def test_newly_qualified_needs_fortnightly_sessions_until_six_months():
    """After six weeks fourteen days are allowed, and after six months a session a month."""
    until = START + timedelta(180)
    weekly = every(7, START + timedelta(42))
    fortnightly = tuple(held_on(START + timedelta(42 + 14 * number)) for number in range(1, 10))
    assert found((*weekly, *fortnightly), until, is_new=True).gaps == ()
    assert found(weekly, until, is_new=True).gaps[-1].allowed_days == 14


def test_everybody_else_needs_one_session_in_each_full_month():
    """Full calendar months without a session to standard are named; months begun or unfinished are not."""
    sessions = (held_on(date(2025, 9, 30)), held_on(date(2025, 10, 1), 60), held_on(date(2025, 12, 31)))
    result = found(sessions, date(2026, 1, 30), is_new=False)
    assert result.months_without == ("2025-10", "2025-11")
    assert (result.held, result.to_standard) == (3, 2)
    assert found((), date(2025, 10, 30), is_new=False, start=date(2025, 9, 2)).months_without == ()
    assert found((), date(2025, 10, 31), is_new=False, start=date(2025, 9, 2)).months_without == ("2025-10",)


def test_absent_days_stop_the_clock():
    """Absent days count neither towards a gap nor towards six weeks; a month with one is not asked about (BR-26)."""
    away = (
        Absence(START + timedelta(10), START + timedelta(30)),
        Absence(START + timedelta(20), START + timedelta(23)),
    )
    sessions = tuple(held_on(START + timedelta(day)) for day in (7, 35, 42, 49, 56))
    until = START + timedelta(63)
    asked = {"started_on": START, "from_on": START, "until_on": until, "is_newly_qualified": True}
    assert [gap.days for gap in compliance(sessions, **asked).gaps] == [28]
    assert compliance(sessions, **asked, absences=away).is_met
    assert not compliance(sessions[:4], **asked, absences=away).is_met
    still = (Absence(date(2025, 10, 15), None),)
    found = compliance((), **{**asked, "until_on": date(2026, 1, 31), "is_newly_qualified": False}, absences=still)
    assert found.months_without == ("2025-09",)


def test_six_months_are_six_months_of_presence():
    """Sixty absent days push the monthly stage back by sixty days."""
    away = (Absence(START + timedelta(100), START + timedelta(159)),)
    asked = {"started_on": START, "from_on": START, "until_on": START + timedelta(230), "is_newly_qualified": True}
    fortnightly = (*every(7, START + timedelta(42)), *(held_on(START + timedelta(42 + 14 * n)) for n in range(1, 5)))
    with_absence = compliance(fortnightly, **asked, absences=away)
    assert with_absence.gaps[-1].until_on == START + timedelta(230)
    assert compliance(fortnightly, **asked).gaps[-1].until_on == START + timedelta(180)
