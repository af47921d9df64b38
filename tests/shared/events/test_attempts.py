"""A record that kills whoever takes it (fault K15): found within a few deaths, parked; no write while all is well."""

from __future__ import annotations

import pytest

from shared.events.attempts import KILLED, Attempt, Attempts
from shared.events.positions import take_over
from shared.events.reading_loop import TakenOver
from shared.events.subscriptions import Subscription, SubscriptionBook


class Killed(BaseException):
    """The end of a process, as far as a test can have one and go on: no code of ours catches it."""


@pytest.fixture
def deadly(desk):
    """A table whose reaction ends the process at some orders, after it has written."""
    from_before = desk.book().find("test.noted.v1")

    def when_noted(work, event):
        from_before.reaction(work, event)
        if event.data.orders == "kill":
            raise Killed

    return SubscriptionBook((Subscription("test.noted.v1", from_before.struct, from_before.concerns, when_noted),))


def lives(desk, owner, book, until: int, *, most: int = 20) -> int:
    """Start readers, one after the other dies, until the position is at a number; return how many died."""
    for deaths in range(most):
        reader = desk.reader(owner, book=book)
        try:
            desk.reads_to(reader, owner, until)
        except Killed:
            desk.readers.remove(reader)  # it left nothing tidy
            continue
        return deaths
    pytest.fail("it never got there")


def parked(desk, owner) -> list[tuple[int, str]]:
    """Return what is parked and why."""
    return [(doc["number"], doc["reason"]) for doc in desk.rows(owner.organisation, "parked")]


def test_k15_record_that_kills_the_reader_is_parked_after_three_deaths_and_everything_else_is_taken(
    desk, owner, deadly
):
    """One death tells where, three are held against the record alone; others of its batch are taken once each."""
    owner.send(owner.make("a"), owner.make("b"), owner.make("c", orders="kill"), owner.make("d"), owner.make("c"))
    deaths = lives(desk, owner, deadly, 5)
    assert 3 <= deaths <= 4
    assert parked(desk, owner) == [(3, KILLED), (5, "follows-parked")]
    assert desk.sums(owner) == {"a": 1, "b": 1, "d": 1}


def test_k15_two_killers_are_both_found(desk, owner, deadly):
    """The first one parked, reading goes on to the second."""
    owner.send(owner.make("a", orders="kill"), owner.make("b"), owner.make("c", orders="kill"), owner.make("d"))
    assert lives(desk, owner, deadly, 4) <= 8
    assert parked(desk, owner) == [(1, KILLED), (3, KILLED)]
    assert desk.sums(owner) == {"b": 1, "d": 1}


def test_k15_readers_that_are_killed_for_another_reason_park_nothing(desk, owner):
    """Ten deaths while nothing is tried, or each at another place, are nobody's fault."""
    for number in range(1, 11):
        owner.send(owner.make(f"k{number}"))
        reader = desk.reader(owner)
        desk.reads_to(reader, owner, number)
        desk.readers.remove(reader)
    assert parked(desk, owner) == []
    assert len(desk.sums(owner)) == 10


def test_k15_intake_record_that_kills_the_reader_is_parked_without_its_content(desk, owner):
    """The employer's own door too: the record is put aside after a few deaths, the others are answered once."""

    def handler(work, key, value, _):
        work.rows("answers").insert_one({"_id": key.decode()})
        if value == b"kill":
            raise Killed

    for name, value in ((b"a", b"1"), (b"b", b"kill"), (b"c", b"1")):
        owner.raw(name, value)
    deaths = 0
    while desk.position(owner)["next"] < 4:
        reader = desk.reader(owner, intake=handler)
        try:
            desk.settle(reader, lambda: desk.position(owner)["next"] == 4)
        except Killed:
            deaths += 1
            desk.readers.remove(reader)
    assert 3 <= deaths <= 4
    kept = [(doc["offset"], doc["reason"], doc["raw_value"]) for doc in desk.rows(owner.organisation, "parked")]
    assert (2, KILLED, None) in kept
    assert {doc["_id"] for doc in desk.rows(owner.organisation, "answers")} >= {"a", "c"}


def test_p17_event_whose_readers_were_taken_over_alive_is_not_held_to_kill(desk, owner):
    """Five readers in a row are taken over while they try the same event: nobody died of it, and it is taken once."""
    from_before, unit, taken_over = desk.book().find("test.noted.v1"), desk.unit, []

    def when_noted(work, event):
        from_before.reaction(work, event)
        if len(taken_over) < 5:
            with unit.client.start_session() as another:
                taken_over.append(take_over(unit, another, owner.organisation, event.topic))

    book = SubscriptionBook((Subscription("test.noted.v1", from_before.struct, from_before.concerns, when_noted),))
    owner.send(owner.make("a"))
    for _ in range(5):
        with pytest.raises(TakenOver):
            desk.reads_to(desk.reader(owner, book=book), owner, 1)
    assert len(taken_over) == 5
    desk.reads_to(desk.reader(owner, book=book), owner, 1)
    assert parked(desk, owner) == []
    assert desk.sums(owner) == {"a": 1}


def test_k15_mark_is_written_once_per_life_of_a_reader_and_for_no_heartbeat():
    """Only the first batch after a take-over is marked; events without a fault cost nothing after it."""
    attempts = Attempts(None, 7)
    assert attempts.mark([]) is None
    assert attempts.mark([8, 9, 12]) == Attempt(last=12, until=12, is_alone=False, deaths=0)
    assert [attempts.mark([number]) for number in range(13, 200)] == [None] * 187


def test_k15_suspects_are_tried_one_by_one_and_deaths_are_counted_before_each():
    """After a death within a batch its events go alone; the one that killed alone carries its count."""
    attempts = Attempts(Attempt(last=12, until=12, is_alone=False, deaths=0), 7)
    assert attempts.size([8, 9, 12, 20]) == 1
    assert attempts.mark([8]) == Attempt(last=8, until=12, is_alone=True, deaths=1)
    again = Attempts(Attempt(last=9, until=12, is_alone=True, deaths=1), 8)
    assert again.mark([9]) == Attempt(last=9, until=12, is_alone=True, deaths=2)
    last = Attempts(Attempt(last=9, until=12, is_alone=True, deaths=2), 8)
    assert last.is_killer(9)
    assert not last.is_killer(12)
    assert last.size([20, 21]) == 2


def test_k15_mark_that_was_passed_says_nothing():
    """A tidy stop, or a death after the batch, leaves no suspect."""
    assert Attempts(Attempt(last=12, until=12, is_alone=False, deaths=0), 12).size([13, 14]) == 2
