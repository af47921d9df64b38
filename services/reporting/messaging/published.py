"""A closed publication as events: one `reporting.table-published.v1` per table, published figures only.

The officer's title is free text and stays behind; notes travel as codes, their sentences stand on the pages.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from services.reporting.domain.publication import Cell, Publication, PublishedTable
from shared.events.envelope import Outgoing

TABLE_PUBLISHED = "reporting.table-published.v1"


def table_published(publication: Publication) -> tuple[Outgoing, ...]:
    """Return the publication's events, in the catalogue's order, all under the publication's key."""
    return tuple(
        Outgoing(
            type=TABLE_PUBLISHED,
            key=publication.publication_id,
            version=version,
            data=_encoded(publication, table),
        )
        for version, table in enumerate(publication.tables, start=1)
    )


def _encoded(publication: Publication, table: PublishedTable) -> bytes:
    return msgspec.json.encode(
        {
            "publication_id": publication.publication_id,
            "closed_at": publication.closed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "table": table.name,
            "columns": [column.name for column in table.columns],
            "rows": [[_plain(cell) for cell in row] for row in table.rows],
            "notes": [note.value for note in table.notes],
            "as_of": [{"feed": feed.feed, "number": feed.number, "head": feed.head} for feed in publication.feeds],
        }
    )


def _plain(cell: Cell) -> str | int | float | None:
    return float(cell) if isinstance(cell, Decimal) else cell
