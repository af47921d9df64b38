"""The part of pymongo's surface that the production code uses, on the simulated server: client, session, collection.

Every operation is a switch point, before it and after it; what may go wrong there is `StoreFaults`. A transaction's
states are the driver's own (started lazily, a commit may be asked for again, an abort never fails).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from bson.binary import Binary
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError, InvalidOperation, NetworkTimeout

from tests.faults.simulation.matching import Document, begun, projected, updated
from tests.faults.simulation.scheduler import Crashed, Process
from tests.faults.simulation.store import TRANSIENT, Locked, Name, Result, Server, Stored, duplicate

T = TypeVar("T")
UNKNOWN: Final = "UnknownTransactionCommitResult"
WAIT_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 5.0


class StoreFaults:
    """What goes wrong between a process and the store, by chance."""

    def __init__(self) -> None:
        self.down_until = 0.0
        self.lost_reply_rate = 0.0
        self.lost_request_rate = 0.0
        self.unknown_commit_rate = 0.0


class Client:
    """One process's client."""

    def __init__(self, server: Server, process: Process, faults: StoreFaults) -> None:
        self.server = server
        self.process = process
        self.faults = faults
        self.admin = _Admin(self)

    def __getitem__(self, name: str) -> Database:
        return Database(self, name)

    @property
    def topology_description(self) -> _Topology:
        """Return what is known of the servers: none that has more than the plain commands."""
        return _Topology()

    def start_session(self) -> Session:
        """Return a new session; the server hears of it at its first operation."""
        return Session(self)

    def close(self) -> None:
        """Nothing is held."""

    def ask(self, what: str, question: Callable[[], T], session: Session | None) -> T:
        """Carry out one operation: it may never arrive, or its answer may be lost."""
        process, faults = self.process, self.faults
        scheduler = process.scheduler
        scheduler.pause(process)
        if scheduler.now < faults.down_until or scheduler.random.random() < faults.lost_request_rate:
            scheduler.note(f"{what} did not arrive")
            scheduler.counts["store request lost"] += 1
            raise _lost(session)
        answer = question()
        if not process.alive:
            raise Crashed
        if scheduler.random.random() < faults.lost_reply_rate:
            scheduler.fault("store reply lost", what)
            raise _lost(session)
        scheduler.pause(process)
        return answer


def _lost(session: Session | None) -> AutoReconnect:
    error = AutoReconnect("connection closed")
    if session is not None and session.in_transaction:
        error._add_error_label(TRANSIENT)
    return error


class _Topology:
    def server_descriptions(self) -> dict[object, object]:
        """Return no server by its address."""
        return {}


class _Admin:
    def __init__(self, client: Client) -> None:
        self._client = client

    def command(self, command: str | Mapping[str, Any], value: object = None) -> Document:
        """Carry out `killSessions`."""
        sessions = value if isinstance(command, str) else command["killSessions"]

        def kill() -> Document:
            for session in sessions:
                self._client.server.abort(bytes(session["id"]))
            return {"ok": 1.0}

        return self._client.ask("killSessions", kill, None)


