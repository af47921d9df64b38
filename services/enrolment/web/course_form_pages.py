"""A programme lead's course: published by a form, and changed by the same one.

What the form does not ask (parts, elements, domains that are developed) stays as it is; that is for the API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import course_handlers as handlers
from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain.courses import (
    ACCREDITATIONS,
    CODE_FORM,
    COURSE,
    COURSE_LEVELS,
    KINDS,
    LINK_FORM,
    MOST_CREDITS,
    MOST_MINUTES,
    VERSION_FORM,
    Course,
    Handbook,
    Prerequisite,
)
from services.enrolment.domain.eligibility import AFTER_ASYE, PCF_DOMAINS, ROLE_CODES
from services.enrolment.domain.errors import NoSuchThing, WrongState
from services.enrolment.domain.records import ROUTES
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web import people_wording
from services.enrolment.web.asking import in_order, refused, with_query
from services.enrolment.web.course_pages import ACCREDITATION
from services.enrolment.web.rooms import books, desk, names
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, CivilDate, Items, StrictSchema, Text, WholeText, current_service
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

course_form_pages = PageRoutes("course_form_pages", __name__)

MOST_AFTER: Final = 20
_LISTS: Final = ("routes", "prerequisite_routes", "roles", "rated_domains")
_DOMAINS: Final = tuple(str(number) for number in range(1, PCF_DOMAINS + 1))
_TEXTS: Final = {
    "code": "Enter the code with letters, digits, dots, underscores and hyphens, for example SAR",
    "title": "Enter the title",
    "level": "Choose for whom the course is",
    "kind": "Choose what it is",
    "routes": "Tick at least one route",
    "credits": f"Enter the credits as a whole number from 0 to {MOST_CREDITS}",
    "minutes": f"Enter the minutes as a whole number from 1 to {MOST_MINUTES:,}, or leave it empty",
    "accreditation": "Choose whether credit is approved",
    "module": "Enter the module with letters, digits, dots, underscores and hyphens",
    "handbook_version": "Enter the version with letters, digits, dots, underscores and hyphens",
    "handbook_link": "Enter an address that begins with https://",
    "handbook_from": "Enter the first day of the handbook as a date like 2026-11-21",
}
_AT: Final = (
    ("comes after itself", "after"),
    ("handbook", "handbook_version"),
)
_CODE = re.compile(CODE_FORM)


def _schema() -> Schema:
    """Return what the form is read by: universities and evidence sets are the partnership's."""
    partnership = current_service().partnership
    return StrictSchema.from_dict(
        {
            "code": Text(longest=64, pattern=CODE_FORM, load_default=None),
            "version": WholeText(load_default=0),
            "title": Text(required=True, longest=200),
            "level": Choice(COURSE_LEVELS, required=True),
            "kind": Choice(KINDS, required=True),
            "routes": Items(Choice(ROUTES), required=True, least=1, most=len(ROUTES)),
            "credits": WholeText(most=MOST_CREDITS, load_default=0),
            "minutes": WholeText(least=1, most=MOST_MINUTES, load_default=None),
            "accreditation": Choice(ACCREDITATIONS, required=True),
            "awarding_hei": Choice(partnership.with_role("awarding_hei"), load_default=None),
            "module": Text(longest=64, pattern=CODE_FORM, load_default=None),
            "evidence_set": Choice(tuple(partnership.evidence_sets), load_default=None),
            "prerequisite": Text(longest=300, load_default=None),
            "prerequisite_routes": Items(Choice(ROUTES), load_default=[]),
            "after": Text(longest=2000, lines=True, load_default=None),
            "roles": Items(Choice(ROLE_CODES), load_default=[]),
            "rated_domains": Items(Choice(_DOMAINS), load_default=[]),
            "handbook_version": Text(longest=32, pattern=VERSION_FORM, load_default=None),
            "handbook_link": Text(longest=520, pattern=LINK_FORM, load_default=None),
            "handbook_from": CivilDate(load_default=None),
        },
        name="CourseForm",
    )()


@course_form_pages.show("/publish-course", "courses.publish")
def ask_for_course() -> Page:
    """Show the form of a new course."""
    _must_lead()
    return page_read(lambda reading: _form(books(reading), None, blank(kind=COURSE, accreditation="none"), {}))


@course_form_pages.act("/publish-course", "courses.publish")
def publish_course() -> Page | Response:
    """Publish a course."""
    _must_lead()
    form = _sent()
    if not form.get("code").strip():
        form = in_order(form.with_error("code", _TEXTS["code"]), _schema().fields)
    return _keep(None, form)


@course_form_pages.show("/courses/<code>/change", "courses.publish")
def ask_for_change(code: str) -> Page:
    """Show the form of a course, as it is."""

    def shown(at: Books) -> Page:
        standing = _found(at, code)
        return _form(at, code, blank(**_typed(standing)), _ticked(standing))

    return page_read(lambda reading: shown(books(reading)))


@course_form_pages.act("/courses/<code>/change", "courses.publish")
def change_course(code: str) -> Page | Response:
    """Change a course; everybody is told, and nobody's enrolment changes by it."""
    return _keep(code, _sent())


