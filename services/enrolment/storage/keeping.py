"""How rows are asked for in parts, paged by id and replaced version by version."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import ReplaceOne

from shared.storage.mongo import Document
from shared.storage.rows import Rows


def following(after: str | None) -> dict[str, object]:
    """Return the filter for ids after `after`."""
    return {} if after is None else {"_id": {"$gt": after}}


def keep_version(rows: Rows, document: Document) -> None:
    """Insert version 1, or replace the version before; somebody else's change makes the callback run again."""
    if document["version"] == 1:
        rows.insert_one(document)
    else:
        rows.replace_version(document, document["version"] - 1)


def replacements(documents: Sequence[Document]) -> list[ReplaceOne[Document]]:
    """Return one operation per document, replacing it as a whole."""
    return [ReplaceOne({"_id": document["_id"]}, document) for document in documents]