class Session:
    """A session, with the driver's states of a transaction."""

    def __init__(self, client: Client) -> None:
        self._client = client
        random = client.process.scheduler.random
        self.session_id = {"id": Binary(random.getrandbits(128).to_bytes(16, "big"), 4)}
        self.key = bytes(self.session_id["id"])
        self._state = "none"
        self._number = 0

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_session()

    @property
    def in_transaction(self) -> bool:
        """Return whether a transaction was started and neither committed nor aborted."""
        return self._state in ("starting", "in progress")

    def end_session(self) -> None:
        """Leave; what is open is aborted."""
        if self.in_transaction:
            self.abort_transaction()
        self._state = "none"

    def start_transaction(self, *_: object, **__: object) -> None:
        """Begin; the server hears of it at the first operation."""
        if self.in_transaction:
            raise InvalidOperation("Transaction already in progress")
        self._state = "starting"
        self._number += 1

    def open_on(self, server: Server) -> Any:  # noqa: ANN401 - a Transaction or None
        """Return the server's transaction that an operation belongs to, None outside one."""
        if self._state == "starting":
            self._state = "in progress"
            return server.begin(self.key)
        if self._state == "in progress":
            return server.transaction(self.key)
        if self._state.startswith("committed"):
            self._state = "none"
        return None

    def commit_transaction(self) -> None:
        """Commit, or ask again whether it was committed.

        Raises:
            AutoReconnect: Nobody knows; it carries the driver's label.
            OperationFailure: There is no such transaction.
        """
        if self._state == "none" or self._state == "aborted":
            raise InvalidOperation("No transaction started")
        if self._state in ("starting", "committed empty"):
            self._state = "committed empty"
            return
        self._state = "committed"
        client = self._client
        try:
            client.ask("commit", self._commit, None)
        except AutoReconnect as error:
            error._add_error_label(UNKNOWN)
            raise

    def _commit(self) -> None:
        client = self._client
        server, scheduler = client.server, client.process.scheduler
        if scheduler.random.random() >= client.faults.unknown_commit_rate:
            server.commit(self.key, self._number)
            return
        kind = scheduler.random.choice(("happened", "not yet", "dropped", "forgotten"))
        scheduler.fault(f"commit unknown: {kind}")
        if kind in ("happened", "forgotten"):
            server.commit(self.key, self._number)
        if kind == "forgotten":
            server.outcomes.pop((self.key, self._number), None)
        if kind == "dropped":
            server.abort(self.key)
        raise AutoReconnect("connection closed")

    def abort_transaction(self) -> None:
        """Abort; errors are nobody's concern."""
        if self._state == "in progress":
            try:
                self._client.ask("abort", lambda: self._client.server.abort(self.key), None)
            except AutoReconnect:
                pass
            finally:
                self._state = "aborted"
        self._state = "aborted"


