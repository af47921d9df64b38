"""Who may number and send a feed: a lease with an epoch that fences, and the session that stands beside it.

The epoch rises with every take-over; every write of a relay is guarded by it. A successor ends its predecessor's
session first, because a process that was killed inside a transaction holds its locks for a minute and more. The lease
only keeps two relays from taking turns needlessly, and is measured by the looker's own monotonic clock; safety rests on
the epoch alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure

from shared.events.envelope import GENESIS
from shared.events.feed import FeedName
from shared.events.ledger import HEAD, MARK, Head, head_from
from shared.events.numbering import Fenced
from shared.storage.mongo import Document
from shared.storage.unit_of_work import UnitOfWork, Work

LEASE_SECONDS: Final = 30.0
FOR_EVER_YEAR: Final = 9999
RENEWALS_PER_LEASE: Final = 3


class Lease:
    """One relay's claim to one feed."""

    def __init__(
        self, unit_of_work: UnitOfWork, name: FeedName, *, holder: str, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self._unit_of_work = unit_of_work
        self._name = name
        self._holder = holder
        self._seconds = lease_seconds
        self._renew_at = 0.0
        self._lapses_at = 0.0
        self._seen: tuple[int, datetime | None] | None = None
        self._seen_at = 0.0
        self._may_succeed_itself = True
        self.epoch = 0
        self.session: ClientSession | None = None

    def take(self, *, at_once: bool = False) -> Head | None:
        """Take the feed and return its head; None when another relay holds it.

        A relay that starts takes over at once from one of the same holder's name: that was its own former life. One
        that was fenced waits for the lease to run out like any other. With `at_once` (a person's command) nobody is
        waited for: the epoch fences whoever held it.

        Raises:
            Unavailable: The database does not answer.
        """
        found = self._state()
        own = at_once or (found["holder"] == self._holder and self._may_succeed_itself)
        if found["holder"] is not None and not own and not self._has_lapsed(found):
            return None
        self._end_session(found["session"])
        session = self._open_session()
        epoch = found["epoch"] + 1

        def raise_epoch(work: Work) -> None:
            claim = {
                "epoch": epoch,
                "holder": self._holder,
                "session": session.session_id["id"],
                "until": work.now + timedelta(seconds=self._seconds),
            }
            before = {"_id": HEAD, "epoch": found["epoch"], "until": found["until"]}
            if work.rows(self._name.state).update_one(before, {"$set": claim}) == 0:
                raise Fenced("another relay was quicker")
            work.rows(self._name.state).update_one({"_id": MARK}, {"$set": {"epoch": epoch}})

        self._unit_of_work.run(self._name.organisation, raise_epoch, session=session)
        self._may_succeed_itself = False
        self.epoch = epoch
        self._schedule()
        return head_from({**found, "epoch": epoch})

    def renew(self) -> bool:
        """Prolong the lease when a third of it has passed; return whether a whole one had passed before.

        Then another relay may have had the feed, though the database knows nothing of it: it may have come back since
        from a backup that is older than that relay.

        Raises:
            Fenced: Another relay has the feed.
        """
        clock = self._unit_of_work.clock
        if clock.monotonic() < self._renew_at:
            return False
        rows = self._unit_of_work.reading(self._name.organisation).rows(self._name.state)
        until = clock.now() + timedelta(seconds=self._seconds)
        if rows.update_one({"_id": HEAD, "epoch": self.epoch}, {"$set": {"until": until}}) == 0:
            raise Fenced("another relay has this feed")
        was_silent = clock.monotonic() >= self._lapses_at
        self._schedule()
        return was_silent

    def raise_above(self, seen: int) -> int:
        """Raise the epoch above one `seen` in the log (the database came back from a backup) and return it.

        Raises:
            Fenced: Another relay has the feed.
        """
        epoch = max(self.epoch, seen) + 1

        def write(work: Work) -> None:
            for identifier in (HEAD, MARK):
                before = {"_id": identifier, "epoch": self.epoch}
                if work.rows(self._name.state).update_one(before, {"$set": {"epoch": epoch}}) == 0:
                    raise Fenced("another relay has this feed")

        self._unit_of_work.run(self._name.organisation, write, session=self.session)
        self.epoch = epoch
        return epoch

    def release(self) -> None:
        """Give the feed back at a clean end, so that a successor need not wait."""
        if self.epoch and self.session is not None:
            rows = self._unit_of_work.reading(self._name.organisation).rows(self._name.state)
            rows.update_one({"_id": HEAD, "epoch": self.epoch}, {"$set": {"holder": None, "session": None}})
        self.drop()

    def drop(self) -> None:
        """Forget the claim without a word to the database."""
        self.epoch = 0
        if self.session is not None:
            self.session.end_session()
            self.session = None

    def _has_lapsed(self, found: Document) -> bool:
        """Say whether the holder has been silent for a whole lease while this relay looked on.

        Wall clocks differ and jump: `until` is only compared with itself. One that moved away for ever is not silent.
        """
        seen, now = (found["epoch"], found["until"]), self._unit_of_work.clock.monotonic()
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        is_for_ever = found["until"] is not None and found["until"].year >= FOR_EVER_YEAR
        return not is_for_ever and now - self._seen_at >= self._seconds

    def _schedule(self) -> None:
        now = self._unit_of_work.clock.monotonic()
        self._renew_at, self._lapses_at = now + self._seconds / RENEWALS_PER_LEASE, now + self._seconds

    def _open_session(self) -> ClientSession:
        if self.session is not None:
            self.session.end_session()
        self.session = self._unit_of_work.client.start_session()
        return self.session

    def _end_session(self, session_id: object) -> None:
        if session_id is None or (self.session is not None and self.session.session_id["id"] == session_id):
            return
        try:
            self._unit_of_work.client.admin.command("killSessions", [{"id": session_id}])
        except OperationFailure:
            return  # no such session any more, or not ours to end: the epoch fences all the same

    def _state(self) -> Document:
        rows = self._unit_of_work.reading(self._name.organisation).rows(self._name.state)
        found = rows.find_one({"_id": HEAD})
        if found is None:
            self._begin()
            found = rows.find_one({"_id": HEAD})
        if found is None:
            raise Fenced("the feed's state has gone")
        return found

    def _begin(self) -> None:
        rows = self._unit_of_work.reading(self._name.organisation).rows(self._name.state)
        head = {"_id": HEAD, "number": 0, "hash": GENESIS, "rounds": 0, "credits": 0, "counts": []}
        claim = {"epoch": 0, "holder": None, "session": None, "until": None}
        mark = {"_id": MARK, "epoch": 0, "turn": 0, "log": None, "new_generation": None}
        place = {"published": 0, "hash": GENESIS, "round": 0, "offset": -1}
        for document in ({**mark, **place}, {**head, **claim}):
            try:
                rows.insert_one(document)
            except DuplicateKeyError:
                continue
