"""What the simulation found in the backbone, each finding as one small story of its own."""

from __future__ import annotations

import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.checking import Fork, LogRecord, chain_from
from shared.events.consumer import OutOfRange
from shared.events.envelope import Heartbeat, instant, source_of
from shared.events.lease import Lease
from shared.events.ledger import Ledger
from shared.events.records import encode_unnumbered
from shared.events.relay import Outcome
from tests.faults.simulation.log_ports import SimSource
from tests.faults.simulation.plan import Plan
from tests.faults.simulation.played import ALPHA, BETA, Request, handle
from tests.faults.simulation.scheduler import Process
from tests.faults.simulation.world import World


@pytest.fixture
def world() -> World:
    """A world in which nothing goes wrong by itself."""
    return World(Plan(seed=1, switch_rate=0.0))


def commit(world: World, process: Process, number: int) -> None:
    """Commit one event of alpha's."""
    request = Request(key=f"k{number}", owner="alpha", kind="move", subject="f1", amount=number)
    world.unit(process, "work").run("alpha", handle(request))


def a_lease(world: World, name: str, wall_seconds: float) -> Lease:
    """Return a claim of a process whose wall clock is off."""
    process = Process(world.scheduler, name, wall_seconds=wall_seconds)
    return Lease(world.unit(process, "work"), ALPHA, holder=name, lease_seconds=30.0)


def test_lease_runs_out_by_the_lookers_own_patience_whatever_the_clocks_say(world):
    """Neither an hour ahead takes a living lease, nor an hour behind waits an hour for a dead one."""
    holder, ahead, behind = (a_lease(world, *one) for one in (("a", 0.0), ("b", 3600.0), ("c", -3600.0)))
    assert holder.take() is not None
    assert (ahead.take(), behind.take()) == (None, None)
    world.scheduler.now += 20.0
    holder.renew()
    assert (ahead.take(), behind.take()) == (None, None)
    world.scheduler.now += 31.0
    assert behind.take() is not None
    assert behind.epoch == holder.epoch + 1


def test_k10_heartbeat_of_the_logs_past_is_no_fork_for_a_reader_that_starts_behind_its_number():
    """A position's offset is a hint and may lie before its number: what stands there names less, and rightly."""
    chain = chain_from(ALPHA.topic, {"gamma": (10, "a" * 64)}, "g1")
    beat = Heartbeat(
        feedseq=8, head_hash="b" * 64, counts={}, credits=0, epoch=3, generation="g1",
        partnership_version="1", partnership_hash="0",
    )  # fmt: skip
    record = encode_unnumbered(
        beat, identifier="i", source=source_of(ALPHA.topic), organisation="alpha",
        time=instant(SystemClock().now()), epoch=3,
    )  # fmt: skip
    verdicts = chain.read(LogRecord(5, record.key, record.value, tuple(record.headers)))
    assert not any(isinstance(verdict, Fork) for verdict in verdicts)


def test_p14_relay_numbers_nothing_over_a_database_restored_under_it_while_the_broker_is_away(world):
    """It checked before, but the database is not the one that it knew: numbering waits for the log."""
    process = Process(world.scheduler, "relay")
    relay = world.relay(process, (ALPHA,))[ALPHA.topic].relay
    commit(world, process, 1)
    assert relay.step() is Outcome.WORKED
    backup = world.server.backup("work__alpha")
    commit(world, process, 2)
    relay.step()
    world.faults.lost_request_rate = 1.0
    with pytest.raises(Unavailable):
        relay.step()
    world.faults.lost_request_rate = 0.0
    world.server.restore("work__alpha", backup)
    world.history.restoring(ALPHA, frozenset({"k2"}), 1)
    commit(world, process, 3)
    world.broker.down_until = world.scheduler.now + 1000.0
    for _ in range(3):
        with pytest.raises(Unavailable):
            relay.step()
    assert Ledger(world.unit(process, "work").reading("alpha"), ALPHA).head().number == 1
    assert world.history.violations == []


def test_relay_outranks_a_producer_that_it_threw_away(world):
    """A heartbeat that was still under way has an older epoch than all that follows: no history went back."""
    process = Process(world.scheduler, "relay")
    relay = world.relay(process, (ALPHA,))[ALPHA.topic].relay
    relay.step()
    before = relay.gauges.epoch
    world.broker.lost_acknowledgement_rate = 1.0
    commit(world, process, 1)
    with pytest.raises(Unavailable):
        relay.step()
    world.broker.lost_acknowledgement_rate = 0.0
    relay.step()
    assert relay.gauges.epoch == before + 1


def test_reader_waits_when_the_broker_goes_away_just_as_it_rewinds(world, monkeypatch):
    """An offset outside the log, and then no broker: the reader comes back later, and its process does not end."""
    process = Process(world.scheduler, "reader")
    reader = world.reader(process, "board")
    for feed in (ALPHA, BETA):
        world.broker.make(feed.topic)
    pauses: list[float] = []

    def outside(*_: object) -> None:
        world.broker.down_until = world.scheduler.now + 1000.0
        raise OutOfRange([ALPHA.topic])

    def read() -> None:
        pauses.append(reader.step())
        monkeypatch.setattr(SimSource, "poll", outside)
        pauses.append(reader.step())

    world.scheduler.spawn(process, "reader", read)
    world.scheduler.run(lambda: len(pauses) == 2 or bool(world.history.violations))
    assert pauses == [0.0, 1.0]


def test_reader_notices_that_its_database_was_restored_though_nothing_new_comes(world):
    """Within a look it begins again from what is stored."""
    process = Process(world.scheduler, "reader")
    reader = world.reader(process, "board")
    relay = world.relay(Process(world.scheduler, "relay"), (ALPHA,))[ALPHA.topic].relay
    backup: list[dict] = []
    over: list[str] = []

    def number() -> int:
        return (world.doc("board__gamma", "positions", ALPHA.topic) or {"number": 0})["number"]

    def read() -> None:
        relay.step()
        while not number():
            if not backup and world.doc("board__gamma", "positions", ALPHA.topic):
                backup.append(world.server.backup("board__gamma"))
                commit(world, process, 1)
                relay.step()
            reader.step()
        world.server.restore("board__gamma", backup[0])
        try:
            while not over:
                reader.step()
        except Exception as error:  # noqa: BLE001 - whatever it says of itself
            over.append(type(error).__name__)

    world.scheduler.spawn(process, "reader", read)
    world.scheduler.run(lambda: bool(over) or bool(world.history.violations))
    assert over == ["TakenOver"]
