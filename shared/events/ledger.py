"""Reading a feed by number: the head, the rounds, the events with their hashes.

Reads only. Rounds are found by equality on their dense `_id`, never by a sort: that stays quick however long a feed is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from shared.events.envelope import GENESIS, Envelope
from shared.events.feed import FeedName, numbered_events
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading

HEAD: Final = "head"
MARK: Final = "mark"
RECOVERY: Final = "recovery"
"""Beside the head while a recovery is under way or was broken off (`recovery.py`): nothing is numbered then."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where the numbering of a feed stands, and who may go on with it."""

    epoch: int = 0
    number: int = 0
    hash: str = GENESIS
    rounds: int = 0
    credits: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One numbering document: the entries of a round, with the numbers and hashes at its two ends.

    `hashes` are those after each entry; empty in rounds that were numbered before they were kept.
    """

    round: int
    first: int
    last: int
    entries: list[tuple[str, int]]
    prevhash: str
    head: str
    hashes: tuple[str, ...] = ()


Numbered = tuple[Envelope, str]
"""An event and its hash."""


def head_from(found: Document | None) -> Head:
    """Return the head that a state document holds; an absent one is the head of an empty feed."""
    if found is None:
        return Head()
    return Head(
        epoch=found["epoch"],
        number=found["number"],
        hash=found["hash"],
        rounds=found["rounds"],
        credits=found["credits"],
        counts={event_type: count for event_type, count in found["counts"]},  # noqa: C416
    )


class Ledger:
    """One feed in its owner's database, for reading."""

    def __init__(self, reading: Reading, name: FeedName) -> None:
        self._reading = reading
        self._name = name

    def head(self) -> Head:
        """Return the head."""
        return head_from(self._reading.rows(self._name.state).find_one({"_id": HEAD}))

    def round(self, number: int) -> Round | None:
        """Return the numbering document of round `number` (1, 2, 3…), None when there is none yet."""
        found = self._reading.rows(self._name.numbering).find_one({"_id": number})
        if found is None:
            return None
        return Round(
            round=found["_id"],
            first=found["first"],
            last=found["last"],
            entries=[(entry_id, count) for entry_id, count in found["entries"]],
            prevhash=found["prevhash"],
            head=found["head"],
            hashes=tuple(found.get("hashes", ())),
        )

    def round_holding(self, number: int, rounds: int) -> Round | None:
        """Return the round among the first `rounds` that holds event `number`, None when none does."""
        low, high = 1, rounds
        while low <= high:
            middle = (low + high) // 2
            found = self.round(middle)
            if found is None or number < found.first:
                high = middle - 1
            elif number > found.last:
                low = middle + 1
            else:
                return found
        return None

    def events(self, found: Round) -> list[Numbered]:
        """Return a round's events with their hashes, in order, as they stand in the entries."""
        return number_entries(self.entries([entry_id for entry_id, _ in found.entries]), found.first, found.prevhash)

    def entries(self, ids: list[str]) -> list[Document]:
        """Return the entries with these ids (at most 100), in the ids' order; absent ones are left out."""
        by_id = {entry["_id"]: entry for entry in self._reading.rows(self._name.entries).find({"_id": {"$in": ids}})}
        return [by_id[entry_id] for entry_id in ids if entry_id in by_id]

    def walk(self, after: int, head: Head) -> Iterator[Numbered]:
        """Yield the events after number `after` up to the head, in order, loading a round at a time."""
        found = self.round_holding(after + 1, head.rounds)
        while found is not None:
            yield from (numbered for numbered in self.events(found) if numbered[0].feedseq > after)
            found = self.round(found.round + 1) if found.round < head.rounds else None


class HashIndex:
    """The stored hash of any number, keeping the round last looked into: cheap for numbers that rise."""

    def __init__(self, ledger: Ledger, head: Head) -> None:
        self._ledger = ledger
        self._head = head
        self._hashes: dict[int, str] = {}
        self._round = 0

    def hash_at(self, number: int) -> str | None:
        """Return the hash of event `number`, None when the database knows no such number."""
        if number == 0:
            return GENESIS
        if number not in self._hashes:
            found = self._ledger.round_holding(number, self._head.rounds)
            self._hashes = {} if found is None else {e.feedseq: digest for e, digest in self._ledger.events(found)}
            self._round = 0 if found is None else found.round
        return self._hashes.get(number)

    def round_before(self, number: int) -> int:
        """Return how many rounds end at or before event `number`."""
        if number == 0 or self.hash_at(number) is None:
            return 0
        return self._round if max(self._hashes) == number else self._round - 1


def number_entries(entries: list[Document], first: int, previous: str) -> list[Numbered]:
    """Return the events of several entries, numbered from `first` on and chained to `previous`."""
    numbered: list[Numbered] = []
    for entry in entries:
        numbered.extend(numbered_events(entry, first, previous))
        first, previous = numbered[-1][0].feedseq + 1, numbered[-1][1]
    return numbered
