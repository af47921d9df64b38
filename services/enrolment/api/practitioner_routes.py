"""An employer's people over HTTP, and the release of an identity to a university. Nobody else sees a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import request

from services.enrolment.api import feed_messages, representations
from services.enrolment.api import people_views as show
from services.enrolment.api.descriptions import described
from services.enrolment.api.practitioner_schemas import (
    ABSENCE_IN,
    AS_OF_ASKED,
    CLOCK_OUT,
    DAY_IN,
    EMPLOYMENT_IN,
    HISTORY_OUT,
    IDENTITY_ASKED,
    IDENTITY_OUT,
    LINE_MANAGER_IN,
    MESSAGES_IN,
    MESSAGES_OUT,
    ON_ASKED,
    PRACTITIONER_IN,
    PRACTITIONER_OUT,
    REFERENCE_IN,
)
from services.enrolment.api.rooms import books, desk, names
from services.enrolment.api.schemas import ENROLMENT_OUT
from services.enrolment.application import duplicates, entitlements, people, place_queries
from services.enrolment.application import practitioner_handlers as handlers
from services.enrolment.application.commands import AssignLineManager, ReleaseIdentity
from services.enrolment.application.ports import Books, Desk
from services.enrolment.application.register_checks import registration_of
from services.enrolment.domain import practitioners
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.registrations import NOT_CHECKED, Registration
from shared.clock import london_date
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    conditional,
    current_principal,
    etag_of,
    if_match,
    load,
    page_of,
    paged,
    query,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.http.bodies import loaded
from shared.storage.unit_of_work import Reading, Work

practitioner_routes = Routes("practitioners", description="An employer's people; released by purpose, never listed.")

_PEOPLE = "/v1/organisations/<org>/practitioners"
_PERSON = f"{_PEOPLE}/<employee_ref>"


@practitioner_routes.put(_PERSON)
@scope("practitioners.keep")
@accepts(PRACTITIONER_IN)
@conditional
@returns(200, PRACTITIONER_OUT, etag=True)
@returns(201, PRACTITIONER_OUT, etag=True)
@refuses(422, "a number's check digit is wrong")
def keep_practitioner(org: str, employee_ref: str) -> Reply:
    """Keep a person's details from a day on; what is told again changes nothing, what is back-dated finds its place.

    A message of a feed, with `source_ref` and `effective_on`, needs no If-Match: both say what it is about.
    """
    employee_ref = _canonical(employee_ref)
    told = described(load(PRACTITIONER_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.people.find(at.person_id(employee_ref))
        if not told.is_message or "If-Match" in request.headers:
            if_match(etag_of(standing.version) if standing else None)
        who, telling = told.person(at, employee_ref), told.telling(at)
        kept = handlers.keep_practitioner(at, who, told.line_manager_ref, telling, told.numbers)
        return _shown(at, kept, employee_ref, 200 if standing else 201)

    return transact(org, change)


@practitioner_routes.post("/v1/organisations/<org>/practitioner-messages")
@scope("practitioners.keep")
@accepts(MESSAGES_IN)
@returns(200, MESSAGES_OUT)
def take_messages(org: str) -> Reply:
    """Take up to 100 messages about people, each from a day on; good ones are kept, the others come back with faults.

    `taken`: news. `repeated`: known, nothing changed. `older`: of a day before the last one told of, put in its place.
    All are one transaction: either everything that the answer says is kept, or there is no answer.
    """
    sent = [feed_messages.read_message(place, each) for place, each in enumerate(load(MESSAGES_IN)["messages"])]

    def change(work: Work) -> Reply:
        at = desk(work)
        return Reply(200, {"answers": [feed_messages.answer(at, place, each) for place, each in enumerate(sent)]})

    return transact(org, change)


@practitioner_routes.get(_PERSON)
@scope("practitioners.read")
@asks(AS_OF_ASKED)
@returns(200, PRACTITIONER_OUT, etag=True)
def read_practitioner(org: str, employee_ref: str) -> Reply:
    """Read a person's details of a day, as known now or then, by reference or id, an old one too; or one's own."""
    _only_own(employee_ref)
    asked = query(AS_OF_ASKED)

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = duplicates.find_person(at, employee_ref)
        known_at = asked.get("known_at")
        if not asked:
            return _shown(at, found, employee_ref)
        day = asked.get("as_of") or london_date(at.now)
        standing = practitioners.as_of(found, day, known_at)
        if standing is None:
            raise NoSuchThing("nothing was known of that day")
        old = _old_name(found, employee_ref)
        body = show.practitioner(standing, registration_of(at, found), day, known_at=known_at, asked=old)
        return Reply(200, body, etag=etag_of(found.version))

    return read(org, answer)


@practitioner_routes.get(f"{_PERSON}/history")
@scope("practitioners.read")
@returns(200, HISTORY_OUT)
def read_history(org: str, employee_ref: str) -> Reply:
    """Read everything that was told of a person, with both times of each; or of oneself."""
    _only_own(employee_ref)

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = duplicates.find_person(at, employee_ref)
        return Reply(200, show.history(found, registration_of(at, found), london_date(at.now)))

    return read(org, answer)


@practitioner_routes.get(f"{_PERSON}/enrolments")
@scope("practitioners.read")
@paged
@returns(200, ENROLMENT_OUT)
def read_enrolments(org: str, employee_ref: str) -> Reply:
    """Read a person's enrolments under every reference that was ever theirs; or one's own."""
    _only_own(employee_ref)
    page = page_of()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = duplicates.enrolments_of(at, duplicates.find_person(at, employee_ref))
        later = [one for one in found if page.after is None or one.enrolment_id > page.after]
        why = place_queries.explanations_of(at, later[: page.fetch], names())
        return page.reply(
            later[: page.fetch],
            lambda one: one.enrolment_id,
            lambda one: representations.enrolment(one, why.get(one.enrolment_id)),
        )

    return read(org, answer)


@practitioner_routes.get(f"{_PERSON}/supervision-clock")
@scope("practitioners.read")
@asks(ON_ASKED)
@returns(200, CLOCK_OUT)
@refuses(422, "no employment had begun by that day, or it has ended")
def read_clock(org: str, employee_ref: str) -> Reply:
    """Read how often somebody is to be supervised on a day; or oneself."""
    _only_own(employee_ref)
    on = query(ON_ASKED).get("on")
    return read(
        org, lambda reading: Reply(200, show.plain(entitlements.supervision_clock(books(reading), employee_ref, on)))
    )


@practitioner_routes.get(_PEOPLE)
@scope("practitioners.read")
@paged
@returns(200, PRACTITIONER_OUT)
def list_practitioners(org: str) -> Reply:
    """Read people in order of their opaque ids; a practitioner sees themselves."""
    page = page_of()
    principal = current_principal()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        if "hr" in principal.roles:
            found = at.people.page(page.after, page.fetch)
        else:
            own = at.people.find(at.person_id(principal.subject))
            found = [own] if own else []
        today = london_date(at.now)
        registered = at.registrations.many([person.practitioner_id for person in found])

        def shown(person: Practitioner) -> dict[str, Any]:
            nothing = Registration(person.practitioner_id, NOT_CHECKED, ())
            known = registered.get(person.practitioner_id, nothing)
            return show.practitioner(practitioners.on_day(person, today), known, today)

        return page.reply(found, lambda person: person.practitioner_id, shown)

    return read(org, answer)


@practitioner_routes.post(f"{_PERSON}/line-managers")
@scope("practitioners.assign-line-manager")
@accepts(LINE_MANAGER_IN)
@returns(201, PRACTITIONER_OUT, etag=True)
def assign_line_manager(org: str, employee_ref: str) -> Reply:
    """Say who manages somebody's line from a day on, that day included."""
    command = AssignLineManager(_canonical(employee_ref), **load(LINE_MANAGER_IN))
    return _changed(org, employee_ref, lambda at: handlers.assign_line_manager(at, command), 201)


