"""A practitioner as the employer keeps them: dated details, line managers, employments, absences, identifiers.

Only this employer ever sees these details. The plain fields hold what stood on the day of the last change; `as_of`
gives any other day, as it is known now or was known at an earlier moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from operator import attrgetter

from services.enrolment.domain import dated
from services.enrolment.domain.dated import Details, Statement
from services.enrolment.domain.employments import Absence, Employment, described_start, employment_on
from services.enrolment.domain.identifiers import HcpcNumber
from services.enrolment.domain.records import Record

DETAILS = tuple(field.name for field in fields(Details))
_details = attrgetter(*DETAILS)
NEWLY_QUALIFIED = "ASYE"


@dataclass(frozen=True, slots=True)
class LineManager:
    """Who manages the line from a day on, that day included. `line_manager_id` is opaque; None: nobody.

    `said_at` and `source_ref` are the sender's own time and name of the message that said so, where there was one.
    """

    line_manager_ref: str | None
    line_manager_id: str | None
    from_on: date
    recorded_at: datetime | None = None
    said_at: datetime | None = None
    source_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Practitioner:
    """One person of one employer. `line_managers` are in order of their days; `corrected_managers` once stood there."""

    practitioner_id: str
    employee_ref: str
    given_name: str | None
    family_name: str | None
    email: str | None
    date_of_birth: date | None
    swe_number: str | None
    pcf_level: str | None
    employment_start: date | None
    job_title: str | None = None
    team: str | None = None
    fte: str | None = None
    line_managers: tuple[LineManager, ...] = ()
    version: int = 0
    statements: tuple[Statement, ...] = ()
    employments: tuple[Employment, ...] = ()
    absences: tuple[Absence, ...] = ()
    corrected_managers: tuple[LineManager, ...] = ()
    hcpc_numbers: tuple[HcpcNumber, ...] = ()
    uln: str | None = None
    husid: str | None = None
    sid: str | None = None
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """When something was told: now, and from which day it holds (None: it names no day).

    `told_as` is the reference under which it was told, where that is not the person's own.
    """

    at: datetime
    today: date
    effective_on: date | None = None
    said_at: datetime | None = None
    source_ref: str | None = None
    told_as: str | None = None


def from_record(practitioner_id: str, record: Record) -> Practitioner:
    """Return the person that a taken record describes, not yet kept."""
    return Practitioner(
        practitioner_id=practitioner_id,
        employee_ref=record.employee_ref or "",
        given_name=record.given_name,
        family_name=record.family_name,
        email=record.email,
        date_of_birth=record.date_of_birth,
        swe_number=record.swe_number,
        pcf_level=record.pcf_level,
        employment_start=record.employment_start,
        job_title=record.job_title,
        team=record.team,
        fte=record.fte,
    )


def described_again(known: Practitioner, described: Practitioner) -> Practitioner:
    """Return `known` with the details of a later description, which hold from no other day than now.

    Everything that a description does not say (managers, histories, identifiers, merges, version) stays as it is.
    """
    told = dict(zip(DETAILS, _details(described), strict=True))
    return replace(known, **told, employment_start=described.employment_start)


def described_on(known: Practitioner | None, described: Practitioner, telling: Telling) -> Practitioner:
    """Return the person once a description was told: in its place by the day from which it holds.

    A first description that names no day holds from the start of employment, a later one from the day it is told,
    never before the first. What is told of an earlier day does not change what a later day has.
    """
    person = known if known is not None else described
    statements = tuple(person.statements or _as_first_told(known, telling))
    first_on = statements[0].effective_on if statements else described.employment_start or telling.today
    undated_on = max(telling.today, first_on) if statements else first_on
    details = Details(*_details(described))
    effective_on, said_at = telling.effective_on or undated_on, telling.said_at or telling.at
    new = Statement(effective_on, telling.at, said_at, details, telling.source_ref, telling.told_as)
    after = dated.added(statements, new, is_dated=telling.effective_on is not None)
    employments = person.employments or _as_first_employed(known, telling)
    if dated.is_newest(statements, new):
        employments = described_start(employments, described.employment_start, telling.at)
    if known is not None and after == known.statements and employments == known.employments:
        return known
    return on_day(replace(person, statements=after, employments=employments), telling.today)


def told_under(telling: Telling, known: Practitioner | None, reference: str) -> Telling:
    """Return the telling with the reference under which it was told, where that is not the known person's own."""
    told_as = reference if known is not None and known.employee_ref != reference else None
    return telling if telling.told_as == told_as else replace(telling, told_as=told_as)


def parted(
    survivor: Practitioner, merged: Practitioner, names: Sequence[str], day: date
) -> tuple[Practitioner, Practitioner]:
    """Return both once what was told under the merged one's references (`names`) is theirs again."""
    stays, back = dated.parted(survivor.statements, names)
    if not back:
        return survivor, merged
    theirs = dated.together(merged.statements, back, merged.employee_ref)
    return on_day(replace(survivor, statements=stays), day), on_day(replace(merged, statements=theirs), day)


