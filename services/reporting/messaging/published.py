"""Domain events in the bus's spelling: one `reporting.table-published.v1` per table of a closed publication.

Notes travel as codes, their sentences stand on the pages.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from services.reporting.domain.events import ErasureAcknowledged, TablePublished
from services.reporting.domain.publication import Cell
from shared.events.envelope import Outgoing, instant

TABLE_PUBLISHED = "reporting.table-published.v1"
ERASURE_ACKNOWLEDGED = "reporting.erasure-acknowledged.v1"


def outgoing(event: TablePublished | ErasureAcknowledged) -> Outgoing:
    """Return the event as it goes on the board's feed."""
    if isinstance(event, ErasureAcknowledged):
        fields = {name: value for name, value in msgspec.to_builtins(event).items() if name != "number"}
        data = msgspec.json.encode(fields)
        return Outgoing(type=ERASURE_ACKNOWLEDGED, key=event.practitioner_id, version=event.number, data=data)
    return _table(event)


def _table(event: TablePublished) -> Outgoing:
    """Return a table under its publication's key."""
    table = event.table
    data = {
        "publication_id": event.publication_id,
        "closed_at": instant(event.closed_at),
        "table": table.name,
        "columns": [column.name for column in table.columns],
        "rows": [[_plain(cell) for cell in row] for row in table.rows],
        "notes": [note.value for note in table.notes],
        "as_of": [{"feed": feed.feed, "number": feed.number, "head": feed.head} for feed in event.feeds],
    }
    return Outgoing(type=TABLE_PUBLISHED, key=event.publication_id, version=event.place, data=msgspec.json.encode(data))


def _plain(cell: Cell) -> str | int | float | None:
    return float(cell) if isinstance(cell, Decimal) else cell
