"""An owner's feed after its database came back from a backup: what the log knows beyond it is brought back.

The log's events were sent because they were committed; others have acted on them. So they are taken into the feed
again, byte for byte, under the same numbers and hashes, and nothing that anybody has seen is lost or told twice:

- an entry that waited for its number when the backup was made and was numbered later is recognised by its events' ids;
- the readers of this database take others' events again from where it stands; their reactions make the same rows with
  the same ids, and what they would tell again is left out (`retold.py`), also where they told it before this ran.

What people changed by hand is on the feed again and not in the rows: `lost` lists it. Where the log has gone as well,
there is nothing to bring back; then readers go on by a person's decision (`adoption.py`). Must not live here: rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
import structlog
from bson.binary import Binary

from shared.errors import Conflict, Unavailable
from shared.events.envelope import Envelope, Heartbeat
from shared.events.feed import FeedName
from shared.events.lease import Lease
from shared.events.ledger import HEAD, RECOVERY, HashIndex, Head, Ledger, number_entries
from shared.events.numbering import Pending, head_after, move_head, pending_from, round_document
from shared.events.positions import POSITIONS
from shared.events.retold import remember_told, take_out_told
from shared.events.tail import ReadLog
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading, UnitOfWork, Work

log = structlog.get_logger(__name__)

RECOVERIES: Final = "recoveries"
HOLDER: Final = "recover-feed"
FOR_EVER_YEAR: Final = 9999
MOST_EVENTS: Final = 100
MOST_BYTES: Final = 512 * 1024
IDS_AT_ONCE: Final = 100


class LostEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the log holds and the database does not. `cause` names the event whose reaction told it."""

    number: int
    id: str
    type: str
    subject: str
    time: str
    hash: str
    cause: str | None = None


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What the log knows beyond the database.

    `known` is the database's last number. `lost` goes on from there without a gap. `parted` is the first number under
    which both hold another event; `announced` the highest number that anything on the log names. `touched` are
    aggregates that were changed in the restored database and in lost events: people have to look at them. `broken_off`
    says that bringing back was begun and not ended: the feed's relay waits until it is run again.
    """

    known: int
    known_hash: str
    lost: tuple[LostEvent, ...]
    announced: int
    parted: int | None = None
    waiting: int = 0
    touched: tuple[str, ...] = ()
    broken_off: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether the database knows all that the log does, and no recovery is to be run to its end."""
        return not self.lost and self.parted is None and self.announced <= self.known and not self.broken_off

    @property
    def out_of_reach(self) -> int:
        """Return how many events the log names and no longer holds."""
        return max(0, self.announced - (self.lost[-1].number if self.lost else self.known))


def examine(unit: UnitOfWork, name: FeedName, read: ReadLog) -> Examined:
    """Return what the log knows beyond the database. Changes nothing.

    Raises:
        Unavailable: The database or the broker does not answer.
    """
    reading = unit.reading(name.organisation)
    ledger = Ledger(reading, name)
    head = ledger.head()
    scan = _Scan(HashIndex(ledger, head), head)
    for _ in scan.over(read(0)):
        pass
    waiting, touched = _touched(reading, name, scan.lost)
    return Examined(
        known=head.number,
        known_hash=head.hash,
        lost=tuple(scan.lost),
        announced=scan.announced,
        parted=scan.parted,
        waiting=waiting,
        touched=touched,
        broken_off=reading.rows(name.state).find_one({"_id": RECOVERY}) is not None,
    )


def reimport(
    unit: UnitOfWork, name: FeedName, read: ReadLog, *, summed: Mapping[str, str], by: str, reason: str
) -> int:
    """Take every event that the log knows beyond the database into the feed again; return how many.

    May be broken off and run again at any time; nothing is numbered until it was run to its end, because what waits may
    be what came back already. Whoever numbers or reads for this organisation in this service is fenced, and begins
    again with what is there then.

    Raises:
        Conflict: The histories parted: the database numbered events of its own; or the feed moved elsewhere.
        Unavailable: The database or the broker does not answer; run it again.
    """
    lease = Lease(unit, name, holder=HOLDER)
    _refuse_moved(unit.reading(name.organisation), name)
    try:
        head = lease.take(at_once=True)
        if head is None or lease.session is None:
            raise Unavailable("another relay was quicker; run it again")
        back = _Back(unit, name, lease, summed)
        count = back.bring(head, read)
        back.end(count, head, by=by, reason=reason)
    finally:
        lease.release()
    log.warning("feed.recovered", feed=name.topic, count=count, after=head.number, by=by)
    return count


