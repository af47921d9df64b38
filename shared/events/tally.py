"""What a reader has counted of a feed: events by type and the sum of credits, held against the owner's totals.

The tally stands in the position of the feed's home organisation, which is written with the effects anyway: counting
costs no write of its own. Two histories with one hash are one history; the tally shows what a hash cannot, that the
owner's counters, the reader's and what was taken are about the same events. No database here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from shared.events.envelope import Envelope, Heartbeat

CREDITS: Final = "credits"


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The events 1 to `number`: how many of each type, and the credits that they award."""

    number: int = 0
    counts: Mapping[str, int] = msgspec.field(default_factory=dict)
    credits: int = 0


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One figure that the reader and the owner have otherwise: an event type, or `credits`."""

    what: str
    here: int
    owner: int

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.what}: {self.here} here, {self.owner} at the owner"


def counted(tally: Tally, events: Iterable[Envelope], summed: Mapping[str, str]) -> Tally:
    """Return the tally with the events after its number counted in.

    Args:
        tally: What is counted already.
        events: In order; those at or below the tally's number are passed over.
        summed: Per event type the whole-number field of its data that is added up.
    """
    number, counts, credits = tally.number, dict(tally.counts), tally.credits
    for event in events:
        if event.feedseq <= number:
            continue
        number = event.feedseq
        counts[event.type] = counts.get(event.type, 0) + 1
        if event.type in summed:
            credits += _amount(event.data, summed[event.type])
    return Tally(number=number, counts=counts, credits=credits)


def differences(tally: Tally, owner: Heartbeat) -> tuple[Difference, ...]:
    """Return every figure in which a tally at the heartbeat's own number differs from it."""
    return differing(tally, Tally(number=owner.feedseq, counts=owner.counts, credits=owner.credits))


def differing(here: Tally, owner: Tally) -> tuple[Difference, ...]:
    """Return every figure in which two tallies of one number differ."""
    types = sorted(here.counts.keys() | owner.counts.keys())
    pairs = [(name, here.counts.get(name, 0), owner.counts.get(name, 0)) for name in types]
    pairs.append((CREDITS, here.credits, owner.credits))
    return tuple(Difference(what=what, here=ours, owner=theirs) for what, ours, theirs in pairs if ours != theirs)


def document_of(tally: Tally | None) -> dict[str, object] | None:
    """Return the tally as a position holds it (types have dots in them, so they are no field names)."""
    if tally is None:
        return None
    counts = [[name, count] for name, count in sorted(tally.counts.items())]
    return {"number": tally.number, "counts": counts, "credits": tally.credits}


def tally_from(found: Mapping[str, object] | None) -> Tally | None:
    """Return the tally that a position holds, None where nothing was counted from the beginning on."""
    if found is None:
        return None
    stored = msgspec.convert(found, _Stored)
    return Tally(number=stored.number, counts=dict(stored.counts), credits=stored.credits)


class _Stored(msgspec.Struct, frozen=True):
    number: int
    counts: list[tuple[str, int]]
    credits: int


def _amount(data: bytes, field: str) -> int:
    """Return the number that an event adds; what is no number adds nothing, and shows as a difference."""
    try:
        found = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get(field)
        return 0 if found is None else msgspec.json.decode(found, type=int)
    except msgspec.MsgspecError:
        return 0
