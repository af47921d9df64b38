"""An employer's people over HTTP, and the release of an identity to a university. Nobody else sees a person."""

from __future__ import annotations

import re
from typing import Any

from services.enrolment.api import representations as show
from services.enrolment.api.practitioner_schemas import (
    IDENTITY_ASKED,
    IDENTITY_OUT,
    LINE_MANAGER_IN,
    PRACTITIONER_IN,
    PRACTITIONER_OUT,
    REFERENCE_IN,
)
from services.enrolment.api.rooms import books, desk
from services.enrolment.application import practitioner_handlers as handlers
from services.enrolment.application.commands import AssignLineManager, ReleaseIdentity
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.practitioners import Practitioner
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
    returns,
    scope,
    transact,
)
from shared.http.bodies import loaded
from shared.storage.unit_of_work import Reading, Work

practitioner_routes = Routes("practitioners", description="An employer's people; released by purpose, never listed.")

_PERSON = "/v1/organisations/<org>/practitioners/<employee_ref>"


@practitioner_routes.put(_PERSON)
@scope("practitioners.keep")
@accepts(PRACTITIONER_IN)
@conditional
@returns(200, PRACTITIONER_OUT, etag=True)
@returns(201, PRACTITIONER_OUT, etag=True)
def keep_practitioner(org: str, employee_ref: str) -> Reply:
    """Keep a person's details; line managers after the first are assigned with their day."""
    employee_ref = _canonical(employee_ref)
    body = load(PRACTITIONER_IN)
    manager_ref = body.pop("line_manager_ref")

    def change(work: Work) -> Reply:
        at = desk(work)
        practitioner_id = at.person_id(employee_ref)
        standing = at.people.find(practitioner_id)
        if_match(etag_of(standing.version) if standing else None)
        kept = handlers.keep_practitioner(at, _described(practitioner_id, employee_ref, body), manager_ref)
        return Reply(200 if standing else 201, show.practitioner(kept), etag=etag_of(kept.version))

    return transact(org, change)


@practitioner_routes.get(_PERSON)
@scope("practitioners.read")
@returns(200, PRACTITIONER_OUT, etag=True)
def read_practitioner(org: str, employee_ref: str) -> Reply:
    """Read a person's details; a practitioner their own only."""
    principal = current_principal()
    if "hr" not in principal.roles and principal.subject != employee_ref:
        raise NoSuchThing("another person")

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = at.people.find(at.person_id(employee_ref))
        if found is None:
            raise NoSuchThing("no such practitioner")
        return Reply(200, show.practitioner(found), etag=etag_of(found.version))

    return read(org, answer)


@practitioner_routes.get("/v1/organisations/<org>/practitioners")
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
        return page.reply(found, lambda person: person.practitioner_id, show.practitioner)

    return read(org, answer)


@practitioner_routes.post(f"{_PERSON}/line-managers")
@scope("practitioners.assign-line-manager")
@accepts(LINE_MANAGER_IN)
@returns(201, PRACTITIONER_OUT, etag=True)
def assign_line_manager(org: str, employee_ref: str) -> Reply:
    """Say who manages somebody's line from a day on, that day included."""
    command = AssignLineManager(_canonical(employee_ref), **load(LINE_MANAGER_IN))

    def change(work: Work) -> Reply:
        kept = handlers.assign_line_manager(desk(work), command)
        return Reply(201, show.practitioner(kept), etag=etag_of(kept.version))

    return transact(org, change)


@practitioner_routes.get("/v1/organisations/<org>/practitioners/<practitioner_id>/identity")
@scope("practitioners.identity")
@asks(IDENTITY_ASKED)
@returns(200, IDENTITY_OUT)
def release_identity(org: str, practitioner_id: str) -> Reply:
    """Give a person's identity to the university that awards credit for a confirmed place; written down each time."""
    command = ReleaseIdentity(practitioner_id, current_principal().organisation, query(IDENTITY_ASKED)["purpose"])
    return transact(org, lambda work: Reply(200, show.identity(handlers.release_identity(desk(work), command))))


def _canonical(employee_ref: str) -> str:
    """Return the reference as every other door reads it: one person, one spelling; no text that no door takes."""
    reference: str = loaded(REFERENCE_IN, {"employee_ref": employee_ref})["employee_ref"]
    return reference


def _described(practitioner_id: str, employee_ref: str, body: dict[str, Any]) -> Practitioner:
    number = body["swe_number"]
    digits = re.sub(r"\D", "", number).lstrip("0") if number else None
    fte = body["fte"]
    spelled = {
        **body,
        "swe_number": f"SW{digits}" if digits else None,
        "fte": None if fte is None else f"{fte.normalize():f}",
    }
    return Practitioner(practitioner_id=practitioner_id, employee_ref=employee_ref, **spelled)