class _Scan:
    """A pass over the log: the events that go on from the database's head, and where the two differ."""

    def __init__(self, index: HashIndex, head: Head) -> None:
        self._index = index
        self._head = head
        self._number, self._hash = head.number, head.hash
        self._hashes: dict[int, str] = {}
        self.lost: list[LostEvent] = []
        self.announced = 0
        self.parted: int | None = None

    def over(self, records: Iterable[object]) -> Iterator[Envelope]:
        """Yield the events that the database does not know, in order."""
        for record in records:
            body = getattr(record, "body", None)
            if isinstance(body, Heartbeat):
                self.announced = max(self.announced, body.feedseq)
            elif isinstance(body, Envelope):
                self.announced = max(self.announced, body.feedseq)
                if self._is_next(body, getattr(record, "event_hash", "")):
                    yield body

    def _is_next(self, body: Envelope, digest: str) -> bool:
        number = body.feedseq
        if number <= self._number:
            known = self._hashes.get(number) or self._index.hash_at(number)
            if known != digest:
                self.parted = min(number, self.parted or number)
            return False
        if number != self._number + 1 or body.prevhash != self._hash:
            if number == self._number + 1:
                self.parted = min(number, self.parted or number)
            return False
        self._number, self._hash, self._hashes[number] = number, digest, digest
        self.lost.append(
            LostEvent(
                number=number,
                id=body.id,
                type=body.type,
                subject=body.subject,
                time=body.time,
                hash=digest,
                cause=body.causationid,
            )
        )
        return True


class _Back:
    """One run of `reimport`."""

    def __init__(self, unit: UnitOfWork, name: FeedName, lease: Lease, summed: Mapping[str, str]) -> None:
        self._unit = unit
        self._name = name
        self._lease = lease
        self._summed = summed
        self._waiting: dict[str, tuple[Pending, Document]] = {}

    def bring(self, head: Head, read: ReadLog) -> int:
        """Take the events into the feed in small transactions; return how many."""
        reading = self._unit.reading(self._name.organisation)
        self._waiting = dict(_waiting_entries(reading, self._name))
        scan = _Scan(HashIndex(Ledger(reading, self._name), head), head)
        first = head.number
        for part in self._parts(scan.over(read(0))):
            if scan.parted is not None:
                break
            self._lease.renew()
            head = self._write(head, part)
        if scan.parted is not None:
            raise Conflict(
                f"the log and the database hold different events under number {scan.parted}: no more is brought back"
            )
        return head.number - first

    def end(self, count: int, before: Head, *, by: str, reason: str) -> None:
        """Fence the readers of this database, take back what they told a second time, and keep word of it all."""
        name, unit = self._name, self._unit

        def fence(work: Work) -> None:
            for position in work.rows(POSITIONS).find({}):
                work.rows(POSITIONS).update_one({"_id": position["_id"]}, {"$set": {"epoch": position["epoch"] + 1}})

        def let_go_on(work: Work) -> None:
            begun = work.rows(name.state).find_one({"_id": RECOVERY}) or {"after": before.number}
            known = {"after": begun["after"], "count": before.number + count - begun["after"]}
            note = {"_id": work.new_id(), "feed": name.topic, **known}
            work.rows(RECOVERIES).insert_one({**note, "by": by, "reason": reason, "at": work.now})
            work.rows(name.state).delete_many({"_id": RECOVERY})

        self._run(fence)
        for pending, _ in _waiting_entries(unit.reading(name.organisation), name, by_entry=True).values():
            self._run(self._without_told(pending.id))
        self._run(let_go_on)

    def _without_told(self, entry_id: str) -> Callable[[Work], None]:
        name = self._name

        def write(work: Work) -> None:
            entry = work.rows(name.entries).find_one({"_id": entry_id})
            if entry is None:
                return
            kept = take_out_told(work, name.feed, entry["events"])
            if len(kept) == len(entry["events"]):
                return
            if not kept:
                work.rows(name.entries).delete_one({"_id": entry_id})
                work.rows(name.pending).delete_many({"_id": entry_id})
                return
            size = sum(len(event["data"]) for event in kept)
            work.rows(name.entries).update_one({"_id": entry_id}, {"$set": {"events": kept}})
            work.rows(name.pending).update_one({"_id": entry_id}, {"$set": {"count": len(kept), "bytes": size}})

        return write

    def _parts(self, events: Iterator[Envelope]) -> Iterator[list[list[Envelope]]]:
        """Yield groups of entries, each group small enough for one transaction."""
        part: list[list[Envelope]] = []
        count = size = 0
        for entry in self._entries(events):
            bytes_of = sum(len(event.data) for event in entry)
            if part and (count + len(entry) > MOST_EVENTS or size + bytes_of > MOST_BYTES):
                yield part
                part, count, size = [], 0, 0
            part.append(entry)
            count, size = count + len(entry), size + bytes_of
        if part:
            yield part

    def _entries(self, events: Iterator[Envelope]) -> Iterator[list[Envelope]]:
        """Yield the events as entries: one that waited in the database as it is, any other event by itself."""
        due: list[Envelope] = []
        wanted = 0
        for event in events:
            if not due and event.id in self._waiting:
                wanted = self._waiting[event.id][0].count
            due.append(event)
            if len(due) >= wanted:
                yield due
                due, wanted = [], 0
        if due:
            raise Conflict(f"the log ends in the middle of an entry, at number {due[-1].feedseq}; run it again later")

    def _write(self, head: Head, part: list[list[Envelope]]) -> Head:
        events = [event for entry in part for event in entry]
        known = [self._waiting.get(entry[0].id) for entry in part]
        name = self._name

        def write(work: Work) -> Head:
            entries = [
                found[1] if found is not None else _entry_of(work.new_id(), one[0])
                for found, one in zip(known, part, strict=True)
            ]
            numbered = number_entries(entries, head.number + 1, head.hash)
            if [envelope for envelope, _ in numbered] != events:
                raise Conflict(f"number {events[0].feedseq} and on cannot be built again byte for byte")
            after = head_after(head, numbered, self._summed)
            move_head(work, name, head, after)
            if work.rows(name.state).find_one({"_id": RECOVERY}) is None:
                work.rows(name.state).insert_one({"_id": RECOVERY, "after": head.number, "at": work.now})
            taken = [Pending(entry["_id"], len(entry["events"]), 0, []) for entry in entries]
            work.rows(name.numbering).insert_one(round_document(taken, head, after, numbered))
            work.rows(name.entries).insert_many(
                [entry for entry, found in zip(entries, known, strict=True) if found is None]
            )
            old = [found[0].id for found in known if found is not None]
            if old:
                work.rows(name.pending).delete_many({"_id": {"$in": old}})
            again = [event for entry, found in zip(part, known, strict=True) if found is None for event in entry]
            remember_told(work, name.feed, again)
            return after

        return self._run(write)

    def _run(self, write: Callable[[Work], object]) -> Head:
        return self._unit.run(self._name.organisation, write, session=self._lease.session)  # type: ignore[return-value]


