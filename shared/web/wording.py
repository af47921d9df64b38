"""How pages say dates, times, numbers and roles. Template filters: `day`, `day_and_time`, `number`, `role`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from flask import Flask

from shared.clock import LONDON

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
ROLE_WORDS: Final = {
    "hr": "HR officer",
    "practitioner": "practitioner",
    "supervisor": "supervisor",
    "assessor": "assessor",
    "moderator": "moderator",
    "programme_lead": "programme lead",
    "tutor": "tutor",
    "registrar": "registrar",
    "board": "board member",
    "auditor": "auditor",
    "operator": "operator",
}


def day(moment: date | datetime | str | None) -> str:
    """Return a date as it is said in England, `21 November 2026`; an en dash where there is none.

    ISO texts are read too: the application's answers hold them.
    """
    if moment is None or moment == "":
        return "–"
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment) if "T" in moment else date.fromisoformat(moment)
    at = moment.astimezone(LONDON) if isinstance(moment, datetime) else moment
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def day_and_time(moment: datetime | str | None) -> str:
    """Return date and time in England, `21 November 2026 at 14:05`; an en dash where there is none."""
    if moment is None or moment == "":
        return "–"
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{day(at)} at {at.astimezone(LONDON):%H:%M}"


def number(value: int) -> str:
    """Return a whole number with its thousands apart: `1,250`."""
    return f"{value:,}"


def role(name: str) -> str:
    """Return what a role is called."""
    return ROLE_WORDS.get(name, name.replace("_", " "))


def register(app: Flask) -> None:
    """Give the filters to all templates of `app`."""
    for filter_ in (day, day_and_time, number, role):
        app.add_template_filter(filter_, filter_.__name__)