def _sent() -> Form:
    """Return the form as it was sent, with what its fields ask of each other."""
    form = submitted(_schema(), _TEXTS)
    if form.errors:
        return form
    said = form.values
    if said["prerequisite"] and not said["prerequisite_routes"]:
        form = form.with_error("prerequisite_routes", "Tick the routes that it is asked on")
    if said["prerequisite_routes"] and not said["prerequisite"]:
        form = form.with_error("prerequisite", "Enter what has to be met, or tick no route")
    after = _codes(said["after"])
    if len(after) > MOST_AFTER or any(not _CODE.fullmatch(each) for each in after):
        form = form.with_error("after", f"Enter at most {MOST_AFTER} course codes, each on a line of its own")
    handbook = ("handbook_version", "handbook_link", "handbook_from")
    if any(said[name] for name in handbook):
        for name in handbook:
            form = form if said[name] else form.with_error(name, _TEXTS[name])
    return form


def _keep(code: str | None, form: Form) -> Page | Response:
    def again(wrong: Form) -> Page:
        return page_read(lambda reading: _form(books(reading), code, wrong, None))

    if form.errors:
        return again(form)
    said = form.values

    def run(work: Work) -> str:
        at = desk(work)
        kept = handlers.publish_course(at, _wanted(at, code, said))
        return with_query(f"/courses/{kept.code}", done="changed" if code else "published")

    try:
        return page_transact(run)
    except (RuleBroken, Conflict) as error:
        return again(refused(form, error, _AT))


def _wanted(at: Desk, code: str | None, said: Mapping[str, Any]) -> Course:
    """Return the course as the form says it; what it does not ask stays as it was.

    Raises:
        WrongState: The code is taken, or somebody else changed the course meanwhile.
    """
    if code is None:
        if at.courses.find(said["code"]) is not None:
            raise WrongState("there is a course with this code: change that one instead")
        standing = Course(said["code"], said["title"], said["level"], tuple(said["routes"]))
    else:
        standing = _found(at, code)
        if standing.version != said["version"]:
            raise WrongState("somebody else has changed this course meanwhile: open it again and change it there")
    asked = replace(
        standing.eligibility,
        after=_codes(said["after"]),
        roles=tuple(said["roles"]),
        rated_domains=tuple(int(number) for number in said["rated_domains"]),
    )
    new = Handbook(said["handbook_version"], said["handbook_link"], said["handbook_from"])
    handbooks = (*standing.description.handbooks, *((new,) if new.version else ()))
    description = replace(
        standing.description,
        kind=said["kind"],
        minutes=None if standing.description.parts else said["minutes"],
        handbooks=handbooks,
    )
    text, routes = said["prerequisite"], tuple(said["prerequisite_routes"])
    return replace(
        standing,
        title=said["title"],
        level=said["level"],
        routes=tuple(said["routes"]),
        credits=said["credits"],
        accreditation=said["accreditation"],
        awarding_hei=said["awarding_hei"],
        module=said["module"],
        evidence_set=said["evidence_set"],
        prerequisite=Prerequisite(text, routes) if text else None,
        eligibility=asked,
        description=description,
    )


def _codes(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.split(r"[\s,;]+", text.strip()))) if text and text.strip() else ()


def _typed(standing: Course) -> dict[str, str]:
    """Return what stands in the fields of a course's form."""
    said = {
        "version": standing.version,
        "title": standing.title,
        "level": standing.level,
        "kind": standing.description.kind,
        "credits": standing.credits or "",
        "minutes": standing.description.minutes or "",
        "accreditation": standing.accreditation,
        "awarding_hei": standing.awarding_hei or "",
        "module": standing.module or "",
        "evidence_set": standing.evidence_set or "",
        "prerequisite": standing.prerequisite.text if standing.prerequisite else "",
        "after": "\n".join(standing.eligibility.after),
    }
    return {name: str(value) for name, value in said.items()}


def _ticked(standing: Course) -> dict[str, Sequence[str]]:
    return {
        "routes": standing.routes,
        "prerequisite_routes": standing.prerequisite.routes if standing.prerequisite else (),
        "roles": standing.eligibility.roles,
        "rated_domains": [str(number) for number in standing.eligibility.rated_domains],
    }


def _found(at: Books, code: str) -> Course:
    found = at.courses.find(code)
    if found is None:
        raise NoSuchThing("no such course")
    return found


def _must_lead() -> None:
    """Refuse what only a programme lead has.

    Raises:
        NoSuchThing: The organisation leads no programme.
    """
    if not current_service().partnership.has_role(who_asks().organisation, "programme_lead"):
        raise NoSuchThing("only a programme lead has courses")


def _form(at: Books, code: str | None, form: Form, ticked: Mapping[str, Sequence[str]] | None) -> Page:
    """Show the form; `ticked` None: as it was sent."""
    standing = _found(at, code) if code else None
    partnership, called = current_service().partnership, names()
    chosen = ticked if ticked is not None else {name: request.form.getlist(name) for name in _LISTS}
    domains = [(number, f"{number}. {text}") for number, text in zip(_DOMAINS, people_wording.PCF_DOMAINS, strict=True)]
    return page(
        "courses/course_form.html",
        form=form,
        code=code,
        standing=standing,
        ticked={name: chosen.get(name, ()) for name in _LISTS},
        levels=words.options(words.LEVELS, COURSE_LEVELS),
        kinds=words.options(words.COURSE_KINDS, KINDS),
        routes=words.options(words.ROUTES, ROUTES),
        accreditations=[(one, ACCREDITATION[one][0]) for one in ACCREDITATIONS],
        universities=[(slug, called[slug]) for slug in partnership.with_role("awarding_hei")],
        evidence_sets=[(one, one) for one in partnership.evidence_sets],
        roles=words.options(people_wording.ROLES, ROLE_CODES),
        domains=domains,
        after_asye=AFTER_ASYE,
    )
