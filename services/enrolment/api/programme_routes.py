"""Programmes over HTTP: a programme lead's own, and what everybody knows of them."""

from __future__ import annotations

import msgspec

from services.enrolment.api import course_representations as show
from services.enrolment.api.course_routes import known_to
from services.enrolment.api.programme_schemas import PROGRAMME_IN, PROGRAMME_OUT, PROGRAMMES_OUT
from services.enrolment.api.rooms import books, desk, must_lead
from services.enrolment.application import programmes
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.programmes import Programme
from shared.http import (
    Reply,
    Routes,
    accepts,
    conditional,
    etag_of,
    if_match,
    load,
    page_of,
    paged,
    read,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Reading, Work

programme_routes = Routes("programmes", description="Courses in combination, with strands by level.")

_PROGRAMME = "/v1/organisations/<org>/programmes/<code>"


@programme_routes.get("/v1/catalogue/programmes")
@scope("catalogue.read")
@returns(200, PROGRAMMES_OUT)
def catalogue_of_programmes() -> Reply:
    """See every programme, as one's own organisation knows them."""

    def answer(reading: Reading) -> Reply:
        items = [show.known_programme(told) for told in books(reading).catalogue.programmes()]
        return Reply(200, {"items": items, "next": None})

    return read(known_to(), answer)


@programme_routes.put(_PROGRAMME)
@scope("programmes.describe")
@accepts(PROGRAMME_IN)
@conditional
@returns(200, PROGRAMME_OUT, etag=True)
@returns(201, PROGRAMME_OUT, etag=True)
def describe_programme(org: str, code: str) -> Reply:
    """Describe a programme of one's own courses or change it; the same again needs no If-Match."""
    must_lead(org)
    wanted = msgspec.convert({"code": code, **load(PROGRAMME_IN)}, Programme)

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.programmes.find(code)
        if standing is None or not programmes.same_programme(standing, wanted):
            if_match(etag_of(standing.version) if standing else None)
        kept = programmes.describe_programme(at, wanted)
        return Reply(200 if standing else 201, show.programme(kept, org), etag=etag_of(kept.version))

    return transact(org, change)


@programme_routes.get(_PROGRAMME)
@scope("programmes.read")
@returns(200, PROGRAMME_OUT, etag=True)
def read_programme(org: str, code: str) -> Reply:
    """Read one programme."""

    def answer(reading: Reading) -> Reply:
        found = books(reading).programmes.find(code)
        if found is None:
            raise NoSuchThing("no such programme")
        return Reply(200, show.programme(found, org), etag=etag_of(found.version))

    return read(org, answer)


@programme_routes.get("/v1/organisations/<org>/programmes")
@scope("programmes.read")
@paged
@returns(200, PROGRAMME_OUT)
def list_programmes(org: str) -> Reply:
    """Read the programmes in order of code."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).programmes.page(page.after, page.fetch),
            lambda programme: programme.code,
            lambda programme: show.programme(programme, org),
        ),
    )
