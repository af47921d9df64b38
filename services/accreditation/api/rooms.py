"""How views reach the application's books: what the bootstrap left in the running Flask application.

No route and no rule here.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app

from services.accreditation.application.ports import Books, Desk, OpenBooks, OpenDesk
from shared.storage.unit_of_work import Reading, Work

EXTENSION = "accreditation"


@dataclass(frozen=True, slots=True)
class Rooms:
    """What opens the books of one organisation."""

    open_books: OpenBooks
    open_desk: OpenDesk


def furnish(app: Flask, rooms: Rooms) -> Flask:
    """Return `app`, whose views now find the books."""
    app.extensions[EXTENSION] = rooms
    return app


def books(reading: Reading) -> Books:
    """Return the books for reading."""
    rooms: Rooms = current_app.extensions[EXTENSION]
    return rooms.open_books(reading)


def desk(work: Work) -> Desk:
    """Return the books inside a transaction."""
    rooms: Rooms = current_app.extensions[EXTENSION]
    return rooms.open_desk(work)