def on_day(person: Practitioner, day: date, known_at: datetime | None = None) -> Practitioner:
    """Return the person with the plain fields of `day`; before the first statement's day, that first one's."""
    known = [one for one in person.statements if known_at is None or one.recorded_at <= known_at]
    standing = dated.standing_on(known, day) or next(iter(known), None)
    told = _details(standing.details if standing else person)
    employment = employment_on(person.employments, day, known_at)
    start = employment.started_on if employment else person.employment_start
    if told == _details(person) and start == person.employment_start:
        return person
    return replace(person, **dict(zip(DETAILS, told, strict=True)), employment_start=start)


def as_of(person: Practitioner, day: date, known_at: datetime | None = None) -> Practitioner | None:
    """Return the person as of `day`, as known at `known_at` (now); None when nothing was known of that day then."""
    if person.statements and dated.standing_on(person.statements, day, known_at) is None:
        return None
    return replace(on_day(person, day, known_at), line_managers=managers_at(person, known_at))


def managed_by(person: Practitioner, manager: LineManager) -> Practitioner:
    """Return the person with a line manager from a day on; another one of the same day is replaced, not forgotten."""
    same = [known for known in person.line_managers if known.from_on == manager.from_on]
    if any(known.line_manager_id == manager.line_manager_id for known in same):
        return person
    others = [known for known in person.line_managers if known.from_on != manager.from_on]
    return replace(
        person,
        line_managers=tuple(sorted([*others, manager], key=lambda each: each.from_on)),
        corrected_managers=(*person.corrected_managers, *same),
    )


def manager_told(person: Practitioner, manager: LineManager) -> Practitioner:
    """Return the person with a line manager whom a dated message named: in its place, whenever it comes.

    The same message again changes nothing; between two of one day the one that was said later stands.
    """
    told = [one for one in (*person.corrected_managers, *person.line_managers) if one.from_on == manager.from_on]
    if _is_known(told, manager):
        return person
    standing = next((one for one in person.line_managers if one.from_on == manager.from_on), None)
    if standing is None or manager.said_at is None:
        return managed_by(person, manager)
    said = standing.said_at or standing.recorded_at
    if said is not None and said > manager.said_at:
        return replace(person, corrected_managers=(*person.corrected_managers, manager))
    if standing.line_manager_id != manager.line_manager_id:
        return managed_by(person, manager)
    said_again = replace(standing, said_at=manager.said_at)
    managers = tuple(said_again if one is standing else one for one in person.line_managers)
    return replace(person, line_managers=managers)


def _is_known(told: Sequence[LineManager], manager: LineManager) -> bool:
    """Return whether this message was told of its day before, or the same was said of that day later than it."""
    same = [one for one in told if one.line_manager_id == manager.line_manager_id]
    if manager.source_ref is None:
        return bool(told) and told[-1].line_manager_id == manager.line_manager_id  # the one that stands comes last
    said = manager.said_at
    return any(
        one.source_ref == manager.source_ref or (one.said_at is not None and said is not None and one.said_at >= said)
        for one in same
    )


def managers_to_tell(before: Practitioner | None, kept: Practitioner) -> list[LineManager]:
    """Return the line managers whom others have to hear of, so that they know who manages on every day.

    Who goes on managing is no news, until somebody else is put before them; a day that is corrected always is.
    """
    old = before.line_managers if before else ()
    known, days = {_who(one) for one in _changes(old)}, {one.from_on for one in old}
    changing = {_who(one) for one in _changes(kept.line_managers)}
    same = {_who(one) for one in old}
    return [
        one
        for one in kept.line_managers
        if (_who(one) in changing and _who(one) not in known) or (_who(one) not in same and one.from_on in days)
    ]


def _who(manager: LineManager) -> tuple[date, str | None]:
    return manager.from_on, manager.line_manager_id


def _changes(managers: Sequence[LineManager]) -> list[LineManager]:
    """Return those who are not who managed before them."""
    return [
        one
        for place, one in enumerate(managers)
        if place == 0 or managers[place - 1].line_manager_id != one.line_manager_id
    ]


def managers_at(person: Practitioner, known_at: datetime | None = None) -> tuple[LineManager, ...]:
    """Return the line managers in order of their days, as they were known at `known_at` (now)."""
    if known_at is None:
        return person.line_managers
    told = [*person.corrected_managers, *person.line_managers]
    known = {one.from_on: one for one in told if one.recorded_at is None or one.recorded_at <= known_at}
    return tuple(one for _, one in sorted(known.items()))


def manager_on(person: Practitioner, day: date) -> LineManager | None:
    """Return who manages the line on `day`; None before the first."""
    known = [manager for manager in person.line_managers if manager.from_on <= day]
    return known[-1] if known else None


def has_been_newly_qualified(person: Practitioner) -> bool:
    """Return whether the person was ever said to be in the assessed and supported year."""
    levels = {person.pcf_level, *(one.details.pcf_level for one in person.statements)}
    return NEWLY_QUALIFIED in levels


def _as_first_told(known: Practitioner | None, telling: Telling) -> tuple[Statement, ...]:
    """Return what a person kept before there was a history had: one statement from the start of employment."""
    if known is None:
        return ()
    details = Details(**{name: getattr(known, name) for name in DETAILS})
    return (Statement(known.employment_start or telling.today, telling.at, telling.at, details),)


def _as_first_employed(known: Practitioner | None, telling: Telling) -> tuple[Employment, ...]:
    start = known.employment_start if known else None
    return (Employment(start, telling.at),) if start is not None else ()
