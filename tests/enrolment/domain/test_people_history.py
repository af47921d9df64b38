"""People as dated history: what was told when, of which day; employments, absences, and the clock of supervision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.enrolment.domain import employments, practitioners
from services.enrolment.domain.employments import Absence, Employment
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.practitioners import LineManager, Practitioner, Telling
from services.enrolment.domain.supervision_clock import FORTNIGHTLY, MONTHLY, PAUSED, WEEKLY, clock, months_later

NOBODY = Practitioner("p", "10001", None, None, None, None, None, None, None)
START = date(2025, 1, 6)
AT = datetime(2025, 1, 6, 9, tzinfo=UTC)


def told(known, team, *, on=None, day=0, **said):
    """Return the person once `team` was told on the `day`th day, of the day `on`."""
    at = AT + timedelta(days=day)
    person = replace(NOBODY, team=team, employment_start=said.pop("start", START))
    if known is not None:
        person = practitioners.described_again(known, person)
    return practitioners.described_on(known, person, Telling(at, at.date(), on, **said))


def team_on(person, day, known_at=None):
    """Return which team the person was in on a day."""
    standing = practitioners.as_of(person, day, known_at)
    return standing.team if standing else None


def test_backdated_change_lands_in_its_place():
    """A team that began in March, told in June, does not touch what June had; both times are kept."""
    person = told(None, "North")
    person = told(person, "South", on=date(2025, 6, 1), day=120)
    person = told(person, "East", on=date(2025, 3, 1), day=150)
    days = (date(2025, 2, 28), date(2025, 3, 1), date(2025, 5, 31), date(2025, 6, 1))
    assert [team_on(person, day) for day in days] == ["North", "East", "East", "South"]
    assert person.team == "South"
    before = AT + timedelta(days=149)
    assert [team_on(person, day, before) for day in days] == ["North", "North", "North", "South"]
    assert team_on(person, date(2025, 1, 5)) is None
    assert team_on(person, START, AT - timedelta(seconds=1)) is None


def test_same_message_again_changes_nothing():
    """By its reference even after a correction; by its content where its day has that content anyhow."""
    first = told(None, "North", on=START, source_ref="m1")
    corrected = told(first, "South", on=START, day=1, source_ref="m2")
    assert told(corrected, "North", on=START, day=2, source_ref="m1") == corrected
    assert told(corrected, "South", on=START, day=3) == corrected
    assert told(corrected, "South", day=4) == corrected
    assert corrected.team == "South"


def test_older_message_that_arrives_later_does_not_overwrite():
    """The sender's own time decides between two messages of one day, and the day between two days."""
    newer = told(None, "South", on=START, said_at=AT + timedelta(hours=2))
    late = told(newer, "North", on=START, day=1, said_at=AT + timedelta(hours=1))
    assert (late.team, len(late.statements)) == ("South", 2)
    moved = told(newer, "East", on=date(2025, 4, 1), day=90)
    old = told(moved, "North", on=date(2025, 2, 1), day=91, start=date(2024, 1, 1))
    assert (old.team, old.employment_start) == ("East", START)


def test_description_without_a_day_holds_from_when_it_is_told():
    """The first from the start of employment, later ones from their day, and the same again is no news."""
    person = told(told(None, "North"), "North", day=10)
    assert [one.effective_on for one in person.statements] == [START]
    person = told(person, "South", day=20)
    assert [one.effective_on for one in person.statements] == [START, START + timedelta(days=20)]


