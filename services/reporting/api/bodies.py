"""Results as JSON bodies and CSV. Published tables and the operator's raw rows are shown by different functions."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from defusedcsv import csv as defused

from services.reporting.application.queries import Freshness
from services.reporting.domain.publication import SENTENCES, Cell, FeedPosition, Publication, PublishedTable
from services.reporting.domain.rounding import SUPPRESSED
from services.reporting.domain.tables import FiveTables

Body = dict[str, Any]  # Any: JSON


def publication_body(publication: Publication) -> Body:
    """Return a publication without its figures."""
    return {
        "id": publication.publication_id,
        "title": publication.title,
        "closed_at": publication.closed_at,
        "tables": [table.name for table in publication.tables],
        "feeds": _feeds(publication.feeds),
    }


def report_body(publication: Publication, table: PublishedTable) -> Body:
    """Return a published table."""
    names = [column.name for column in table.columns]
    return {
        "name": table.name,
        "title": table.title,
        "publication": publication.publication_id,
        "columns": [
            {"name": column.name, "title": column.title, "kind": column.kind.value} for column in table.columns
        ],
        "rows": [dict(zip(names, map(plain, row), strict=True)) for row in table.rows],
        "notes": [SENTENCES[note] for note in table.notes],
        "as_of": publication.closed_at,
        "feeds": _feeds(publication.feeds),
        "disclosure": {
            "method": "HESA",
            "suppressed": SUPPRESSED,
            "rules": [SENTENCES[note] for note in table.notes if note.value.startswith("hesa_")],
        },
    }


def report_csv(table: PublishedTable) -> bytes:
    """Return a published table as CSV, UTF-8, column names first; cells that a spreadsheet would run are defused."""
    out = io.StringIO(newline="")
    writer = defused.writer(out, quoting=csv.QUOTE_MINIMAL)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([["" if cell is None else plain(cell) for cell in row] for row in table.rows])
    return out.getvalue().encode("utf-8")


def projection_rows(tables: FiveTables, name: str) -> list[Body]:
    """Return one of the five tables with raw and published figures, fields as a scenario's expected reports have them.

    Raises:
        AttributeError: when `name` is none of the five.
    """
    return [_plain_row(asdict(row)) for row in getattr(tables, name)]


def freshness_body(items: Sequence[Freshness]) -> Body:
    """Return how fresh the feeds are."""
    return {"items": [asdict(item) for item in items], "next": None}


def plain(cell: Cell) -> str | int | float | None:
    """Return a cell as JSON has it; a mean of one decimal is the same number there."""
    return float(cell) if isinstance(cell, Decimal) else cell


def _plain_row(row: Body) -> Body:
    return {
        name: {inner: plain(cell) for inner, cell in value.items()} if isinstance(value, dict) else plain(value)
        for name, value in row.items()
    }


def _feeds(feeds: Sequence[FeedPosition]) -> list[Body]:
    return [{"feed": feed.feed, "number": feed.number, "head": feed.head} for feed in feeds]
