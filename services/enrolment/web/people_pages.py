"""People: the list, one person as of a day with everything that was told, and the forms that tell more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, Final

from flask import Response, request

from services.enrolment.application import duplicates, people
from services.enrolment.application import practitioner_handlers as handlers
from services.enrolment.application.commands import AssignLineManager
from services.enrolment.application.ports import Books, Desk, PeopleFilter
from services.enrolment.application.register_checks import registration_of
from services.enrolment.domain import practitioners
from services.enrolment.domain.employments import END_REASONS, absences_at, employments_at
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.identifiers import swe_number
from services.enrolment.domain.practitioners import Practitioner, Telling
from services.enrolment.domain.records import LEVELS
from services.enrolment.domain.registrations import NOT_CHECKED, in_renewal
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web import people_wording
from services.enrolment.web.asking import may_do, refused, today, with_query
from services.enrolment.web.rooms import books, desk
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, CivilDate, Exact, StrictSchema, Text
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

people_pages = PageRoutes("people_pages", __name__)

ON_A_PAGE: Final = 50
MOST_COUNTED: Final = 10_000
_ASKED = ("name", "employee_ref", "team", "pcf_level")
_DATE = "as a date like 2026-11-21"
_DETAILS = (
    "given_name",
    "family_name",
    "email",
    "date_of_birth",
    "swe_number",
    "job_title",
    "team",
    "pcf_level",
    "fte",
)
DONE: Final = {
    "manager": "The line manager is kept.",
    "employment": "The employment is kept.",
    "employment-taken-back": "The employment is taken back.",
    "absence": "The absence is kept.",
    "absence-taken-back": "The absence is taken back.",
    "details": "The details are kept.",
    "merged": "The two records are one person from now on.",
    "split": "The record is a person of its own again.",
    "apart": "The two are kept apart. They are not listed again.",
    "needs": "The learning needs are kept.",
    "background": "Roles and earlier courses are kept.",
    "erasure": "The erasure is asked for. A second person has to approve it.",
}


class DetailsForm(StrictSchema):
    """A person's details from a day on."""

    effective_on = CivilDate(required=True)
    given_name = Text(longest=300, load_default=None)
    family_name = Text(longest=300, load_default=None)
    email = Text(longest=300, load_default=None)
    date_of_birth = CivilDate(load_default=None)
    swe_number = Text(longest=20, pattern=r"[Ss][Ww] *0*[1-9][0-9]{0,5}", load_default=None)
    job_title = Text(longest=300, load_default=None)
    team = Text(longest=300, load_default=None)
    pcf_level = Choice(LEVELS, load_default=None)
    fte = Exact(least=0, most=100, places=6, load_default=None)


class ManagerForm(StrictSchema):
    """Who manages the line from a day on; nobody where it is left empty."""

    line_manager_ref = Text(longest=500, load_default=None)
    from_on = CivilDate(required=True)


class EmploymentForm(StrictSchema):
    """An employment, and when and why it ended."""

    started_on = CivilDate(required=True)
    ended_on = CivilDate(load_default=None)
    reason = Choice(END_REASONS, load_default=None)


DETAILS, MANAGER, EMPLOYMENT = DetailsForm(), ManagerForm(), EmploymentForm()


@people_pages.show("/people", "practitioners.read")
def list_people() -> Page | Response:
    """Show people in order of their names; whoever sees only themselves is shown their own page."""
    principal = who_asks()
    if "hr" not in principal.roles:
        return _person(principal.subject)
    given = {name: request.args.get(name, "").strip()[:500] for name in _ASKED}
    return page_read(lambda reading: _list(books(reading), given, request.args.get("after")))


def _list(at: Books, given: dict[str, str], after: str | None) -> Page:
    if given["employee_ref"]:
        try:
            found = [duplicates.find_person(at, given["employee_ref"])]
        except NoSuchThing:
            found = []
        count, more = len(found), None
    else:
        wanted = PeopleFilter(given["name"] or None, given["team"] or None, given["pcf_level"] or None)
        listed = at.people.by_name(after, ON_A_PAGE, wanted)
        found, more = listed.people, listed.next
        count = at.people.count(wanted, MOST_COUNTED + 1)
    registered = at.registrations.many([person.practitioner_id for person in found])
    rows = []
    for person in found:
        named = practitioners.on_day(person, today())
        known = registered.get(person.practitioner_id)
        rows.append(
            [
                {"text": name_of(named), "href": f"/people/{person.practitioner_id}"},
                person.employee_ref,
                named.team or "–",
                words.said(words.LEVELS, named.pcf_level),
                {"tag": people_wording.REGISTRATION_TAGS[known.status if known else NOT_CHECKED]},
            ]
        )
    return page(
        "people/list.html",
        form=blank(**given),
        rows=rows,
        count=count if count <= MOST_COUNTED else None,
        most=MOST_COUNTED,
        levels=words.options(words.LEVELS, LEVELS),
        next=with_query("/people", **given, after=more) if more else None,
        first=with_query("/people", **given) if after else None,
    )


