"""Registrations, submitted work and marks over HTTP, for the university's own staff.

The marker is the token's subject. Marks go out to the university's tutors and registrar only, never on the bus.
"""

from __future__ import annotations

from services.accreditation.api import representations as show
from services.accreditation.api.rooms import books, desk
from services.accreditation.api.schemas import (
    MARK_IN,
    REGISTRATION_FILTER,
    REGISTRATION_OUT,
    SUBMISSION_IN,
)
from services.accreditation.application import handlers, queries
from services.accreditation.application.commands import GiveMark, HandIn
from services.accreditation.application.ports import Desk, RegistrationFilter
from services.accreditation.application.queries import Registration
from services.accreditation.domain.candidacy import Candidacy, MarkKind
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
from shared.storage.unit_of_work import Work

routes = Routes("registrations", description="Candidates on the academic route, their work and their marks.")


@routes.get("/v1/organisations/<org>/registrations")
@scope("registrations.read")
@asks(REGISTRATION_FILTER)
@paged
@returns(200, REGISTRATION_OUT)
def list_registrations(org: str) -> Reply:
    """Read registrations, in order of registration; `state=identity_pending` shows those still waiting for a name."""
    page, wanted = page_of(), RegistrationFilter(**query(REGISTRATION_FILTER))
    return read(
        org,
        lambda reading: page.reply(
            queries.registrations(books(reading), page.after, page.fetch, wanted), _position, show.registration
        ),
    )


@routes.get("/v1/organisations/<org>/registrations/<registration_id>")
@scope("registrations.read")
@returns(200, REGISTRATION_OUT, etag=True)
def get_registration(org: str, registration_id: str) -> Reply:
    """Read one registration."""
    return read(org, lambda reading: _registration(200, queries.registration(books(reading), registration_id)))


@routes.post("/v1/organisations/<org>/registrations/<registration_id>/submissions")
@scope("submissions.record")
@accepts(SUBMISSION_IN)
@returns(201, REGISTRATION_OUT, etag=True)
@refuses(409, "withdrawn, not registered yet, or other work was handed in")
def record_submission(org: str, registration_id: str) -> Reply:
    """Record that the candidate handed in work."""
    body = load(SUBMISSION_IN)
    command = HandIn(registration_id, body["submitted_on"], body["words"])

    def change(work: Work) -> Reply:
        at = desk(work)
        return _changed(at, handlers.hand_in(at, command))

    return transact(org, change)


@routes.post("/v1/organisations/<org>/registrations/<registration_id>/marks")
@scope("marks.record")
@accepts(MARK_IN)
@returns(201, REGISTRATION_OUT, etag=True)
@refuses(409, "withdrawn, nothing submitted, a mark of that kind stands, or a board has ratified")
def record_mark(org: str, registration_id: str) -> Reply:
    """Give a mark: the first by one tutor, the agreed one by another. Provisional until a board ratifies it."""
    body = load(MARK_IN)
    command = GiveMark(registration_id, MarkKind(body["kind"]), body["mark"], current_principal().subject)

    def change(work: Work) -> Reply:
        at = desk(work)
        return _changed(at, handlers.give_mark(at, command))

    return transact(org, change)


def _position(found: Registration) -> str:
    enrolment = found.candidacy.enrolment
    return enrolment.registration_id if enrolment else ""


def _changed(at: Desk, candidacy: Candidacy) -> Reply:
    return _registration(201, queries.registrations_of(at, [candidacy])[0])


def _registration(status: int, found: Registration) -> Reply:
    return Reply(status, show.registration(found), etag=etag_of(found.candidacy.version))
