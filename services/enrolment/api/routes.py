"""Courses, cohorts, catalogue, enrolments and practitioners over HTTP. Files are in `upload_routes`."""

from __future__ import annotations

from services.enrolment.api import representations as show
from services.enrolment.api.rooms import books, desk, names, why_of
from services.enrolment.api.schemas import (
    COMPLETION_IN,
    ENROLMENT_OUT,
    ENROLMENTS_ASKED,
    NOMINATION_IN,
    WITHDRAWAL_IN,
)
from services.enrolment.application import handlers, place_queries, queries
from services.enrolment.application.commands import Complete, Withdraw
from services.enrolment.application.ports import Books, EnrolmentFilter
from services.enrolment.domain.decisions import ACCEPTED
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.mapping import FileMapping, read_row
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    current_principal,
    etag_of,
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
from shared.storage.unit_of_work import Reading, Work

enrolment_routes = Routes("enrolments", description="People of an employer, nominated for cohorts.")

_ENROLMENT = "/v1/organisations/<org>/enrolments/<enrolment_id>"
_SEES_ALL = frozenset({"hr", "supervisor", "auditor"})


@enrolment_routes.post("/v1/organisations/<org>/enrolments")
@scope("enrolments.create")
@accepts(NOMINATION_IN)
@returns(200, ENROLMENT_OUT, etag=True, description="identical to a nomination already taken")
@returns(201, ENROLMENT_OUT, etag=True)
@refuses(422, "the record is refused; each fault has a code of the contract and a pointer")
def nominate(org: str) -> Reply:
    """Nominate one person for one cohort; the cohort's owner answers with a seat or a place in the queue."""
    body = load(NOMINATION_IN)
    cells = {**body, "fte": None if body["fte"] is None else str(body["fte"])}
    by = current_principal().subject

    def change(work: Work) -> Reply:
        at = desk(work)
        outcome = handlers.nominate(at, read_row(1, cells, FileMapping()), by)
        found = queries.enrolment(at, outcome.enrolment_id or "")
        status = 201 if outcome.verdict.decision == ACCEPTED else 200
        shown = {**show.enrolment(found, why_of(at, found)), "decision": outcome.verdict.decision}
        where = f"/v1/organisations/{org}/enrolments/{found.enrolment_id}"
        return Reply(status, shown, etag=etag_of(found.version), location=where)

    return transact(org, change)


@enrolment_routes.get("/v1/organisations/<org>/enrolments")
@scope("enrolments.read")
@asks(ENROLMENTS_ASKED)
@paged
@returns(200, ENROLMENT_OUT)
def list_enrolments(org: str) -> Reply:
    """Read enrolments in the order in which they were taken; a practitioner sees their own.

    Filters that together let very little through may end a page early, even without an item: go on while `next` is
    not null.
    """
    asked = query(ENROLMENTS_ASKED)
    own = _only_person()
    if own is not None:
        asked = {**asked, "employee_ref": own}
    page = page_of()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        part = at.enrolments.part(page.after, page.fetch, EnrolmentFilter(**asked))
        why = place_queries.explanations_of(at, part.enrolments, names())
        return page.reply(
            part.enrolments,
            lambda each: each.enrolment_id,
            lambda each: show.enrolment(each, why.get(each.enrolment_id)),
            reached=part.reached,
        )

    return read(org, answer)


@enrolment_routes.get(_ENROLMENT)
@scope("enrolments.read")
@returns(200, ENROLMENT_OUT, etag=True)
def read_enrolment(org: str, enrolment_id: str) -> Reply:
    """Read one enrolment; a practitioner their own only."""
    own = _only_person()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = queries.enrolment(at, enrolment_id)
        if own is not None and found.employee_ref != own:
            raise NoSuchThing("another person's")
        return _shown(at, found)

    return read(org, answer)


@enrolment_routes.post(f"{_ENROLMENT}/withdraw")
@scope("enrolments.withdraw")
@accepts(WITHDRAWAL_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, "the enrolment has ended already")
@refuses(422, "that day cannot be; the detail says why")
def withdraw(org: str, enrolment_id: str) -> Reply:
    """End an enrolment early; a freed seat goes to the head of the queue."""
    command = Withdraw(enrolment_id, **load(WITHDRAWAL_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        return _shown(at, handlers.withdraw(at, command))

    return transact(org, change)


@enrolment_routes.post(f"{_ENROLMENT}/complete")
@scope("enrolments.complete")
@accepts(COMPLETION_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, "there is no confirmed seat")
@refuses(422, "the course ends through a portfolio, or that day cannot be; the detail says which")
def complete(org: str, enrolment_id: str) -> Reply:
    """Say how a course without a portfolio ended."""
    command = Complete(enrolment_id, **load(COMPLETION_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        return _shown(at, handlers.complete(at, command))

    return transact(org, change)


def _shown(at: Books, found: Enrolment) -> Reply:
    return Reply(200, show.enrolment(found, why_of(at, found)), etag=etag_of(found.version))


def _only_person() -> str | None:
    """Return whom the asker may see only: themselves, unless one of their roles sees all."""
    principal = current_principal()
    return None if principal.roles & _SEES_ALL else principal.subject
