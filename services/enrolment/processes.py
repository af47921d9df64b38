"""The relay of enrolment as a part that runs until it is told to stop. A piece of the composition root."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from services.enrolment.settings import SERVICE, EnrolmentSettings
from shared.clock import SystemClock
from shared.events.feed import FeedName
from shared.events.relay_process import build_relay
from shared.partnership import Partnership
from shared.storage.mongo import connect


class RelayPart:
    """The process that numbers and sends the hosted feeds: `org` of every owner, `out` of every employer."""

    def __init__(
        self, given: EnrolmentSettings, partnership: Partnership, owners: Sequence[str], employers: Sequence[str]
    ) -> None:
        self._given = given
        self._partnership = partnership
        self._feeds = [
            *(FeedName("org", owner, SERVICE) for owner in owners),
            *(FeedName("out", employer, SERVICE) for employer in employers),
        ]
        self._intake = [f"in.{employer}.{SERVICE}.v1" for employer in employers]

    def run(self, stop: Event) -> None:
        """Work until `stop` is set."""
        given = self._given
        build_relay(
            service=SERVICE,
            feeds=self._feeds,
            client_factory=lambda: connect(given.mongodb_uri, appname=f"{SERVICE}-relay"),
            bootstrap_servers=given.kafka_bootstrap_servers,
            clock=SystemClock(),
            stop=stop,
            heartbeat_seconds=given.heartbeat_seconds,
            poll_seconds=given.relay_poll_seconds,
            partnership_version=str(self._partnership.version),
            partnership_hash=self._partnership.hash,
            instance=given.instance,
            database_prefix=given.database_prefix,
            plain_topics=self._intake,
        ).run()

    def ready(self) -> bool:
        """Return that the process lives; each feed waits for database and broker by itself."""
        return True
