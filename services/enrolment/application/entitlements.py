"""Time to learn: who of an employer's people gets it, what is agreed with the newly qualified, what is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from services.enrolment.application.duplicates import enrolments_of, find_person
from services.enrolment.application.ports import Books, Desk, EnrolmentFilter
from services.enrolment.domain import entitlements, practitioners
from services.enrolment.domain.access import Member, Uptake, groups_of, uptake
from services.enrolment.domain.employments import absences_at, employment_on, employments_at
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.entitlements import AsyeAgreement, AsyeSupport, CpdBalance, CpdEntitlement, CpdItem
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.practitioners import NEWLY_QUALIFIED, Practitioner
from services.enrolment.domain.supervision_clock import Clock, clock
from shared.clock import london_date

PAGE = 1000
MOST_ITEMS = 500


@dataclass(frozen=True, slots=True)
class CpdStatement:
    """A person's year of learning: what they are entitled to, used, and which places they had."""

    from_on: date
    until_on: date
    balances: tuple[CpdBalance, CpdBalance]
    items: tuple[CpdItem, ...]
    courses: tuple[Enrolment, ...]


def access_summary(books: Books, from_on: date | None, until_on: date | None) -> tuple[date, tuple[Uptake, ...]]:
    """Return the day and the uptake of everybody employed on it, by level, team and fte.

    A person counts once, however often they were nominated between the two days.
    """
    day = until_on or london_date(books.now)
    nominated: set[str] = set()
    confirmed: set[str] = set()
    for enrolment in _all_enrolments(books):
        person_id = books.people.survivor_of(enrolment.practitioner_id)
        if _within(enrolment.requested_on, from_on, day):
            nominated.add(person_id)
            if enrolment.confirmed_on is not None:
                confirmed.add(person_id)
    return day, uptake(
        Member(
            groups_of(person.pcf_level, person.team, person.fte),
            person.practitioner_id in nominated,
            person.practitioner_id in confirmed,
        )
        for person in _employed(books, day)
    )


def supervision_clock(books: Books, name: str, on: date | None) -> Clock:
    """Return how often a person is to be supervised on a day (today).

    Raises:
        NoSuchThing: There is no such practitioner.
        RuleSaysNo: No employment of theirs had begun by then, or it has ended.
    """
    person, day = find_person(books, name), on or london_date(books.now)
    started_on = _started_on(person, day)
    level = practitioners.on_day(person, day).pcf_level
    absences = absences_at(person.absences)
    return clock(started_on, absences, day, is_newly_qualified=level == NEWLY_QUALIFIED)


def asye_support(books: Books, name: str, on: date | None) -> AsyeSupport:
    """Return the support package of a newly qualified person on a day (today).

    Raises:
        NoSuchThing: There is no such practitioner.
        RuleSaysNo: They are not newly qualified, or not employed, on that day.
    """
    person, day = find_person(books, name), on or london_date(books.now)
    standing = practitioners.on_day(person, day)
    if standing.pcf_level != NEWLY_QUALIFIED:
        raise RuleSaysNo("the support package is for people in their assessed and supported year")
    return entitlements.asye_support(
        _started_on(person, day),
        absences_at(person.absences),
        standing.fte,
        books.entitlements.agreement(person.practitioner_id),
        day,
    )


def agree_support(desk: Desk, name: str, protected: int, workload: int, pdp_held_on: tuple[date, ...]) -> AsyeSupport:
    """Return the package with what was agreed, and the days on which the development plan was spoken about."""
    person = find_person(desk, name)
    support = asye_support(desk, name, None)
    before = support.agreement
    agreed_on = before.agreed_on if before else london_date(desk.now)
    agreement = AsyeAgreement(person.practitioner_id, agreed_on, protected, workload, tuple(sorted(pdp_held_on)))
    desk.silent("what is agreed with somebody stays with their employer")
    desk.entitlements.save_agreement(agreement)
    return asye_support(desk, name, None)


def set_cpd(desk: Desk, entitlement: CpdEntitlement) -> CpdEntitlement:
    """Keep the employer's days of CPD a year."""
    desk.silent("an employer's days of learning are its own affair")
    desk.entitlements.save_cpd(entitlement)
    return entitlement


def record_cpd(desk: Desk, name: str, item: CpdItem) -> CpdItem:
    """Keep that somebody used days to learn.

    Raises:
        NoSuchThing: There is no such practitioner.
        RuleSaysNo: There are too many in that year.
    """
    person = find_person(desk, name)
    year = entitlements.cpd_year(item.held_on)
    if len(desk.entitlements.items(person.practitioner_id, *year, MOST_ITEMS)) >= MOST_ITEMS:
        raise RuleSaysNo(f"at most {MOST_ITEMS} items in one year")
    desk.silent("what somebody learnt stays with their employer")
    kept = replace(item, practitioner_id=person.practitioner_id)
    desk.entitlements.add_item(kept)
    return kept


def cpd_statement(books: Books, name: str, on: date | None) -> CpdStatement:
    """Return a person's registration year that a day (today) lies in."""
    person, day = find_person(books, name), on or london_date(books.now)
    first, last = entitlements.cpd_year(day)
    behind = books.people.merged_into(person.practitioner_id)
    ids = [person.practitioner_id, *(other.practitioner_id for other in behind)]
    items = [item for one in ids for item in books.entitlements.items(one, first, last, MOST_ITEMS)]
    fte = practitioners.on_day(person, day).fte
    courses = [
        one for one in enrolments_of(books, person) if one.confirmed_on and _within(one.confirmed_on, first, last)
    ]
    return CpdStatement(
        first,
        last,
        entitlements.balances(books.entitlements.cpd(), fte, items),
        tuple(sorted(items, key=lambda item: (item.held_on, item.item_id))),
        tuple(courses),
    )


def _started_on(person: Practitioner, day: date) -> date:
    employment = employment_on(person.employments, day)
    started_on = employment.started_on if employment else person.employment_start
    if started_on is None or started_on > day:
        raise RuleSaysNo("no employment had begun by that day")
    if employment is not None and employment.ended_on is not None and employment.ended_on < day:
        raise RuleSaysNo("the employment had ended by that day")
    return started_on


def _employed(books: Books, day: date) -> Iterator[Practitioner]:
    after: str | None = None
    while found := books.people.page(after, PAGE):
        for person in found:
            known = employments_at(person.employments)
            is_there = any(one.started_on <= day and (one.ended_on is None or day <= one.ended_on) for one in known)
            if is_there or not known:
                yield practitioners.on_day(person, day)
        after = found[-1].practitioner_id


def _all_enrolments(books: Books) -> Iterator[Enrolment]:
    after: str | None = None
    while found := books.enrolments.page(after, PAGE, EnrolmentFilter()):
        yield from found
        after = found[-1].enrolment_id


def _within(day: date, from_on: date | None, until_on: date) -> bool:
    return (from_on is None or from_on <= day) and day <= until_on
