"""What the simulation found in the backbone, each finding as one small story of its own."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events import recovery
from shared.events.adoption import adopt
from shared.events.checking import Fork, LogRecord, chain_from
from shared.events.consumer import OutOfRange
from shared.events.discarding import discard
from shared.events.envelope import Heartbeat, instant, source_of
from shared.events.intake import IntakeReader
from shared.events.lease import Lease
from shared.events.ledger import HashIndex, Ledger
from shared.events.parking import parked_id
from shared.events.records import encode_unnumbered
from shared.events.recovery import examine, reimport
from shared.events.relay import Outcome
from shared.events.tail import FeedRefused
from shared.storage.unit_of_work import Work
from tests.faults.simulation.log_ports import SimOwnLog, SimSource
from tests.faults.simulation.played import ALPHA, BETA, BOARD, SUMMED
from tests.faults.simulation.scheduler import Process
from tests.faults.simulation.stories import BY, a_quiet_world, a_relay, commit, head_number, joined, polled
from tests.faults.simulation.world import World


@pytest.fixture
def world() -> World:
    """A world in which nothing goes wrong by itself."""
    return a_quiet_world()


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
    verdicts = chain.judge(chain.examine(LogRecord(5, record.key, record.value, tuple(record.headers))))
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


def test_k2_reader_that_is_given_its_feed_back_takes_what_it_held_untaken_once(world):
    """It had verified events when it lost the topic: after it took over again they come again, and only once."""
    relay = a_relay(world)
    commit(world, Process(world.scheduler, "web"), 1)
    relay.step()
    reader, reading = joined(world)
    records = polled(world, reader)
    reading.receive(reading.examine(records))
    reading.take_over(reading.place)
    reading.receive(reading.examine(records))
    while reading.apply():
        pass
    assert world.doc("board__gamma", "states", f"{ALPHA.topic}|f1")["order"] == [1]


def test_k2_intake_that_is_given_its_topic_back_handles_what_it_held_untaken_once(world):
    """The same for a topic without numbers."""
    a_relay(world)
    reader, _ = joined(world)
    handled: list[int] = []

    def handle_record(_: Work, __: bytes | None, ___: bytes | None, offset: int) -> None:
        handled.append(offset)

    tools = reader._make_tools(reader._session)
    intake = IntakeReader("in.gamma.board.v1", BOARD, handle_record, tools)
    intake.take_over("here")
    record = LogRecord(0, None, b"x")
    intake.receive([record])
    intake.take_over("here")
    intake.receive([record])
    while intake.apply():
        pass
    assert handled == [0]


@pytest.mark.parametrize("is_log_lost", [False, True])
def test_p14_feed_that_was_brought_back_halfway_is_not_numbered_before_it_was_run_to_its_end(
    world, monkeypatch, is_log_lost
):
    """What waits in the database may be what came back already: only the end of the recovery takes it out.

    It can be run to its end also when the log has gone meanwhile.
    """
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    commit(world, process, 1)
    relay.step()
    backup = world.server.backup("work__alpha")
    commit(world, process, 2)
    relay.step()
    world.server.restore("work__alpha", backup)
    world.history.restoring(ALPHA, frozenset({"k2"}), 1)
    world.history.restored[ALPHA.topic].decided = True
    unit, read = world.unit(process, "work"), SimOwnLog(world.broker, process, ALPHA.topic).read

    def breaks_off(*_: object, **__: object) -> None:
        raise Unavailable("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(recovery._Back, "end", breaks_off)
        with pytest.raises(Unavailable):
            reimport(unit, ALPHA, read, summed=SUMMED, **BY)
    assert (examine(unit, ALPHA, read).broken_off, examine(unit, ALPHA, read).is_whole) == (True, False)
    if is_log_lost:
        world.broker.lose_everything()
    commit(world, process, 3)
    for _ in range(3):
        with suppress(FeedRefused):
            relay.step()
    assert (head_number(world, process), relay.gauges.refused) == (2, 1)
    assert reimport(unit, ALPHA, read, summed=SUMMED, **BY) == 0
    assert [(doc["after"], doc["count"]) for doc in world.docs("work__alpha", "recoveries")] == [(1, 1)]
    assert examine(unit, ALPHA, read).is_whole
    for _ in range(3):
        relay.step()
    assert (head_number(world, process), relay.gauges.refused) == (3, 0)


def test_p14_relay_with_nothing_to_do_notices_that_its_database_was_restored_under_it(world):
    """It sends nothing again over what the log holds beyond the backup, where no check would see that any more."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    commit(world, process, 1)
    relay.step()
    world.broker.down_until = world.scheduler.now + 1000.0
    commit(world, process, 2)
    for _ in range(2):
        with suppress(Unavailable):
            relay.step()
    backup = world.server.backup("work__alpha")  # number 2 is given and not sent
    world.broker.down_until = 0.0
    relay.step()
    commit(world, process, 3)
    relay.step()
    before = len(world.broker.topics[ALPHA.topic].records)
    world.server.restore("work__alpha", backup)
    world.history.restoring(ALPHA, frozenset({"k3"}), 2)
    for _ in range(2):
        with suppress(FeedRefused):
            relay.step()
    commit(world, process, 4)
    for _ in range(3):
        with suppress(FeedRefused):
            relay.step()
    assert len(world.broker.topics[ALPHA.topic].records) == before
    assert (head_number(world, process), relay.gauges.refused) == (2, 1)
    assert world.history.violations == []


