"""Files as they were sent, in parts of 1 MiB, each part a small transaction of its own.

A file is kept first, and the transaction that needs it names it afterwards: a server with a small cache stops for ever
in the middle of a transaction that nearly fills it. What nobody came to name is swept away.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Final

from bson.binary import Binary

from shared.storage.mongo import Document
from shared.storage.unit_of_work import UnitOfWork, Work

COLLECTION: Final = "contents"
PART_BYTES: Final = 1024 * 1024
UNNAMED_FOR: Final = timedelta(hours=1)
"""How long a file may wait to be named. A request is over long before."""


class Contents:
    """The files of one organisation in one service."""

    def __init__(self, unit: UnitOfWork, organisation: str) -> None:
        self._unit = unit
        self._organisation = organisation

    def keep(self, content: bytes) -> str:
        """Keep a file and return its id.

        Raises:
            Unavailable: The database does not answer. What was kept so far will be swept.
        """
        content_id, now = self._unit.new_identifier(), self._unit.clock.now()
        for start in range(0, len(content), PART_BYTES):
            piece = Binary(content[start : start + PART_BYTES])
            part = {"_id": f"{content_id}:{start // PART_BYTES:06d}", "kept_at": now, "content": piece}
            self._unit.run(self._organisation, partial(_replace, part=part))
        return content_id

    def read(self, content_id: str) -> bytes:
        """Return the file; nothing of it is no bytes."""
        rows, content, part = self._unit.reading(self._organisation).rows(COLLECTION), io.BytesIO(), 0
        while found := rows.find_one({"_id": f"{content_id}:{part:06d}"}):
            content.write(found["content"])
            part += 1
        return content.getvalue()

    def drop(self, content_id: str) -> None:
        """Forget the file. The last part goes first: half a file never looks like a whole one."""
        rows = self._unit.reading(self._organisation).rows(COLLECTION)
        mine = {"_id": {"$gte": f"{content_id}:", "$lt": f"{content_id};"}}
        for part in reversed(rows.find(mine, projection={"_id": 1})):
            self._unit.run(self._organisation, partial(_delete, part=part))

    def sweep(self, named: Collection[str]) -> int:
        """Forget files that are older than an hour and not among `named`; return how many."""
        rows = self._unit.reading(self._organisation).rows(COLLECTION)
        before = self._unit.clock.now() - UNNAMED_FOR
        found = rows.find({"kept_at": {"$lt": before}}, projection={"_id": 1})
        old = {document["_id"].partition(":")[0] for document in found} - set(named)
        for content_id in sorted(old):
            self.drop(content_id)
        return len(old)


def _delete(work: Work, part: Document) -> None:
    work.rows(COLLECTION).delete_one(part)


def _replace(work: Work, part: Document) -> None:
    work.rows(COLLECTION).replace_one({"_id": part["_id"]}, part, upsert=True)
