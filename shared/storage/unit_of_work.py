"""One transaction: state and feed entry together, or nothing. The only place that begins, commits and retries one.

A callback is given a `Work` and is pure apart from it: it may run more than once. No domain rule and no Kafka here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random, SystemRandom
from typing import Final, Protocol, TypeVar

from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from shared.clock import Clock
from shared.errors import ConcurrentChange, Unavailable
from shared.events.envelope import Cause, Outgoing
from shared.events.feed import FeedName, entry_document, pending_document
from shared.identifiers import NewIdentifier
from shared.storage.bundle import Bundle, takes_bundles
from shared.storage.mongo import (
    DUPLICATE_KEY,
    MAJORITY,
    SNAPSHOT,
    TRANSIENT,
    Client,
    Collections,
    MongoDatabase,
    database_name,
    server_is_gone,
)
from shared.storage.open_sessions import OpenSessions
from shared.storage.rows import Rows

T = TypeVar("T")

MOST_TRIES: Final = 3
"""How often a callback meets a stale aggregate before its caller hears of it."""
PATIENCE_SECONDS: Final = 5.0
"""How long write conflicts and lost connections are tried again."""
FIRST_PAUSE_SECONDS: Final = 0.005
LONGEST_PAUSE_SECONDS: Final = 0.25
COMMIT_MILLISECONDS: Final = 4000
NO_SUCH_TRANSACTION: Final = 251
UNKNOWN_COMMIT: Final = "UnknownTransactionCommitResult"


class Contracts(Protocol):
    """What checks an emitted event against its schema (`shared/events/contracts.py`)."""

    def check(self, type: str, data: bytes) -> None:
        """Raise `Malformed` when `data` is not what the type's schema says."""


class Reading:
    """One organisation's database, outside a transaction: all that a query may touch."""

    def __init__(self, organisation: str, now: datetime, collections: Collections) -> None:
        self.organisation = organisation
        self.now = now
        self._collections = collections
        self._session: ClientSession | None = None

    def rows(self, name: str) -> Rows:
        """Return one collection."""
        return Rows(self._collections[name], self._session)


class Work(Reading):
    """One transaction of one organisation: rows to change, events to emit, and why it happens."""

    def __init__(
        self,
        organisation: str,
        now: datetime,
        collections: Collections,
        *,
        session: ClientSession,
        cause: Cause,
        new_identifier: NewIdentifier,
        bundle: Bundle | None = None,
    ) -> None:
        super().__init__(organisation, now, collections)
        self._session = session
        self._bundle = bundle
        self.cause = cause
        """Why whatever is emitted now happens; a reader sets it anew for each event of its batch."""
        self.emitted: list[Outgoing] = []
        self.causes: list[Cause] = []
        self._new_identifier = new_identifier
        self._ids = new_identifier
        self.changed: set[str] = set()
        """The collections that this attempt wrote to."""
        self.silence: str | None = None
        """Why nobody need be told of what was changed."""
        self._last: list[Callable[[], None]] = []

    def rows(self, name: str) -> Rows:
        """Return one collection; what is written to it is noticed."""
        return Rows(self._collections[name], self._session, self.changed.add, self._bundle)

    def new_id(self) -> str:
        """Return a new identifier."""
        return self._ids()

    def draw_ids_from(self, identifiers: NewIdentifier) -> None:
        """Let `new_id` give these from now on: a reaction's ids follow from the event that it takes."""
        self._ids = identifiers

    def emit(self, *events: Outgoing) -> None:
        """Add events to this commit's feed entry; they keep this order."""
        self.emitted.extend(events)
        self.causes.extend(Cause(self._new_identifier()) if event.apart else self.cause for event in events)

    def silent(self, reason: str) -> None:
        """State why a change needs no event. A request that changes rows, emits nothing and is not silent is a bug."""
        self.silence = reason

    def before_commit(self, finish: Callable[[], None]) -> None:
        """Have `finish` called once, after the callback: for writes that are folded in memory first."""
        self._last.append(finish)

    def finish(self) -> None:
        """Call what `before_commit` was given, in that order. The unit of work does this."""
        for finish in self._last:
            finish()