@people_pages.show("/people/<name>", "practitioners.read")
def person(name: str) -> Page | Response:
    """Show one person, as of a day."""
    return _person(name)


def found_person(at: Books, name: str) -> Practitioner:
    """Return the person of a reference or an id, an old one too; to a practitioner nobody but themselves is there.

    Raises:
        NoSuchThing: There is nobody of that name whom the viewer may see.
    """
    found, principal = duplicates.find_person(at, name), who_asks()
    if not principal.roles & {"hr", "supervisor"} and at.person_id(principal.subject) != found.practitioner_id:
        raise NoSuchThing("another person")
    return found


def name_of(person: Practitioner) -> str:
    """Return what a person is called; their reference where no name is known."""
    return " ".join(part for part in (person.given_name, person.family_name) if part) or person.employee_ref


def _person(name: str) -> Page:
    typed = request.args.get("as_of", "").strip()
    form = blank(as_of=typed)
    day = today()
    if typed:
        try:
            day = date.fromisoformat(typed)
        except ValueError:
            form = form.with_error("as_of", f"Enter the day {_DATE}")
    return page_read(lambda reading: _one(books(reading), name, day, form))


def _one(at: Books, name: str, day: date, form: Form) -> Page:
    found = found_person(at, name)
    standing = practitioners.as_of(found, day) if form.get("as_of") and not form.errors else None
    shown = standing or practitioners.on_day(found, day)
    registration = registration_of(at, found)
    last = registration.findings[-1] if registration.findings else None
    manager = practitioners.manager_on(found, day)
    return page(
        "people/one.html",
        form=form,
        found=found,
        shown=shown,
        name=name_of(shown),
        day=day,
        is_unknown=bool(form.get("as_of")) and not form.errors and standing is None,
        level=words.said(words.LEVELS, shown.pcf_level),
        manager=(manager.line_manager_ref or "Nobody") if manager else "–",
        managers=sorted(
            [*found.corrected_managers, *found.line_managers],
            key=lambda one: (one.from_on, str(one.recorded_at or "")),
            reverse=True,
        ),
        employments=employments_at(found.employments),
        absences=absences_at(found.absences),
        statements=[(one, _changes(found, number)) for number, one in reversed(list(enumerate(found.statements)))],
        end_reasons=people_wording.END_REASONS,
        registration=people_wording.REGISTRATION_TAGS[registration.status],
        finding=last,
        renews=bool(last and in_renewal(last.status, last.registered_until, today())),
        enrolments=[
            [
                {"text": f"{one.course} {one.intake}", "href": f"/enrolments/{one.enrolment_id}"},
                words.said(words.ROUTES, one.route),
                {"tag": words.STATUS_TAGS[one.status]},
            ]
            for one in duplicates.enrolments_of(at, found)
        ],
        merged=at.people.merged_into(found.practitioner_id),
        may_keep=may_do("practitioners.keep"),
        may_report=may_do("practitioners.access-report"),
        done=DONE.get(request.args.get("done", "")),
    )


_TITLES: Final = {
    "given_name": "given name",
    "family_name": "family name",
    "email": "e-mail",
    "date_of_birth": "date of birth",
    "swe_number": "Social Work England number",
    "job_title": "job title",
    "team": "team",
    "pcf_level": "level",
    "fte": "full-time equivalent",
}


def _changes(person: Practitioner, number: int) -> str:
    """Return what a statement says that the one before it did not."""
    now = person.statements[number].details
    if number == 0:
        return "First told"
    before = person.statements[number - 1].details
    changed = [
        f"{title}: {getattr(now, name) or 'nothing'}"
        for name, title in _TITLES.items()
        if getattr(now, name) != getattr(before, name)
    ]
    return "; ".join(changed) or "Told again, nothing new"


# -- forms ----------------------------------------------------------------------------------------------------------


@people_pages.show("/people/<name>/details", "practitioners.keep")
def details(name: str) -> Page:
    """Show the form of a person's details, as they are today."""

    def shown(at: Books) -> Page:
        now = practitioners.on_day(found_person(at, name), today())
        typed = {field: str(getattr(now, field) or "") for field in _DETAILS}
        return _details_form(at, name, blank(**typed, effective_on=today().isoformat()))

    return page_read(lambda reading: shown(books(reading)))


