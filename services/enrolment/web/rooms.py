"""How pages reach the application's books and desks: the composition root puts them into the Flask application."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from flask import current_app

from services.enrolment.application import queries
from services.enrolment.application.field_guide import GuideEntry
from services.enrolment.application.ports import Books, Desk, OpenBooks, OpenDesk, OpenTable, ReadFile, SaysDelta
from services.enrolment.application.uploads import UploadRow
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import Record
from shared.http import current_service
from shared.storage.unit_of_work import Reading, Work

EXTENSION = "enrolment-pages"


class Downloads(Protocol):
    """Files that people take away, the same ones as the API's."""

    def errors_csv(self, rows: Iterable[UploadRow], mapping: FileMapping) -> bytes:
        """Return refused rows with the message in the cell."""

    def template_csv(self, mapping: FileMapping) -> bytes:
        """Return an empty file."""

    def template_xlsx(self, mapping: FileMapping, guide: Sequence[GuideEntry]) -> bytes:
        """Return an empty sheet with drop-downs and the guide."""


class NominationFiles(Protocol):
    """A list of enrolments as a file with the columns of the import."""

    def nominations_csv(self, found: Iterable[Record], mapping: FileMapping) -> bytes:
        """Return it as text."""

    def nominations_xlsx(self, found: Iterable[Record], mapping: FileMapping) -> bytes:
        """Return it as a sheet."""


@dataclass(frozen=True, slots=True)
class PageRooms:
    """What pages need: `mappings` are those of the partnership file, by organisation."""

    open_books: OpenBooks
    open_desk: OpenDesk
    read_file: ReadFile
    mappings: dict[str, FileMapping]
    open_table: OpenTable
    says_delta: SaysDelta
    downloads: Downloads
    nomination_files: NominationFiles


def rooms() -> PageRooms:
    """Return the running application's rooms."""
    return cast("PageRooms", current_app.extensions[EXTENSION])


def books(reading: Reading) -> Books:
    """Return an organisation's books."""
    return rooms().open_books(reading)


def desk(work: Work) -> Desk:
    """Return an organisation's desk inside a transaction."""
    return rooms().open_desk(work)


def declared_mapping(organisation: str, reading: Reading) -> FileMapping | None:
    """Return how an employer's files are read: as it has set itself, else as the partnership file says."""
    return queries.declared_mapping(books(reading), rooms().mappings.get(organisation))


def names() -> dict[str, str]:
    """Return what the organisations of the partnership are called, by slug."""
    return {slug: one.name for slug, one in current_service().partnership.organisations.items()}
