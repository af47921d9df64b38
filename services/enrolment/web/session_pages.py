"""Sessions of a cohort: planned, and marked with who was there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Response, request

from services.enrolment.application import cohort_queries as queries
from services.enrolment.application import session_handlers as handlers
from services.enrolment.application.commands import Attend
from services.enrolment.application.ports import Books
from services.enrolment.domain import seats
from services.enrolment.domain.sessions import ATTENDANCES, MOST_MINUTES, SESSION_KINDS, Session
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.asking import may_do, refused, with_query
from services.enrolment.web.cohort_pages import DONE
from services.enrolment.web.rooms import books, desk, names
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, CivilDate, StrictSchema, Text, WholeText
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

session_pages = PageRoutes("session_pages", __name__)

ON_A_PAGE: Final = 50
_COHORT: Final = "/courses/<code>/cohorts/<intake>"
_SESSION: Final = f"{_COHORT}/sessions/<session>"
_FIELD: Final = "was_"


class SessionForm(StrictSchema):
    """A session as it is planned."""

    session = Text(required=True, longest=64, pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]*")
    kind = Choice(SESSION_KINDS, required=True)
    minutes = WholeText(required=True, least=1, most=MOST_MINUTES)
    title = Text(longest=200, load_default=None)
    held_on = CivilDate(load_default=None)


SESSION = SessionForm()
_TEXTS: Final = {
    "session": "Enter a code with letters, digits and hyphens, for example day-1",
    "kind": "Choose the type of session",
    "minutes": f"Enter how long it lasts, from 1 to {MOST_MINUTES} minutes",
    "held_on": "Enter the day as a date like 2026-11-21",
}


@session_pages.show(f"{_COHORT}/plan-session", "sessions.plan")
def plan(code: str, intake: str) -> Page:
    """Show the form of a session."""
    return page_read(lambda reading: _form(books(reading), code, intake, blank()))


@session_pages.act(f"{_COHORT}/plan-session", "sessions.plan")
def keep(code: str, intake: str) -> Page | Response:
    """Plan a session, or change the one of that code."""
    form = submitted(SESSION, _TEXTS)
    if form.errors:
        return page_read(lambda reading: _form(books(reading), code, intake, form))

    def run(work: Work) -> str:
        handlers.plan_session(desk(work), Session(course=code, intake=intake, **form.values))
        return with_query(f"/courses/{code}/cohorts/{intake}", done="session")

    try:
        return page_transact(run)
    except (RuleBroken, Conflict) as error:
        wrong = refused(form, error)
        return page_read(lambda reading: _form(books(reading), code, intake, wrong))


@session_pages.show(_SESSION, "sessions.read")
def session(code: str, intake: str, session: str) -> Page:
    """Show who was there, and the form that says so."""
    return page_read(lambda reading: _one(books(reading), code, intake, session, None))


@session_pages.act(_SESSION, "attendance.record")
def record(code: str, intake: str, session: str) -> Page | Response:
    """Keep who was there, of the people of one page; who is left out stays as it was."""
    form, said = _marked()
    if form.errors:
        return page_read(lambda reading: _one(books(reading), code, intake, session, form))

    def run(work: Work) -> str:
        at = desk(work)
        for enrolment_id, value in sorted(said.items()):
            handlers.record_attendance(at, Attend(code, intake, session, enrolment_id, value))
        after = request.args.get("after")
        return with_query(f"/courses/{code}/cohorts/{intake}/sessions/{session}", done="attendance", after=after)

    try:
        return page_transact(run)
    except (RuleBroken, Conflict) as error:
        wrong = refused(form, error)
        return page_read(lambda reading: _one(books(reading), code, intake, session, wrong))


def _marked() -> tuple[Form, dict[str, str]]:
    """Return the form with what is wrong with it, and what it says by enrolment."""
    form = submitted()
    said = {name.removeprefix(_FIELD): value for name, value in form.typed.items() if name.startswith(_FIELD)}
    for enrolment_id, value in said.items():
        if value not in ATTENDANCES:
            form = form.with_error(f"{_FIELD}{enrolment_id}", "Choose attended, absent or excused")
    if not said:
        return form.with_error(_FIELD, "Choose for at least one person whether they were there"), {}
    if len(said) > ON_A_PAGE:
        return form.with_error("", f"Choose for at most {ON_A_PAGE} people at a time"), {}
    return form, said


def _one(at: Books, code: str, intake: str, name: str, form: Form | None) -> Page:
    kept, found = queries.cohort(at, code, intake), queries.session(at, code, intake, name)
    typed = request.args.get("after", "0")
    after = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
    places = queries.places(at, kept, seats.SEAT, after, ON_A_PAGE + 1)
    known = {one.enrolment_id: one for one in at.sessions.attendance_page(found, None, 1000)}
    people = [
        {
            "field": f"{_FIELD}{place.enrolment_id}",
            "label": f"{names().get(place.employer, place.employer)}, {place.enrolment_id}",
            "was": known[place.enrolment_id].attendance if place.enrolment_id in known else "",
        }
        for place, _ in places[:ON_A_PAGE]
    ]
    here = f"/courses/{code}/cohorts/{intake}/sessions/{name}"
    shown = form or blank(**{each["field"]: each["was"] for each in people})
    first = people[0]["field"] if people else ""  # what is about nobody yet stands at the first of them
    at_first = (replace(each, field=first) if each.field == _FIELD else each for each in shown.errors)
    shown = replace(shown, errors=tuple(at_first))
    return page(
        "courses/session.html",
        form=shown,
        found=found,
        kind=words.said(words.SESSION_KINDS, found.kind),
        people=people,
        options=list(words.ATTENDANCES.items()),
        words=words,
        back=f"/courses/{code}/cohorts/{intake}",
        next=with_query(here, after=places[ON_A_PAGE - 1][0].number) if len(places) > ON_A_PAGE else None,
        may_record=may_do("attendance.record"),
        done=DONE.get(request.args.get("done", "")),
    )


def _form(at: Books, code: str, intake: str, form: Form) -> Page:
    kept = queries.cohort(at, code, intake)
    kinds = list(words.SESSION_KINDS.items())
    return page("courses/session_form.html", form=form, kept=kept, kinds=kinds)
