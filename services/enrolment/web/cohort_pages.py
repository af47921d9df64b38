"""A programme lead's cohort: seats and queue with reasons, quotas, its seats and days changed, opened, closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import cohort_handlers as handlers
from services.enrolment.application import cohort_queries as queries
from services.enrolment.application.commands import OpenCohort
from services.enrolment.application.ports import Books
from services.enrolment.domain import explanations, seats
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.seats import Quota, Terms
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.asking import in_order, may_do, refused, with_query
from services.enrolment.web.rooms import books, desk, names
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, CivilDate, Items, StrictSchema, Text, WholeText, current_service
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

cohort_pages = PageRoutes("cohort_pages", __name__)

ON_A_PAGE: Final = 50
MOST_SEATS: Final = 100_000
_COHORT: Final = "/courses/<code>/cohorts/<intake>"
DONE: Final = {
    "kept": "The cohort is kept. Whoever may have a seat by it was given one, in order.",
    "closed": "The cohort is closed to new requests. Its queue still moves.",
    "session": "The session is planned.",
    "attendance": "Attendance is recorded.",
}
NOTHING: Final = StrictSchema()
EVERY: Final = "every"
INVITED: Final = "invited"
WHO_MAY_ASK: Final = ((EVERY, "Every employer"), (INVITED, "Invited employers only"))


def _schema() -> Schema:
    """Return what the form of a cohort is read by: a quota for each employer of the partnership."""
    quotas = {
        f"{what}_{employer}": WholeText(most=MOST_SEATS, load_default=None)
        for employer in _employers()
        for what in ("most", "reserved")
    }
    return StrictSchema.from_dict(
        {
            "intake": Text(longest=64, pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*", load_default=None),
            "capacity": WholeText(required=True, most=MOST_SEATS),
            "starts_on": CivilDate(load_default=None),
            "ends_on": CivilDate(load_default=None),
            "who_may_ask": Choice((EVERY, INVITED), required=True),
            "invited": Items(Choice(_employers()), load_default=[]),
            **quotas,
        },
        name="CohortForm",
    )()


def _employers() -> tuple[str, ...]:
    return tuple(current_service().partnership.with_role("employer"))


@cohort_pages.show(_COHORT, "courses.read")
def cohort(code: str, intake: str) -> Page:
    """Show a cohort with its seats and its queue, each in order of arrival, with the reasons."""
    state = seats.WAITING if request.args.get("show") == seats.WAITING else seats.SEAT
    typed = request.args.get("after", "0")
    after = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0
    return page_read(lambda reading: _one(books(reading), code, intake, state, after))


def _one(at: Books, code: str, intake: str, state: str, after: int) -> Page:
    kept, called = queries.cohort(at, code, intake), names()
    found = queries.places(at, kept, state, after, ON_A_PAGE + 1)
    rows = [
        [
            explanations.ordinal(standing.rank or 1),
            called.get(place.employer, place.employer),
            explanations.sentence(standing, called.get(place.employer)),
            place.enrolment_id,
        ]
        for place, standing in found[:ON_A_PAGE]
    ]
    cohort, course = kept.cohort, at.courses.find(code)
    shares = [
        [
            called.get(employer, employer),
            {"text": cohort.share_of(employer).taken, "number": True},
            {"text": _limit(cohort.terms.of(employer)), "number": True},
            {"text": cohort.terms.of(employer).reserved, "number": True},
            {"text": cohort.share_of(employer).waiting, "number": True},
        ]
        for employer in sorted({share.employer for share in cohort.shares} | {q.employer for q in cohort.terms.quotas})
    ]
    here = f"/courses/{code}/cohorts/{intake}"
    more = found[ON_A_PAGE - 1][0].number if len(found) > ON_A_PAGE else None
    sessions = [
        [
            {"text": one.title or one.session, "href": f"{here}/sessions/{one.session}"},
            words.said(words.SESSION_KINDS, one.kind),
            {"on": one.held_on},
            {"text": one.minutes, "number": True},
        ]
        for one in at.sessions.page(code, intake, None, 200)
    ]
    return page(
        "courses/cohort.html",
        kept=kept,
        title=course.title if course else code,
        here=here,
        state=state,
        rows=rows,
        shares=shares,
        sessions=sessions,
        invited=[called.get(one, one) for one in cohort.terms.invited] if cohort.terms.invited is not None else None,
        next=with_query(here, show=state, after=more) if more else None,
        first=with_query(here, show=state) if after else None,
        may_change=may_do("cohorts.open"),
        done=DONE.get(request.args.get("done", "")),
    )


def _limit(quota: Quota) -> str:
    return "no limit" if quota.at_most is None else str(quota.at_most)


@cohort_pages.show("/courses/<code>/open-cohort", "cohorts.open")
def new_cohort(code: str) -> Page:
    """Show the form of a new cohort."""
    return page_read(lambda reading: _form(books(reading), code, None, blank(who_may_ask=EVERY)))


@cohort_pages.act("/courses/<code>/open-cohort", "cohorts.open")
def open_cohort(code: str) -> Page | Response:
    """Open a cohort."""
    form = _sent()
    intake = form.values.get("intake") if not form.errors else form.get("intake").strip()
    if not intake:
        form = form.with_error("intake", "Enter the intake: the year and month, for example 2026-09")
        form = in_order(form, _schema().fields)
    return _keep(code, intake or "", form, is_new=True)


@cohort_pages.show(f"{_COHORT}/change", "cohorts.open")
def change(code: str, intake: str) -> Page:
    """Show the form of a cohort, as it is."""

    def shown(at: Books) -> Page:
        kept = queries.cohort(at, code, intake)
        quotas = {
            f"{what}_{quota.employer}": str(value)
            for quota in kept.cohort.terms.quotas
            for what, value in (("most", quota.at_most), ("reserved", quota.reserved or None))
            if value is not None
        }
        days = {name: value.isoformat() for name in ("starts_on", "ends_on") if (value := getattr(kept, name))}
        invited = kept.cohort.terms.invited
        who = EVERY if invited is None else INVITED
        typed = blank(capacity=str(kept.cohort.capacity), who_may_ask=who, **days, **quotas)
        return _form(at, code, intake, typed, invited or ())

    return page_read(lambda reading: shown(books(reading)))


@cohort_pages.act(f"{_COHORT}/change", "cohorts.open")
def keep(code: str, intake: str) -> Page | Response:
    """Change a cohort's seats, quotas and days."""
    return _keep(code, intake, _sent(), is_new=False)


