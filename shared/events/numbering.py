"""Giving numbers: pending entries in the order of their aggregates' versions, one numbering document per round.

Order never comes from ids or clocks. No Kafka here: numbers are given whether or not a broker answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Final

import msgspec
from pymongo.client_session import ClientSession

from shared.errors import Conflict
from shared.events.feed import FeedName
from shared.events.ledger import HEAD, Head, Ledger, Numbered, number_entries
from shared.storage.mongo import Document
from shared.storage.unit_of_work import UnitOfWork, Work

MOST_ENTRIES: Final = 100
MOST_ROUND_EVENTS: Final = 5_000
MOST_ROUND_BYTES: Final = 16 * 1024 * 1024


class Fenced(Conflict):
    """Another relay has taken the feed, or the head is not where this relay left it. Stop, read again."""

    slug = "relay-fenced"


class Disordered(Conflict):
    """Pending entries precede one another in a circle: somebody wrote versions that no transaction makes."""

    slug = "feed-disordered"


class Pending(msgspec.Struct, frozen=True):
    """An entry without a number: its size, and per aggregate the first and last version that it made."""

    id: str
    count: int
    bytes: int
    versions: list[tuple[str, int, int]]


def pending_from(found: Document) -> Pending:
    """Return what a pending document says."""
    versions = [(key, low, high) for key, low, high in found["versions"]]
    return Pending(found["_id"], found["count"], found["bytes"], versions)


def in_order(pending: Sequence[Pending]) -> list[Pending]:
    """Return the entries so that each comes after those with the preceding versions of its aggregates.

    Among entries that do not precede one another the smaller id comes first, which decides nothing but makes the
    result the same each time.

    Raises:
        Disordered: They precede one another in a circle.
    """
    by_key: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for index, entry in enumerate(pending):
        for key, low, high in entry.versions:
            by_key[key].append((low, high, index))
    followers: dict[int, list[int]] = defaultdict(list)
    awaited = [0] * len(pending)
    for spans in by_key.values():
        spans.sort(key=lambda span: (span[0], span[1], pending[span[2]].id))
        for (_, _, before), (_, _, after) in pairwise(spans):
            followers[before].append(after)
            awaited[after] += 1
    return _topological(pending, followers, awaited)


def _topological(
    pending: Sequence[Pending], followers: Mapping[int, Sequence[int]], awaited: list[int]
) -> list[Pending]:
    ready = [(pending[index].id, index) for index, count in enumerate(awaited) if count == 0]
    heapify(ready)
    ordered: list[Pending] = []
    while ready:
        _, index = heappop(ready)
        ordered.append(pending[index])
        for follower in followers.get(index, ()):
            awaited[follower] -= 1
            if awaited[follower] == 0:
                heappush(ready, (pending[follower].id, follower))
    if len(ordered) < len(pending):
        raise Disordered("pending entries of this feed precede one another in a circle")
    return ordered


def in_rounds(ordered: Sequence[Pending]) -> Iterator[list[Pending]]:
    """Yield the entries in rounds of at most 100 entries, 5,000 events and 16 MiB (but at least one entry)."""
    taken: list[Pending] = []
    events = size = 0
    for entry in ordered:
        full = len(taken) == MOST_ENTRIES or events + entry.count > MOST_ROUND_EVENTS
        if taken and (full or size + entry.bytes > MOST_ROUND_BYTES):
            yield taken
            taken, events, size = [], 0, 0
        taken.append(entry)
        events, size = events + entry.count, size + entry.bytes
    if taken:
        yield taken


class Numbering:
    """Numbers one feed. `summed` names, per event type, the whole-number field of its data that is added up."""

    def __init__(self, unit_of_work: UnitOfWork, name: FeedName, summed: Mapping[str, str]) -> None:
        self._unit_of_work = unit_of_work
        self._name = name
        self._summed = summed

    def is_waiting(self) -> bool:
        """Return whether any entry waits for a number: one cheap look-up."""
        reading = self._unit_of_work.reading(self._name.organisation)
        return reading.rows(self._name.pending).find_one({}, {"_id": 1}) is not None

    def rounds(
        self, head: Head, session: ClientSession, read: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Head, list[Numbered]]]:
        """Number all that waits, as of one snapshot, and yield the new head and the events after each round.

        What is one round, as nearly always, is read and numbered in one transaction. `read` is called when a round is
        about to be numbered.

        Raises:
            Fenced: The head or the epoch is another; nothing of the round was numbered.
            Disordered: Entries precede one another in a circle.
            Unavailable: The database does not answer, or it is not known whether this was committed: read again.
        """
        rounds: list[list[Pending]] = []

        def begin(work: Work) -> tuple[Head, list[Numbered]] | None:
            rounds[:] = in_rounds(in_order(self.waiting(work)))
            if not rounds and Ledger(work, self._name).head() != head:
                raise Fenced("another relay has numbered what waited")
            if len(rounds) != 1:
                return None
            read()
            return self._number(work, rounds[0], head)

        only = self._unit_of_work.run(self._name.organisation, begin, session=session)
        if only is not None:
            yield only
            return
        for taken in rounds:
            read()
            head, numbered = self._commit(taken, head, session)
            yield head, numbered

    def _commit(self, taken: Sequence[Pending], head: Head, session: ClientSession) -> tuple[Head, list[Numbered]]:
        organisation = self._name.organisation
        return self._unit_of_work.run(organisation, lambda work: self._number(work, taken, head), session=session)

    def waiting(self, work: Work) -> list[Pending]:
        """Return every pending entry."""
        return [pending_from(found) for found in work.rows(self._name.pending).each({})]

    def _number(self, work: Work, taken: Sequence[Pending], head: Head) -> tuple[Head, list[Numbered]]:
        ids = [entry.id for entry in taken]
        entries = Ledger(work, self._name).entries(ids)
        if len(entries) != len(ids):
            raise Fenced("pending entries have no feed entry")
        numbered = number_entries(entries, head.number + 1, head.hash)
        after = self._after(head, numbered)
        self._move_head(work, head, after)
        work.rows(self._name.numbering).insert_one(round_document(taken, head, after, numbered))
        if work.rows(self._name.pending).delete_many({"_id": {"$in": ids}}) != len(ids):
            raise Fenced("pending entries have gone")
        return after, numbered

    def _after(self, head: Head, numbered: Sequence[Numbered]) -> Head:
        return head_after(head, numbered, self._summed)

    def _move_head(self, work: Work, head: Head, after: Head) -> None:
        move_head(work, self._name, head, after)


def head_after(head: Head, numbered: Sequence[Numbered], summed: Mapping[str, str]) -> Head:
    """Return the head after a round of events."""
    counts = dict(head.counts)
    total = head.credits
    for envelope, _ in numbered:
        counts[envelope.type] = counts.get(envelope.type, 0) + 1
        field = summed.get(envelope.type)
        if field is not None:
            total += int(msgspec.json.decode(envelope.data)[field])
    last, digest = numbered[-1]
    return Head(
        epoch=head.epoch,
        number=last.feedseq,
        hash=digest,
        rounds=head.rounds + 1,
        credits=total,
        counts=counts,
    )


def move_head(work: Work, name: FeedName, head: Head, after: Head) -> None:
    """Put the head `after` in the place of `head`.

    Raises:
        Fenced: The head is another, or another relay's.
    """
    matched = work.rows(name.state).update_one(
        {"_id": HEAD, "epoch": head.epoch, "number": head.number, "hash": head.hash},
        {
            "$set": {
                "number": after.number,
                "hash": after.hash,
                "rounds": after.rounds,
                "credits": after.credits,
                "counts": [[event_type, count] for event_type, count in sorted(after.counts.items())],
            }
        },
    )
    if matched == 0:
        raise Fenced("another relay has this feed")


def round_document(taken: Sequence[Pending], head: Head, after: Head, numbered: Sequence[Numbered]) -> Document:
    """Return the numbering document of a round.

    `hashes` holds the chain's hash after each entry, so that a walk can name the entry that somebody changed.
    """
    hashes, done = [], 0
    for entry in taken:
        done += entry.count
        hashes.append(numbered[done - 1][1])
    return {
        "_id": after.rounds,
        "first": head.number + 1,
        "last": after.number,
        "entries": [[entry.id, entry.count] for entry in taken],
        "hashes": hashes,
        "prevhash": head.hash,
        "head": after.hash,
        "epoch": head.epoch,
    }
