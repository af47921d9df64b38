"""Heartbeats: the owner's totals, sent at an interval once everything is acknowledged. Not part of the feed."""

from __future__ import annotations

from shared.events.envelope import Heartbeat, Opened, instant, source_of
from shared.events.feed import FeedName
from shared.events.ledger import Head
from shared.events.records import Record, encode_unnumbered
from shared.storage.unit_of_work import UnitOfWork


class Announcer:
    """Makes the unnumbered records of one feed."""

    def __init__(
        self, unit_of_work: UnitOfWork, name: FeedName, *, partnership_version: str, partnership_hash: str
    ) -> None:
        self._unit_of_work = unit_of_work
        self._name = name
        self._partnership_version = partnership_version
        self._partnership_hash = partnership_hash

    def opening(self, generation: str, epoch: int) -> Record:
        """Return the record that opens a log, or a new generation on it."""
        return self._record(Opened(generation=generation), epoch)

    def heartbeat(self, head: Head, generation: str) -> Record:
        """Return the record that says that nothing newer than the head exists."""
        body = Heartbeat(
            feedseq=head.number,
            head_hash=head.hash,
            counts=dict(sorted(head.counts.items())),
            credits=head.credits,
            epoch=head.epoch,
            generation=generation,
            partnership_version=self._partnership_version,
            partnership_hash=self._partnership_hash,
        )
        return self._record(body, head.epoch)

    def _record(self, body: Opened | Heartbeat, epoch: int) -> Record:
        return encode_unnumbered(
            body,
            identifier=self._unit_of_work.new_identifier(),
            source=source_of(self._name.topic),
            organisation=self._name.organisation,
            time=instant(self._unit_of_work.clock.now()),
            epoch=epoch,
        )
