"""Nominating one person by a form: the fields of the import, with its hints, its rules and its words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import handlers
from services.enrolment.application.field_guide import canonical
from services.enrolment.application.ports import Books
from services.enrolment.domain.decisions import ACCEPTED
from services.enrolment.domain.field_list import (
    BY_NAME,
    COURSE,
    DATE,
    FIELD_LIST,
    INTAKE,
    LONGEST_TEXT,
    MANDATORY,
    WORD,
)
from services.enrolment.domain.mapping import FileMapping, read_row
from services.enrolment.domain.records import FIELDS
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.asking import refused, with_query
from services.enrolment.web.rooms import books, desk
from shared.errors import Conflict, RuleBroken
from shared.http import StrictSchema, Text
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

nomination_pages = PageRoutes("nomination_pages", __name__)

_PERSON = FIELDS[: FIELDS.index("course")]
NOMINATION: Final[Schema] = StrictSchema.from_dict(
    {name: Text(longest=LONGEST_TEXT, shortest=0, load_default=None) for name in FIELDS}, name="NominationForm"
)()
"""Shapes only: what is missing or wrong is said by the rules of the import, in the same words."""
_WORDS = {"pcf_level": words.LEVELS, "route": words.ROUTES}


@nomination_pages.show("/enrolments/nominate", "enrolments.create")
def nominate() -> Page:
    """Show the form; the address may bring what is known already."""
    return _shown(blank(**{name: request.args.get(name, "")[:LONGEST_TEXT] for name in FIELDS}))


@nomination_pages.act("/enrolments/nominate", "enrolments.create")
def nominate_now() -> Page | Response:
    """Take the nomination, or show what is wrong with it."""
    form = submitted(NOMINATION)
    if form.errors:
        return _shown(form)
    by = who_asks().subject

    def change(work: Work) -> str:
        outcome = handlers.nominate(desk(work), read_row(1, form.values, FileMapping()), by)
        done = "nominate" if outcome.verdict.decision == ACCEPTED else "nominated-before"
        return with_query(f"/enrolments/{outcome.enrolment_id}", done=done)

    try:
        return page_transact(change)
    except (RuleBroken, Conflict) as error:
        return _shown(titled(refused(form, error, (("erased", "employee_ref"),))))


def titled(form: Form) -> Form:
    """Return the form with each rule's sentence naming its field: in the summary it stands apart from it."""
    return replace(form, errors=tuple(replace(each, text=_named(each.field, each.text)) for each in form.errors))


def _named(field: str, text: str) -> str:
    if field not in BY_NAME:
        return text
    title = BY_NAME[field].title
    if text.lower() == "enter a value":
        is_plain = field not in ("swe_number", "pcf_level")
        return f"Enter the {title[0].lower() + title[1:] if is_plain else title}"
    return text if title.lower() in text.lower() else f"{title}: {text[0].lower()}{text[1:]}"


def _shown(form: Form) -> Page:
    return page_read(lambda reading: _page(books(reading), form))


def _page(at: Books, form: Form) -> Page:
    titles = {code: told.title for code, told in at.catalogue.titles().items()}
    guide = {entry.name: entry for entry in canonical(at.catalogue.courses())}
    fields: list[dict[str, Any]] = []
    for entry in FIELD_LIST:
        said = guide[entry.name]
        kind = "select" if entry.kind in (WORD, COURSE, INTAKE) else "day" if entry.kind == DATE else "text"
        fields.append(
            {
                "name": entry.name,
                "label": entry.title if entry.need == MANDATORY or entry.condition else f"{entry.title} (optional)",
                "hint": entry.description
                if not entry.condition
                else f"{entry.description} {words.sentence(entry.condition)}.",
                "kind": kind,
                "example": entry.example,
                "options": [(code, _option(entry.name, code, titles)) for code in said.allowed],
            }
        )
    return page(
        "enrolments/nominate.html",
        form=form,
        person=[one for one in fields if one["name"] in _PERSON],
        place=[one for one in fields if one["name"] not in _PERSON],
    )


def _option(name: str, code: str, titles: dict[str, str]) -> str:
    if name == "course":
        return f"{titles.get(code, code)} ({code})"
    return words.said(_WORDS[name], code) if name in _WORDS else code
