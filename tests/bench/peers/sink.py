"""Where every peer writes: one unordered insert_many of at most 1,000 rows, what is there already is no error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import BulkWriteError

from tests.bench.peers.errand import BATCH, Errand

DUPLICATE_KEY = 11000
Row = dict[str, Any]


class Sink:
    """The sink of a side that waits for its writes."""

    def __init__(self, errand: Errand) -> None:
        self._client = MongoClient[Row](errand.mongodb_uri, w="majority", journal=True)
        self._rows = self._client[errand.database][errand.collection]

    def write(self, rows: Sequence[Row]) -> None:
        """Write the rows."""
        for start in range(0, len(rows), BATCH):
            try:
                self._rows.insert_many(rows[start : start + BATCH], ordered=False)
            except BulkWriteError as error:
                only_duplicates(error)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class AsyncSink:
    """The sink of a side on an event loop."""

    def __init__(self, errand: Errand) -> None:
        client = AsyncMongoClient[Row](errand.mongodb_uri, w="majority", journal=True)
        self._rows = client[errand.database][errand.collection]

    async def write(self, rows: Sequence[Row]) -> None:
        """Write the rows."""
        for start in range(0, len(rows), BATCH):
            try:
                await self._rows.insert_many(rows[start : start + BATCH], ordered=False)
            except BulkWriteError as error:
                only_duplicates(error)


def only_duplicates(error: BulkWriteError) -> None:
    """Return if all that failed was there already.

    Raises:
        BulkWriteError: something else failed.
    """
    if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
        raise error
