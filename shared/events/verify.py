"""Walking a feed's whole chain again from what is stored, as the command `verify-feed` does. Changes nothing.

Every hash is computed anew from the stored bytes and held against what was written when the event was numbered. What
does not hold is named: its numbers, its entry, what is wrong. What others hold of the feed is `witnesses.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from shared.events.envelope import GENESIS
from shared.events.feed import FeedName, numbered_events
from shared.events.ledger import Head, Ledger, Round
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading

CHANGED: Final = "content changed"
MISSING: Final = "entry missing"
BROKEN: Final = "chain broken"
UNKNOWN: Final = "neither numbered nor waiting"
DIFFERENT: Final = "differs from"
MOST_FINDINGS: Final = 100


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What does not hold: the events `number` to `last` (0: without a number), what is wrong, and where it stands."""

    number: int
    last: int
    what: str
    where: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        numbers = "no number" if not self.number else f"number {self.number}"
        numbers += f" to {self.last}" if self.last > self.number else ""
        return f"{numbers}: {self.what}" + (f" ({self.where})" if self.where else "")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the walk found. `first_break` is the first number that does not hold, None when all do.

    `unnumbered` counts the entries that wait for a number; `lost` those that neither have one nor wait. `findings`
    names each fault, the first 100.
    """

    number: int
    head_hash: str
    rounds: int
    first_break: int | None
    unnumbered: int
    lost: int
    findings: tuple[Finding, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Return whether every number, hash and entry is where it must be."""
        return self.first_break is None and self.lost == 0


def verify_feed(reading: Reading, name: FeedName) -> Verdict:
    """Return what a walk over the whole feed finds: every hash is computed anew from the stored bytes."""
    ledger = Ledger(reading, name)
    head = ledger.head()
    walk = _Walk(ledger, head)
    walk.go()
    waiting = reading.rows(name.pending).count({})
    stored = reading.rows(name.entries).count({})
    lost = max(0, stored - waiting - walk.entries) if not walk.broken else 0
    findings = walk.findings
    if lost:
        findings = [*findings, *_unknown(reading, name, ledger, head)]
    broken = [finding.number for finding in walk.findings]
    return Verdict(
        number=head.number,
        head_hash=head.hash,
        rounds=head.rounds,
        first_break=min(broken) if broken else None,
        unnumbered=waiting,
        lost=lost,
        findings=tuple(findings[:MOST_FINDINGS]),
    )


class _Walk:
    """One pass over the rounds. A round that is broken does not hide what is wrong after it."""

    def __init__(self, ledger: Ledger, head: Head) -> None:
        self._ledger = ledger
        self._head = head
        self._number = 0
        self._digest = GENESIS
        self.entries = 0
        self.findings: list[Finding] = []

    @property
    def broken(self) -> bool:
        """Return whether anything was found."""
        return bool(self.findings)

    def go(self) -> None:
        """Walk."""
        for index in range(1, self._head.rounds + 1):
            found = self._ledger.round(index)
            if found is None:
                self._find(self._number + 1, self._number + 1, MISSING, f"the numbering document of round {index}")
                continue
            self._round(found)
        if (self._number, self._digest) != (self._head.number, self._head.hash) and not self.broken:
            self._find(self._number + 1, self._number + 1, BROKEN, "the head names another number or hash")

    def _round(self, found: Round) -> None:
        if (found.first, found.prevhash) != (self._number + 1, self._digest):
            self._find(found.first, found.first, BROKEN, f"round {found.round} does not go on where the last one ended")
        entries = {entry["_id"]: entry for entry in self._ledger.entries([entry_id for entry_id, _ in found.entries])}
        number, digest, valid = found.first, found.prevhash, True
        for place, (entry_id, count) in enumerate(found.entries):
            last = number + count - 1
            told = found.hashes[place] if place < len(found.hashes) else None
            entry = entries.get(entry_id)
            if entry is None:
                self._find(number, last, MISSING, f"entry {entry_id}")
                valid = False
            elif valid:
                digest = self._entry(entry, number, last, digest, told)
            if told is not None:
                digest, valid = told, True
            number = last + 1
        if number - 1 != found.last or (valid and found.hashes and digest != found.head):
            self._find(found.first, found.last, BROKEN, f"round {found.round} does not end in its own hash")
        elif valid and digest != found.head:
            self._find(found.first, found.last, CHANGED, f"one of the entries of round {found.round}")
        self._number, self._digest, self.entries = found.last, found.head, self.entries + len(found.entries)

    def _entry(self, entry: Document, number: int, last: int, digest: str, told: str | None) -> str:
        """Return the hash after an entry as it is stored now; say so when it was another."""
        events = numbered_events(entry, number, digest)
        if len(events) != last - number + 1:
            self._find(number, last, CHANGED, f"entry {entry['_id']} holds {len(events)} events")
        elif told is not None and events[-1][1] != told:
            self._find(number, last, CHANGED, f"entry {entry['_id']}")
        return events[-1][1] if events else digest

    def _find(self, number: int, last: int, what: str, where: str) -> None:
        self.findings.append(Finding(number=number, last=last, what=what, where=where))


def _unknown(reading: Reading, name: FeedName, ledger: Ledger, head: Head) -> Iterator[Finding]:
    """Yield the entries that neither have a number nor wait for one."""
    numbered = {entry_id for index in range(1, head.rounds + 1) for entry_id in _ids(ledger.round(index))}
    waiting = {found["_id"] for found in reading.rows(name.pending).find({}, projection={"_id": 1})}
    for found in reading.rows(name.entries).find({}, projection={"_id": 1}):
        if found["_id"] not in numbered and found["_id"] not in waiting:
            yield Finding(number=0, last=0, what=UNKNOWN, where=f"entry {found['_id']}")


def _ids(found: Round | None) -> list[str]:
    return [] if found is None else [entry_id for entry_id, _ in found.entries]
