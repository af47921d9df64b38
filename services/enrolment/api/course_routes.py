"""Courses and the catalogue over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec

from services.enrolment.api import course_representations as show
from services.enrolment.api.course_schemas import (
    CATALOGUE_ASKED,
    CATALOGUE_OUT,
    COURSE_IN,
    COURSE_OUT,
    HANDBOOK_ASKED,
    HANDBOOK_OUT,
)
from services.enrolment.api.rooms import books, desk, must_lead
from services.enrolment.application import course_handlers as handlers
from services.enrolment.application import queries
from services.enrolment.domain.courses import Course, handbook_on
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo
from shared.clock import london_date
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    conditional,
    current_principal,
    current_service,
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
from shared.storage.unit_of_work import Reading, Work

course_routes = Routes("courses", description="Courses of a programme lead, and what everybody knows of them.")


_COURSE = "/v1/organisations/<org>/courses/<code>"


@course_routes.get("/v1/catalogue")
@scope("catalogue.read")
@asks(CATALOGUE_ASKED)
@returns(200, CATALOGUE_OUT)
def catalogue() -> Reply:
    """See every published course with its cohorts, as one's own organisation knows them."""
    wanted = query(CATALOGUE_ASKED)

    def answer(reading: Reading) -> Reply:
        at, today = books(reading), london_date(reading.now)
        described, terms = at.catalogue.descriptions(), at.news.terms()
        items = queries.catalogue(
            at, lambda told, offered: show.catalogue_course(told, offered, described.get(told.course), terms, today)
        )
        return Reply(200, {"items": [item for item in items if _is_wanted(item, wanted)], "next": None})

    return read(known_to(), answer)


def known_to() -> str:
    """Return whose catalogue the caller sees: their own where it is kept here, else the programme lead's."""
    service = current_service()
    own = current_principal().organisation
    return own if own in service.hosted else service.partnership.programme_lead


def _is_wanted(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    kind, level, most = wanted.get("kind"), wanted.get("level"), wanted.get("most_minutes")
    return (
        (kind is None or item["kind"] == kind)
        and (level is None or item["level"] in ("ALL", level))
        and (most is None or (item["minutes"] is not None and item["minutes"] <= most))
    )


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
        if standing is None or not queries.same_course(standing, handlers.as_accredited(at, wanted)):
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
        found = _found(reading, code)
        return Reply(200, show.course(found, org), etag=etag_of(found.version))

    return read(org, answer)


@course_routes.get(f"{_COURSE}/handbook")
@scope("courses.read")
@asks(HANDBOOK_ASKED)
@returns(200, HANDBOOK_OUT)
def read_handbook(org: str, code: str) -> Reply:
    """Read which version of the handbook applied on a day, today without one."""
    asked = query(HANDBOOK_ASKED).get("on")

    def answer(reading: Reading) -> Reply:
        in_force = handbook_on(_found(reading, code).description.handbooks, asked or london_date(reading.now))
        if in_force is None:
            raise NoSuchThing("no handbook was in force on that day")
        return Reply(200, show.handbook(in_force))

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


def _found(reading: Reading, code: str) -> Course:
    found = books(reading).courses.find(code)
    if found is None:
        raise NoSuchThing("no such course")
    return found


def _course(code: str, body: dict[str, Any]) -> Course:
    partnership = current_service().partnership
    hei, evidence_set = body["awarding_hei"], body["evidence_set"]
    if hei is not None and not partnership.has_role(hei, "awarding_hei"):
        raise RuleSaysNo("the partnership has no such awarding university")
    if evidence_set is not None and evidence_set not in partnership.evidence_sets:
        raise RuleSaysNo("the partnership has no such evidence set")
    issuer = (body["description"] or {}).get("micro_credential_by")
    if issuer is not None and issuer not in partnership.organisations:
        raise RuleSaysNo("the partnership has no such organisation to issue a micro-credential")
    said = {name: value for name, value in body.items() if name not in ("eligibility", "description") or value}
    return msgspec.convert({"code": code, **said}, Course)
