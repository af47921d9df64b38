"""Cohorts and the waiting lists over HTTP."""

from __future__ import annotations

from services.enrolment.api import representations as show
from services.enrolment.api.cohort_schemas import COHORT_IN, COHORT_OUT, WAITING_LISTS_OUT
from services.enrolment.api.rooms import books, desk, must_lead
from services.enrolment.api.schemas import NOTHING_IN
from services.enrolment.application import cohort_handlers as handlers
from services.enrolment.application import queries
from services.enrolment.application.commands import OpenCohort
from services.enrolment.domain.errors import NoSuchThing
from shared.http import (
    Reply,
    Routes,
    accepts,
    conditional,
    etag_of,
    if_match,
    load,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Reading, Work

cohort_routes = Routes("cohorts", description="Cohorts of a programme lead, their seats and their queues.")

_COHORT = "/v1/organisations/<org>/courses/<code>/cohorts/<intake>"


@cohort_routes.put(_COHORT)
@scope("cohorts.open")
@accepts(COHORT_IN)
@conditional
@returns(200, COHORT_OUT, etag=True)
@returns(201, COHORT_OUT, etag=True)
@refuses(422, "more seats are taken than there would be")
def open_cohort(org: str, code: str, intake: str) -> Reply:
    """Open a cohort or change its capacity; more seats promote the head of the queue at once."""
    must_lead(org)
    capacity = load(COHORT_IN)["capacity"]

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.cohorts.find(code, intake)
        if standing is None or standing.cohort.capacity != capacity:
            if_match(etag_of(standing.version) if standing else None)
        kept = handlers.open_cohort(at, OpenCohort(code, intake, capacity))
        body = show.cohort(kept, *queries.places(at, code, intake))
        return Reply(200 if standing else 201, body, etag=etag_of(kept.version))

    return transact(org, change)


@cohort_routes.get(_COHORT)
@scope("courses.read")
@returns(200, COHORT_OUT, etag=True)
def read_cohort(org: str, code: str, intake: str) -> Reply:
    """Read a cohort with its seats and its queue, in order of arrival, by opaque ids."""

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        kept = at.cohorts.find(code, intake)
        if kept is None:
            raise NoSuchThing("no such cohort")
        return Reply(200, show.cohort(kept, *queries.places(at, code, intake)), etag=etag_of(kept.version))

    return read(org, answer)


@cohort_routes.get("/v1/organisations/<org>/waiting-lists")
@scope("waiting-lists.read")
@returns(200, WAITING_LISTS_OUT)
def waiting_lists(org: str) -> Reply:
    """Read every queue that is not empty, in order of course and intake."""

    def answer(reading: Reading) -> Reply:
        found = queries.waiting_lists(books(reading))
        items = [
            {"course": kept.course, "intake": kept.intake, "waiting": [show.place(place) for place in waiting]}
            for kept, waiting in found
        ]
        return Reply(200, {"items": items, "next": None})

    return read(org, answer)


@cohort_routes.post(f"{_COHORT}/close")
@scope("cohorts.close")
@accepts(NOTHING_IN)
@returns(200, COHORT_OUT, etag=True)
def close_cohort(org: str, code: str, intake: str) -> Reply:
    """Close a cohort to new requests; its queue still moves."""
    load(NOTHING_IN)

    def change(work: Work) -> Reply:
        at = desk(work)
        kept = handlers.close_cohort(at, code, intake)
        return Reply(200, show.cohort(kept, *queries.places(at, code, intake)), etag=etag_of(kept.version))

    return transact(org, change)
