"""Bad records on the log (faults K1 to K13): parked or alarming, and never in the way of others."""

from __future__ import annotations

import msgspec
import pytest

from shared.errors import Unavailable
from shared.events import alarms
from shared.events.feed_reading import ReadingRules
from shared.events.records import encode

QUICK = ReadingRules(gap_seconds=0.0, gap_retry_seconds=0.0, look_seconds=0.1)


def parked(desk, owner):
    """Return what is parked in the owner's database, in the order of numbers and ids."""
    return sorted(desk.rows(owner.organisation, "parked"), key=lambda doc: (doc["number"] or 0, doc["_id"]))


def test_k1_garbage_is_parked_once_without_a_number_and_the_feed_goes_on(desk, owner):
    """Garbage, emptiness, JSON of another kind and a mountain of brackets are parked; what follows is taken."""
    for value in (b"\x00\xff\x80", b"", b"[1]", b'{"amount":', b"[" * 5_000_000):
        owner.raw(b"k1", value)
    owner.send(owner.make(amount=3))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 1)
    found = parked(desk, owner)
    assert [doc["number"] for doc in found] == [None] * 5
    assert all(len(doc["raw_value"]) <= 65_536 for doc in found)
    reader.close()
    desk.unit.database(owner.organisation)["positions"].update_one({"_id": owner.topic}, {"$set": {"next": 0}})
    owner.send(owner.make(amount=4))
    desk.reads_to(desk.reader(owner), owner, 2)
    assert len(parked(desk, owner)) == 5
    assert desk.sums(owner) == {"k1": 7}


def test_k2_tombstone_missing_key_and_a_key_of_another_aggregate_are_parked(desk, owner):
    """None of them crashes the reader, and none uses up the number of the true event."""
    event = owner.make(amount=3)
    record = encode(event, 1)
    owner.raw(record.key, None, record.headers)
    owner.raw(None, record.value, record.headers)
    owner.raw(b"other", record.value, record.headers)
    owner.send(event)
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 1)
    assert len(parked(desk, owner)) == 3
    assert desk.sums(owner) == {"k1": 3}


def test_k3_unknown_major_version_is_parked_and_new_fields_are_ignored(desk, owner):
    """A version that nobody here reads waits; a field that nobody here knows does not matter."""
    owner.send(owner.make("k1", amount=1, type="test.noted.v2"), owner.make("k2", amount=2, fresh_field="x"))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 2)
    assert [(doc["number"], doc["reason"]) for doc in parked(desk, owner)] == [(1, "unknown-type")]
    assert desk.sums(owner) == {"k2": 2}


def test_k4_unknown_type_is_parked_unless_it_is_on_the_ignore_list(desk, owner):
    """Nothing unknown is dropped in silence."""
    owner.send(owner.make("k1", type="test.unheard.v1"), owner.make("k2", type="test.boring.v1"), owner.make("k3"))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 3)
    assert [doc["type"] for doc in parked(desk, owner)] == ["test.unheard.v1"]
    assert desk.sums(owner) == {"k3": 1}


def test_k6_another_owners_event_is_parked_with_a_security_mark(desk, owner, new_owner):
    """An envelope of another organisation, or of another feed, has no effect on this topic."""
    stranger = new_owner("ealing")
    record = encode(stranger.make(amount=50), 1)
    owner.raw(record.key, record.value, record.headers)
    moved = msgspec.structs.replace(stranger.make(amount=60), organisation=owner.organisation)
    record = encode(moved, 1)
    owner.raw(record.key, record.value, record.headers)
    owner.send(owner.make(amount=1))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 1)
    assert [doc["security"] for doc in parked(desk, owner)] == [True, True]
    assert desk.sums(owner) == {"k1": 1}


def test_k6_forged_next_does_not_make_the_true_one_a_duplicate(desk, owner):
    """A record that claims the next number with a wrong previous hash is parked; the true one is taken."""
    owner.send(owner.make(amount=1))
    true_one = owner.make(amount=2)
    forged = msgspec.structs.replace(true_one, prevhash="f" * 64, data=b'{"amount":999}')
    owner.send(forged, true_one)
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 2)
    assert desk.sums(owner) == {"k1": 3}
    assert len(parked(desk, owner)) == 1


