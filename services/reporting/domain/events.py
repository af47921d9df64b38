"""What reporting tells the partners, as plain values. Published figures only; the officer's title stays behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.reporting.domain.publication import FeedPosition, Publication, PublishedTable


@dataclass(frozen=True, slots=True)
class TablePublished:
    """A publication was closed, and this is one of its tables. `place` is the table's place in it, from 1."""

    publication_id: str
    closed_at: datetime
    place: int
    table: PublishedTable
    feeds: tuple[FeedPosition, ...]


@dataclass(frozen=True, slots=True)
class ErasureAcknowledged:
    """The board's database holds nobody's identity: what it answers when an employer erased somebody.

    `number` is the number of the employer's own event; a later erasure of the same person has a higher one.
    """

    practitioner_id: str
    employer: str
    outcome: str
    reason_code: str | None
    number: int


def tables_published(publication: Publication) -> tuple[TablePublished, ...]:
    """Return one event per table, in the catalogue's order."""
    return tuple(
        TablePublished(publication.publication_id, publication.closed_at, place, table, publication.feeds)
        for place, table in enumerate(publication.tables, start=1)
    )
