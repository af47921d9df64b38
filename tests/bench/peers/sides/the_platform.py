"""The platform's own side: the production `Reader` on a real feed, chain, hashes, gaps and positions included.

Runs in the platform's environment. The reaction gathers its rows and writes them at the commit, as reporting's do.
"""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from shared.clock import SystemClock
from shared.events.checking import LogRecord
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.contracts import contract_book
from shared.events.envelope import Received
from shared.events.feed import feed_of
from shared.events.feed_reading import FeedReading, ReadingTools
from shared.events.reading_loop import Reader
from shared.events.routing import Router
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.identifiers import new_identifier
from shared.process.settling import settle
from shared.storage.mongo import Document, connect
from shared.storage.unit_of_work import UnitOfWork, Work
from tests.bench.peers.errand import MOST_WAIT_MILLISECONDS, Errand, Meter, errand
from tests.bench.peers.publishing import READER, TYPE
from tests.bench.peers.with_msgspec import Enrolment, row


class WatchedLog(KafkaLog):
    """Kafka as the reader sees it, with the clock started at the first record."""

    meter: Meter

    def poll(self, seconds: float, most: int) -> Mapping[str, list[LogRecord]]:
        """Return the next records."""
        found = super().poll(seconds, most)
        if any(found.values()):
            self.meter.taken()
        return found


class Effects:
    """The rows of a transaction, written at its commit; `number` is the last whose reaction ran."""

    def __init__(self, collection: str) -> None:
        self.number = 0
        self._collection = collection
        self._waiting: WeakKeyDictionary[Work, list[Document]] = WeakKeyDictionary()

    def react(self, work: Work, event: Received[Enrolment]) -> None:
        """Gather the row."""
        rows = self._waiting.get(work)
        if rows is None:
            rows = self._waiting[work] = []
            work.before_commit(lambda rows=rows: work.rows(self._collection).insert_many(rows))
        rows.append(row(event.data))
        self.number = event.number


def main(asked: Errand) -> None:
    """Read everything; the database's name is `database` as a prefix, and the feed's organisation."""
    meter, effects, clock, feed = Meter(asked.events), Effects(asked.collection), SystemClock(), feed_of(asked.topic)
    client = connect(asked.mongodb_uri, appname="bench-peers")
    unit = UnitOfWork(
        client=client,
        service=READER,
        clock=clock,
        new_identifier=new_identifier,
        contracts=contract_book(),
        prefix=asked.database,
    )
    own = (feed.organisation,)
    book = SubscriptionBook((Subscription(TYPE, Enrolment, lambda *_: own, effects.react),))
    unit.database(feed.organisation).create_collection(asked.collection)
    WatchedLog.meter = meter
    options = KafkaOptions(asked.servers, fetch_max_wait_ms=MOST_WAIT_MILLISECONDS)

    def readings(tools: ReadingTools) -> dict[str, FeedReading]:
        return {feed.topic: FeedReading(feed, own, Router(feed, book, own, lambda *_: own), tools)}

    reader = Reader(
        service=READER,
        source=lambda: WatchedLog([feed.topic], options),
        readings=readings,
        tools=lambda session: ReadingTools(unit=unit, session=session, clock=clock),
        unit=unit,
        clock=clock,
    )
    settle()
    known = 0
    while not meter.is_done:
        pause = reader.step()
        if effects.number > known:  # what a step's reactions did is committed when the step is over
            meter.wrote(effects.number - known)
            meter.committed()
            known = effects.number
        if pause:
            clock.sleep(pause)
    meter.tell()
    reader.close()
    client.close()


if __name__ == "__main__":
    main(errand())
