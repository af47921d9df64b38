"""A feed's messages about one person: told in any order, as often as it likes, they leave the same person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.enrolment.domain import identifiers, practitioners
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.identifiers import HcpcNumber
from services.enrolment.domain.practitioners import LineManager, Practitioner, Telling

NOBODY = Practitioner("p", "10001", None, None, None, None, None, None, None)
START = date(2020, 1, 6)
AT = datetime(2025, 1, 6, 9, tzinfo=UTC)
DAYS = 4


def tell(known: Practitioner | None, message: tuple[str, int, int, str, str], minute: int) -> Practitioner:
    """Return the person once a message (its name, its day, when it was said, team, manager) was told."""
    ref, day, said, team, manager = message
    at, on = AT + timedelta(minutes=minute), START + timedelta(days=day)
    said_at = AT - timedelta(days=100 - said)
    described = replace(NOBODY, team=team, employment_start=START)
    person = practitioners.described_again(known, described) if known else described
    person = practitioners.described_on(known, person, Telling(at, at.date(), on, said_at, ref))
    return practitioners.manager_told(person, LineManager(manager, f"id-{manager}", on, at, said_at, ref))


def seen(person: Practitioner) -> list[tuple[str | None, str | None]]:
    """Return team and line manager of each day."""
    days = [START + timedelta(days=day) for day in range(DAYS)]
    standing = [practitioners.as_of(person, day) for day in days]
    managers = [practitioners.manager_on(person, day) for day in days]
    return [
        (each.team if each else None, manager.line_manager_ref if manager else None)
        for each, manager in zip(standing, managers, strict=True)
    ]


def messages() -> some.SearchStrategy[list[tuple[str, int, int, str, str]]]:
    """Return messages of different names, each said at a time of its own."""
    parts = some.lists(
        some.tuples(some.integers(0, DAYS - 1), some.sampled_from("NS"), some.sampled_from("AB")),
        min_size=1,
        max_size=6,
    )
    return parts.map(lambda told: [(f"m-{n}", day, n, team, who) for n, (day, team, who) in enumerate(told)])


@given(messages().flatmap(lambda told: some.tuples(some.just(told), some.permutations([*told, *told]))))
def test_messages_in_any_order_and_repeated_leave_the_same_person(given_messages):
    """Every day has the team and the manager of the last word said of it, or of the last day before it."""
    told, shuffled = given_messages
    person: Practitioner | None = None
    for minute, message in enumerate(shuffled):
        person = tell(person, message, minute)
    expected: list[tuple[str | None, str | None]] = []
    for day in range(DAYS):
        before = [one for one in told if one[1] <= day]
        last = max(before, key=lambda one: (one[1], one[2])) if before else None
        expected.append((last[3], last[4]) if last else (None, None))
    assert person is not None
    assert seen(person) == expected


@given(messages())
def test_the_whole_feed_again_changes_nothing(told):
    """Once all messages are known, all of them again are no news, whatever day they speak of."""
    person: Practitioner | None = None
    for minute, message in enumerate(told):
        person = tell(person, message, minute)
    for minute, message in enumerate(told):
        assert tell(person, message, 100 + minute) == person


@given(messages().flatmap(some.permutations))
def test_others_who_hear_only_what_is_told_know_who_manages_on_every_day(told):
    """Whoever keeps one manager a day from the events answers for every day as the employer does."""
    person: Practitioner | None = None
    heard: dict[date, str | None] = {}
    for minute, message in enumerate(told):
        after = tell(person, message, minute)
        heard.update({one.from_on: one.line_manager_id for one in practitioners.managers_to_tell(person, after)})
        person = after
        for day in (START + timedelta(days=number) for number in range(DAYS)):
            days = [on for on in heard if on <= day]
            manager = practitioners.manager_on(person, day)
            assert (heard[max(days)] if days else None) == (manager.line_manager_id if manager else None)


def test_who_goes_on_managing_is_no_news_to_others():
    """A feed that names the same manager every day does not fill the bus."""
    first = tell(None, ("m-1", 0, 1, "N", "A"), 1)
    second = tell(first, ("m-2", 2, 2, "N", "A"), 2)
    assert practitioners.managers_to_tell(first, second) == []
    third = tell(second, ("m-3", 1, 3, "N", "B"), 3)
    told = practitioners.managers_to_tell(second, third)
    assert [(one.line_manager_ref, one.from_on.day) for one in told] == [("B", 7), ("A", 8)]


def test_hcpc_numbers_are_never_dropped():
    """What is told later stands beside what was told; a day that is not told again stays; the same again is no news."""
    first = identifiers.hcpc_told((), (HcpcNumber("sw 012345", date(2016, 1, 1)),), AT)
    later = identifiers.hcpc_told(first, (HcpcNumber("SW099999"),), AT + timedelta(days=1))
    assert [one.number for one in identifiers.hcpc_standing(later)] == ["SW099999", "SW012345"]
    ended = identifiers.hcpc_told(later, (HcpcNumber("SW012345", until_on=date(2019, 12, 1)),), AT + timedelta(days=2))
    assert ended[:2] == later
    assert identifiers.hcpc_standing(ended)[1].from_on == date(2016, 1, 1)
    assert identifiers.hcpc_told(ended, ended, AT + timedelta(days=3)) == ended
    assert identifiers.hcpc_told(ended, (), AT) == ended
    back = identifiers.hcpc_told(ended, (HcpcNumber("SW099999", stands=False),), AT + timedelta(days=4))
    assert [one.number for one in identifiers.hcpc_standing(back)] == ["SW012345"]
    assert back[:3] == ended


def test_hcpc_numbers_end_after_they_begin_also_over_two_tellings():
    """The day that was told before counts, too; and nobody has a hundred numbers."""
    first = identifiers.hcpc_told((), (HcpcNumber("SW012345", date(2016, 1, 1)),), AT)
    with pytest.raises(RuleSaysNo):
        identifiers.hcpc_told(first, (HcpcNumber("SW012345", until_on=date(2015, 1, 1)),), AT)
    many = tuple(HcpcNumber(f"SW{number}") for number in range(1, 102))
    with pytest.raises(RuleSaysNo):
        identifiers.hcpc_told((), many, AT)