@given(some.permutations([(0, "A"), (30, "B"), (60, "C"), (90, "D")]), some.integers(0, 120))
def test_order_of_arrival_makes_no_difference(messages, day):
    """Dated messages give the same picture of every day, whatever order they come in, once or twice."""
    person = None
    for number, (after, team) in enumerate([*messages, *messages]):
        person = told(person, team, on=START + timedelta(days=after), day=200 + number, source_ref=team)
    assert person is not None
    assert team_on(person, START + timedelta(days=day)) == "ABCD"[min(day // 30, 3)]
    assert len(person.statements) == 4


def test_daily_feed_for_years_does_not_grow_for_ever():
    """Repetitions of one content are let go beyond a year's worth; changes are not."""
    person = told(None, "North", on=START)
    for day in range(1, 600):
        person = told(person, "North" if day != 300 else "South", on=START + timedelta(days=day), day=day)
    assert len(person.statements) <= 400
    assert [team_on(person, START + timedelta(days=day)) for day in (299, 300, 301, 599)] == [
        "North",
        "South",
        "North",
        "North",
    ]


def test_corrected_line_manager_is_known_as_it_was_known():
    """Another manager of the same day replaces the first; the question of what was known then still has its answer."""
    first = LineManager("90001", "m1", START, AT)
    second = LineManager("90002", "m2", START, AT + timedelta(days=5))
    person = practitioners.managed_by(practitioners.managed_by(NOBODY, first), second)
    assert practitioners.managed_by(person, replace(second, recorded_at=AT + timedelta(days=9))) == person
    assert practitioners.managers_at(person) == (second,)
    assert practitioners.managers_at(person, AT + timedelta(days=4)) == (first,)


def test_person_leaves_and_comes_back():
    """A later start after an end is another employment; without an end it corrects the one there is."""
    person = told(None, "North")
    assert [one.started_on for one in employments.employments_at(person.employments)] == [START]
    corrected = told(person, "North", day=3, start=date(2025, 1, 13))
    assert [one.started_on for one in employments.employments_at(corrected.employments)] == [date(2025, 1, 13)]
    assert employments.employments_at(corrected.employments, AT)[0].started_on == START
    ended = employments.told_employment(person.employments, Employment(START, AT, date(2025, 6, 30), "resigned"))
    back = told(replace(person, employments=ended), "North", day=400, start=date(2026, 2, 2))
    assert [(one.started_on, one.ended_on) for one in employments.employments_at(back.employments)] == [
        (START, date(2025, 6, 30)),
        (date(2026, 2, 2), None),
    ]
    assert practitioners.on_day(back, date(2025, 7, 1)).employment_start == START


def test_employments_do_not_overlap_or_end_before_they_begin():
    """What cannot be is refused with what to do."""
    known = (Employment(START, AT),)
    with pytest.raises(RuleSaysNo, match="say first when it ended"):
        employments.told_employment(known, Employment(date(2025, 9, 1), AT))
    with pytest.raises(RuleSaysNo):
        employments.told_employment((), Employment(START, AT, START - timedelta(days=1)))
    with pytest.raises(RuleSaysNo):
        employments.told_absence((), Absence(START, AT, START - timedelta(days=1)))


@pytest.mark.parametrize(
    ("day", "frequency"), [(0, WEEKLY), (42, WEEKLY), (43, FORTNIGHTLY), (180, FORTNIGHTLY), (181, MONTHLY)]
)
def test_br4_frequency_of_supervision_follows_the_start_of_employment(day, frequency):
    """Weekly to day 42, fortnightly to six months (181 days from 6 January 2025), monthly after."""
    assert (months_later(START, 6) - START).days == 181
    found = clock(START, (), START + timedelta(days=day), is_newly_qualified=True)
    assert (found.frequency, found.counted_days) == (frequency, day)
    assert found.weekly_until == START + timedelta(days=42)
    assert found.fortnightly_until == START + timedelta(days=180)
    assert clock(START, (), START + timedelta(days=day), is_newly_qualified=False).frequency == MONTHLY


def test_br4_recorded_absence_pauses_the_clock():
    """Fourteen absent days move both limits by fourteen days; overlapping absences count once; open ones stop it."""
    absences = (
        Absence(START + timedelta(10), AT, START + timedelta(19)),
        Absence(START + timedelta(15), AT, START + timedelta(23)),
    )
    found = clock(START, absences, START + timedelta(days=56), is_newly_qualified=True)
    assert (found.frequency, found.counted_days, found.weekly_until) == (WEEKLY, 42, START + timedelta(days=56))
    assert clock(START, absences, START + timedelta(12), is_newly_qualified=True).frequency == PAUSED
    away = (Absence(START + timedelta(20), AT),)
    still = clock(START, away, START + timedelta(400), is_newly_qualified=True)
    assert (still.frequency, still.counted_days, still.weekly_until) == (PAUSED, 20, None)


@given(some.lists(some.tuples(some.integers(0, 200), some.integers(0, 40)), max_size=5), some.integers(0, 300))
def test_br4_clock_counts_each_present_day_once(spans, day):
    """The counted days are the days of employment that no absence covers, whatever absences overlap."""
    absences = tuple(Absence(START + timedelta(first), AT, START + timedelta(first + days)) for first, days in spans)
    away = {first + extra for first, days in spans for extra in range(days + 1)}
    found = clock(START, absences, START + timedelta(day), is_newly_qualified=True)
    assert found.counted_days == sum(one not in away for one in range(day))
    assert found.weekly_until is not None
    limit = clock(START, absences, found.weekly_until, is_newly_qualified=True)
    assert (limit.counted_days, limit.frequency) == (42, WEEKLY)
