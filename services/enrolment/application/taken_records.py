"""Nominations written out again as they were taken, so that a list can leave as a file and come back as duplicates.

A nomination keeps no copy of its record: only a fingerprint, and the two days that stand nowhere else. What the person
was said to be is found again in their dated history, as it was known when the nomination was taken; where more than
one reading is possible, the fingerprint says which is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice, product

from services.enrolment.application.ports import Books, EnrolmentFilter
from services.enrolment.domain import practitioners
from services.enrolment.domain.dated import Details
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.records import Record, fingerprint, nomination_key
from services.enrolment.domain.taken import Taken

AT_ONCE = 200
MOST_READINGS = 400
"""How many readings of a history are held against one fingerprint; the first is right for almost everybody."""


def records(books: Books, wanted: EnrolmentFilter) -> Iterator[Record]:
    """Yield the record of every enrolment that the filter lets through, in the order of the list."""
    after = None
    while found := books.enrolments.page(after, AT_ONCE, wanted):
        yield from records_of(books, found)
        after = found[-1].enrolment_id


def records_of(books: Books, found: Sequence[Enrolment]) -> list[Record]:
    """Return the records under which enrolments were nominated, in the same order."""
    keys = [nomination_key(_place(each)) for each in found]
    taken = books.nominations.known(keys)
    people = books.people.many(list(dict.fromkeys(each.practitioner_id for each in found)))
    return [
        record_of(each, people.get(each.practitioner_id), taken[key].of(each.enrolment_id) if key in taken else None)
        for each, key in zip(found, keys, strict=True)
    ]


def record_of(enrolment: Enrolment, person: Practitioner | None, taken: Taken | None) -> Record:
    """Return the record of one nomination: the reading that has its fingerprint, else the likeliest."""
    if person is None:
        return _place(enrolment)
    readings = list(islice(_readings(enrolment, person, taken), MOST_READINGS))
    right = (one for one in readings if taken is not None and fingerprint(one) == taken.fingerprint)
    return next(right, readings[0])


def _readings(enrolment: Enrolment, person: Practitioner, taken: Taken | None) -> Iterator[Record]:
    """Yield what the record may have said, the likeliest first."""
    at = enrolment.history[0].recorded_at if enrolment.history else None
    days = (taken.manager_approved_on, taken.prerequisite_on) if taken else (None, None)
    for details, start, manager in product(_details(person, at), _starts(person), _managers(person, at)):
        yield _written(enrolment, details, start, manager, days)


def _written(
    enrolment: Enrolment,
    details: Details,
    start: date | None,
    manager: str | None,
    days: tuple[date | None, date | None],
) -> Record:
    return Record(
        employee_ref=enrolment.employee_ref,
        given_name=details.given_name,
        family_name=details.family_name,
        email=details.email,
        date_of_birth=details.date_of_birth,
        swe_number=details.swe_number,
        job_title=details.job_title,
        team=details.team,
        pcf_level=enrolment.pcf_level,
        line_manager_ref=manager,
        employment_start=start,
        fte=details.fte,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.history[0].route if enrolment.history else enrolment.route,
        manager_approved_on=days[0],
        prerequisite_on=days[1],
    )


def _place(enrolment: Enrolment) -> Record:
    """Return what an enrolment says itself, which is all that is left of somebody who was erased."""
    route = enrolment.history[0].route if enrolment.history else enrolment.route
    return Record(
        employee_ref=enrolment.employee_ref,
        pcf_level=enrolment.pcf_level,
        course=enrolment.course,
        intake=enrolment.intake,
        route=route,
    )


def _details(person: Practitioner, at: datetime | None) -> Iterable[Details]:
    """Return the details that were told, those known at that moment first, the latest of them first."""
    told = sorted(person.statements, key=lambda one: one.recorded_at, reverse=True)
    known = [one.details for one in told if at is None or one.recorded_at <= at]
    later = [one.details for one in reversed(told) if one.details not in known]
    plain = Details(**{name: getattr(person, name) for name in practitioners.DETAILS})
    return list(dict.fromkeys([*known, *later, plain]))


def _starts(person: Practitioner) -> Iterable[date | None]:
    told = [one.started_on for one in reversed(person.employments)]
    return list(dict.fromkeys([person.employment_start, *told]))


def _managers(person: Practitioner, at: datetime | None) -> Iterable[str | None]:
    """Return the line managers' references, those known at that moment first; nobody comes last."""
    told = [*reversed(person.line_managers), *person.corrected_managers]
    early = [one.line_manager_ref for one in told if at is None or one.recorded_at is None or one.recorded_at <= at]
    return list(dict.fromkeys([*early, *(one.line_manager_ref for one in told), None]))
