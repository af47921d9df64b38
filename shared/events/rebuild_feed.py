"""One feed in a rebuild: what was fetched of it, what was taken, and what the running projection has put aside.

Lives here: the chain, the reactions, and obedience to what is parked, replayed and discarded. The order of a rebuild is
`rebuilding.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.events.checking import Next
from shared.events.envelope import GENESIS, Envelope
from shared.events.feed import FeedName
from shared.events.hashing import hash_of
from shared.events.parking import DECISIONS, DISCARDED, PARKED, REPLAYED, WAITING, next_in
from shared.events.reacting import EventFailed, react, read_ahead
from shared.events.routing import Routed, Router
from shared.storage.rows import chunks
from shared.storage.unit_of_work import Work

NUMBER: Final = {"number": 1}


class CannotRebuild(Exception):
    """It cannot be rebuilt as things are; the text is a code that quotes nothing."""


@dataclass(slots=True)
class FeedBuild:
    """One feed as far as it is rebuilt. `ahead` was fetched and not taken yet; `left_out` waits parked."""

    name: FeedName
    router: Router
    number: int = 0
    head: str = GENESIS
    ahead: list[Next] = field(default_factory=list)
    left_out: frozenset[int] = frozenset()

    @property
    def fetched(self) -> tuple[int, str]:
        """Return the last number that is known here, and its hash."""
        return (self.ahead[-1].number, self.ahead[-1].hash) if self.ahead else (self.number, self.head)

    def part_to(self, number: int) -> list[Next]:
        """Return what was fetched up to a number."""
        return [event for event in self.ahead if event.number <= number]

    def took(self, part: Sequence[Next], left_out: frozenset[int]) -> None:
        """Remember what a commit took."""
        if part:
            self.number, self.head = part[-1].number, part[-1].hash
            del self.ahead[: len(part)]
        self.left_out = left_out

    def continue_with(self, found: Iterable[Envelope]) -> None:
        """Keep what the owner's door gave.

        Raises:
            CannotRebuild: It does not continue what was taken before.
        """
        number, head = self.fetched
        for envelope in found:
            if envelope.feedseq != number + 1 or envelope.prevhash != head:
                raise CannotRebuild("the owner's own feed does not continue what was taken before")
            number, head = envelope.feedseq, hash_of(envelope)
            self.ahead.append(Next(envelope, head))

    def apply(self, work: Work, events: Sequence[Next]) -> frozenset[int]:
        """Let the reactions take the events that the running one took, and return the numbers that wait parked.

        Raises:
            CannotRebuild: A reaction cannot take what the running one took, or tells others something.
        """
        waiting, discarded = self._put_aside(work, [event.number for event in events])
        taken = [event for event in events if event.number not in waiting and event.number not in discarded]
        routed = [self._routed(event) for event in taken]
        read_ahead(work, [event for event in routed if work.organisation in event.takers])
        for event in routed:
            self._take(work, event)
        if work.emitted:
            raise CannotRebuild("a reaction tells others something: this is no projection")
        return waiting

    def decided_since(self, work: Work) -> list[Next]:
        """Return what was left out and has been replayed in the running one since, in order."""
        found: list[Next] = []
        for part in chunks(sorted(self.left_out)):
            asked = {"feed": self.name.topic, "number": {"$in": list(part)}, "state": REPLAYED}
            found += [next_in(doc) for doc in work.rows(PARKED).find(asked, sort=[("number", 1)])]
        return found

    def _routed(self, event: Next) -> Routed:
        routed = self.router.route(event)
        if routed.fault is not None:
            raise CannotRebuild(f"{self.name.topic}#{event.number}: {routed.fault}")
        return routed

    def _take(self, work: Work, event: Routed) -> None:
        if work.organisation in event.takers:
            try:
                react(work, event)
            except EventFailed as failed:
                raise CannotRebuild(f"{self.name.topic}#{event.number}: {failed.reason}") from failed

    def _put_aside(self, work: Work, numbers: Sequence[int]) -> tuple[frozenset[int], frozenset[int]]:
        """Return which of the numbers wait parked, and which were discarded for good."""
        waiting: set[int] = set()
        discarded: set[int] = set()
        for part in chunks(numbers):
            asked = {"feed": self.name.topic, "number": {"$in": list(part)}}
            parked = work.rows(PARKED).find({**asked, "state": WAITING}, projection=NUMBER)
            waiting |= {doc["number"] for doc in parked}
            decided = work.rows(DECISIONS).find({**asked, "decision": DISCARDED}, projection=NUMBER)
            discarded |= {doc["number"] for doc in decided}
        return frozenset(waiting), frozenset(discarded)
