"""Who of an employer's people gets to learn: by level, team and share of full time. The employer's own figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from flask import request

from services.enrolment.application import entitlements
from services.enrolment.domain.access import FULL_TIME, LESS, MOST_OF_IT, UNKNOWN, Uptake
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.rooms import books
from shared.web import Form, Page, PageRoutes, blank, page, page_read

access_pages = PageRoutes("access_pages", __name__)

KINDS: Final = (("pcf_level", "By level"), ("team", "By team"), ("fte", "By share of full time"))
_BANDS: Final[Mapping[str, str]] = {
    FULL_TIME: "Full time",
    MOST_OF_IT: "From 0.6 of full time",
    LESS: "Less than 0.6 of full time",
}


@access_pages.show("/people/access", "access.read")
def access() -> Page:
    """Show how many of whom were nominated and given a place between two days."""
    form = blank(from_on=request.args.get("from_on", "").strip(), until_on=request.args.get("until_on", "").strip())
    form, first = _day(form, "from_on", "first")
    form, last = _day(form, "until_on", "last")
    if first and last and last < first:
        form = form.with_error("until_on", "Enter a last day that is not before the first")
    asked = (None, None) if form.errors else (first, last)
    day, found = page_read(lambda reading: entitlements.access_summary(books(reading), *asked))
    everybody = next(one for one in found if one.by == "all")
    tables = [(title, kind, [_row(one) for one in found if one.by == kind]) for kind, title in KINDS]
    return page("people/access.html", form=form, day=day, everybody=everybody, tables=tables)


def _day(form: Form, name: str, which: str) -> tuple[Form, date | None]:
    typed = form.get(name)
    if not typed:
        return form, None
    try:
        return form, date.fromisoformat(typed)
    except ValueError:
        return form.with_error(name, f"Enter the {which} day as a date like 2026-11-21"), None


def _row(one: Uptake) -> list[object]:
    numbers = (one.headcount, one.nominated, one.confirmed)
    return [_group(one), *({"text": f"{number:,}", "number": True} for number in numbers)]


def _group(one: Uptake) -> str:
    if one.group == UNKNOWN:
        return "Not known"
    if one.by == "team":
        return one.group
    return words.said(words.LEVELS if one.by == "pcf_level" else _BANDS, one.group)
