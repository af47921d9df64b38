"""The reader of reporting; beside it what notes how fresh each feed is, and what builds the projections anew.

A piece of the composition root.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import Gauge
from pymongo.errors import PyMongoError

from services.reporting.application.ports import FeedState
from services.reporting.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.reporting.settings import SERVICE, ReportingSettings
from services.reporting.storage.feeds import feed_states, note_states
from services.reporting.storage.rebuilding import MongoRebuilding
from services.reporting.storage.repositories import MongoRooms
from shared.assembly import hosted_owners, make_reader, unit_of_work
from shared.assembly.rebuilds import keep_rebuilding, make_rebuilder
from shared.clock import wait_for
from shared.events import heard, reading_metrics
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from shared.events.reader import Reader
    from shared.events.rebuilding import Rebuilder

NOTING_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class ReaderPart:
    """The reader of everybody's feeds into the board's database, and beside it what notes how fresh they are."""

    def __init__(self, given: ReportingSettings) -> None:
        self._given = given
        self._reader: Reader | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        given = self._given
        partnership = given.partnership()
        client = connect(given.mongodb_uri, appname=f"{SERVICE}-reader")
        unit = unit_of_work(SERVICE, given, client)
        rooms = MongoRooms(feed_states)
        self._reader = make_reader(SERVICE, given, subscriptions(rooms.projections), IGNORED, FEEDS, unit=unit)
        boards = hosted_owners(SERVICE, given, partnership)
        noting = threading.Thread(target=keep_noting, args=(unit, boards, stop), name="freshness")
        rebuilders = [rebuilder_of(given, board, unit, self._reader) for board in boards]
        rebuilding = threading.Thread(target=keep_rebuilding, args=(rebuilders, stop), name="rebuilding")
        noting.start()
        rebuilding.start()
        try:
            self._reader.run(stop)
        finally:
            stop.set()
            noting.join()
            rebuilding.join()
            client.close()

    def ready(self) -> bool:
        """Return whether the database takes what is read."""
        return self._reader is not None and self._reader.ready()


def rebuilder_of(given: ReportingSettings, board: str, unit: UnitOfWork, reader: Reader) -> Rebuilder:
    """Return what builds a board's projections anew."""
    rebuilt = MongoRebuilding()
    rows = subscriptions(rebuilt.projections)
    return make_rebuilder(SERVICE, given, board, rows, IGNORED, FEEDS, rebuilt, unit=unit, reader=reader)


def keep_noting(unit: UnitOfWork, boards: tuple[str, ...], stop: threading.Event) -> None:
    """Note every few seconds what the reader in this process knows of the feeds, until `stop` is set."""
    before: tuple[FeedState, ...] = ()
    while not wait_for(stop, NOTING_SECONDS):
        states = heard_states()
        try:
            for board in boards:
                fresh = [state for state in states if state not in before]
                note_states(unit.database(board), fresh, lambda feed: heard.last(SERVICE, feed))
        except PyMongoError as error:
            log.info("freshness.not_noted", reason=type(error).__name__)
            continue
        before = states


def heard_states() -> tuple[FeedState, ...]:
    """Return what the reader in this process knows of each feed that it heard of."""
    taken, announced = _gauge(reading_metrics.NUMBER), _gauge(reading_metrics.ANNOUNCED)
    return tuple(
        FeedState(
            feed=feed,
            number=0,
            head=None,
            taken=int(taken.get(feed, 0)),
            announced=int(announced.get(feed, 0)),
            heard_at=datetime.fromtimestamp(heard, UTC),
        )
        for feed, heard in _gauge(reading_metrics.HEARD).items()
    )


def _gauge(gauge: Gauge) -> dict[str, float]:
    samples = [sample for family in gauge.collect() for sample in family.samples]
    return {sample.labels["feed"]: sample.value for sample in samples if sample.labels["service"] == SERVICE}
