"""Days away from work on a person's page, and taking back an absence or an employment that never was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import Response, request

from services.enrolment.application import practitioner_handlers as handlers
from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain import practitioners
from services.enrolment.domain.employments import absences_at, employments_at
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.web.asking import today
from services.enrolment.web.people_pages import change_person, found_person, name_of
from services.enrolment.web.rooms import books, desk
from shared.http import CivilDate, StrictSchema
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

absence_pages = PageRoutes("absence_pages", __name__)

_TEXTS: Final = {
    "from_on": "Enter the first day away as a date like 2026-11-21",
    "until_on": "Enter the last day away as a date like 2026-11-21",
}


class AbsenceForm(StrictSchema):
    """From when until when somebody is away; without an end they are not back yet. No reason is asked."""

    from_on = CivilDate(required=True)
    until_on = CivilDate(load_default=None)


ABSENCE, NOTHING = AbsenceForm(), StrictSchema()


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a person from a day on: its words, whether one began on a day, and taking it back."""

    what: str
    done: str
    began: Callable[[Practitioner, date], bool]
    take_back: Callable[[Desk, str, date], Practitioner]


ABSENT: Final = Told(
    "absence",
    "absence-taken-back",
    lambda found, day: any(one.from_on == day for one in absences_at(found.absences)),
    lambda at, name, day: handlers.tell_absence(at, name, day, None, stands=False),
)
EMPLOYED: Final = Told(
    "employment",
    "employment-taken-back",
    lambda found, day: any(one.started_on == day for one in employments_at(found.employments)),
    lambda at, name, day: handlers.tell_employment(at, name, day, None, None, stands=False),
)


@absence_pages.show("/people/<name>/absence", "practitioners.keep")
def absence(name: str) -> Page:
    """Show the form of an absence: a new one, or the one that began on the day that the address names."""
    began = request.args.get("from_on", "")

    def shown(at: Books) -> Page:
        known = next(
            (one for one in absences_at(found_person(at, name).absences) if one.from_on.isoformat() == began), None
        )
        until = known.until_on.isoformat() if known and known.until_on else ""
        return _form(at, name, blank(from_on=began, until_on=until))

    return page_read(lambda reading: shown(books(reading)))


@absence_pages.act("/people/<name>/absence", "practitioners.keep")
def tell_absence(name: str) -> Page | Response:
    """Keep from when until when somebody is away, or that they are back."""
    form = submitted(ABSENCE, _TEXTS)
    if form.errors:
        return page_read(lambda reading: _form(books(reading), name, form))
    said = form.values
    return change_person(
        form,
        lambda at: handlers.tell_absence(at, name, said["from_on"], said["until_on"]),
        "absence",
        lambda at, wrong: _form(at, name, wrong),
    )


@absence_pages.show("/people/<name>/absence/<day>/take-back", "practitioners.keep")
def ask_absence(name: str, day: str) -> Page:
    """Ask whether an absence never was."""
    return _asked(ABSENT, name, day)


@absence_pages.act("/people/<name>/absence/<day>/take-back", "practitioners.keep")
def take_back_absence(name: str, day: str) -> Response:
    """Take an absence back; the history keeps that it was told."""
    return _taken_back(ABSENT, name, day)


@absence_pages.show("/people/<name>/employment/<day>/take-back", "practitioners.keep")
def ask_employment(name: str, day: str) -> Page:
    """Ask whether an employment never was."""
    return _asked(EMPLOYED, name, day)


@absence_pages.act("/people/<name>/employment/<day>/take-back", "practitioners.keep")
def take_back_employment(name: str, day: str) -> Response:
    """Take an employment back; the history keeps that it was told."""
    return _taken_back(EMPLOYED, name, day)


def _asked(told: Told, name: str, day: str) -> Page:
    def shown(at: Books) -> Page:
        found, began = found_person(at, name), _day(day)
        if not told.began(found, began):
            raise NoSuchThing(f"no such {told.what}")
        return page("people/take_back.html", found=found, name=_called(found), what=told.what, day=began)

    return page_read(lambda reading: shown(books(reading)))


def _taken_back(told: Told, name: str, day: str) -> Response:
    def run(work: Work) -> str:
        kept = told.take_back(desk(work), name, _day(day))
        return f"/people/{kept.practitioner_id}?done={told.done}"

    return page_transact(run)


def _form(at: Books, name: str, form: Form) -> Page:
    found = found_person(at, name)
    began = form.get("from_on")
    is_known = any(one.from_on.isoformat() == began for one in absences_at(found.absences))
    return page("people/absence.html", form=form, found=found, name=_called(found), is_known=is_known)


def _called(found: Practitioner) -> str:
    return name_of(practitioners.on_day(found, today()))


def _day(text: str) -> date:
    """Return the day that an address names.

    Raises:
        NoSuchThing: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NoSuchThing("no such day") from error