def _entry_of(entry_id: str, event: Envelope) -> Document:
    """Return the entry of one event that came back."""
    return {
        "_id": entry_id,
        "source": event.source,
        "organisation": event.organisation,
        "time": event.time,
        "events": [
            {
                "id": event.id,
                "type": event.type,
                "subject": event.subject,
                "dataschema": event.dataschema,
                "correlationid": event.correlationid,
                "causationid": event.causationid,
                "traceparent": event.traceparent,
                "data": Binary(event.data),
            }
        ],
    }


def _waiting_entries(
    reading: Reading, name: FeedName, *, by_entry: bool = False
) -> dict[str, tuple[Pending, Document]]:
    """Return the entries without a number by the id of their first event (or their own)."""
    pending = {found["_id"]: pending_from(found) for found in reading.rows(name.pending).find({})}
    ledger, ids = Ledger(reading, name), list(pending)
    found: dict[str, tuple[Pending, Document]] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        for entry in ledger.entries(ids[start : start + IDS_AT_ONCE]):
            found[entry["_id"] if by_entry else entry["events"][0]["id"]] = (pending[entry["_id"]], entry)
    return found


def _touched(reading: Reading, name: FeedName, lost: list[LostEvent]) -> tuple[int, tuple[str, ...]]:
    """Return how many entries wait in the restored database, and the aggregates that they share with lost events."""
    subjects, ids = {event.subject for event in lost}, {event.id for event in lost}
    new = [pending for first, (pending, _) in _waiting_entries(reading, name).items() if first not in ids]
    keys = {key for pending in new for key, _, _ in pending.versions}
    return len(new), tuple(sorted(keys & subjects))


def _refuse_moved(reading: Reading, name: FeedName) -> None:
    state = reading.rows(name.state).find_one({"_id": HEAD})
    if state is not None and state["until"] is not None and state["until"].year >= FOR_EVER_YEAR:
        raise Conflict("this feed has moved to another instance")