@practitioner_routes.put(f"{_PERSON}/employments/<started_on>")
@scope("practitioners.keep")
@accepts(EMPLOYMENT_IN)
@returns(200, PRACTITIONER_OUT, etag=True)
@refuses(422, "it overlaps another employment, or ends before it begins")
def tell_employment(org: str, employee_ref: str, started_on: str) -> Reply:
    """Say that an employment began on a day, and when and why it ended; a person may leave and come back."""
    day, body = _day(started_on), load(EMPLOYMENT_IN)
    return _changed(org, employee_ref, lambda at: handlers.tell_employment(at, _canonical(employee_ref), day, **body))


@practitioner_routes.delete(f"{_PERSON}/employments/<started_on>")
@scope("practitioners.keep")
@returns(200, PRACTITIONER_OUT, etag=True)
def take_back_employment(org: str, employee_ref: str, started_on: str) -> Reply:
    """Say that an employment that was told never was; the history keeps that it was told."""
    day = _day(started_on)
    return _changed(
        org,
        employee_ref,
        lambda at: handlers.tell_employment(at, _canonical(employee_ref), day, None, None, stands=False),
    )


@practitioner_routes.put(f"{_PERSON}/absences/<from_on>")
@scope("practitioners.keep")
@accepts(ABSENCE_IN)
@returns(200, PRACTITIONER_OUT, etag=True)
@refuses(422, "it ends before it begins")
def tell_absence(org: str, employee_ref: str, from_on: str) -> Reply:
    """Say from when until when somebody is away, both days included; no reason is kept. It stops the clock."""
    day, body = _day(from_on), load(ABSENCE_IN)
    return _changed(org, employee_ref, lambda at: handlers.tell_absence(at, _canonical(employee_ref), day, **body))


