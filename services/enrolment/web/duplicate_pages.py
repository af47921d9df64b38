"""People who may be the same: looked at side by side, merged, kept apart, split again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response, request

from services.enrolment.application import duplicates
from services.enrolment.application.ports import Books, Desk
from services.enrolment.web import people_wording
from services.enrolment.web.asking import refused, with_query
from services.enrolment.web.people_pages import DONE, name_of
from services.enrolment.web.rooms import books, desk
from shared.errors import Conflict, NotFound, RuleBroken
from shared.http import Choice, StrictSchema, Text
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

duplicate_pages = PageRoutes("duplicate_pages", __name__)

ON_A_PAGE: Final = 20
MERGE: Final = "merge"
APART: Final = "apart"


class PairForm(StrictSchema):
    """What becomes of a pair: the first of `into` stays the name of the person."""

    what = Choice((MERGE, APART), required=True)
    into = Text(required=True, longest=500)
    other = Text(required=True, longest=500)


class SplitForm(StrictSchema):
    """Whose record is a person of its own again."""

    merged = Text(required=True, longest=500)


PAIR, SPLIT = PairForm(), SplitForm()


@duplicate_pages.show("/people/duplicates", "practitioners.merge")
def list_duplicates() -> Page:
    """Show pairs of people who are alike, and in what."""
    return page_read(lambda reading: _list(books(reading), blank()))


@duplicate_pages.act("/people/duplicates", "practitioners.merge")
def decide() -> Page | Response:
    """Merge a pair, or keep it apart."""
    form = submitted(PAIR, {"what": "Choose what becomes of the two"})
    if form.errors:
        return page_read(lambda reading: _list(books(reading), form))
    into, other = form.values["into"], form.values["other"]

    def change(at: Desk) -> str:
        if form.values["what"] == APART:
            duplicates.keep_apart(at, into, other)
            return "/people/duplicates?done=apart"
        kept = duplicates.merge(at, into, other)
        return with_query(f"/people/{kept.practitioner_id}", done="merged")

    return _done(form, change)


@duplicate_pages.act("/people/duplicates/split", "practitioners.merge")
def split() -> Page | Response:
    """Let a merged record be a person of its own again."""
    form = submitted(SPLIT, {"merged": "Enter the reference of the record that was merged"})
    if form.errors:
        return page_read(lambda reading: _list(books(reading), form))

    def change(at: Desk) -> str:
        kept = duplicates.split(at, form.values["merged"])
        return with_query(f"/people/{kept.practitioner_id}", done="split")

    return _done(form, change)


def _done(form: Form, change: Callable[[Desk], str]) -> Page | Response:
    def run(work: Work) -> str:
        return change(desk(work))

    try:
        return page_transact(run)
    except NotFound:
        wrong = form.with_error("merged" if "merged" in form.typed else "", "Nobody has this reference")
        return page_read(lambda reading: _list(books(reading), wrong))
    except (RuleBroken, Conflict) as error:
        wrong = refused(form, error, (("was not merged", "merged"),))
        return page_read(lambda reading: _list(books(reading), wrong))


def _list(at: Books, form: Form) -> Page:
    after = request.args.get("after")
    found = duplicates.duplicates(at, after, ON_A_PAGE + 1)
    more = found[ON_A_PAGE - 1].pair if len(found) > ON_A_PAGE else None
    pairs = [
        {
            "people": [{"found": one, "name": name_of(one)} for one in (pair.one, pair.other)],
            "alike": " and ".join(people_wording.ALIKE[reason] for reason in pair.reasons),
        }
        for pair in found[:ON_A_PAGE]
    ]
    return page(
        "people/duplicates.html",
        form=form,
        pairs=pairs,
        next=with_query("/people/duplicates", after=more) if more else None,
        done=DONE.get(request.args.get("done", "")),
    )