def test_k9_events_out_of_order_are_put_in_order(desk, owner):
    """3, 1, 2 have their effects as 1, 2, 3."""
    one, two, three = owner.make(), owner.make(), owner.make()
    owner.send(three, one, two)
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 3)
    assert desk.rows(owner.organisation, "sums")[0]["order"] == [1, 2, 3]


def test_k9_gap_is_filled_from_the_owners_pull_feed(desk, owner):
    """A range that never comes by the log is asked of its owner and verified like anything else."""
    events = [owner.make(amount=n) for n in range(1, 11)]
    owner.send(*events[:3], *events[7:])
    reader = desk.reader(owner, rules=QUICK, fetch=lambda _, after, limit: events[after : after + min(limit, 2)])
    desk.reads_to(reader, owner, 10)
    assert desk.rows(owner.organisation, "sums")[0]["order"] == list(range(1, 11))


def test_k9_gap_that_nobody_fills_is_an_alarm_and_other_feeds_flow(desk, owner, new_owner):
    """The feed waits and says so; another feed of the same reader goes on; the alarm ends when the gap does."""
    other = new_owner("ealing")
    one, two, three = owner.make(), owner.make(), owner.make()

    def fetch(*_):
        raise Unavailable("the owner does not answer")

    reader = desk.reader(owner, other, rules=QUICK, fetch=fetch)
    owner.send(one, three)
    desk.settle(reader, lambda: owner.topic in reader._active and reader._active[owner.topic].alarm is not None)
    alarm = reader._active[owner.topic].alarm
    assert (alarm.kind, alarm.number) == ("gap", 2)
    assert f"republish --organisation {owner.organisation}" in alarm.detail
    other.send(other.make(amount=9))
    desk.reads_to(reader, other, 1)
    assert desk.position(owner)["number"] == 1
    owner.send(two)
    desk.reads_to(reader, owner, 3)
    desk.settle(reader, lambda: reader._active[owner.topic].alarm is None)


def test_k9_heartbeat_beyond_the_last_number_shows_that_something_is_missing(desk, owner):
    """What was never sent at all is noticed by the owner's heartbeat."""
    events = [owner.make(), owner.make()]
    owner.send(events[0])
    owner.beat()
    reader = desk.reader(owner, rules=QUICK, fetch=lambda _, after, __: events[after:])
    desk.reads_to(reader, owner, 2)


def test_k10_another_event_under_a_known_number_stops_the_feed_until_a_person_decides(desk, owner, new_owner):
    """The owner's history differs: nothing more of that feed is taken, not even by a reader that starts anew."""
    other = new_owner("ealing")
    owner.send(owner.make(amount=1))
    reader = desk.reader(owner, other)
    desk.reads_to(reader, owner, 1)
    different = msgspec.structs.replace(owner.made[0], data=b'{"amount":2}')
    owner.send(different, owner.make(amount=5))
    desk.settle(reader, lambda: bool(desk.rows(owner.organisation, "feed_alarms")))
    other.send(other.make())
    desk.reads_to(reader, other, 1)
    reader.close()
    again = desk.reader(owner, rules=QUICK)
    for _ in range(5):
        again.step()
    assert desk.sums(owner) == {"k1": 1}
    assert desk.rows(owner.organisation, "feed_alarms")[0]["kind"] == "fork"


def test_k10_forged_record_at_the_head_is_no_alarm_again_once_a_person_decided_and_another_one_is(desk, owner):
    """What was read first stands: the same bytes change nothing when everything is compared anew, nor when sent again.

    Also for a reader that starts anew. Other bytes under that number are another fork.
    """
    owner.send(owner.make(amount=1))
    reader = desk.reader(owner, rules=QUICK)
    desk.reads_to(reader, owner, 1)
    forged = msgspec.structs.replace(owner.made[0], data=b'{"amount":2}')
    owner.send(forged)
    desk.settle(reader, lambda: open_kind(desk, owner) == "fork")
    alarms.resolve_alarm(desk.unit, owner.organisation, owner.topic, by="operator-1", reason="the first one stands")
    owner.send(forged, owner.make(amount=5))
    desk.reads_to(reader, owner, 2)
    reader.close()
    again = desk.reader(owner, rules=QUICK)
    owner.send(owner.make(amount=7))
    desk.reads_to(again, owner, 3)
    again._active[owner.topic].wants_rewind = True
    owner.send(forged, owner.make(amount=9))
    desk.reads_to(again, owner, 4)
    assert (desk.sums(owner), open_kind(desk, owner)) == ({"k1": 22}, None)
    owner.send(msgspec.structs.replace(owner.made[3], data=b'{"amount":3}'))
    desk.settle(again, lambda: open_kind(desk, owner) == "fork")


