"""Session plans and attendance over HTTP: the cohort owner's, and what an employer has heard of it."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.api import cohort_representations as show
from services.enrolment.api.rooms import books, desk, must_lead
from services.enrolment.api.session_schemas import (
    ATTENDANCE_IN,
    ATTENDANCE_OUT,
    ENROLMENT_ATTENDANCE_OUT,
    SESSION_IN,
    SESSION_OUT,
)
from services.enrolment.application import cohort_queries, queries
from services.enrolment.application import session_handlers as handlers
from services.enrolment.application.commands import Attend
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.sessions import Session
from shared.http import (
    Reply,
    Routes,
    accepts,
    conditional,
    current_principal,
    etag_of,
    if_match,
    load,
    page_of,
    paged,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Reading, Work

session_routes = Routes("sessions", description="Session plans of cohorts, and who attended.")

_COHORT = "/v1/organisations/<org>/courses/<code>/cohorts/<intake>"
_SESSION = f"{_COHORT}/sessions/<session>"
_SEES_ALL = frozenset({"hr", "supervisor", "auditor"})


@session_routes.put(_SESSION)
@scope("sessions.plan")
@accepts(SESSION_IN)
@conditional
@returns(200, SESSION_OUT, etag=True)
@returns(201, SESSION_OUT, etag=True)
@refuses(422, "it lies outside the cohort's days, or attendance of another type is recorded")
def plan_session(org: str, code: str, intake: str, session: str) -> Reply:
    """Plan a session or change it; the same plan again needs no If-Match and changes nothing."""
    must_lead(org)
    wanted = Session(course=code, intake=intake, session=session, **load(SESSION_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.sessions.find(code, intake, session)
        if standing is None or replace(wanted, version=standing.version) != standing:
            if_match(etag_of(standing.version) if standing else None)
        kept = handlers.plan_session(at, wanted)
        return Reply(200 if standing else 201, show.session(kept), etag=etag_of(kept.version))

    return transact(org, change)


@session_routes.get(_SESSION)
@scope("sessions.read")
@returns(200, SESSION_OUT, etag=True)
def read_session(org: str, code: str, intake: str, session: str) -> Reply:
    """Read one session of a cohort."""

    def answer(reading: Reading) -> Reply:
        found = cohort_queries.session(books(reading), code, intake, session)
        return Reply(200, show.session(found), etag=etag_of(found.version))

    return read(org, answer)


@session_routes.get(f"{_COHORT}/sessions")
@scope("sessions.read")
@paged
@returns(200, SESSION_OUT)
def list_sessions(org: str, code: str, intake: str) -> Reply:
    """Read a cohort's sessions in order of their codes."""
    page = page_of()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        cohort_queries.cohort(at, code, intake)
        found = at.sessions.page(code, intake, page.after, page.fetch)
        return page.reply(found, lambda each: each.session, show.session)

    return read(org, answer)


@session_routes.put(f"{_SESSION}/attendance/<enrolment_id>")
@scope("attendance.record")
@accepts(ATTENDANCE_IN)
@conditional
@returns(200, ATTENDANCE_OUT, etag=True)
@returns(201, ATTENDANCE_OUT, etag=True)
@refuses(422, "there is no seat, the day has not come, or minutes are given for an absence")
def record_attendance(org: str, code: str, intake: str, session: str, enrolment_id: str) -> Reply:
    """Say whether somebody with a seat was there, or put it right; the same again needs no If-Match."""
    must_lead(org)
    command = Attend(code, intake, session, enrolment_id, **load(ATTENDANCE_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        standing = at.sessions.attendance(cohort_queries.session(at, code, intake, session), enrolment_id)
        kept = handlers.record_attendance(at, command)
        if kept != standing:
            if_match(etag_of(standing.version) if standing else None)
        return Reply(200 if standing else 201, show.attendance(kept), etag=etag_of(kept.version))

    return transact(org, change)


@session_routes.get(f"{_SESSION}/attendance")
@scope("sessions.read")
@paged
@returns(200, ATTENDANCE_OUT)
def list_attendance(org: str, code: str, intake: str, session: str) -> Reply:
    """Read what is recorded of one session, in order of enrolments."""
    page = page_of()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = at.sessions.attendance_page(cohort_queries.session(at, code, intake, session), page.after, page.fetch)
        return page.reply(found, lambda each: each.enrolment_id, show.attendance)

    return read(org, answer)


@session_routes.get(f"{_COHORT}/attendance/<enrolment_id>")
@scope("sessions.read")
@returns(200, ENROLMENT_ATTENDANCE_OUT)
def attendance_of_place(org: str, code: str, intake: str, enrolment_id: str) -> Reply:
    """Read what the cohort's owner recorded of one enrolment, with its sums."""

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        place = at.places.find(enrolment_id)
        if place is None or (place.course, place.intake) != (code, intake):
            raise NoSuchThing("nobody of that id asked for this cohort")
        return Reply(200, show.attendances(enrolment_id, at.sessions.attendance_of(enrolment_id)))

    return read(org, answer)


@session_routes.get("/v1/organisations/<org>/enrolments/<enrolment_id>/attendance")
@scope("attendance.read")
@returns(200, ENROLMENT_ATTENDANCE_OUT)
def attendance_of_enrolment(org: str, enrolment_id: str) -> Reply:
    """Read what the cohort's owner told of one of our people's attendance; a practitioner reads their own."""
    principal = current_principal()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = queries.enrolment(at, enrolment_id)
        if not principal.roles & _SEES_ALL and found.employee_ref != principal.subject:
            raise NoSuchThing("another person's")
        return Reply(200, show.attendances(enrolment_id, at.news.attendance_of(enrolment_id)))

    return read(org, answer)
