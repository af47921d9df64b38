"""Findings of the simulation about databases that came back from a backup: a reader's own, and an owner's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest

from shared.errors import Unavailable
from shared.events.adoption import adopt
from shared.events.checking import LogRecord
from shared.events.envelope import GENESIS
from shared.events.feed_reading import FeedReading
from shared.events.intake import IntakeReader
from shared.events.ledger import Head
from shared.events.numbering import Numbering
from shared.events.parking import list_parked
from shared.events.positions import Fenced
from shared.events.reading_loop import Reader
from shared.events.relay import FeedRelay, Outcome
from shared.events.requests import ask_replay, replay_requests
from shared.events.tail import FeedRefused
from shared.storage.unit_of_work import UnitOfWork
from tests.faults.simulation.played import ALPHA, BOARD, SUMMED
from tests.faults.simulation.scheduler import Process
from tests.faults.simulation.stories import BY, a_quiet_world, a_relay, commit, head_number, joined, polled
from tests.faults.simulation.world import World

DATABASE = "board__gamma"


@dataclass
class Story:
    """Gamma has read two events of one key of alpha's, the first of which it cannot take yet: both are parked."""

    world: World
    relay: FeedRelay
    reader: Reader
    reading: FeedReading
    unit: UnitOfWork

    def hear(self) -> None:
        """Let the reader take what the log holds."""
        records = polled(self.world, self.reader)[self.reading.read_to :]
        self.reading.receive(self.reading.examine(records))
        while self.reading.apply():
            pass

    def replay(self) -> None:
        """Let the reader take the parked key, after it was mended."""
        self.world.board.is_mended = True
        ask_replay(self.unit, BOARD, ALPHA.topic, "files-f1", **BY)
        self.reading._look()

    def order(self) -> list[int]:
        """Return the order in which the key's events were taken."""
        return (self.world.doc(DATABASE, "states", f"{ALPHA.topic}|f1") or {"order": []})["order"]


@pytest.fixture
def world() -> World:
    """A world in which nothing goes wrong by itself."""
    return a_quiet_world()


@pytest.fixture
def story(world: World) -> Story:
    """A quiet world in which two events of a key are parked."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    commit(world, process, 1, poison=True)
    commit(world, process, 2)
    relay.step()
    reader, reading = joined(world)
    story = Story(world, relay, reader, reading, world.unit(process, "board"))
    story.hear()
    return story


def test_p14_replay_that_a_backup_took_back_is_noticed_by_a_reader_with_nothing_to_do(story):
    """The number is the same before and after a replay: what is parked again shows that the database went back."""
    backup = story.world.server.backup(DATABASE)
    story.replay()
    story.reading._writers[BOARD].confirm()
    story.world.server.restore(DATABASE, backup)
    with pytest.raises(Fenced):
        story.reading._writers[BOARD].confirm()


def test_p14_replay_that_a_backup_took_back_lets_no_later_event_of_its_key_pass(story):
    """What comes next under the key waits behind what is parked again, and all of it is taken in order."""
    backup = story.world.server.backup(DATABASE)
    story.replay()
    assert story.order() == [1, 2]
    story.world.server.restore(DATABASE, backup)
    commit(story.world, Process(story.world.scheduler, "web"), 3)
    story.relay.step()
    story.hear()
    assert [(one.number, one.is_cause) for one in list_parked(story.unit, BOARD)] == [
        (1, True),
        (2, False),
        (3, False),
    ]
    story.replay()
    assert story.order() == [1, 2, 3]


def test_p14_replay_of_what_an_adoption_puts_aside_is_forgotten(story):
    """Nothing is parked under the key any more: a request for it would be shown for ever."""
    ask_replay(story.unit, BOARD, ALPHA.topic, "files-f1", **BY)
    adopt(story.unit, BOARD, ALPHA.topic, number=0, head=GENESIS, **BY)
    assert replay_requests(story.unit, BOARD) == ()
    assert story.world.doc(DATABASE, "positions", ALPHA.topic)["blocked"] == []


def test_p14_log_that_was_cut_and_written_again_tells_a_relay_restored_to_an_empty_feed(world):
    """Its mark stands beyond the log's end then: what the log holds before that is looked at, and refused."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    backup = world.server.backup("work__alpha")
    commit(world, process, 1)
    relay.step()
    world.broker.lose_tail(ALPHA.topic, 10)
    commit(world, process, 2)
    with pytest.raises(Unavailable):
        relay.step()
    assert len(world.broker.topics[ALPHA.topic].records) == 1
    world.server.restore("work__alpha", backup)
    world.history.restoring(ALPHA, frozenset({"k1", "k2"}), 0)
    commit(world, process, 3)
    for _ in range(4):
        with suppress(FeedRefused):
            relay.step()
    assert (head_number(world, process), relay.gauges.refused) == (0, 1)