@people_pages.act("/people/<name>/details", "practitioners.keep")
def keep_details(name: str) -> Page | Response:
    """Keep the details from a day on."""
    texts = {
        "swe_number": "Enter the registration number as SW and up to six digits",
        "date_of_birth": f"Enter the date of birth {_DATE}",
        "effective_on": f"Enter the day from which this holds {_DATE}",
        "fte": "Enter a number such as 1 or 0.8",
    }
    form = submitted(DETAILS, texts)
    if not form.errors:
        form = page_read(lambda reading: _with_names(books(reading), name, form))
    if form.errors:
        return page_read(lambda reading: _details_form(books(reading), name, form))

    def change(at: Desk) -> Practitioner:
        found = found_person(at, name)
        number, fte = form.values["swe_number"], form.values["fte"]
        spelled = {
            "swe_number": swe_number(number) if number else None,
            "fte": None if fte is None else f"{fte.normalize():f}",
        }
        told = {field: form.values[field] for field in _DETAILS} | spelled
        telling = Telling(at.now, people.telling_now(at).today, form.values["effective_on"])
        return handlers.keep_practitioner(at, replace(found, **told), None, telling)

    return change_person(form, change, "details", lambda at, wrong: _details_form(at, name, wrong))


def _with_names(at: Books, name: str, form: Form) -> Form:
    """Return the form with what it lacks: a name that is known is changed, not emptied."""
    now = practitioners.on_day(found_person(at, name), today())
    for field in ("given_name", "family_name"):
        if getattr(now, field) and form.values[field] is None:
            form = form.with_error(field, f"Enter the {_TITLES[field]}")
    return form


@people_pages.show("/people/<name>/line-manager", "practitioners.assign-line-manager")
def line_manager(name: str) -> Page:
    """Show the form of the line manager."""
    return page_read(lambda reading: _manager_form(books(reading), name, blank(from_on=today().isoformat())))


@people_pages.act("/people/<name>/line-manager", "practitioners.assign-line-manager")
def assign_line_manager(name: str) -> Page | Response:
    """Keep who manages the line from a day on."""
    form = submitted(MANAGER, {"from_on": f"Enter the first day {_DATE}"})
    if form.errors:
        return page_read(lambda reading: _manager_form(books(reading), name, form))
    command = AssignLineManager(name, form.values["line_manager_ref"], form.values["from_on"])
    return change_person(
        form,
        lambda at: handlers.assign_line_manager(at, command),
        "manager",
        lambda at, wrong: _manager_form(at, name, wrong),
    )


@people_pages.show("/people/<name>/employment", "practitioners.keep")
def employment(name: str) -> Page:
    """Show the form of an employment: a new one, or the end of the one that the address names."""
    started = request.args.get("started_on", "")

    def shown(at: Books) -> Page:
        told = employments_at(found_person(at, name).employments)
        known = next((one for one in told if one.started_on.isoformat() == started), None)
        ended = known.ended_on.isoformat() if known and known.ended_on else ""
        reason = (known.reason if known else None) or ""
        return _employment_form(at, name, blank(started_on=started, ended_on=ended, reason=reason))

    return page_read(lambda reading: shown(books(reading)))


@people_pages.act("/people/<name>/employment", "practitioners.keep")
def tell_employment(name: str) -> Page | Response:
    """Keep when an employment began, and when and why it ended."""
    texts = {"started_on": f"Enter the first day {_DATE}", "ended_on": f"Enter the last day {_DATE}"}
    form = submitted(EMPLOYMENT, texts)
    if form.errors:
        return page_read(lambda reading: _employment_form(books(reading), name, form))
    said: dict[str, Any] = dict(form.values)
    return change_person(
        form,
        lambda at: handlers.tell_employment(at, name, said["started_on"], said["ended_on"], said["reason"]),
        "employment",
        lambda at, wrong: _employment_form(at, name, wrong),
    )


def change_person(
    form: Form,
    change: Callable[[Desk], Practitioner],
    done: str,
    shown: Callable[[Books, Form], Page],
) -> Page | Response:
    """Make the change and go to the person's page, or show the form again with what was refused."""

    def run(work: Work) -> str:
        at = desk(work)
        kept = change(at)
        return with_query(f"/people/{kept.practitioner_id}", done=done)

    try:
        return page_transact(run)
    except (RuleBroken, Conflict) as error:
        wrong = refused(form, error)
        return page_read(lambda reading: shown(books(reading), wrong))


def _details_form(at: Books, name: str, form: Form) -> Page:
    found = found_person(at, name)
    levels = words.options(words.LEVELS, LEVELS)
    return page("people/details.html", form=form, found=found, name=_today(found), levels=levels)


def _manager_form(at: Books, name: str, form: Form) -> Page:
    found = found_person(at, name)
    return page("people/line_manager.html", form=form, found=found, name=_today(found))


def _employment_form(at: Books, name: str, form: Form) -> Page:
    found = found_person(at, name)
    reasons, began = list(people_wording.END_REASONS.items()), form.get("started_on")
    is_known = any(one.started_on.isoformat() == began for one in employments_at(found.employments))
    return page(
        "people/employment.html", form=form, found=found, name=_today(found), reasons=reasons, is_known=is_known
    )


def _today(found: Practitioner) -> str:
    return name_of(practitioners.on_day(found, today()))
