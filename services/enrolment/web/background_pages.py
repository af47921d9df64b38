"""What HR vouches for of a person: their roles, and courses that they completed before or elsewhere."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import learning_needs
from services.enrolment.application.ports import Books
from services.enrolment.domain import practitioners
from services.enrolment.domain.courses import CODE_FORM
from services.enrolment.domain.eligibility import ROLE_CODES
from services.enrolment.domain.errors import WrongState
from services.enrolment.domain.learning_needs import Background, PriorCourse
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web import people_wording
from services.enrolment.web.asking import refused, today, with_query
from services.enrolment.web.people_pages import found_person, name_of
from services.enrolment.web.rooms import books, desk
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, CivilDate, Items, StrictSchema, Text, WholeText
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

background_pages = PageRoutes("background_pages", __name__)

SPARE: Final = 3
MOST: Final = 200
_COURSE, _DAY = "course_", "completed_"
_NUMBERED = re.compile(rf"{_COURSE}([0-9]{{1,3}})")


@background_pages.show("/people/<name>/background", "backgrounds.set")
def background(name: str) -> Page:
    """Show the form, as it was filled in last, with some empty lines."""

    def shown(at: Books) -> Page:
        standing = _standing(at, found_person(at, name).practitioner_id)
        typed = {"version": str(standing.version)}
        for number, prior in enumerate(standing.prior_courses, 1):
            typed |= {f"{_COURSE}{number}": prior.course, f"{_DAY}{number}": prior.completed_on.isoformat()}
        return _form(at, name, blank(**typed), len(standing.prior_courses) + SPARE, standing.roles)

    return page_read(lambda reading: shown(books(reading)))


@background_pages.act("/people/<name>/background", "backgrounds.set")
def keep_background(name: str) -> Page | Response:
    """Keep roles and prior courses in place of those before."""
    lines = _lines_sent()
    form = _whole(submitted(_schema(lines), _texts(lines)), lines)

    def again(wrong: Form) -> Page:
        return page_read(lambda reading: _form(books(reading), name, wrong, lines, request.form.getlist("roles")))

    if form.errors:
        return again(form)

    def run(work: Work) -> str:
        at = desk(work)
        person = found_person(at, name)
        if _standing(at, person.practitioner_id).version != form.values["version"]:
            raise WrongState("somebody else has changed this meanwhile: open it again and change it there")
        priors = tuple(PriorCourse(course, day) for course, day in _told(form.values, lines))
        wanted = Background(person.practitioner_id, tuple(form.values["roles"]), priors)
        learning_needs.keep_background(at, wanted)
        return with_query(f"/people/{person.practitioner_id}", done="background")

    try:
        return page_transact(run)
    except (RuleBroken, Conflict) as error:
        return again(refused(form, error, (("named once", f"{_COURSE}1"),)))


def _lines_sent() -> int:
    sent = [int(found[1]) for name in request.form if (found := _NUMBERED.fullmatch(name))]
    return min(max([SPARE, *sent]), MOST)


def _schema(lines: int) -> Schema:
    fields: dict[str, Any] = {
        "version": WholeText(load_default=0),
        "roles": Items(Choice(ROLE_CODES), load_default=[]),
    }
    for number in range(1, lines + 1):
        fields[f"{_COURSE}{number}"] = Text(longest=64, pattern=CODE_FORM, load_default=None)
        fields[f"{_DAY}{number}"] = CivilDate(load_default=None)
    schema: Schema = StrictSchema.from_dict(fields, name="BackgroundForm")()
    return schema


def _texts(lines: int) -> dict[str, str]:
    found = {}
    for number in range(1, lines + 1):
        found[f"{_COURSE}{number}"] = "Enter the course’s code with letters, digits, dots, underscores and hyphens"
        found[f"{_DAY}{number}"] = "Enter the day of completion as a date like 2026-11-21"
    return found


def _whole(form: Form, lines: int) -> Form:
    """Return the form with what is missing of a line that was begun."""
    if form.errors:
        return form
    texts = _texts(lines)
    for number in range(1, lines + 1):
        course, day = f"{_COURSE}{number}", f"{_DAY}{number}"
        if bool(form.values[course]) != bool(form.values[day]):
            missing = day if form.values[course] else course
            form = form.with_error(missing, texts[missing])
    return form


def _told(values: Any, lines: int) -> list[tuple[str, Any]]:  # noqa: ANN401 - what a form holds
    numbers = range(1, lines + 1)
    return [(values[f"{_COURSE}{n}"], values[f"{_DAY}{n}"]) for n in numbers if values[f"{_COURSE}{n}"]]


def _standing(at: Books, practitioner_id: str) -> Background:
    return at.learning.background(practitioner_id) or Background(practitioner_id)


def _form(at: Books, name: str, form: Form, lines: int, roles: Any) -> Page:  # noqa: ANN401 - codes, sent or kept
    found = found_person(at, name)
    return page(
        "people/background.html",
        form=form,
        found=found,
        name=name_of(practitioners.on_day(found, today())),
        roles=words.options(people_wording.ROLES, ROLE_CODES),
        ticked=roles,
        lines=range(1, lines + 1),
    )
