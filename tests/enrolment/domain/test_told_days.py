"""Which days may be said of an enrolment's steps."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrolment.domain import told_days
from services.enrolment.domain.enrolment_parts import Deferral, RouteChange
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.told_days import Around
from tests.enrolment.domain.test_lifecycle import an_enrolment

TODAY = date(2026, 3, 2)
AROUND = Around(TODAY, date(2025, 7, 1), date(2025, 9, 15), date(2026, 6, 30))
CONFIRMED = an_enrolment()


def _change(day: date) -> RouteChange:
    return RouteChange("practice_only", "practice_and_academic", day, day, "worker_choice")


EACH = {
    "start": lambda day: told_days.held_start(day, Around(TODAY, AROUND.approved_on)),
    "defer": lambda day: told_days.held_deferral(CONFIRMED, day, AROUND),
    "resume": lambda day: told_days.held_return(day, AROUND),
    "route": lambda day: told_days.held_route_change(_change(day), None, AROUND),
    "end": lambda day: told_days.held_end(CONFIRMED, day, AROUND, "ended_on"),
}


@pytest.mark.parametrize("what", sorted(EACH))
@given(st.integers(-400, 400))
def test_a_day_lies_between_the_approval_and_today(what, days):
    """Allowed exactly then, for everything that is said to have happened."""
    day = TODAY + timedelta(days=days)
    if date(2025, 7, 1) <= day <= TODAY:
        EACH[what](day)
        return
    with pytest.raises(RuleSaysNo):
        EACH[what](day)


def test_nobody_starts_outside_the_cohorts_days():
    """Its first and last day are inside."""
    after = Around(date(2026, 9, 1), AROUND.approved_on, AROUND.starts_on, AROUND.ends_on)
    for good in (date(2025, 9, 15), date(2026, 6, 30)):
        told_days.held_start(good, after)
    for wrong in (date(2025, 9, 14), date(2026, 7, 1)):
        with pytest.raises(RuleSaysNo):
            told_days.held_start(wrong, after)


def test_nothing_ends_before_it_began_or_before_a_pause():
    """The start, the deferral and the return come first; the same day is allowed."""
    started = an_enrolment("started")
    told_days.held_end(started, date(2025, 9, 22), AROUND, "ended_on")
    with pytest.raises(RuleSaysNo):
        told_days.held_end(started, date(2025, 9, 21), AROUND, "ended_on")
    paused = an_enrolment("deferred")
    told_days.held_end(paused, date(2025, 9, 1), AROUND, "ended_on")
    with pytest.raises(RuleSaysNo):
        told_days.held_end(paused, date(2025, 8, 31), AROUND, "ended_on")
    back = an_enrolment(deferrals=(Deferral("leave", date(2025, 10, 1), date(2025, 12, 1), date(2025, 11, 3)),))
    told_days.held_deferral(back, date(2025, 11, 3), AROUND)
    with pytest.raises(RuleSaysNo):
        told_days.held_deferral(back, date(2025, 11, 2), AROUND)
    with pytest.raises(RuleSaysNo):
        told_days.held_end(back, date(2025, 11, 2), AROUND, "ended_on")


def test_the_prerequisite_is_met_before_the_route_counts():
    """On the same day at the latest."""
    change = _change(date(2025, 10, 1))
    told_days.held_route_change(change, date(2025, 10, 1), AROUND)
    with pytest.raises(RuleSaysNo):
        told_days.held_route_change(change, date(2025, 10, 2), AROUND)
