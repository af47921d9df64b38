"""Places that other employers give over: looked at, taken on with the person, or refused."""

from __future__ import annotations

from typing import Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import transfers
from services.enrolment.application.commands import TakeOn
from services.enrolment.application.ports import Books
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.field_list import BY_NAME, DATE, LONGEST_TEXT, MANDATORY
from services.enrolment.domain.mapping import FileMapping, read_row
from services.enrolment.domain.records import FIELDS, ReadRow
from services.enrolment.domain.transfers import INCOMING_STATES, OPEN, Incoming
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.asking import may_do, refused, with_query
from services.enrolment.web.nomination_pages import titled
from services.enrolment.web.rooms import books, desk, names
from shared.errors import Conflict, RuleBroken
from shared.http import StrictSchema, Text
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

transfer_pages = PageRoutes("transfer_pages", __name__)

ON_A_PAGE: Final = 50
_OF_THE_PLACE = frozenset(
    {"employee_ref", "course", "intake", "route", "pcf_level", "manager_approved_on", "prerequisite_on"}
)
_PERSON = tuple(name for name in FIELDS if name not in _OF_THE_PLACE)
TAKEN_ON: Final[Schema] = StrictSchema.from_dict(
    {name: Text(longest=LONGEST_TEXT, shortest=0, load_default=None) for name in ("employee_ref", *_PERSON)},
    name="TakenOnForm",
)()
NOTHING: Final = StrictSchema()
_REFERENCE = "Enter the reference under which the person works here"
_DONE = {"refused": "The transfer is refused. The place goes back to the cohort."}


@transfer_pages.show("/incoming-transfers", "transfers.read")
def incoming_transfers() -> Page:
    """Show what other employers give over, those that wait first asked for."""
    state = request.args.get("state", "")
    wanted = state if state in INCOMING_STATES else None
    found = page_read(lambda reading: books(reading).incoming.page(request.args.get("after"), ON_A_PAGE + 1, wanted))
    more = found[ON_A_PAGE - 1].from_enrolment_id if len(found) > ON_A_PAGE else None
    return page(
        "enrolments/incoming.html",
        form=blank(state=state),
        states=[(code, words.INCOMING_TAGS[code][0]) for code in INCOMING_STATES],
        rows=[_row(one) for one in found[:ON_A_PAGE]],
        next=with_query("/incoming-transfers", state=state, after=more) if more else None,
        done=_DONE.get(request.args.get("done", "")),
    )


@transfer_pages.show("/incoming-transfers/<enrolment_id>", "transfers.read")
def incoming_transfer(enrolment_id: str) -> Page:
    """Show one of them, with the form that takes the person on."""
    return _shown(enrolment_id, blank())


@transfer_pages.act("/incoming-transfers/<enrolment_id>", "transfers.answer")
def take_on(enrolment_id: str) -> Page | Response:
    """Take the person on."""
    form = submitted(TAKEN_ON)
    if not form.errors and form.values["employee_ref"] is None:
        form = form.with_error("employee_ref", _REFERENCE)
    if form.errors:
        return _shown(enrolment_id, form)
    is_described = any(form.values[name] is not None for name in _PERSON)

    def change(work: Work) -> str:
        at = desk(work)
        given = at.incoming.find(enrolment_id)
        described = _described(form, given) if given is not None and is_described else None
        _, taken = transfers.take_on(at, TakeOn(enrolment_id, form.values["employee_ref"].strip(), described))
        return with_query(f"/enrolments/{taken.enrolment_id}", done="taken-on")

    try:
        return page_transact(change)
    except (RuleBroken, Conflict) as error:
        return _shown(enrolment_id, _at_fields(refused(form, error, (("this person", "employee_ref"),)), error))


@transfer_pages.show("/incoming-transfers/<enrolment_id>/refuse", "transfers.answer")
def turn_away(enrolment_id: str) -> Page:
    """Ask whether the transfer is to be refused."""
    return page_read(
        lambda reading: page(
            "enrolments/refuse_transfer.html", form=blank(), found=_found(books(reading), enrolment_id), names=names()
        )
    )


@transfer_pages.act("/incoming-transfers/<enrolment_id>/refuse", "transfers.answer")
def turn_away_now(enrolment_id: str) -> Page | Response:
    """Refuse it."""
    form = submitted(NOTHING)

    def change(work: Work) -> str:
        transfers.turn_away(desk(work), enrolment_id)
        return "/incoming-transfers?done=refused"

    try:
        return page_transact(change)
    except Conflict as error:
        return _shown(enrolment_id, refused(form, error))


def _at_fields(form: Form, error: RuleBroken | Conflict) -> Form:
    """Return the form with the faults of the person at their fields: their pointers begin with /person."""
    if not any((fault.pointer or "").startswith("/person/") for fault in error.faults):
        return form
    fresh = Form(typed=form.typed, values=form.values)
    for fault in error.faults:
        fresh = fresh.with_error((fault.pointer or "").rpartition("/")[2], words.sentence(fault.detail))
    return titled(fresh)


def _described(form: Form, given: Incoming) -> ReadRow:
    """Return the person read like any record: the place's own fields stand as they were given over."""
    place = {name: getattr(given, name) for name in ("course", "intake", "route", "pcf_level")}
    return read_row(1, {**form.values, **place}, FileMapping())


def _found(at: Books, enrolment_id: str) -> Incoming:
    found = at.incoming.find(enrolment_id)
    if found is None:
        raise NoSuchThing("no such transfer")
    return found


def _row(found: Incoming) -> list[object]:
    called = names()
    return [
        {
            "text": called.get(found.from_employer, found.from_employer),
            "href": f"/incoming-transfers/{found.from_enrolment_id}",
        },
        found.course,
        found.intake,
        words.said(words.ROUTES, found.route),
        {"on": found.transferred_on},
        {"on": found.accept_by},
        {"tag": words.INCOMING_TAGS[found.state]},
    ]


def _shown(enrolment_id: str, form: Form) -> Page:
    def shown(at: Books) -> Page:
        found = _found(at, enrolment_id)
        fields = [
            {
                "name": name,
                "label": BY_NAME[name].title
                if BY_NAME[name].need == MANDATORY
                else f"{BY_NAME[name].title} (optional)",
                "hint": BY_NAME[name].description,
                "is_day": BY_NAME[name].kind == DATE,
                "example": BY_NAME[name].example,
            }
            for name in _PERSON
        ]
        return page(
            "enrolments/take_on.html",
            form=form,
            found=found,
            names=names(),
            fields=fields,
            words=words,
            tag=words.INCOMING_TAGS[found.state],
            may_answer=found.state == OPEN and may_do("transfers.answer"),
        )

    return page_read(lambda reading: shown(books(reading)))
