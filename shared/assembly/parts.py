"""The parts that every service runs beside its application: databases, relay, reader. Wired from settings alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from pymongo.database import Database

from shared.clock import SystemClock
from shared.events.bell import ring_of
from shared.events.contracts import contract_book
from shared.events.feed import FeedName
from shared.events.subscriptions import Subscription
from shared.identifiers import new_identifier
from shared.partnership import Partnership
from shared.process.settings import LOCAL, CommonSettings
from shared.storage.mongo import Client, answers, connect
from shared.storage.open_sessions import OpenSessions
from shared.storage.replies import renew_replies
from shared.storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from shared.events.intake import IntakeHandler
    from shared.events.reader import Reader

Indexes = Callable[[Database[dict[str, Any]]], None]


def hosted_owners(service: str, given: CommonSettings, partnership: Partnership) -> tuple[str, ...]:
    """Return the hosted organisations that own rows and a feed of `service`, in the partnership file's order."""
    owners = partnership.owners(service)
    return tuple(slug for slug in given.hosted(partnership) if slug in owners)


def unit_of_work(service: str, given: CommonSettings, client: Client) -> UnitOfWork:
    """Return the transactions of a service; every event is held against its contract before it is kept.

    What a predecessor on this machine left open is ended first, so that its locks hold nobody up.
    """
    sessions = None
    if given.sessions_dir is not None:
        sessions = _sessions_of_this_process(given.sessions_dir / f"{service}-{given.instance}")
        sessions.end_predecessors(client)
    return UnitOfWork(
        client=client,
        service=service,
        clock=SystemClock(),
        new_identifier=new_identifier,
        contracts=contract_book(),
        prefix=given.database_prefix,
        sessions=sessions,
        ring=ring_of(given.bells_dir, service),
    )


@cache
def _sessions_of_this_process(directory: Path) -> OpenSessions:
    """Return the one file of this process: while it is open, nobody takes the process for dead."""
    return OpenSessions(directory)


def prepare_databases(service: str, given: CommonSettings, indexes: Indexes) -> None:
    """Make every hosted owner's database ready; again changes nothing."""
    from shared.events import parking

    client = connect(given.mongodb_uri, appname=f"{service}-prepare")
    try:
        unit = unit_of_work(service, given, client)
        for owner in hosted_owners(service, given, given.partnership()):
            database = unit.database(owner)
            indexes(database)
            renew_replies(database, unit.clock.now(), server_removes=given.profile != LOCAL)
            parking.prepare(database)
    finally:
        client.close()


class RelayPart:
    """The process that numbers and sends the hosted owners' feeds.

    Args:
        service: Whose feeds.
        given: The process's settings.
        private: Those of the owners that also have a private `out` feed and an `in` topic.
        summed: Which number of which event type the heartbeats add up.
    """

    def __init__(
        self,
        service: str,
        given: CommonSettings,
        *,
        private: Collection[str] = (),
        summed: Mapping[str, str] | None = None,
    ) -> None:
        self._service = service
        self._given = given
        self._private = private
        self._summed = summed or {}
        self._client: Client | None = None

    def run(self, stop: Event) -> None:
        """Work until `stop` is set."""
        from shared.events.relay_process import build_relay

        service, given, partnership = self._service, self._given, self._given.partnership()
        owners = hosted_owners(service, given, partnership)
        self._client = client = connect(given.mongodb_uri, appname=f"{service}-relay")
        build_relay(
            service=service,
            feeds=[
                *(FeedName("org", owner, service) for owner in owners),
                *(FeedName("out", owner, service) for owner in self._private),
            ],
            client_factory=lambda: client,
            bootstrap_servers=given.kafka_bootstrap_servers,
            clock=SystemClock(),
            stop=stop,
            heartbeat_seconds=given.heartbeat_seconds,
            poll_seconds=given.relay_poll_seconds,
            partnership_version=str(partnership.version),
            partnership_hash=partnership.hash,
            instance=given.instance,
            database_prefix=given.database_prefix,
            plain_topics=[f"in.{owner}.{service}.v1" for owner in self._private],
            summed=self._summed,
            kafka_config=given.kafka_config(),
            replication_factor=given.replication_factor,
            watches_copies=given.profile != LOCAL,
            bells_dir=given.bells_dir,
        ).run()

    def ready(self) -> bool:
        """Return whether the database answers; a feed that cannot be sent waits by itself and shows in the metrics."""
        return self._client is not None and answers(self._client)


def make_reader(
    service: str,
    given: CommonSettings,
    subscriptions: Iterable[Subscription[Any]],
    ignored: Collection[str],
    feeds: Collection[str],
    *,
    intake: IntakeHandler | None = None,
    unit: UnitOfWork | None = None,
) -> Reader:
    """Return the process that reads others' feeds; a gap is filled from the owner's pull feed."""
    from shared.events.reader import build_reader

    partnership = given.partnership()
    return build_reader(service, given, partnership, subscriptions, ignored, feeds, intake=intake, unit_of_work=unit)
