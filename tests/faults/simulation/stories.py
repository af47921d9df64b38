"""What the small stories of single findings are told with: one world in which nothing goes wrong by itself."""

from __future__ import annotations

from shared.events.checking import LogRecord
from shared.events.feed_reading import FeedReading
from shared.events.ledger import Ledger
from shared.events.reading_loop import Reader
from shared.events.relay import FeedRelay
from tests.faults.simulation.plan import Plan
from tests.faults.simulation.played import ALPHA, Request, handle
from tests.faults.simulation.scheduler import Process
from tests.faults.simulation.world import World

BY = {"by": "operator-1", "reason": "decided in the test"}


def a_quiet_world() -> World:
    """Return a world in which nothing goes wrong by itself."""
    return World(Plan(seed=1, switch_rate=0.0))


def commit(world: World, process: Process, number: int, *, poison: bool = False) -> None:
    """Commit one event of alpha's."""
    request = Request(key=f"k{number}", owner="alpha", kind="move", subject="f1", amount=number, poison=poison)
    world.unit(process, "work").run("alpha", handle(request))


def a_relay(world: World) -> FeedRelay:
    """Return alpha's relay, with its topic made."""
    relay = world.relay(Process(world.scheduler, "relay"), (ALPHA,))[ALPHA.topic].relay
    relay.step()
    return relay


def joined(world: World) -> tuple[Reader, FeedReading]:
    """Return gamma's reader, joined, and what it makes of alpha's feed."""
    reader = world.reader(Process(world.scheduler, "reader"), "board")
    reader._join()
    return reader, reader._active[ALPHA.topic]


def polled(world: World, reader: Reader) -> list[LogRecord]:
    """Return alpha's records, from the log's beginning; one poll may bring some of them, or none."""
    found: list[LogRecord] = []
    reader._source.start(ALPHA.topic, 0)
    while len(found) < len(world.broker.topics[ALPHA.topic].records):
        found.extend(reader._source.poll(0.0, 500).get(ALPHA.topic, ()))
    return found


def head_number(world: World, process: Process) -> int:
    """Return the number of alpha's head."""
    return Ledger(world.unit(process, "work").reading("alpha"), ALPHA).head().number
