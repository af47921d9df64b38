"""Session plans and attendance: E17 to E20."""

from __future__ import annotations

from datetime import date

import pytest

from services.enrolment.domain import seats, sessions
from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.sessions import Session

DAY = date(2025, 9, 15)
SEATED = Place("e1", "r1", "brent", "SAR", "2025-09", 1, seats.SEAT)


def _session(**changes):
    return Session(**{
        "course": "SAR", "intake": "2025-09", "session": "day-1", "kind": "direct_teaching", "minutes": 360,
        "held_on": DAY,
    } | changes)  # fmt: skip


def test_e17_attendance_needs_a_seat_in_that_cohort_and_a_day_that_has_come():
    """Not who waits, not another cohort's, not before the day."""
    others = (None, Place("e1", "r1", "brent", "SAR", "2025-09", 1, seats.WAITING),
              Place("e1", "r1", "brent", "SAR", "2026-01", 1, seats.SEAT))  # fmt: skip
    for place in others:
        with pytest.raises(RuleSaysNo, match="seat in this cohort"):
            sessions.attend(_session(), place, "attended", None, DAY, None)
    with pytest.raises(RuleSaysNo, match="from the day"):
        sessions.attend(_session(), SEATED, "attended", None, date(2025, 9, 14), None)
    assert sessions.attend(_session(), SEATED, "attended", None, DAY, None).minutes == 360


def test_e17_who_was_not_there_has_no_minutes():
    """An absence never counts as time."""
    assert sessions.attend(_session(), SEATED, "excused", 0, DAY, None).minutes == 0
    with pytest.raises(RuleSaysNo, match="no minutes"):
        sessions.attend(_session(), SEATED, "absent", 30, DAY, None)


def test_e17_attendance_adds_up():
    """Minutes are those of who was there."""
    found = sessions.summary([("attended", 360), ("attended", 90), ("absent", 0), ("excused", 0)])
    assert (found.attended, found.absent, found.excused, found.minutes) == (2, 1, 1, 450)


KINDS = (
    "one_to_one",
    "group_learning",
    "direct_teaching",
    "applied_learning",
    "self_directed",
    "extra_day",
    "individual_coaching",
    "group_coaching",
    "career_counselling",
)


def test_e17_e18_e19_e20_there_are_nine_types():
    """Five of the frameworks, the extra day, two of coaching, and career counselling; no more, and none less."""
    assert sorted(sessions.SESSION_KINDS) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_e17_e18_e19_e20_every_type_of_session_can_be_planned(kind):
    """The frameworks' five, the extra day, coaching alone and in a group, and career counselling."""
    planned = sessions.plan(None, _session(kind=kind, held_on=None), None, None, is_recorded=False)
    assert (planned.kind, planned.version) == (kind, 0)


def test_e17_a_session_lies_within_the_cohort_and_keeps_its_type_once_attended():
    """A plan may change; what was attended stays what it was."""
    for on in (date(2025, 8, 31), date(2025, 10, 1)):
        with pytest.raises(RuleSaysNo, match="first and last day"):
            sessions.plan(None, _session(held_on=on), date(2025, 9, 1), date(2025, 9, 30), is_recorded=False)
    with pytest.raises(RuleSaysNo, match="type stands"):
        sessions.plan(_session(version=1), _session(kind="extra_day"), None, None, is_recorded=True)


@pytest.mark.parametrize("code", ["day 1", "Aoife-ONeill", "day.1", "day_1", "-day", "", "d" * 33])
def test_a_session_has_a_narrow_code(code):
    """It travels on the bus: no spaces, no capitals, nothing long."""
    with pytest.raises(RuleSaysNo, match="code"):
        sessions.plan(None, _session(session=code), None, None, is_recorded=False)


def test_a_session_that_stands_keeps_its_code():
    """One that was planned under a wider code can still be changed."""
    before = _session(session="Day_1", version=1)
    assert sessions.plan(before, _session(session="Day_1", minutes=90), None, None, is_recorded=True).minutes == 90
    assert sessions.plan(None, _session(session="d" * 32), None, None, is_recorded=False).session == "d" * 32


def test_a_cohort_does_not_end_before_it_starts():
    """Its days are in order."""
    with pytest.raises(RuleSaysNo):
        KeptCohort("SAR", "2025-09", seats.Cohort(1), starts_on=DAY, ends_on=date(2025, 9, 14))
