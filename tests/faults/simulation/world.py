"""One run's world: the store, the log, the processes with the production code in them, and how they are started again.

What the processes do is `actors.py`; what goes wrong by decision `chaos.py`; what must hold `checker.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pymongo.errors import PyMongoError

from shared.errors import Malformed, Unavailable
from shared.events.beside import Beside
from shared.events.envelope import Envelope
from shared.events.feed import FeedName
from shared.events.feed_reading import FeedReading, ReadingRules, ReadingTools
from shared.events.gap import confirmed
from shared.events.ledger import Head
from shared.events.pull import feed_page
from shared.events.reading_loop import Reader
from shared.events.records import from_structured
from shared.events.relay import FeedRelay, Links
from shared.events.relay_process import _Lane
from shared.events.routing import Router
from shared.storage.unit_of_work import UnitOfWork
from tests.faults.simulation.at_once import AtOnce
from tests.faults.simulation.broker import Broker
from tests.faults.simulation.history import History
from tests.faults.simulation.log_ports import Group, SimOwnLog, SimSender, SimSource, SimTopics
from tests.faults.simulation.matching import Document
from tests.faults.simulation.plan import Plan
from tests.faults.simulation.played import ALPHA, BETA, BOARD, GAMMA, OWNERS, SUMMED, Board, notices
from tests.faults.simulation.scheduler import Process, Scheduler, Thread
from tests.faults.simulation.store import Server
from tests.faults.simulation.store_client import Client, StoreFaults

LEASE_SECONDS = 8.0
HEARTBEAT_SECONDS = 6.0
POLL_SECONDS = 4.0
RULES = {"lazy_numbers": 6, "lazy_seconds": 5.0, "gap_seconds": 8.0, "gap_retry_seconds": 4.0, "look_seconds": 4.0}


class World:
    """Everything that one seed plays with."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.scheduler = Scheduler(plan.seed, switch_rate=plan.switch_rate)
        self.server = Server(self.scheduler.monotonic)
        self.broker = Broker(self.scheduler)
        self.faults = StoreFaults()
        self.board = Board()
        self.history = History(self)
        self.processes: dict[str, Process] = {}
        self.readers: dict[str, Reader] = {}
        self.lanes: dict[tuple[str, str], _Lane] = {}
        self.naps: dict[Thread, str] = {}
        self.groups = {name: Group() for name in ("board", "notice")}
        self.mains: dict[str, Callable[[Process], None]] = {}
        self.held_back: set[str] = set()
        self.make_unit: Callable[..., UnitOfWork] = UnitOfWork
        self.make_relay: Callable[[FeedName, Links], FeedRelay] = FeedRelay
        self.writer_unit: Callable[..., UnitOfWork] | None = None
        self.has_idempotency = True
        self.has_second_line = True
        self.out_of_range = "raise"
        self.eternal = Process(self.scheduler, "eternal")
        self.operator = Process(self.scheduler, "operator")
        self.eternal.mortal = self.operator.mortal = False

    def identifier(self, process: Process) -> Callable[[], str]:
        """Return a maker of ids as UUIDv7 are: ordered by the clock of the process that makes them."""

        def make() -> str:
            milliseconds = int(process.now().timestamp() * 1000)
            return f"{milliseconds:012x}{self.scheduler.random.getrandbits(40):010x}"

        return make

    def unit(self, process: Process, service: str, *, make: Callable[..., UnitOfWork] | None = None) -> UnitOfWork:
        """Return a unit of work of a process."""
        return (make or self.make_unit)(
            client=Client(self.server, process, self.faults),
            service=service,
            clock=process,
            new_identifier=self.identifier(process),
            random=self.scheduler.random,
        )

    def start(self, name: str) -> None:
        """Start a process, in place of its former life."""
        if name in self.held_back:
            return
        process = Process(self.scheduler, name, wall_seconds=self.scheduler.random.uniform(-600.0, 600.0))
        process.on_end = lambda: self._ended(name, process)
        self.processes[name] = process
        self.scheduler.note(f"{name} starts")
        self.mains[name](process)

    def restart(self, name: str) -> None:
        """End a process, if it lives, and start it at once."""
        process = self.processes[name]
        process.on_end = lambda: self._forget(name)
        self.scheduler.end(process)
        self.start(name)

    def _forget(self, name: str) -> None:
        self.readers.pop(name, None)
        for key in [key for key in self.lanes if key[0] == name]:
            del self.lanes[key]

    def _ended(self, name: str, process: Process) -> None:
        self._forget(name)
        if self.processes.get(name) is process:
            pause = self.scheduler.random.uniform(0.2, 5.0)
            self.scheduler.spawn(self.eternal, f"start {name}", lambda: self._start_after(name, pause))

    def _start_after(self, name: str, seconds: float) -> None:
        self.scheduler.sleep(seconds)
        if not self.processes[name].alive:
            self.start(name)

    def relay(self, process: Process, feeds: Sequence[FeedName]) -> dict[str, _Lane]:
        """Return the lanes of a relay process."""
        links = Links(
            unit_of_work=self.unit(process, feeds[0].service),
            topics=SimTopics(self.broker, process),
            sender=SimSender(self.broker, process),
            bootstrap_servers="",
            holder=process.name,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            partnership_version="1",
            partnership_hash="f" * 64,
            lease_seconds=LEASE_SECONDS,
            summed=SUMMED,
            own_log=lambda _, topic, *__, **___: SimOwnLog(self.broker, process, topic),
        )
        lanes = {feed.topic: _Lane(self.make_relay(feed, links)) for feed in feeds}
        self.lanes.update({(process.name, topic): lane for topic, lane in lanes.items()})
        return lanes

    def reader(self, process: Process, service: str) -> Reader:
        """Return a reader of gamma (service `board`) or of the owners (`notice`)."""
        feeds, takers, book = ((ALPHA, BETA), (BOARD,), self.board.book())
        if service == "notice":
            feeds, takers, book = (GAMMA,), OWNERS, notices()
        unit = self.unit(process, service)
        few = self.plan.batch_events
        rules = ReadingRules(batch_events=few, most_batch_events=4 * few, **RULES)
        fetch = self._fetch(process) if self.plan.has_pull_door and self.has_second_line else None

        def concerned(row: Any, event: Any) -> Sequence[str]:  # noqa: ANN401
            return row.concerns(event, None)

        def readings(tools: ReadingTools) -> dict[str, FeedReading]:
            return {
                feed.topic: FeedReading(feed, takers, Router(feed, book, takers, concerned), tools) for feed in feeds
            }

        reader = Reader(
            service=service,
            source=lambda: self._source(process, [feed.topic for feed in feeds], service),
            readings=readings,
            tools=lambda session: ReadingTools(
                unit=unit, session=session, clock=process, rules=rules, fetch=fetch, summed=SUMMED
            ),
            unit=unit,
            clock=process,
            shares_topics=self.plan.shares_topics,
            beside=Beside(AtOnce()),
        )
        self.readers[process.name] = reader
        return reader

    def _source(self, process: Process, topics: Sequence[str], service: str) -> SimSource:
        self.broker.reach(process)
        group = self.groups[service] if self.plan.shares_topics else None
        source = SimSource(self.broker, process, topics, group)
        source.out_of_range = self.out_of_range
        return source

    def _fetch(self, process: Process) -> Callable[[FeedName, int, int], Sequence[Envelope]]:
        def fetch(feed: FeedName, after: int, limit: int) -> Sequence[Envelope]:
            reading = self.unit(process, feed.service).reading(feed.organisation)
            try:
                page = feed_page(reading, feed, after=after, limit=limit + 1)
                head = Head(number=page.head, hash=page.head_hash)
                return confirmed([from_structured(item) for item in page.items], head)
            except (PyMongoError, Malformed) as error:
                raise Unavailable("the pull feed does not answer as it should") from error

        return fetch

    def docs(self, database: str, rows: str) -> list[Document]:
        """Return what is committed in a collection, without asking any process."""
        table = self.server.tables.get((database, rows))
        if table is None:
            return []
        found = (table.at(key, self.server.moment) for key in table.rows)
        return [stored.doc for stored in found if stored is not None]

    def doc(self, database: str, rows: str, identifier: object) -> Document | None:
        """Return one committed document."""
        table = self.server.tables.get((database, rows))
        stored = None if table is None else table.at(identifier, self.server.moment)
        return None if stored is None else stored.doc
