"""Cohorts, their places and the waiting lists over HTTP."""

from __future__ import annotations

from typing import Any

from services.enrolment.api import cohort_representations as show
from services.enrolment.api.cohort_schemas import (
    COHORT_IN,
    COHORT_OUT,
    PLACE_OUT,
    PLACES_ASKED,
    WAITING_LISTS_OUT,
)
from services.enrolment.api.rooms import books, desk, must_lead, names
from services.enrolment.api.schemas import NOTHING_IN
from services.enrolment.application import cohort_handlers as handlers
from services.enrolment.application import cohort_queries as queries
from services.enrolment.application.commands import OpenCohort
from services.enrolment.domain.cohorts import KeptCohort
from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.seats import Quota, Terms
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    conditional,
    current_service,
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
from shared.storage.unit_of_work import Reading, Work

cohort_routes = Routes("cohorts", description="Cohorts of a programme lead, their seats and their queues.")

_COHORT = "/v1/organisations/<org>/courses/<code>/cohorts/<intake>"


@cohort_routes.put(_COHORT)
@scope("cohorts.open")
@accepts(COHORT_IN)
@conditional
@returns(200, COHORT_OUT, etag=True)
@returns(201, COHORT_OUT, etag=True)
@refuses(422, "more seats are taken than there would be, by all, by one employer, or beside the reserved ones")
def open_cohort(org: str, code: str, intake: str) -> Reply:
    """Open a cohort or change its seats, quotas, invitations or days; who may have a seat by it is promoted in order.

    The body is the whole of it: quotas that are left out are taken away. The same again needs no If-Match.
    """
    must_lead(org)
    command = _command(code, intake, load(COHORT_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.cohorts.find(code, intake)
        if standing is None or _differs(standing, command):
            if_match(etag_of(standing.version) if standing else None)
        kept = handlers.open_cohort(at, command)
        return _shown(queries.view(at, kept), 200 if standing else 201)

    return transact(org, change)


@cohort_routes.get(_COHORT)
@scope("courses.read")
@returns(200, COHORT_OUT, etag=True)
def read_cohort(org: str, code: str, intake: str) -> Reply:
    """Read a cohort with its seats and its queue, in order of arrival, by opaque ids, each with the reason."""

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        return _shown(queries.view(at, queries.cohort(at, code, intake)))

    return read(org, answer)


@cohort_routes.get(f"{_COHORT}/places")
@scope("courses.read")
@asks(PLACES_ASKED)
@paged
@returns(200, PLACE_OUT)
def list_places(org: str, code: str, intake: str) -> Reply:
    """Read all seats, or the whole queue, in order of arrival."""
    state = query(PLACES_ASKED)["state"]
    page = page_of()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        kept = queries.cohort(at, code, intake)
        found = queries.places(at, kept, state, int(page.after or 0), page.fetch)
        return page.reply(found, lambda each: str(each[0].number), lambda each: show.place(each, names()))

    return read(org, answer)


@cohort_routes.get("/v1/organisations/<org>/waiting-lists")
@scope("waiting-lists.read")
@returns(200, WAITING_LISTS_OUT)
def waiting_lists(org: str) -> Reply:
    """Read the first hundred of every queue that is not empty, in order of course and intake."""

    def answer(reading: Reading) -> Reply:
        found = queries.waiting_lists(books(reading))
        called = names()
        items = [
            {
                "course": kept.course,
                "intake": kept.intake,
                "queued": kept.cohort.waiting,
                "waiting": [show.place(each, called) for each in waiting],
            }
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
        return _shown(queries.view(at, handlers.close_cohort(at, code, intake)))

    return transact(org, change)


def _shown(found: queries.CohortView, status: int = 200) -> Reply:
    return Reply(status, show.cohort(found, names()), etag=etag_of(found.kept.version))


def _command(code: str, intake: str, body: dict[str, Any]) -> OpenCohort:
    partnership = current_service().partnership
    quotas = tuple(sorted((Quota(**quota) for quota in body["quotas"]), key=lambda quota: quota.employer))
    invited = None if body["invited"] is None else tuple(sorted(body["invited"]))
    for employer in (*(quota.employer for quota in quotas), *(invited or ())):
        if not partnership.has_role(employer, "employer"):
            raise RuleSaysNo("the partnership has no such employer")
    terms = Terms(quotas, invited)
    return OpenCohort(code, intake, body["capacity"], terms, body["starts_on"], body["ends_on"])


def _differs(standing: KeptCohort, command: OpenCohort) -> bool:
    """Return whether the command would change anything; one that a rule refuses would, if it could."""
    try:
        return handlers.as_wanted(standing, command) != standing
    except RuleSaysNo:
        return True