class UnitOfWork:
    """Runs callbacks in transactions on the databases of one service."""

    def __init__(
        self,
        *,
        client: Client,
        service: str,
        clock: Clock,
        new_identifier: NewIdentifier,
        contracts: Contracts | None = None,
        prefix: str = "",
        random: Random | None = None,
        sessions: OpenSessions | None = None,
        ring: Callable[[FeedName], None] | None = None,
    ) -> None:
        self.client = client
        self.service = service
        self.clock = clock
        self.new_identifier = new_identifier
        self.random = random or SystemRandom()
        """How long to wait before another try, so that rivals do not meet again at the same instant."""
        self._contracts = contracts
        self._prefix = prefix
        self._sessions = sessions
        self.ring = ring
        """Called after a commit with each feed that it emitted to, where there is somebody to call. Raises nothing."""
        self._collections: dict[str, Collections] = {}

    def database(self, organisation: str) -> MongoDatabase:
        """Return the organisation's database."""
        return self.client[database_name(self.service, organisation, self._prefix)]

    def collections(self, organisation: str) -> Collections:
        """Return the collections of the organisation's database, made once each."""
        known = self._collections.get(organisation)
        if known is None:
            self._collections[organisation] = known = Collections(self.database(organisation))
        return known

    def reading(self, organisation: str) -> Reading:
        """Return the organisation's database for queries, outside a transaction."""
        return Reading(organisation, self.clock.now(), self.collections(organisation))

    def run(
        self,
        organisation: str,
        callback: Callable[[Work], T],
        *,
        cause: Cause | None = None,
        session: ClientSession | None = None,
        together: bool = False,
    ) -> T:
        """Commit what the callback did together with one feed entry per feed that it emitted to, and return its result.

        Args:
            organisation: Whose database.
            callback: Pure apart from its `Work`; it may run several times, once of them counts.
            cause: What the events are caused by; a new correlation id without it.
            session: A session to use instead of a new one (readers keep theirs beside their epoch).
            together: Whether what it inserts is sent at the end in one command, where the server has one for it.

        Raises:
            ConcurrentChange: Somebody else changed the same first, 3 times.
            Unavailable: The database does not answer. Nothing was committed, or it is not known: repeat the request.
            Malformed: An emitted event breaks its contract or is too large. Nothing was committed.
        """
        reason = cause or Cause(self.new_identifier())
        if session is not None:
            return _Transaction(self, organisation, reason, session, self._contracts, together=together).run(callback)
        try:
            with self.client.start_session() as own:
                if self._sessions is not None:
                    self._sessions.note(own)
                return _Transaction(self, organisation, reason, own, self._contracts, together=together).run(callback)
        except PyMongoError as error:
            if server_is_gone(error):
                raise Unavailable("the database does not answer") from error
            raise

    def rehearse(self, organisation: str, callback: Callable[[Work], T], *, session: ClientSession) -> T:
        """Do all that `run` would do except for the commit, roll it back, and return the callback's result.

        Raises:
            ConcurrentChange: Somebody else is changing the same just now, or a natural key is taken already.
            Unavailable: The database does not answer.
            Malformed: An emitted event breaks its contract or is too large.
        """
        cause = Cause(self.new_identifier())
        return _Transaction(self, organisation, cause, session, self._contracts).rehearse(callback)


