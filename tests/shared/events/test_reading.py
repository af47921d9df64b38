"""Reading one feed on the real broker and database: effects once, in order, whatever is repeated or killed."""

from __future__ import annotations

import pytest

from shared.events.envelope import GENESIS
from shared.events.feed_reading import ReadingRules
from shared.events.reading_loop import TakenOver
from shared.events.reading_metrics import OTHER_PARTNERSHIP


def test_reader_takes_every_event_once_and_in_order(desk, owner):
    """Events of one key have their effects in the feed's order, and the position stands at the last of them."""
    owner.send(*(owner.make(amount=n) for n in range(1, 301)))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 300)
    assert desk.sums(owner) == {"k1": sum(range(1, 301))}
    assert desk.rows(owner.organisation, "sums")[0]["order"] == list(range(1, 301))
    assert desk.position(owner)["head"] == owner.head


def test_reader_takes_what_comes_while_it_reads(desk, owner):
    """An event sent later is taken by the same reader."""
    reader = desk.reader(owner)
    owner.send(owner.make())
    desk.reads_to(reader, owner, 1)
    owner.send(owner.make(), owner.make())
    desk.reads_to(reader, owner, 3)
    assert desk.sums(owner) == {"k1": 3}


def test_reader_waits_for_a_topic_and_never_makes_it(desk, new_owner, kafka_bootstrap, free_producer, new_organisation):
    """A feed that its owner has not opened yet is waited for; it is read as soon as it is there."""
    there = new_owner()
    late = type(there)(new_organisation("late"), kafka_bootstrap, free_producer)
    reader = desk.reader(there, late)
    there.send(there.make())
    desk.reads_to(reader, there, 1)
    late.open()
    late.send(late.make())
    desk.reads_to(reader, late, 1)


def test_k8_replay_of_any_age_has_no_effect(desk, owner):
    """All events sent again, in order or not, to a reader that runs and to one that starts anew, change nothing."""
    events = [owner.make(amount=n) for n in range(1, 21)]
    owner.send(*events)
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 20)
    owner.send(*events, *events[3:9])
    owner.send(owner.make(amount=100))
    desk.reads_to(reader, owner, 21)
    desk.unit.database(owner.organisation)["positions"].update_one({"_id": owner.topic}, {"$set": {"next": 0}})
    reader.close()
    owner.send(owner.make(amount=1000))
    desk.reads_to(desk.reader(owner), owner, 22)
    assert desk.sums(owner) == {"k1": sum(range(1, 21)) + 1100}
    assert desk.rows(owner.organisation, "feed_alarms") == []


def test_k8_replay_under_a_new_number_is_parked_when_a_natural_key_says_so(desk, owner):
    """The same thing said again under another id meets the natural key and is parked; the reader goes on."""
    owner.send(owner.make(amount=7, orders="unique"), owner.make("k2", amount=7, orders="unique"), owner.make("k3"))
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 3)
    [parked] = desk.rows(owner.organisation, "parked")
    assert (parked["number"], parked["reason"]) == (2, "natural-key-conflict")
    assert desk.sums(owner) == {"k1": 7, "k3": 1}


def test_reader_killed_in_the_middle_of_a_batch_resumes_without_loss(desk, owner):
    """What the first reader had not committed is taken by the next; its open transaction does not hold the next one."""
    owner.send(*(owner.make(amount=n) for n in range(1, 51)))
    first = desk.reader(owner, rules=ReadingRules(batch_events=7, most_batch_events=7))
    desk.settle(first, lambda: desk.position(owner)["number"] >= 14)
    left_open = first._session
    left_open.start_transaction()
    desk.unit.database(owner.organisation)["positions"].update_one(
        {"_id": owner.topic}, {"$set": {"number": 9999}}, session=left_open
    )
    second = desk.reader(owner)
    desk.reads_to(second, owner, 50)
    assert desk.sums(owner) == {"k1": sum(range(1, 51))}


def test_zombie_reader_writes_nothing_when_another_has_taken_over(desk, owner):
    """A reader whose epoch was passed ends without an effect, never to raise it again; its successor goes on."""
    owner.send(*(owner.make(amount=n) for n in range(1, 11)))
    zombie = desk.reader(owner)
    desk.reads_to(zombie, owner, 10)
    successor = desk.reader(owner)
    successor.step()
    epoch = desk.position(owner)["epoch"]
    owner.send(owner.make(amount=1000))
    with pytest.raises(TakenOver, match="READER_MODE=group"):
        desk.settle(zombie, lambda: False)
    assert desk.position(owner)["epoch"] == epoch
    desk.reads_to(successor, owner, 11)
    assert desk.sums(owner) == {"k1": 55 + 1000}


def test_reader_begins_again_and_keeps_its_number_when_the_log_is_another(desk, owner):
    """A topic made again is read from its start; what is known has no second effect, what is new has its first."""
    events = [owner.make(amount=n) for n in range(1, 11)]
    owner.send(*events)
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 10)
    owner.remake("g2")
    owner.send(*events, owner.make(amount=100), epoch=2)
    reader._look_at = 0.0
    desk.reads_to(reader, owner, 11)
    assert desk.sums(owner) == {"k1": 155}
    assert desk.position(owner)["generation"] == "g2"


