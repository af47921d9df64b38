"""How views reach the application's books and desks: the composition root puts them into the Flask application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from services.enrolment.application import place_queries
from services.enrolment.application.ports import Books, Desk, OpenBooks, OpenDesk, OpenTable, ReadFile, SaysDelta
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.mapping import FileMapping
from shared.http import current_service
from shared.storage.unit_of_work import Reading, Work

EXTENSION = "enrolment"


@dataclass(frozen=True, slots=True)
class Rooms:
    """What views need: `mappings` are those of the partnership file, by organisation."""

    open_books: OpenBooks
    open_desk: OpenDesk
    read_file: ReadFile
    mappings: dict[str, FileMapping]
    open_table: OpenTable
    says_delta: SaysDelta


def rooms() -> Rooms:
    """Return the running application's rooms."""
    return cast("Rooms", current_app.extensions[EXTENSION])


def books(reading: Reading) -> Books:
    """Return an organisation's books."""
    return rooms().open_books(reading)


def desk(work: Work) -> Desk:
    """Return an organisation's desk inside a transaction."""
    return rooms().open_desk(work)


def must_lead(org: str) -> None:
    """Refuse what only a programme lead has.

    Raises:
        NoSuchThing: The organisation leads no programme.
    """
    if not current_service().partnership.has_role(org, "programme_lead"):
        raise NoSuchThing("only a programme lead has courses")


def names() -> dict[str, str]:
    """Return what the organisations of the partnership are called, by slug."""
    return {slug: one.name for slug, one in current_service().partnership.organisations.items()}


def why_of(at: Books, found: Enrolment) -> str | None:
    """Return why an enrolment has a seat, waits or has neither; None where nothing explains it."""
    return place_queries.explanations_of(at, [found], names()).get(found.enrolment_id)