class _Transaction:
    """One call of `UnitOfWork.run`: attempts, pauses, and the certainty of the outcome."""

    def __init__(
        self,
        unit: UnitOfWork,
        organisation: str,
        cause: Cause,
        session: ClientSession,
        contracts: Contracts | None,
        *,
        together: bool = False,
    ) -> None:
        self._unit = unit
        self._organisation = organisation
        self._collections = unit.collections(organisation)
        self._cause = cause
        self._session = session
        self._contracts = contracts
        self._together = together
        self._until = unit.clock.monotonic() + PATIENCE_SECONDS
        self._stale = 0
        self._pauses = 0
        self._marker: tuple[str, str] | None = None
        self._told: list[FeedName] = []

    def run(self, callback: Callable[[Work], T]) -> T:
        """Try until one attempt is committed, and tell whoever relays what it emitted."""
        result = self._committed(callback)
        if self._unit.ring is not None:
            for feed in self._told:
                self._unit.ring(feed)
        return result

    def _committed(self, callback: Callable[[Work], T]) -> T:
        while True:
            self._session.start_transaction(SNAPSHOT, MAJORITY, max_commit_time_ms=COMMIT_MILLISECONDS)
            try:
                result = self._attempt(callback)
                if self._commit():
                    return result
            except PyMongoError as error:
                self._abort()
                self._judge(error)
            except ConcurrentChange as error:
                self._abort()
                self._count_stale(error)
            except BaseException:
                self._abort()
                raise
            self._pause()

    def rehearse(self, callback: Callable[[Work], T]) -> T:
        """Try until one attempt goes through, and commit none."""
        while True:
            self._session.start_transaction(SNAPSHOT, MAJORITY, max_commit_time_ms=COMMIT_MILLISECONDS)
            try:
                return self._attempt(callback)
            except PyMongoError as error:
                self._judge(error)
            except ConcurrentChange as error:
                self._count_stale(error)
            finally:
                self._abort()
            self._pause()

    def _attempt(self, callback: Callable[[Work], T]) -> T:
        bundled = self._together and takes_bundles(self._unit.client)
        bundle = Bundle(self._collections, self._session) if bundled else None
        work = Work(
            self._organisation,
            self._unit.clock.now(),
            self._collections,
            session=self._session,
            cause=self._cause,
            new_identifier=self._unit.new_identifier,
            bundle=bundle,
        )
        result = callback(work)
        work.finish()
        self._marker = None
        self._told = []
        feeds = dict.fromkeys(event.feed for event in work.emitted)
        for feed in feeds:
            own = [number for number, event in enumerate(work.emitted) if event.feed == feed]
            self._write_entry(work, feed, [work.emitted[n] for n in own], [work.causes[n] for n in own])
        if bundle is not None:
            bundle.send()
        return result

    def _write_entry(self, work: Work, feed: str, events: list[Outgoing], causes: list[Cause]) -> None:
        if self._contracts is not None:
            for event in events:
                self._contracts.check(event.type, event.data)
        name = FeedName(feed, self._organisation, self._unit.service)
        entry = entry_document(name, events, at=work.now, causes=causes, new_identifier=self._unit.new_identifier)
        work.rows(name.entries).insert_one(entry)
        work.rows(name.pending).insert_one(pending_document(entry["_id"], events))
        self._marker = (name.entries, entry["_id"])
        self._told.append(name)

    def _commit(self) -> bool:
        """Return True when committed, False when certainly not; anything between is settled or raised.

        The driver repeats a commit by itself once, so "no such transaction" may be the second answer to a commit
        whose first answer was lost: it proves nothing.
        """
        while True:
            try:
                self._session.commit_transaction()
            except PyMongoError as error:
                if error.has_error_label(UNKNOWN_COMMIT):
                    self._pause()
                elif getattr(error, "code", None) == NO_SUCH_TRANSACTION:
                    return self._was_committed(error)
                else:
                    raise
            else:
                return True

    def _was_committed(self, error: PyMongoError) -> bool:
        """Look for this attempt's own feed entry after a commit whose answer was lost.

        A server that was killed may have forgotten a transaction that it had committed; running the callback again
        would then apply it twice. Without an entry to look for, nobody can know: the asker repeats the request.
        """
        if self._marker is None:
            raise Unavailable("the database was lost while committing; repeat the request") from error
        collection, entry_id = self._marker
        while True:
            try:
                return self._collections[collection].find_one({"_id": entry_id}, {"_id": 1}) is not None
            except PyMongoError as lost:
                if not server_is_gone(lost):
                    raise Unavailable("the database was lost while committing; repeat the request") from lost
                self._pause()

    def _judge(self, error: PyMongoError) -> None:
        if _is_duplicate(error):
            self._count_stale(error)
        elif not (error.has_error_label(TRANSIENT) or server_is_gone(error)):
            raise error

    def _count_stale(self, error: Exception) -> None:
        self._stale += 1
        if self._stale >= MOST_TRIES:
            raise ConcurrentChange("somebody else changed this first; try again") from error

    def _abort(self) -> None:
        if self._session.in_transaction:
            self._session.abort_transaction()

    def _pause(self) -> None:
        if self._unit.clock.monotonic() >= self._until:
            raise Unavailable("the database does not answer in time")
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._pauses)
        self._pauses += 1
        self._unit.clock.sleep(self._unit.random.uniform(0, longest))


def _is_duplicate(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError):
        return any(fault.get("code") == DUPLICATE_KEY for fault in error.details.get("writeErrors", ()))
    return isinstance(error, DuplicateKeyError)