def test_reader_started_after_the_loss_of_the_log_begins_again(desk, owner):
    """The same when the log was lost while no reader ran."""
    events = [owner.make(amount=n) for n in range(1, 11)]
    owner.send(*events)
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 10)
    reader.close()
    owner.remake("g2")
    owner.send(*events, owner.make(amount=100))
    desk.reads_to(desk.reader(owner), owner, 11)
    assert desk.sums(owner) == {"k1": 155}


def test_reader_rewinds_when_the_log_is_shorter_than_its_position(desk, owner):
    """A truncated log of the same identity is read from its start; the numbers hold."""
    owner.send(owner.make(), owner.make())
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 2)
    reader.close()
    desk.unit.database(owner.organisation)["positions"].update_one({"_id": owner.topic}, {"$set": {"next": 5000}})
    again = desk.reader(owner)
    desk.settle(again, lambda: owner.topic in again._active and again._active[owner.topic].read_to == 3)
    owner.send(owner.make())
    desk.reads_to(again, owner, 3)
    assert desk.sums(owner) == {"k1": 3}


def test_owner_with_another_partnership_file_is_noticed(desk, owner):
    """A heartbeat says which partnership file its owner works with; another one than ours shows, and stops showing."""

    def differs() -> float:
        return OTHER_PARTNERSHIP.labels("enrolment", owner.topic)._value.get()

    owner.send(owner.make())
    reader = desk.reader(owner)
    desk.reads_to(reader, owner, 1)
    owner.beat(partnership_hash="f" * 64)
    desk.settle(reader, lambda: differs() == 1)
    owner.beat()
    desk.settle(reader, lambda: differs() == 0)


def test_heartbeat_never_causes_a_write(desk, owner):
    """A heartbeat changes no position."""
    owner.send(owner.make())
    reader = desk.reader(owner, rules=ReadingRules(lazy_seconds=0.0))
    desk.reads_to(reader, owner, 1)
    before = desk.position(owner)
    for _ in range(3):
        owner.beat()
    desk.settle(reader, lambda: reader._active[owner.topic].read_to == 5)
    reader._tend_at = 0.0
    reader.step()
    assert desk.position(owner) == before


def test_position_of_an_organisation_that_nothing_concerns_advances_lazily(desk, owner, organisation):
    """It stays behind for a while, and stands at the end at hand-over."""
    takers = {owner.organisation: (owner.organisation, organisation)}
    owner.send(*(owner.make() for _ in range(20)))
    reader = desk.reader(owner, takers=takers)
    desk.reads_to(reader, owner, 20)
    assert desk.position(owner, organisation)["number"] == 0
    reader.close()
    assert desk.position(owner, organisation)["number"] == 20


def test_each_concerned_organisation_has_its_effect_and_position_in_its_own_database(desk, owner, organisation):
    """One event that concerns two organisations has two effects, each beside its own position."""
    both = (owner.organisation, organisation)
    owner.send(owner.make(amount=5))
    reader = desk.reader(owner, takers={owner.organisation: both}, concerned=lambda *_: both)
    desk.settle(reader, lambda: desk.position(owner, organisation)["number"] == 1)
    assert desk.sums(owner) == {"k1": 5}
    assert desk.rows(organisation, "sums")[0]["sum"] == 5


def test_reader_that_leaves_over_a_new_log_keeps_each_organisations_number_with_its_own_head(desk, owner, organisation):
    """One has taken all, the other nothing yet: what is read again and not taken is no reason to name another head."""
    both = (owner.organisation, organisation)
    takers, concerned = {owner.organisation: both}, lambda *_: both
    owner.send(owner.make(), owner.make())
    reader = desk.reader(owner, takers=takers, concerned=concerned)
    desk.settle(reader, lambda: desk.position(owner, organisation)["number"] == 2)
    reader.close()
    never = desk.unit.database(organisation)["positions"]
    never.update_one({"_id": owner.topic}, {"$set": {"number": 0, "head": GENESIS, "next": 0, "place": ""}})
    desk.unit.database(organisation)["effects"].delete_many({})
    owner.remake("g2")
    reader = desk.reader(owner, takers=takers, concerned=concerned)
    desk.settle(reader, lambda: owner.topic in reader._active)
    owner.send(*owner.made)
    reading = reader._active[owner.topic]
    for _ in range(200):
        reading.receive(reading.examine(reader._source.poll(0.1, 500).get(owner.topic, [])))
        if reading.number == 2:
            break
    reading.hand_over()
    held = desk.position(owner)
    assert (held["number"], held["head"], held["place"]) == (2, owner.head, reading.place)
    desk.reads_to(desk.reader(owner, takers=takers, concerned=concerned), owner, 2)
    assert desk.rows(owner.organisation, "feed_alarms") == []
