"""Courses and the catalogue over HTTP."""

from __future__ import annotations

from typing import Any

from services.enrolment.api import representations as show
from services.enrolment.api.course_schemas import (
    CATALOGUE_OUT,
    COURSE_IN,
    COURSE_OUT,
)
from services.enrolment.api.rooms import books, desk, must_lead
from services.enrolment.application import course_handlers as handlers
from services.enrolment.application import queries
from services.enrolment.domain.courses import Course, Prerequisite
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo
from shared.http import (
    Reply,
    Routes,
    accepts,
    conditional,
    current_principal,
    current_service,
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

course_routes = Routes("courses", description="Courses of a programme lead, and what everybody knows of them.")


_COURSE = "/v1/organisations/<org>/courses/<code>"


@course_routes.get("/v1/catalogue")
@scope("catalogue.read")
@returns(200, CATALOGUE_OUT)
def catalogue() -> Reply:
    """See every published course with its cohorts, as one's own organisation knows them."""
    service = current_service()
    own = current_principal().organisation
    known_to = own if own in service.hosted else service.partnership.programme_lead

    def answer(reading: Reading) -> Reply:
        return Reply(200, {"items": queries.catalogue(books(reading), show.catalogue_course), "next": None})

    return read(known_to, answer)


@course_routes.put(_COURSE)
@scope("courses.publish")
@accepts(COURSE_IN)
@conditional
@returns(200, COURSE_OUT, etag=True)
@returns(201, COURSE_OUT, etag=True)
def publish_course(org: str, code: str) -> Reply:
    """Publish a course or change it; the same course again needs no If-Match and changes nothing."""
    must_lead(org)
    wanted = _course(code, load(COURSE_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.courses.find(code)
        if standing is None or not queries.same_course(standing, wanted):
            if_match(etag_of(standing.version) if standing else None)
        kept = handlers.publish_course(at, wanted)
        return Reply(200 if standing else 201, show.course(kept, org), etag=etag_of(kept.version))

    return transact(org, change)


@course_routes.get(_COURSE)
@scope("courses.read")
@returns(200, COURSE_OUT, etag=True)
def read_course(org: str, code: str) -> Reply:
    """Read one course."""

    def answer(reading: Reading) -> Reply:
        found = books(reading).courses.find(code)
        if found is None:
            raise NoSuchThing("no such course")
        return Reply(200, show.course(found, org), etag=etag_of(found.version))

    return read(org, answer)


@course_routes.get("/v1/organisations/<org>/courses")
@scope("courses.read")
@paged
@returns(200, COURSE_OUT)
def list_courses(org: str) -> Reply:
    """Read the courses in order of code."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).courses.page(page.after, page.fetch),
            lambda course: course.code,
            lambda course: show.course(course, org),
        ),
    )


def _course(code: str, body: dict[str, Any]) -> Course:
    partnership = current_service().partnership
    prerequisite = body.pop("prerequisite")
    hei, evidence_set = body["awarding_hei"], body["evidence_set"]
    if hei is not None and not partnership.has_role(hei, "awarding_hei"):
        raise RuleSaysNo("the partnership has no such awarding university")
    if evidence_set is not None and evidence_set not in partnership.evidence_sets:
        raise RuleSaysNo("the partnership has no such evidence set")
    bound = Prerequisite(prerequisite["text"], tuple(prerequisite["routes"])) if prerequisite else None
    return Course(code=code, prerequisite=bound, **{**body, "routes": tuple(body["routes"])})