def _sent() -> Form:
    """Return the form as it was sent; who invites names at least one employer."""
    form = submitted(_schema(), _texts())
    if not form.errors and form.values["who_may_ask"] == INVITED and not form.values["invited"]:
        return form.with_error("invited", "Tick at least one employer, or let every employer ask")
    return form


def _keep(code: str, intake: str, form: Form, *, is_new: bool) -> Page | Response:
    if form.errors:
        return page_read(lambda reading: _form(books(reading), code, None if is_new else intake, form))

    def run(work: Work) -> str:
        at = desk(work)
        standing = at.cohorts.find(code, intake)
        if not is_new and standing is None:
            raise NoSuchThing("no such cohort")
        handlers.open_cohort(at, _command(code, intake, form.values))
        return with_query(f"/courses/{code}/cohorts/{intake}", done="kept")

    try:
        return page_transact(run)
    except (RuleBroken, Conflict) as error:
        wrong = refused(form, error, _quota_fields())
        return page_read(lambda reading: _form(books(reading), code, None if is_new else intake, wrong))


def _quota_fields() -> list[tuple[str, str]]:
    """Return the field of each employer's quota by what is said of it: a request has a list there."""
    reserved = [(f"{employer} cannot have more reserved", f"reserved_{employer}") for employer in _employers()]
    return [*reserved, *((f"{slug} has ", f"most_{slug}") for slug in _employers()), ("must be invited", "invited")]


def _command(code: str, intake: str, said: Any) -> OpenCohort:  # noqa: ANN401 - what a form holds
    quotas = tuple(
        Quota(employer, said[f"most_{employer}"], said[f"reserved_{employer}"] or 0)
        for employer in sorted(_employers())
        if said[f"most_{employer}"] is not None or said[f"reserved_{employer}"]
    )
    invited = tuple(sorted(said["invited"])) if said["who_may_ask"] == INVITED else None
    return OpenCohort(code, intake, said["capacity"], Terms(quotas, invited), said["starts_on"], said["ends_on"])


def _texts() -> dict[str, str]:
    quotas = {
        f"{what}_{employer}": "Enter a whole number of seats, or leave it empty"
        for employer in _employers()
        for what in ("most", "reserved")
    }
    return {
        "capacity": "Enter how many seats there are, as a whole number",
        "intake": "Enter the intake with letters, digits, dots and hyphens, for example 2026-09",
        "starts_on": "Enter the first day as a date like 2026-11-21",
        "who_may_ask": "Choose who may ask for places",
        "ends_on": "Enter the last day as a date like 2026-11-21",
        **quotas,
    }


def _form(at: Books, code: str, intake: str | None, form: Form, invited: Sequence[str] | None = None) -> Page:
    course = at.courses.find(code)
    if course is None:
        raise NoSuchThing("no such course")
    employers = [(slug, names()[slug]) for slug in _employers()]
    return page(
        "courses/cohort_form.html",
        form=form,
        code=code,
        intake=intake,
        title=course.title,
        employers=employers,
        who_may_ask=WHO_MAY_ASK,
        invited=request.form.getlist("invited") if invited is None else invited,
    )


@cohort_pages.show(f"{_COHORT}/close", "cohorts.close")
def ask_to_close(code: str, intake: str) -> Page:
    """Ask whether the cohort is to be closed."""
    return page_read(lambda reading: page("courses/close.html", kept=queries.cohort(books(reading), code, intake)))


@cohort_pages.act(f"{_COHORT}/close", "cohorts.close")
def close(code: str, intake: str) -> Page | Response:
    """Close the cohort to new requests."""

    def run(work: Work) -> str:
        handlers.close_cohort(desk(work), code, intake)
        return with_query(f"/courses/{code}/cohorts/{intake}", done="closed")

    return page_transact(run)
