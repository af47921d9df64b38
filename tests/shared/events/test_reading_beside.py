"""A backlog is polled beside the taking: at the same time, with nothing lost, doubled or out of order by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event, current_thread, main_thread
from threading import enumerate as enumerate_threads

import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.beside import Beside
from shared.events.checking import LogRecord
from shared.events.consumer import OutOfRange
from shared.events.positions import Fenced
from shared.events.reading_loop import TakenOver
from shared.events.subscriptions import Subscription, SubscriptionBook
from tests.shared.events.conftest import NOTED, Noted, when_noted

EVENTS = 1_500
PATIENCE_SECONDS = 20.0


class Watched:
    """The production log of a reader; `beside` is done with each poll that another thread makes."""

    def __init__(self, log, beside: Callable[[], None]) -> None:
        self._log = log
        self._beside = beside
        self._is_polling = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    def poll(self, seconds: float, most: int) -> Mapping[str, Sequence[LogRecord]]:
        """Return what the log returns."""
        self._is_polling = True
        try:
            if current_thread() is not main_thread():
                self._beside()
            return self._log.poll(seconds, most)
        finally:
            self._is_polling = False

    def close(self) -> None:
        """Close the log, which nobody may be polling."""
        assert not self._is_polling
        self._log.close()


def watch(reader, beside: Callable[[], None]) -> None:
    """Let `beside` be done with each poll of the reader that is made beside something."""
    make = reader._make_source
    reader._make_source = lambda: Watched(make(), beside)


def a_backlog(owner) -> None:
    """Let the owner have sent what is read in several rounds."""
    owner.send(*(owner.make(f"k{number % 7}", number) for number in range(1, EVENTS + 1)))


def assert_taken_once(desk, owner) -> None:
    """Every event had its effect once, and those of each key in the feed's order."""
    assert len(desk.rows(owner.organisation, "effects")) == EVENTS
    for row in desk.rows(owner.organisation, "sums"):
        assert row["order"] == [number for number in range(1, EVENTS + 1) if f"k{number % 7}" == row["_id"]]
    assert desk.position(owner)["head"] == owner.head


def book_of(reaction) -> SubscriptionBook:
    """Return a book in which events are answered by `reaction`."""
    row = Subscription(type=NOTED.type, struct=Noted, concerns=NOTED.concerns, reaction=reaction)
    return SubscriptionBook((row,), {"test.boring.v1"})


def test_next_records_are_polled_while_a_transaction_is_under_way(desk, owner):
    """A reaction that waits for such a poll sees it: one after the other it would wait in vain."""
    a_backlog(owner)
    is_in, is_polled, waited = Event(), Event(), []

    def beside() -> None:
        assert is_in.wait(PATIENCE_SECONDS)
        is_polled.set()

    def react(work, event) -> None:
        if reader._is_behind and not waited:
            is_in.set()
            waited.append(is_polled.wait(PATIENCE_SECONDS))
        when_noted(work, event)

    reader = desk.reader(owner, book=book_of(react))
    watch(reader, beside)
    desk.reads_to(reader, owner, EVENTS)
    assert waited == [True]
    assert_taken_once(desk, owner)


def test_member_of_a_group_polls_between_transactions_only(desk, owner):
    """Its poll may give a topic away: whoever has it next fences what is under way, and a fenced reader leaves all."""
    a_backlog(owner)
    beside: list[str] = []
    reader = desk.reader(owner)
    reader._shares_topics = True
    watch(reader, lambda: beside.append("polled"))
    desk.reads_to(reader, owner, EVENTS)
    assert beside == []
    assert_taken_once(desk, owner)


@pytest.mark.parametrize("trouble", ["out of range", "unavailable"])
def test_broker_that_fails_beside_a_transaction_costs_nothing(desk, owner, trouble):
    """What was taken meanwhile is taken; the log is read again from where reading stopped, or from its beginning."""
    a_backlog(owner)
    errors = [OutOfRange([owner.topic]) if trouble == "out of range" else Unavailable("the broker does not answer")]

    def beside() -> None:
        if errors:
            raise errors.pop()

    reader = desk.reader(owner)
    watch(reader, beside)
    desk.reads_to(reader, owner, EVENTS)
    assert errors == []
    assert_taken_once(desk, owner)


def test_reader_that_is_taken_over_leaves_when_the_poll_beside_is_over(desk, owner):
    """The log is closed by nobody while it is polled, and what was polled is its successor's to take."""
    a_backlog(owner)
    polls: list[bool] = []

    def beside() -> None:
        if not polls:
            desk.unit.database(owner.organisation)["positions"].update_one({"_id": owner.topic}, {"$inc": {"epoch": 1}})
        SystemClock().sleep(0.5)  # longer than the transaction beside it takes to be refused
        polls.append(True)

    def step_to_the_end() -> None:
        while True:
            reader.step()

    reader = desk.reader(owner)
    watch(reader, beside)
    with pytest.raises(TakenOver):
        step_to_the_end()
    assert polls
    desk.reads_to(desk.reader(owner), owner, EVENTS)
    assert_taken_once(desk, owner)


def test_event_that_is_parked_in_a_backlog_is_followed_by_its_key_alone(desk, owner):
    """Routed ahead or not, what is wrong is parked, its followers wait behind it and the rest goes on."""
    a_backlog(owner)
    bad = owner.make("bad", orders="bug")
    after = [owner.make("bad"), owner.make("good", 5), owner.make("good", type="test.unheard-of.v1")]
    owner.send(bad, *after, *(owner.make(f"k{number % 7}", 1) for number in range(600)))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, owner.number)
    assert {row["number"] for row in desk.rows(owner.organisation, "parked")} == {
        bad.feedseq,
        bad.feedseq + 1,
        bad.feedseq + 3,
    }
    assert desk.sums(owner)["good"] == 5


def test_both_are_over_before_either_error_is_told():
    """What was being done here comes first: it may be that the feeds are another reader's by now."""
    beside, seen = Beside(), []

    def fails(error: Exception, after: float = 0.0) -> Callable[[], None]:
        def fail() -> None:
            SystemClock().sleep(after)
            seen.append(type(error))
            raise error

        return fail

    with pytest.raises(Fenced):
        beside.both(fails(Fenced()), fails(Unavailable("away"), 0.3))
    assert seen == [Fenced, Unavailable]
    with pytest.raises(Unavailable):
        beside.both(lambda: None, fails(Unavailable("away")))
    assert beside.both(lambda: "here", lambda: current_thread() is main_thread()) == ("here", False)
    beside.close()
    beside.close()
    assert not any(one.name.startswith("ahead") for one in enumerate_threads())
