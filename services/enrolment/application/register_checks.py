"""A register file held against an employer's people: some of them at a time, so that no transaction grows large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from services.enrolment.application.entitlement_ports import RegisterCheck
from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain import registrations
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.registrations import NOT_CHECKED, Register, RegisterRow, Registration
from shared.clock import london_date

AT_ONCE = 200
LEASE = timedelta(seconds=20)
QUIET = "whether somebody is registered stays with their employer"


def check_some(desk: Desk, register: Mapping[str, RegisterRow], check_id: str) -> bool:
    """Hold what a file said against the next people, keep what was found; return whether there is more to do.

    How far a check came is kept with it, so that a step that runs again goes on where the last one ended, whoever
    takes it: the request that sent the file, or the worker after it.
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
        found = registrations.found_on(register.get(person.swe_number), today)
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
            leased_until=None if is_done else desk.now + LEASE,
            is_done=is_done,
            registered=check.registered + counts[registrations.REGISTERED],
            lapsed=check.lapsed + counts[registrations.LAPSED],
            not_found=check.not_found + counts[registrations.NOT_FOUND],
            without_number=check.without_number + counts[NOT_CHECKED],
        )
    )
    desk.silent(QUIET)
    return not is_done


def begin(desk: Desk, register: Register, content_id: str) -> RegisterCheck:
    """Return a check as kept before anybody was looked at. What was read of the file lies under `content_id`."""
    check = RegisterCheck(
        check_id=desk.new_id(),
        checked_on=london_date(desk.now),
        is_done=False,
        rows=len(register.rows),
        refused=register.refused,
        faults=register.faults,
        content_id=content_id,
        leased_until=desk.now + LEASE,
    )
    desk.registrations.save_check(check)
    desk.silent(QUIET)
    return check


def lease(desk: Desk, check_id: str) -> RegisterCheck | None:
    """Return a check that nobody is at work on any more, now one's own; None: somebody is, or it is done."""
    check = desk.registrations.check(check_id)
    is_held = check is not None and check.leased_until is not None and check.leased_until > desk.now
    if check is None or check.is_done or is_held:
        return None
    held = replace(check, leased_until=desk.now + LEASE)
    desk.registrations.save_check(held)
    desk.silent(QUIET)
    return held


def let_go(desk: Desk, check_id: str) -> None:
    """Keep no longer where a file's rows lie; they are dropped before."""
    check = desk.registrations.check(check_id)
    if check is not None:
        desk.registrations.save_check(replace(check, content_id=None, leased_until=None))
    desk.silent(QUIET)


def registration_of(books: Books, person: Practitioner) -> Registration:
    """Return what was found of a person; `not_checked` where nothing was."""
    found = books.registrations.many([person.practitioner_id]).get(person.practitioner_id)
    return found or Registration(person.practitioner_id, NOT_CHECKED, ())
