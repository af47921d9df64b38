"""A register file held against an employer's people: some of them at a time, so that no transaction grows large."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from services.enrolment.application.entitlement_ports import RegisterCheck
from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain import registrations
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.registrations import NOT_CHECKED, Register, Registration
from shared.clock import london_date

AT_ONCE = 200


def check_some(desk: Desk, register: Register, check_id: str) -> bool:
    """Hold the file against the next people, keep what was found; return whether there is more to do.

    How far a check came is kept with it, so that a step that runs again goes on where the last one ended.
    """
    check = desk.registrations.check(check_id)
    if check is None or check.is_done:
        return False
    people = desk.people.page(check.after, AT_ONCE)
    before = desk.registrations.many([person.practitioner_id for person in people])
    today = london_date(desk.now)
    counts: Counter[str] = Counter()
    known: list[Registration] = []
    new: list[Registration] = []
    for person in people:
        if person.swe_number is None:
            counts[NOT_CHECKED] += 1
            continue
        found = registrations.found_on(register.rows.get(person.swe_number), today)
        counts[found[0]] += 1
        standing = before.get(person.practitioner_id)
        kept = registrations.checked(standing, person.practitioner_id, found, today)
        if kept != standing:
            (known if standing else new).append(kept)
    desk.registrations.save(known, new)
    is_done = len(people) < AT_ONCE
    desk.registrations.save_check(
        replace(
            check,
            after=people[-1].practitioner_id if people else check.after,
            is_done=is_done,
            registered=check.registered + counts[registrations.REGISTERED],
            lapsed=check.lapsed + counts[registrations.LAPSED],
            not_found=check.not_found + counts[registrations.NOT_FOUND],
            without_number=check.without_number + counts[NOT_CHECKED],
        )
    )
    desk.silent("whether somebody is registered stays with their employer")
    return not is_done


def begin(desk: Desk, register: Register) -> RegisterCheck:
    """Return a check as kept before anybody was looked at. The file itself is not kept."""
    check = RegisterCheck(
        check_id=desk.new_id(),
        checked_on=london_date(desk.now),
        is_done=False,
        rows=len(register.rows),
        refused=register.refused,
        faults=register.faults,
    )
    desk.registrations.save_check(check)
    desk.silent("whether somebody is registered stays with their employer")
    return check


def registration_of(books: Books, person: Practitioner) -> Registration:
    """Return what was found of a person; `not_checked` where nothing was."""
    found = books.registrations.many([person.practitioner_id]).get(person.practitioner_id)
    return found or Registration(person.practitioner_id, NOT_CHECKED, ())