def open_kind(desk, owner) -> str | None:
    """Return which alarm stops the feed."""
    found = alarms.open_alarm(desk.unit, owner.organisation, owner.topic)
    return found and found.kind


def test_k10_heartbeat_below_the_number_read_before_it_is_a_fork_unless_its_epoch_is_older(desk, owner):
    """A zombie relay's late heartbeat is put aside; one of the present relay says that history was lost."""
    owner.send(owner.make(), owner.make(), owner.make(), epoch=5)
    owner.beat(2, epoch=4)
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 3)
    owner.beat(2, epoch=5)
    desk.settle(reader, lambda: bool(desk.rows(owner.organisation, "feed_alarms")))
    assert desk.rows(owner.organisation, "feed_alarms")[0]["kind"] == "fork"


def test_k13_fifty_causes_in_a_row_stop_the_feed_and_nothing_else(desk, owner, new_owner):
    """Of 80 poison records 50 are parked; the position stays there; another feed flows; a person lets it go on."""
    other = new_owner("ealing")
    owner.send(owner.make("good"))
    owner.send(*(owner.make(f"key-{n}", orders="bug") for n in range(80)))
    owner.send(owner.make("late"))
    reader = desk.reader(owner, other, rules=QUICK)
    desk.settle(reader, lambda: bool(desk.rows(owner.organisation, "feed_alarms")), seconds=40)
    other.send(other.make())
    desk.reads_to(reader, other, 1)
    for _ in range(3):
        reader.step()
    assert len(parked(desk, owner)) == 50
    assert desk.position(owner)["number"] == 51
    assert desk.rows(owner.organisation, "feed_alarms")[0]["kind"] == "limit"
    assert "late" not in desk.sums(owner)
    alarms.resolve_alarm(desk.unit, owner.organisation, owner.topic, by="operator-1", reason="the bug is mended")
    desk.reads_to(reader, owner, 82)
    assert len(parked(desk, owner)) == 80
    assert desk.sums(owner) == {"good": 1, "late": 1}


def test_k13_garbage_in_a_row_stops_the_feed(desk, owner):
    """Records without a number count as causes too."""
    for _ in range(70):
        owner.producer.send(owner.topic, key=b"k", value=b"x", partition=0)
    owner.producer.flush(10)
    owner.send(owner.make())
    reader = desk.reader(owner)
    desk.settle(reader, lambda: bool(desk.rows(owner.organisation, "feed_alarms")))
    assert len(parked(desk, owner)) == 50
    assert desk.sums(owner) == {}


@pytest.mark.parametrize("orders", ["bug", "malformed", "forbidden"])
def test_parked_event_takes_its_followers_along_and_other_keys_flow(desk, owner, orders):
    """What comes later under the same key waits behind it, in this batch and in later ones; reasons quote nothing."""
    owner.send(owner.make("k1"), owner.make("k1", orders=orders), owner.make("k1"), owner.make("k2"))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 4)
    owner.send(owner.make("k1"), owner.make("k2"))
    desk.reads_to(reader, owner, 6)
    assert [(doc["number"], doc["cause"]) for doc in parked(desk, owner)] == [(2, True), (3, False), (5, False)]
    assert desk.sums(owner) == {"k1": 1, "k2": 2}
    assert {doc["reason"] for doc in parked(desk, owner)} <= {
        "bug:ZeroDivisionError", "malformed", "forbidden", "follows-parked",
    }  # fmt: skip
