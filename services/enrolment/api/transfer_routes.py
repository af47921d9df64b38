"""A person's place goes from one employer to another, over HTTP: given over by the one, taken on by the other."""

from __future__ import annotations

from typing import Any

from services.enrolment.api import representations as show
from services.enrolment.api.lifecycle_schemas import (
    INCOMING_ASKED,
    INCOMING_OUT,
    TAKEN_ON_IN,
    TRANSFER_IN,
)
from services.enrolment.api.rooms import books, desk, why_of
from services.enrolment.api.schemas import ENROLMENT_OUT, NOTHING_IN
from services.enrolment.application import transfers
from services.enrolment.application.commands import GiveOver, TakeOn
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.mapping import FileMapping, read_row
from services.enrolment.domain.records import ReadRow
from services.enrolment.domain.transfers import Incoming
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    current_service,
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

transfer_routes = Routes("transfers", description="A person's place goes with them to another employer.")

_INCOMING = "/v1/organisations/<org>/incoming-transfers"
_ONE = f"{_INCOMING}/<enrolment_id>"
_ANSWERED = "it was answered before, has lapsed, or the person has an enrolment in this intake"


@transfer_routes.post("/v1/organisations/<org>/enrolments/<enrolment_id>/transfer")
@scope("enrolments.transfer")
@accepts(TRANSFER_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, "there is neither a seat nor a place in the queue")
@refuses(422, "that is no other employer of this partnership")
def give_over(org: str, enrolment_id: str) -> Reply:
    """Give a person's place over to another employer, which has until `transfer.accept_by` to take it."""
    employers = tuple(current_service().partnership.with_role("employer"))
    command = GiveOver(enrolment_id, **load(TRANSFER_IN), employers=employers)

    def change(work: Work) -> Reply:
        at = desk(work)
        after = transfers.give_over(at, command)
        return Reply(200, show.enrolment(after, why_of(at, after)), etag=etag_of(after.version))

    return transact(org, change)


@transfer_routes.get(_INCOMING)
@scope("transfers.read")
@asks(INCOMING_ASKED)
@paged
@returns(200, INCOMING_OUT)
def list_incoming(org: str) -> Reply:
    """Read which places other employers give over to this one."""
    asked = query(INCOMING_ASKED)
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).incoming.page(page.after, page.fetch, asked.get("state")),
            lambda found: found.from_enrolment_id,
            show.incoming_transfer,
        ),
    )


@transfer_routes.get(_ONE)
@scope("transfers.read")
@returns(200, INCOMING_OUT, etag=True)
def read_incoming(org: str, enrolment_id: str) -> Reply:
    """Read one place that another employer gives over."""

    def answer(reading: Reading) -> Reply:
        found = books(reading).incoming.find(enrolment_id)
        if found is None:
            raise NoSuchThing("no such transfer")
        return _shown(found)

    return read(org, answer)


@transfer_routes.post(f"{_ONE}/accept")
@scope("transfers.answer")
@accepts(TAKEN_ON_IN)
@returns(201, ENROLMENT_OUT, etag=True)
@refuses(409, _ANSWERED)
@refuses(422, "the last day is over, or the person's details cannot be taken")
def take_on(org: str, enrolment_id: str) -> Reply:
    """Take the person on as a new enrolment here; the cohort's owner answers with the place they had."""
    body = load(TAKEN_ON_IN)

    def change(work: Work) -> Reply:
        at = desk(work)
        incoming = at.incoming.find(enrolment_id)
        described = _described(body, incoming) if incoming and body["person"] is not None else None
        _, taken = transfers.take_on(at, TakeOn(enrolment_id, body["employee_ref"], described))
        where = f"/v1/organisations/{org}/enrolments/{taken.enrolment_id}"
        return Reply(201, show.enrolment(taken), etag=etag_of(taken.version), location=where)

    return transact(org, change)


@transfer_routes.post(f"{_ONE}/refuse")
@scope("transfers.answer")
@accepts(NOTHING_IN)
@returns(200, INCOMING_OUT, etag=True)
@refuses(409, _ANSWERED)
def turn_away(org: str, enrolment_id: str) -> Reply:
    """Do not take the person on; the place goes back to the cohort."""
    load(NOTHING_IN)
    return transact(org, lambda work: _shown(transfers.turn_away(desk(work), enrolment_id)))


def _described(body: dict[str, Any], incoming: Incoming) -> ReadRow:
    """Return the person read like any record: the place's own fields stand as they were given over."""
    person = body["person"]
    cells = {
        **person,
        "fte": None if person["fte"] is None else str(person["fte"]),
        "employee_ref": body["employee_ref"],
        "course": incoming.course,
        "intake": incoming.intake,
        "route": incoming.route,
        "pcf_level": incoming.pcf_level,
    }
    return read_row(1, cells, FileMapping())


def _shown(found: Incoming) -> Reply:
    return Reply(200, show.incoming_transfer(found), etag=etag_of(found.version))
