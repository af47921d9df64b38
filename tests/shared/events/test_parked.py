"""What a person decides about parked events, and that the reader and every rebuild obey."""

from __future__ import annotations

import pytest

from shared.errors import NotFound
from shared.events.deciding import ask_replay, discard, replay_requests
from shared.events.feed_reading import ReadingRules
from shared.events.parking import inspect, list_parked
from shared.events.subscriptions import Subscription, SubscriptionBook

QUICK = ReadingRules(look_seconds=0.0)


@pytest.fixture
def mended(desk) -> SubscriptionBook:
    """A table whose reaction takes what the tests' own reaction cannot."""

    def when_noted(work, event):
        work.rows("sums").update_one({"_id": event.key}, {"$inc": {"sum": event.data.amount}}, upsert=True)
        work.rows("sums").update_one({"_id": event.key}, {"$push": {"order": event.number}})

    from_before = desk.book().find("test.noted.v1")
    return SubscriptionBook((Subscription("test.noted.v1", from_before.struct, from_before.concerns, when_noted),))


@pytest.fixture
def stuck(desk, owner):
    """An owner whose second event cannot be taken; 3 and 5 follow it, 4 is another key."""
    owner.send(
        owner.make("k1", 1), owner.make("k1", 2, orders="bug"), owner.make("k1", 3), owner.make("k2", 4),
        owner.make("k1", 5),
    )  # fmt: skip
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 5)
    reader.close()
    return owner


def test_parked_events_are_listed_in_the_feeds_order_with_codes_only(desk, stuck):
    """A list says feed, number, key, type and a code; the cause is told from its followers."""
    found = list_parked(desk.unit, stuck.organisation)
    assert [(one.number, one.reason, one.is_cause) for one in found] == [
        (2, "bug:ZeroDivisionError", True),
        (3, "follows-parked", False),
        (5, "follows-parked", False),
    ]
    parked, event = inspect(desk.unit, stuck.organisation, found[0].id)
    assert (parked.key, event) == ("k1", stuck.made[1])


def test_replay_takes_a_key_in_order_and_frees_it(desk, stuck, mended):
    """After the bug is mended everything under the key happens in the feed's order, and later events flow again."""
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="mended")
    reader = desk.reader(stuck, book=mended, rules=QUICK)
    desk.settle(reader, lambda: not list_parked(desk.unit, stuck.organisation))
    stuck.send(stuck.make("k1", 6))
    desk.reads_to(reader, stuck, 6)
    orders = {doc["_id"]: doc["order"] for doc in desk.rows(stuck.organisation, "sums")}
    assert orders == {"k1": [1, 2, 3, 5, 6], "k2": [4]}
    assert [doc["by"] for doc in desk.rows(stuck.organisation, "parked_decisions")] == ["operator-1"] * 3


def test_replay_that_fails_changes_nothing_and_says_where(desk, stuck):
    """As long as the bug is there, the request names the number and the code, and the key stays as it was."""
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="hope")
    reader = desk.reader(stuck, rules=QUICK)
    desk.settle(reader, lambda: replay_requests(desk.unit, stuck.organisation)[0].state == "failed")
    [request] = replay_requests(desk.unit, stuck.organisation)
    assert (request.failed_at, request.code) == (2, "bug:ZeroDivisionError")
    assert len(list_parked(desk.unit, stuck.organisation)) == 3
    assert desk.sums(stuck) == {"k1": 1, "k2": 4}


def test_discarded_event_is_skipped_by_a_rebuild(desk, stuck):
    """The decision outlives the projection: a rebuild from number 1 takes everything but what was discarded."""
    for number in (2, 3, 5):
        discard(desk.unit, stuck.organisation, f"{stuck.topic}#{number}", by="operator-1", reason="sent by mistake")
    database = desk.unit.database(stuck.organisation)
    for name in ("sums", "effects", "parked", "positions"):
        database[name].delete_many({})
    reader = desk.reader(stuck)
    desk.reads_to(reader, stuck, 5)
    assert desk.sums(stuck) == {"k1": 1, "k2": 4}
    assert list_parked(desk.unit, stuck.organisation) == ()


def test_replayed_event_that_fails_again_in_a_rebuild_waits_again(desk, stuck, mended):
    """What was replayed once and cannot be taken by a rebuild is listed again, so that its key can be freed again."""
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="mended")
    reader = desk.reader(stuck, book=mended, rules=QUICK)
    desk.settle(reader, lambda: not list_parked(desk.unit, stuck.organisation))
    reader.close()
    database = desk.unit.database(stuck.organisation)
    for name in ("sums", "effects", "positions"):
        database[name].delete_many({})
    again = desk.reader(stuck)
    desk.reads_to(again, stuck, 5)
    assert [one.number for one in list_parked(desk.unit, stuck.organisation)] == [2, 3, 5]


def test_discard_of_the_last_one_frees_the_key_for_a_reader_that_runs(desk, owner):
    """The reader notices the decision at its next transaction, without being started anew."""
    owner.send(owner.make("k1", 1, orders="bug"))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 1)
    discard(desk.unit, owner.organisation, f"{owner.topic}#1", by="operator-1", reason="sent by mistake")
    owner.send(owner.make("k1", 2))
    desk.reads_to(reader, owner, 2)
    assert desk.sums(owner) == {"k1": 2}


def test_decision_about_nothing_is_not_found(desk, owner):
    """Nothing waits: nothing is decided."""
    with pytest.raises(NotFound):
        discard(desk.unit, owner.organisation, "nothing", by="operator-1", reason="x")
    with pytest.raises(NotFound):
        ask_replay(desk.unit, owner.organisation, owner.topic, "k1", by="operator-1", reason="x")