def test_p14_relay_whose_database_was_restored_as_it_sent_numbers_nothing_over_what_it_sent(world):
    """Its mark then names a number that the restored database does not know: that is no place to go on from."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    commit(world, process, 1)
    relay.step()
    backup = world.server.backup("work__alpha")

    def restores(step: str) -> None:
        if step == "sending" and ALPHA.topic not in world.history.restored:
            world.server.restore("work__alpha", backup)
            world.history.restoring(ALPHA, frozenset({"k2"}), 1)

    relay._links = msgspec.structs.replace(relay._links, at=restores)
    commit(world, process, 2)
    relay.step()
    commit(world, process, 3)
    for _ in range(4):
        with suppress(FeedRefused):
            relay.step()
        world.scheduler.now += 31.0  # it was fenced, and waits for its own lease like any other
    assert (head_number(world, process), relay.gauges.refused) == (1, 1)
    assert world.history.violations == []


def test_p14_relay_whose_database_was_restored_as_it_sent_notices_it_at_once(world):
    """It does not write how far it sent over a mark that is not its own; nothing new need come."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    backup = world.server.backup("work__alpha")
    commit(world, process, 1)
    relay.step()

    def restores(step: str) -> None:
        if step == "sending" and ALPHA.topic not in world.history.restored:
            world.server.restore("work__alpha", backup)
            world.history.restoring(ALPHA, frozenset({"k1", "k2"}), 0)

    relay._links = msgspec.structs.replace(relay._links, at=restores)
    commit(world, process, 2)
    relay.step()
    with pytest.raises(FeedRefused):
        relay.step()


def test_p14_what_was_discarded_of_a_history_that_is_given_up_is_taken_in_the_new_one(world):
    """A discard is about an event, not about whatever has its number later."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    commit(world, process, 1)
    commit(world, process, 2, poison=True)
    relay.step()
    reader, reading = joined(world)
    reading.receive(reading.examine(polled(world, reader)))
    while reading.apply():
        pass
    unit = world.unit(process, "board")
    discard(unit, BOARD, parked_id(ALPHA.topic, 2), confirmed_by="operator-2", **BY)
    reading.take_over(reading.place)
    writer = reading._writers[BOARD]
    assert writer.is_discarded(2)
    ledger = Ledger(world.unit(process, "work").reading("alpha"), ALPHA)
    head = HashIndex(ledger, ledger.head()).hash_at(1)
    adopt(unit, BOARD, ALPHA.topic, number=1, head=head, **BY)
    writer.reload(may_go_back=True)
    assert (writer.position.number, writer.is_discarded(2)) == (1, False)
