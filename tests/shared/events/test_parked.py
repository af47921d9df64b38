"""What a person decides about parked events, and that the reader and every rebuild obey."""

from __future__ import annotations

import pytest

from shared.errors import Malformed, NotFound
from shared.events import discarding
from shared.events.attempts import KILLED
from shared.events.deciding import ask_replay, discard, replay_requests
from shared.events.feed_reading import ReadingRules
from shared.events.parked_view import grouped
from shared.events.parking import decision_about, inspect, list_parked
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
    assert (request.failed_at, request.code, request.taken) == (2, "bug:ZeroDivisionError", 0)
    assert len(list_parked(desk.unit, stuck.organisation)) == 3
    assert desk.sums(stuck) == {"k1": 1, "k2": 4}


def test_replay_of_a_long_key_that_fails_late_says_how_many_were_taken(desk, owner):
    """What 50 events did in a transaction of their own is done; the rest waits, and the key stays blocked."""

    def when_noted(work, event):
        if event.data.amount == 55:
            raise Malformed("this cannot be")
        work.rows("sums").update_one({"_id": event.key}, {"$inc": {"sum": 1}}, upsert=True)

    from_before = desk.book().find("test.noted.v1")
    half = SubscriptionBook((Subscription("test.noted.v1", from_before.struct, from_before.concerns, when_noted),))
    owner.send(owner.make("k1", 1, orders="bug"), *(owner.make("k1", amount) for amount in range(2, 61)))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 60)
    reader.close()
    ask_replay(desk.unit, owner.organisation, owner.topic, "k1", by="operator-1", reason="hope")
    reader = desk.reader(owner, book=half, rules=QUICK)
    desk.settle(reader, lambda: replay_requests(desk.unit, owner.organisation)[0].state == "failed")
    [request] = replay_requests(desk.unit, owner.organisation)
    assert (request.failed_at, request.code, request.taken) == (55, "malformed", 50)
    assert [one.number for one in list_parked(desk.unit, owner.organisation)] == list(range(51, 61))
    assert desk.sums(owner) == {"k1": 50}
    assert desk.position(owner)["blocked"] == ["k1"]


def test_discarded_event_is_skipped_by_a_rebuild(desk, stuck):
    """The decision outlives the projection: a rebuild from number 1 takes everything but what was discarded."""
    for number in (2, 3, 5):
        discard(
            desk.unit,
            stuck.organisation,
            f"{stuck.topic}#{number}",
            by="operator-1",
            confirmed_by="operator-2",
            reason="sent by mistake",
        )
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
    discard(
        desk.unit,
        owner.organisation,
        f"{owner.topic}#1",
        by="operator-1",
        confirmed_by="operator-2",
        reason="sent by mistake",
    )
    owner.send(owner.make("k1", 2))
    desk.reads_to(reader, owner, 2)
    assert desk.sums(owner) == {"k1": 2}


def test_decision_about_nothing_is_not_found(desk, owner):
    """Nothing waits: nothing is decided."""
    with pytest.raises(NotFound):
        discard(desk.unit, owner.organisation, "nothing", by="operator-1", confirmed_by="operator-2", reason="x")
    with pytest.raises(NotFound):
        ask_replay(desk.unit, owner.organisation, owner.topic, "k1", by="operator-1", reason="x")


def test_waiting_records_are_grouped_by_the_reason_that_their_key_waits_for(desk, owner):
    """A group has its causes and what follows them, and when the first and the last of it were seen."""
    owner.send(
        owner.make("k1", orders="bug"), owner.make("k1"), owner.make("k1", orders="malformed"),
        owner.make("k2", orders="malformed"), owner.make("k2"), owner.make("k3"),
    )  # fmt: skip
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 6)
    groups = grouped(list_parked(desk.unit, owner.organisation))
    assert [(one.reason, one.causes, one.followers) for one in groups] == [
        ("bug:ZeroDivisionError", 1, 2),
        ("malformed", 1, 1),
    ]
    assert all(one.first_seen_at <= one.last_seen_at and one.feeds == (owner.topic,) for one in groups)