def test_p14_relay_that_stood_still_over_a_backup_and_its_restore_numbers_nothing_over_what_another_sent(world):
    """The restored database says that the feed is its own: only the log knows of the other relay."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    commit(world, process, 1)
    relay.step()
    backup = world.server.backup("work__alpha")
    other = world.relay(Process(world.scheduler, "other"), (ALPHA,))[ALPHA.topic].relay
    assert other.step() is Outcome.STANDBY
    world.scheduler.now += 31.0
    commit(world, process, 2)
    other.step()
    assert head_number(world, process) == 2
    world.server.restore("work__alpha", backup)
    world.history.restoring(ALPHA, frozenset({"k2"}), 1)
    commit(world, process, 3)
    world.broker.down_until = world.scheduler.now + 5.0
    for _ in range(3):
        with suppress(Unavailable):
            relay.step()
    assert head_number(world, process) == 1
    world.scheduler.now += 5.0
    for _ in range(4):
        with suppress(FeedRefused):
            relay.step()
    assert (head_number(world, process), relay.gauges.refused) == (1, 1)


def test_p4_relay_that_stood_still_and_had_no_successor_goes_on_at_once(world):
    """It looks at the log first, and waits for nobody."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    world.scheduler.now += 300.0
    commit(world, process, 1)
    relay.step()
    relay.step()
    assert (head_number(world, process), relay.gauges.published) == (1, 1)


@pytest.mark.parametrize("is_known_where_the_log_ends", [True, False])
def test_k10_past_that_is_read_again_slowly_is_no_step_back_of_its_owner(world, is_known_where_the_log_ends):
    """However long it takes from one heartbeat to the next: only what is said at the log's end is the present word."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    for number in range(1, 6):
        commit(world, process, number)
        relay.step()
        world.scheduler.now += 7.0
        relay.step()
    reader, reading = joined(world)
    records = polled(world, reader)
    reading.receive(reading.examine(records))
    while reading.apply():
        pass
    reading.rewind(reading.place)
    for record in records:
        world.scheduler.now += 2.0
        reading.receive(reading.examine([record]), len(records) if is_known_where_the_log_ends else record.offset + 1)
    assert (reading.number, reading.alarm is None) == (5, is_known_where_the_log_ends)


def test_p14_intake_whose_database_was_restored_under_it_takes_again_what_came_since_the_backup(world):
    """A topic without numbers has its offset alone: the reader that stood further on begins again from what is kept."""
    a_relay(world)
    reader, _ = joined(world)
    handled: list[int] = []
    tools = reader._make_tools(reader._session)
    intake = IntakeReader("in.gamma.board.v1", BOARD, lambda *record: handled.append(record[3]), tools)
    intake.take_over("here")
    take(intake, 0)
    backup = world.server.backup(DATABASE)
    take(intake, 1)
    world.server.restore(DATABASE, backup)
    with pytest.raises(Fenced):
        take(intake, 2)
    assert intake.take_over("here") == 1
    take(intake, 1, 2)
    assert handled == [0, 1, 1, 2]


def test_p2_intake_whose_commit_happened_though_nobody_said_so_handles_no_record_twice(world):
    """What is stored says how far it came; what it holds of that already is left out."""
    a_relay(world)
    reader, _ = joined(world)
    handled: list[int] = []
    tools = reader._make_tools(reader._session)
    intake = IntakeReader("in.gamma.board.v1", BOARD, lambda *record: handled.append(record[3]), tools)
    intake.take_over("here")
    before = intake._position
    take(intake, 0, 1)
    intake._position = before
    take(intake, 0, 1, 2)
    take(intake, 3)
    assert world.doc(DATABASE, "positions", "in.gamma.board.v1")["next"] == 4
    assert handled == [0, 1, 2, 3]


def take(intake: IntakeReader, *offsets: int) -> None:
    """Let an intake take records."""
    intake.receive([LogRecord(offset, None, b"x") for offset in offsets])
    while intake.apply():
        pass


@pytest.mark.parametrize("is_any_left", [True, False])
def test_checker_lets_a_number_be_given_anew_only_where_the_log_names_none_from_it_on(world, is_any_left):
    """The one limit of a log that is cut and a database that is restored at once: there is nothing to know it by."""
    process, relay = Process(world.scheduler, "web"), a_relay(world)
    backup = world.server.backup("work__alpha")
    commit(world, process, 1)
    relay.step()
    world.broker.lose_tail(ALPHA.topic, 0 if is_any_left else 10)
    world.server.restore("work__alpha", backup)
    world.history.restoring(ALPHA, frozenset({"k1"}), 0)
    commit(world, process, 2)
    head = Head(epoch=1)
    numbering = Numbering(world.unit(process, "work"), ALPHA, SUMMED)
    session = relay._lease.session
    list(numbering.rounds(head, session))
    assert bool(world.history.violations) is is_any_left