@practitioner_routes.delete(f"{_PERSON}/absences/<from_on>")
@scope("practitioners.keep")
@returns(200, PRACTITIONER_OUT, etag=True)
def take_back_absence(org: str, employee_ref: str, from_on: str) -> Reply:
    """Say that an absence that was told never was; the history keeps that it was told."""
    day = _day(from_on)
    return _changed(
        org, employee_ref, lambda at: handlers.tell_absence(at, _canonical(employee_ref), day, None, stands=False)
    )


@practitioner_routes.get(f"{_PEOPLE}/<practitioner_id>/identity")
@scope("practitioners.identity")
@asks(IDENTITY_ASKED)
@returns(200, IDENTITY_OUT)
def release_identity(org: str, practitioner_id: str) -> Reply:
    """Give a person's identity to the university that awards credit for their place; written down each time."""
    command = ReleaseIdentity(practitioner_id, current_principal().organisation, query(IDENTITY_ASKED)["purpose"])
    return transact(org, lambda work: Reply(200, show.identity(handlers.release_identity(desk(work), command))))


def _changed(org: str, asked: str, change: Callable[[Desk], Practitioner], status: int = 200) -> Reply:
    def run(work: Work) -> Reply:
        at = desk(work)
        return _shown(at, change(at), asked, status)

    return transact(org, run)


def _shown(at: Books, found: Practitioner, asked: str, status: int = 200) -> Reply:
    today = people.telling_now(at).today
    body = show.practitioner(
        practitioners.on_day(found, today), registration_of(at, found), today, asked=_old_name(found, asked)
    )
    return Reply(status, body, etag=etag_of(found.version))


def _old_name(found: Practitioner, asked: str) -> str | None:
    """Return the name that was asked for, where it is neither the person's reference nor their id any more."""
    return asked if asked not in (found.employee_ref, found.practitioner_id) else None


def _only_own(employee_ref: str) -> None:
    """Refuse a practitioner who asks for somebody else, as if there were nobody."""
    principal = current_principal()
    if "hr" not in principal.roles and principal.subject != employee_ref:
        raise NoSuchThing("another person")


def _canonical(employee_ref: str) -> str:
    """Return the reference as every other door reads it: one person, one spelling; no text that no door takes."""
    reference: str = loaded(REFERENCE_IN, {"employee_ref": employee_ref})["employee_ref"]
    return reference


def _day(text: str) -> date:
    """Return the day that an address names."""
    day: date = loaded(DAY_IN, {"day": text})["day"]
    return day
