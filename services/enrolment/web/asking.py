"""Who is looking and what they may do, and a refused form in the words of the rule that refused it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from urllib.parse import urlencode

from services.enrolment.web.enrolment_wording import sentence
from shared.clock import london_date
from shared.errors import PlatformError
from shared.http import current_service
from shared.identity import Resource, may
from shared.web import Form, who_asks

_SEES_ALL = frozenset({"hr", "supervisor", "auditor"})


def may_do(action: str) -> bool:
    """Return whether the viewer may do this in their own organisation."""
    principal = who_asks()
    return may(principal, action, Resource(principal.organisation), current_service().roles)


def only_person() -> str | None:
    """Return whom the viewer may see only: themselves, unless one of their roles sees all."""
    principal = who_asks()
    return None if principal.roles & _SEES_ALL else principal.subject


def refused(form: Form, error: PlatformError, at: Sequence[tuple[str, str]] = ()) -> Form:
    """Return the form with what a rule said, at the field that it is about.

    The rule's own pointer names the field. `at` names one by a part of the sentence, where the form has other fields
    than the request; what is about no field of this form stands in the summary alone.
    """
    found = form.refused(error)
    known = form.values.keys() | form.typed.keys()
    errors = tuple(
        replace(each, field=_field_of(each.text, at) or (each.field if each.field in known else ""))
        for each in found.errors
    )
    return replace(found, errors=tuple(replace(each, text=sentence(each.text)) for each in errors))


def in_order(form: Form, fields: Iterable[str]) -> Form:
    """Return the form with its errors in the order of its fields on the page; what is about the whole stands first."""
    places = {name: place for place, name in enumerate(fields)}
    return replace(form, errors=tuple(sorted(form.errors, key=lambda each: places.get(each.field, -1))))


def today(now: datetime | None = None) -> date:
    """Return the day in England."""
    return london_date(now or current_service().clock.now())


def with_query(path: str, **asked: object) -> str:
    """Return an address with what is asked in it; what is empty is left out."""
    given = {name: str(value) for name, value in asked.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def _field_of(text: str, at: Sequence[tuple[str, str]]) -> str:
    return next((field for part, field in at if part in text), "")
