"""Walking a feed's whole chain again from what is stored, as the command `verify-feed` does. Changes nothing."""

from __future__ import annotations

import msgspec

from shared.events.envelope import GENESIS
from shared.events.feed import FeedName
from shared.events.ledger import Ledger, Round
from shared.storage.unit_of_work import Reading


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the walk found. `first_break` is the first number that does not hold, None when all do.

    `unnumbered` counts the entries that wait for a number; `lost` those that neither have one nor wait.
    """

    number: int
    head_hash: str
    rounds: int
    first_break: int | None
    unnumbered: int
    lost: int

    @property
    def is_sound(self) -> bool:
        """Return whether every number, hash and entry is where it must be."""
        return self.first_break is None and self.lost == 0


def verify_feed(reading: Reading, name: FeedName) -> Verdict:
    """Return what a walk over the whole feed finds: every hash is computed anew from the stored bytes."""
    ledger = Ledger(reading, name)
    head = ledger.head()
    number, digest, entries, broken = 0, GENESIS, 0, None
    for index in range(1, head.rounds + 1):
        found = ledger.round(index)
        if found is None or not _holds(ledger, found, number, digest):
            broken = number + 1
            break
        number, digest, entries = found.last, found.head, entries + len(found.entries)
    if broken is None and (number, digest) != (head.number, head.hash):
        broken = number + 1
    waiting = reading.rows(name.pending).count({})
    stored = reading.rows(name.entries).count({})
    return Verdict(
        number=head.number,
        head_hash=head.hash,
        rounds=head.rounds,
        first_break=broken,
        unnumbered=waiting,
        lost=0 if broken is not None else stored - waiting - entries,
    )


def _holds(ledger: Ledger, found: Round, number: int, digest: str) -> bool:
    if found.first != number + 1 or found.prevhash != digest:
        return False
    events = ledger.events(found)
    return len(events) == found.last - number and events[-1][1] == found.head