def test_rehearsal_says_where_a_replay_would_fail_and_changes_nothing(desk, stuck):
    """The reactions run and are rolled back: the answer names how many would be taken, the number and the code."""
    key = f"{stuck.topic}#2"
    discard(desk.unit, stuck.organisation, key, by="operator-1", confirmed_by="operator-2", reason="sent by mistake")
    stuck.send(stuck.make("k1", 6, orders="malformed"))
    reader = desk.reader(stuck, rules=QUICK)
    desk.reads_to(reader, stuck, 6)
    before = desk.rows(stuck.organisation, "effects"), desk.sums(stuck), list_parked(desk.unit, stuck.organisation)
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="a look", is_dry=True)
    desk.settle(reader, lambda: replay_requests(desk.unit, stuck.organisation)[0].state == "rehearsed")
    [answer] = replay_requests(desk.unit, stuck.organisation)
    assert (answer.taken, answer.tried, answer.waiting, answer.failed_at, answer.code) == (2, 3, 3, 6, "malformed")
    after = desk.rows(stuck.organisation, "effects"), desk.sums(stuck), list_parked(desk.unit, stuck.organisation)
    assert after == before
    stuck.send(stuck.make("k2", 7))
    desk.reads_to(reader, stuck, 7)


def test_rehearsal_that_goes_through_is_followed_by_a_replay_that_does(desk, stuck, mended):
    """What was said comes true: the same three events are taken, once, and both requests are gone."""
    reader = desk.reader(stuck, book=mended, rules=QUICK)
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="a look", is_dry=True)
    desk.settle(reader, lambda: replay_requests(desk.unit, stuck.organisation)[0].state == "rehearsed")
    [answer] = replay_requests(desk.unit, stuck.organisation)
    assert (answer.taken, answer.tried, answer.failed_at, answer.code) == (3, 3, None, None)
    assert desk.sums(stuck) == {"k1": 1, "k2": 4}
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="mended")
    desk.settle(reader, lambda: not list_parked(desk.unit, stuck.organisation))
    assert desk.sums(stuck) == {"k1": 1 + 2 + 3 + 5, "k2": 4}
    assert replay_requests(desk.unit, stuck.organisation) == ()


def test_i11_discard_needs_a_second_person_and_keeps_every_step(desk, stuck):
    """Who asked cannot confirm, however the name is written; a rebuild obeys only what was confirmed."""
    unit, name = desk.unit, f"{stuck.topic}#2"
    with pytest.raises(discarding.NobodyAsked):
        unit.run(stuck.organisation, lambda work: discarding.confirm_discard(work, name, by="operator-2"))
    unit.run(stuck.organisation, lambda work: discarding.ask_discard(work, name, by="operator-1", reason="a mistake"))
    for same in ("operator-1", " Operator-1 "):
        with pytest.raises(discarding.SecondPersonNeeded):
            unit.run(stuck.organisation, lambda work, by=same: discarding.confirm_discard(work, name, by=by))
    assert [one.number for one in list_parked(unit, stuck.organisation)] == [2, 3, 5]
    unit.run(stuck.organisation, lambda work: discarding.confirm_discard(work, name, by="operator-2"))
    assert [one.number for one in list_parked(unit, stuck.organisation)] == [3, 5]
    decision = decision_about(unit.reading(stuck.organisation), name)
    assert (decision.decision, decision.by, decision.second, decision.reason) == (
        "discarded", "operator-1", "operator-2", "a mistake",
    )  # fmt: skip
    assert [(step.what, step.by) for step in decision.steps] == [
        ("discard-asked", "operator-1"), ("discarded", "operator-2"),
    ]  # fmt: skip


def test_replay_that_killed_a_reader_is_not_begun_again(desk, stuck, mended):
    """What a predecessor was doing when it ended is answered as failed; a person may still ask again."""
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="mended")
    desk.unit.database(stuck.organisation)["replay_requests"].update_one({}, {"$set": {"state": "trying"}})
    reader = desk.reader(stuck, book=mended, rules=QUICK)
    desk.settle(reader, lambda: replay_requests(desk.unit, stuck.organisation)[0].state == "failed")
    assert replay_requests(desk.unit, stuck.organisation)[0].code == KILLED
    assert desk.sums(stuck) == {"k1": 1, "k2": 4}
    ask_replay(desk.unit, stuck.organisation, stuck.topic, "k1", by="operator-1", reason="once more")
    desk.settle(reader, lambda: not list_parked(desk.unit, stuck.organisation))
