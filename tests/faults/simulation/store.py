"""The store's server: databases with transactions under snapshot isolation, in memory, versions of every document.

Knows nothing of processes, time or faults beyond what it is told; `store_client.py` is what the production code sees.
A fake: `tests/faults/test_store_conformance.py` runs the same cases on it and on the real database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import bson
from bson.codec_options import CodecOptions
from pymongo.errors import DuplicateKeyError, OperationFailure

from tests.faults.simulation.matching import Document, matches

OPTIONS: Final = CodecOptions(tz_aware=True)
TRANSIENT: Final = "TransientTransactionError"
WRITE_CONFLICT: Final = 112
NO_SUCH_TRANSACTION: Final = 251
LIFETIME_SECONDS: Final = 60.0
Name = tuple[str, str]
"""Database and collection."""


class Stored:
    """One version of one document: its bytes, and the same parsed, which nobody changes."""

    __slots__ = ("doc", "raw")

    def __init__(self, doc: Mapping[str, Any]) -> None:
        self.raw = bson.encode(doc)
        self.doc: Document = bson.decode(self.raw, OPTIONS)

    def copy(self) -> Document:
        """Return a copy that its reader may change."""
        return bson.decode(self.raw, OPTIONS)


class Locked(Exception):
    """A transaction that is still open wrote this document; a write outside transactions waits for it."""


class Transaction:
    """One transaction on the server."""

    def __init__(self, now: float, snapshot: int) -> None:
        self.began = now
        self.snapshot = snapshot
        self.writes: dict[tuple[Name, Any], Stored | None] = {}
        self.is_open = True


class Table:
    """One collection: every version of each document, and its unique indexes."""

    def __init__(self) -> None:
        self.rows: dict[Any, list[tuple[int, Stored | None]]] = {}
        self.unique: list[tuple[str, ...]] = []

    def at(self, key: object, moment: int) -> Stored | None:
        """Return the document as it was at a moment."""
        for when, stored in reversed(self.rows.get(key, ())):
            if when <= moment:
                return stored
        return None


class Server:
    """All databases. `on_commit` is told of every document that a commit left behind, in the commit's order."""

    def __init__(self, monotonic: Callable[[], float], *, lifetime_seconds: float = LIFETIME_SECONDS) -> None:
        self.moment = 0
        self.tables: dict[Name, Table] = {}
        self.open: dict[bytes, Transaction] = {}
        self.outcomes: dict[tuple[bytes, int], bool] = {}
        self.on_commit: Callable[[list[tuple[Name, Any, Stored | None]]], None] = lambda _: None
        self._locks: dict[tuple[Name, Any], Transaction] = {}
        self._monotonic = monotonic
        self._lifetime = lifetime_seconds

    def table(self, name: Name) -> Table:
        """Return a collection, made at first use."""
        found = self.tables.get(name)
        if found is None:
            found = self.tables[name] = Table()
        return found

    def begin(self, session: bytes) -> Transaction:
        """Open the session's transaction with a snapshot of now."""
        self.abort(session)
        self.open[session] = Transaction(self._monotonic(), self.moment)
        return self.open[session]

    def transaction(self, session: bytes) -> Transaction:
        """Return the session's open transaction.

        Raises:
            OperationFailure: It is gone.
        """
        found = self.open.get(session)
        if found is not None and self._monotonic() - found.began > self._lifetime:
            self.abort(session)
            found = None
        if found is None:
            raise gone()
        return found

    def read(self, name: Name, wanted: Mapping[str, Any], txn: Transaction | None) -> Iterator[tuple[Any, Stored]]:
        """Yield what matches, as the transaction sees it, or as of now."""
        table = self.table(name)
        moment = self.moment if txn is None else txn.snapshot
        writes = {} if txn is None else {key: doc for (where, key), doc in txn.writes.items() if where == name}
        for key in self._candidates(table, writes, wanted):
            stored = writes[key] if key in writes else table.at(key, moment)
            if stored is not None and matches(stored.doc, wanted):
                yield key, stored

    def _candidates(self, table: Table, writes: Mapping[Any, Any], wanted: Mapping[str, Any]) -> list[Any]:
        key = wanted.get("_id")
        if key is None:
            return [*table.rows, *(one for one in writes if one not in table.rows)]
        if isinstance(key, Mapping):
            known = key.get("$in")
            return [*table.rows, *(one for one in writes if one not in table.rows)] if known is None else list(known)
        return [key]

    def write(self, name: Name, key: object, stored: Stored | None, txn: Transaction | None) -> None:
        """Put a document (None: remove it), in the transaction or at once.

        Raises:
            DuplicateKeyError: Another document has its unique key.
            OperationFailure: Another transaction was first.
            Locked: Outside a transaction, while another holds the document.
        """
        place = (name, key)
        holder = self._holder(place)
        if txn is None:
            if holder is not None:
                raise Locked
            self._check_unique(name, key, stored, None)
            self._apply([(name, key, stored)])
            return
        versions = self.table(name).rows.get(key, ())
        if (holder is not None and holder is not txn) or (versions and versions[-1][0] > txn.snapshot):
            raise conflict()
        self._check_unique(name, key, stored, txn)
        txn.writes[place] = stored
        self._locks[place] = txn

    def exists(self, name: Name, key: object, txn: Transaction | None) -> bool:
        """Return whether a document of this `_id` is there for the transaction, or as of now."""
        if txn is not None and (name, key) in txn.writes:
            return txn.writes[name, key] is not None
        return self.table(name).at(key, self.moment if txn is None else txn.snapshot) is not None

    def _holder(self, place: tuple[Name, Any]) -> Transaction | None:
        holder = self._locks.get(place)
        if holder is None or holder.is_open:
            if holder is not None and self._monotonic() - holder.began > self._lifetime:
                self._close(holder)
                return None
            return holder
        return None

    def _check_unique(self, name: Name, key: object, stored: Stored | None, txn: Transaction | None) -> None:
        for fields in () if stored is None else self.table(name).unique:
            wanted = {field: stored.doc.get(field) for field in fields}
            if any(other != key for other, _ in self.read(name, wanted, txn)):
                raise duplicate()
            if txn is not None and any(other != key for other, _ in self.read(name, wanted, None)):
                raise conflict()

    def commit(self, session: bytes, number: int) -> None:
        """Commit the session's transaction; a second time the outcome is the same.

        Raises:
            OperationFailure: There is no such transaction (any more).
        """
        if self.outcomes.get((session, number)):
            return
        txn = self.transaction(session)
        self._close(txn)
        del self.open[session]
        self.outcomes[session, number] = True
        self._apply([(name, key, stored) for (name, key), stored in txn.writes.items()])

    def abort(self, session: bytes) -> None:
        """Drop the session's open transaction, if it has one."""
        txn = self.open.pop(session, None)
        if txn is not None:
            self._close(txn)

    def restart(self) -> None:
        """Forget what is open, and what was answered."""
        for session in list(self.open):
            self.abort(session)
        self.outcomes.clear()

    def backup(self, database: str) -> dict[Name, dict[Any, Stored]]:
        """Return all documents of a database as they are committed now."""
        return {
            name: {key: stored for key in table.rows if (stored := table.at(key, self.moment)) is not None}
            for name, table in self.tables.items()
            if name[0] == database
        }

    def restore(self, database: str, kept: Mapping[Name, Mapping[Any, Stored]]) -> None:
        """Put a database back to what a backup holds; what is open on it ends."""
        for session, txn in list(self.open.items()):
            if any(name[0] == database for name, _ in txn.writes) or not txn.writes:
                self.abort(session)
        self.moment += 1
        for name, table in self.tables.items():
            if name[0] == database:
                there = kept.get(name, {})
                for key, versions in table.rows.items():
                    versions.append((self.moment, there.get(key)))

    def _close(self, txn: Transaction) -> None:
        txn.is_open = False
        for place in txn.writes:
            if self._locks.get(place) is txn:
                del self._locks[place]

    def _apply(self, changes: list[tuple[Name, Any, Stored | None]]) -> None:
        self.moment += 1
        for name, key, stored in changes:
            self.table(name).rows.setdefault(key, []).append((self.moment, stored))
        self.on_commit(changes)


def conflict() -> OperationFailure:
    """Return the error of a transaction that came second."""
    return OperationFailure("WriteConflict", WRITE_CONFLICT, {"errorLabels": [TRANSIENT], "code": WRITE_CONFLICT})


def gone() -> OperationFailure:
    """Return the error of a transaction that is no more."""
    details = {"errorLabels": [TRANSIENT], "code": NO_SUCH_TRANSACTION}
    return OperationFailure("NoSuchTransaction", NO_SUCH_TRANSACTION, details)


def duplicate() -> DuplicateKeyError:
    """Return the error of a unique key that is there already."""
    return DuplicateKeyError("E11000 duplicate key error", 11000, {"code": 11000})


class Result:
    """What a write answers."""

    def __init__(self, count: int) -> None:
        self.matched_count = count
        self.deleted_count = count