class Database:
    """One database of a client."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def __getitem__(self, name: str) -> Collection:
        return Collection(self.client, (self.name, name))


class Collection:
    """One collection of a client."""

    def __init__(self, client: Client, name: Name) -> None:
        self._client = client
        self._where = name
        self.name = name[1]

    def create_index(self, keys: str | Sequence[tuple[str, int]], *, unique: bool = False, **_: object) -> None:
        """Keep a unique index; any other changes nothing but the speed."""
        fields = (keys,) if isinstance(keys, str) else tuple(field for field, _ in keys)
        unique_fields = self._client.server.table(self._where).unique
        if unique and fields not in unique_fields:
            unique_fields.append(fields)

    def find(
        self,
        filter: Mapping[str, Any] | None = None,
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int = 0,
        batch_size: int = 0,  # noqa: ARG002 - as the driver has it; here all is handed out at once
        session: Session | None = None,
    ) -> list[Document]:
        """Return copies of what matches, all of them at once."""

        def read(txn: Any) -> list[Document]:  # noqa: ANN401
            found = [stored.copy() for _, stored in self._server.read(self._where, filter or {}, txn)]
            for field, direction in reversed(sort or ()):
                found.sort(key=lambda doc: doc[field], reverse=direction < 0)
            return found[:limit] if limit else found

        return [projected(doc, projection) for doc in self._run("find", read, session)]

    def find_one(
        self,
        filter: Mapping[str, Any],
        projection: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        session: Session | None = None,
    ) -> Document | None:
        """Return a copy of the first that matches."""
        found = self.find(filter, projection, sort=sort, limit=1, session=session)
        return found[0] if found else None

    def count_documents(self, filter: Mapping[str, Any], *, session: Session | None = None, limit: int = 0) -> int:
        """Return how many match."""
        return len(self.find(filter, limit=limit, session=session))

    def insert_one(self, doc: Document, *, session: Session | None = None) -> None:
        """Insert a document."""
        self._run("insert", lambda txn: self._insert(doc, txn), session)

    def insert_many(
        self,
        docs: Sequence[Document],
        *,
        ordered: bool = True,  # noqa: ARG002 - in order is one of the orders
        session: Session | None = None,
    ) -> None:
        """Insert documents, in order."""
        self.bulk_write([InsertOne(doc) for doc in docs], session=session)

    def replace_one(
        self, filter: Mapping[str, Any], doc: Document, *, upsert: bool = False, session: Session | None = None
    ) -> Result:
        """Replace the first that matches."""
        return self._run("replace", lambda txn: self._replace(filter, doc, txn, upsert=upsert), session)

    def update_one(
        self, filter: Mapping[str, Any], update: Mapping[str, Any], *, upsert: bool = False,
        session: Session | None = None,
    ) -> Result:  # fmt: skip
        """Update the first that matches."""
        return self._run("update", lambda txn: self._update(filter, update, txn, most=1, upsert=upsert), session)

    def update_many(
        self, filter: Mapping[str, Any], update: Mapping[str, Any], *, session: Session | None = None
    ) -> Result:
        """Update all that match."""
        return self._run("update", lambda txn: self._update(filter, update, txn, most=0), session)

    def delete_one(self, filter: Mapping[str, Any], *, session: Session | None = None) -> Result:
        """Delete the first that matches."""
        return self._run("delete", lambda txn: self._delete(filter, txn, most=1), session)

    def delete_many(self, filter: Mapping[str, Any], *, session: Session | None = None) -> Result:
        """Delete all that match."""
        return self._run("delete", lambda txn: self._delete(filter, txn, most=0), session)

    def bulk_write(self, ops: Sequence[Any], *, session: Session | None = None) -> None:
        """Carry out operations, in order, up to the first that fails."""

        def write(txn: Any) -> None:  # noqa: ANN401
            for index, op in enumerate(ops):
                try:
                    self._carry_out(op, txn)
                except DuplicateKeyError as error:
                    raise BulkWriteError({"writeErrors": [{"index": index, "code": 11000}]}) from error

        self._run("bulk", write, session)

    @property
    def _server(self) -> Server:
        return self._client.server

    def _run(self, what: str, operation: Callable[[Any], T], session: Session | None) -> T:
        """Carry out one operation; in a transaction an error ends it, outside one a lock is waited for."""
        process = self._client.process
        until = process.monotonic() + PATIENCE_SECONDS

        def once() -> T:
            txn = None if session is None else session.open_on(self._server)
            if txn is None:
                return operation(None)
            try:
                return operation(txn)
            except Exception:
                self._server.abort(session.key if session else b"")
                raise

        while True:
            try:
                return self._client.ask(f"{what} {self._where[0]}.{self.name}", once, session)
            except Locked:
                if process.monotonic() > until:
                    raise NetworkTimeout("the document is locked") from None
                process.sleep(WAIT_SECONDS)

    def _insert(self, doc: Document, txn: Any) -> None:  # noqa: ANN401
        if self._server.exists(self._where, doc["_id"], txn):
            raise duplicate()
        self._server.write(self._where, doc["_id"], Stored(doc), txn)

    def _replace(self, wanted: Mapping[str, Any], doc: Document, txn: Any, *, upsert: bool) -> Result:  # noqa: ANN401
        found = next(self._server.read(self._where, wanted, txn), None)
        if found is None:
            if upsert:
                self._insert({**begun(wanted), **doc}, txn)
            return Result(0)
        self._server.write(self._where, found[0], Stored({"_id": found[0], **doc}), txn)
        return Result(1)

    def _update(
        self,
        wanted: Mapping[str, Any],
        update: Mapping[str, Any],
        txn: Any,  # noqa: ANN401
        *,
        most: int,
        upsert: bool = False,
    ) -> Result:
        found = list(self._server.read(self._where, wanted, txn))
        found = found[:most] if most else found
        for key, stored in found:
            self._server.write(self._where, key, Stored(updated(stored.copy(), update, is_new=False)), txn)
        if not found and upsert:
            self._insert(updated(begun(wanted), update, is_new=True), txn)
        return Result(len(found))

    def _delete(self, wanted: Mapping[str, Any], txn: Any, *, most: int) -> Result:  # noqa: ANN401
        found = [key for key, _ in self._server.read(self._where, wanted, txn)]
        found = found[:most] if most else found
        for key in found:
            self._server.write(self._where, key, None, txn)
        return Result(len(found))

    def _carry_out(self, op: Any, txn: Any) -> None:  # noqa: ANN401
        if isinstance(op, InsertOne):
            self._insert(op._doc, txn)
        elif isinstance(op, ReplaceOne):
            self._replace(op._filter, op._doc, txn, upsert=bool(op._upsert))
        elif isinstance(op, (UpdateOne, UpdateMany)):
            most = 1 if isinstance(op, UpdateOne) else 0
            self._update(op._filter, op._doc, txn, most=most, upsert=bool(op._upsert))
        elif isinstance(op, (DeleteOne, DeleteMany)):
            self._delete(op._filter, txn, most=1 if isinstance(op, DeleteOne) else 0)
        else:
            raise NotImplementedError(type(op).__name__)
