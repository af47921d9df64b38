"""Several alarms of one feed: the graver one is kept, told and decided about, whichever was found first."""

from __future__ import annotations

import msgspec
import pytest
from prometheus_client import REGISTRY

from shared.clock import SystemClock
from shared.events import alarms
from shared.events.adoption import adopt
from shared.events.checking import LogRecord
from shared.events.discarding import discard
from shared.events.feed_reading import FeedReading, ReadingRules
from shared.events.positions import POSITIONS, Fenced
from shared.storage.unit_of_work import UnitOfWork

QUICK = ReadingRules(gap_seconds=0.0, gap_retry_seconds=0.0, look_seconds=0.1)
MENDED = {"by": "operator-1", "reason": "the bug is mended"}


def joined(desk, owner, *others: str) -> tuple[FeedReading, object]:
    """Return what a reader makes of the feed, with nothing read yet, and the reader; others may take it, too."""
    reader = desk.reader(owner, rules=QUICK, takers={owner.organisation: (owner.organisation, *others)})
    desk.settle(reader, lambda: owner.topic in reader._active)
    return reader._active[owner.topic], reader


def polled(reader, count: int) -> list[LogRecord]:
    """Return that many records as if one poll had brought them all."""
    clock, found = SystemClock(), []
    end = clock.monotonic() + 20
    while len(found) < count:
        assert clock.monotonic() < end, "the records did not come in time"
        found.extend(record for records in reader._source.poll(0.1, 500).values() for record in records)
    return found


def shown(owner) -> dict[str, float | None]:
    """Return which alarms an operator sees."""
    labels = {"service": "enrolment", "feed": owner.topic}
    return {kind: REGISTRY.get_sample_value("feed_alarms", {**labels, "kind": kind}) for kind in alarms.GRAVITY}


def open_kind(desk, owner) -> str | None:
    """Return which alarm a restart would find."""
    found = alarms.open_alarm(desk.unit, owner.organisation, owner.topic)
    return found and found.kind


def forked(owner):
    """Return another event under the feed's first number."""
    return msgspec.structs.replace(owner.made[0], data=b'{"amount":9}')


def test_k10_k13_fork_is_not_lost_when_too_much_is_parked_of_the_same_poll(desk, owner):
    """It is what is kept and shown, and whoever lets the feed go on has everything compared once more."""
    reading, reader = joined(desk, owner)
    owner.send(owner.make("good"))
    owner.send(*(owner.make(f"key-{n}", orders="bug") for n in range(50)))
    owner.send(forked(owner), owner.make("late"))
    reading.receive(reading.examine(polled(reader, 53)))
    assert reading.apply() is False
    assert desk.position(owner)["number"] == 51
    assert open_kind(desk, owner) == "fork"
    assert shown(owner) == {"gap": 0, "limit": 1, "fork": 1}
    alarms.resolve_alarm(desk.unit, owner.organisation, owner.topic, **MENDED)
    desk.settle(reader, lambda: shown(owner)["fork"] == 0)
    assert reading.wants_rewind, "a fork that was decided has everything compared once more"
    desk.reads_to(reader, owner, 52)
    assert desk.sums(owner) == {"good": 1, "late": 1}


def test_k10_k13_a_feed_beyond_its_limit_takes_nothing_more_under_a_fork(desk, owner):
    """A graver alarm does not lift the lesser one: what was verified before the fork waits as well."""
    reading, reader = joined(desk, owner)
    owner.send(*(owner.make(f"key-{n}", orders="bug") for n in range(80)), forked(owner))
    reading.receive(reading.examine(polled(reader, 81)))
    for _ in range(3):
        reading.apply()
    assert (desk.position(owner)["number"], len(desk.rows(owner.organisation, "parked"))) == (50, 50)


def test_k10_k13_fork_found_beyond_the_limit_takes_its_place_for_a_restart_too(desk, owner):
    """The limit was kept already; the record that forks lies behind, and no later reader would see it."""
    reading, reader = joined(desk, owner)
    owner.send(*(owner.make(f"key-{n}", orders="bug") for n in range(50)))
    reading.receive(reading.examine(polled(reader, 50)))
    reading.apply()
    assert open_kind(desk, owner) == "limit"
    owner.send(forked(owner))
    reading.receive(reading.examine(polled(reader, 1)))
    reader.close()
    assert open_kind(desk, owner) == "fork"
    again, _ = joined(desk, owner)
    assert again.alarm.kind == "fork"


def test_k10_position_passes_no_fork_before_its_alarm_is_kept(desk, owner):
    """What came before the fork is taken in a transaction of its own: a reader that dies then leaves the alarm."""
    reading, reader = joined(desk, owner)
    owner.send(owner.make(amount=1), owner.make(amount=2), forked(owner))
    reading.receive(reading.examine(polled(reader, 3)))
    assert open_kind(desk, owner) is None
    reading.apply()
    assert desk.position(owner)["number"] == 2
    assert open_kind(desk, owner) == "fork"


def test_k10_fork_that_a_person_has_decided_before_its_alarm_was_kept_stops_nothing(desk, owner):
    """They saw it at another reader: kept after their decision, the alarm would hold the feed up for ever."""
    reading, reader = joined(desk, owner)
    owner.send(*(owner.make(amount=1) for _ in range(4)))
    reading.receive(reading.examine(polled(reader, 4)))
    reading.apply()
    reading._watch.sound(alarms.FORK, 3, "the owner names less than 4, read before")
    head = owner.made[2].prevhash
    adopt(desk.unit, owner.organisation, owner.topic, number=2, head=head, by="operator-1", reason="agreed")
    reading.tend()
    assert open_kind(desk, owner) is None
    assert shown(owner)["fork"] == 0
    assert reading.wants_rewind
    assert reading.rewind(reading.place) == 0
    assert reading.number == 2


def test_k10_fork_that_was_decided_at_another_organisation_before_its_alarm_was_kept_stops_nothing(desk, new_owner):
    """The home's own database came back from a backup: it has nothing to give up, and the decision is seen elsewhere.

    A decision that comes after the alarm was written finds it there, and ends it.
    """
    owner, other = new_owner(), new_owner("ealing").organisation
    reading, reader = joined(desk, owner, other)
    made = [owner.make(amount=1) for _ in range(4)]
    owner.send(*made)
    reading.receive(reading.examine(polled(reader, 4)))
    reading.apply()
    reader.close()
    head = made[2].prevhash
    back = {"number": 2, "head": head, "next": 0, "place": ""}
    desk.unit.database(owner.organisation)[POSITIONS].update_one({"_id": owner.topic}, {"$set": back})

    reading, reader = joined(desk, owner, other)
    reading._watch.sound(alarms.FORK, 3, "the owner names less than 4, read before")
    adopt(desk.unit, other, owner.topic, number=2, head=head, by="operator-1", reason="agreed")
    reading.tend()
    assert open_kind(desk, owner) is None
    assert shown(owner)["fork"] == 0
    assert reading.wants_rewind
    assert reading.rewind(reading.place) == 0
    assert desk.position(owner, other)["number"] == reading.number == 2


def test_k10_fork_that_is_decided_while_its_alarm_is_being_kept_stops_nothing(desk, owner, monkeypatch):
    """The reader looked, and stood still before it wrote; the decision found no alarm to end."""
    reading, reader = joined(desk, owner)
    owner.send(*(owner.make(amount=1) for _ in range(4)))
    reading.receive(reading.examine(polled(reader, 4)))
    reading.apply()
    reading._watch.sound(alarms.FORK, 3, "the owner names less than 4, read before")
    run, decided = UnitOfWork.run, []

    def standing_still(unit, organisation, callback, **more):
        if callback.__qualname__.startswith("raise_alarm") and not decided:
            decided.append(1)
            head = owner.made[2].prevhash
            adopt(desk.unit, owner.organisation, owner.topic, number=2, head=head, by="operator-1", reason="agreed")
        return run(unit, organisation, callback, **more)

    monkeypatch.setattr(UnitOfWork, "run", standing_still)
    reading.tend()
    assert decided
    assert open_kind(desk, owner) is None
    assert reading.wants_rewind


def test_p14_fork_that_a_reader_saw_by_what_its_restored_database_has_not_read_is_not_kept(desk, owner):
    """The reader leaves, and the next begins from what is stored: beside that, nothing the owner says is less."""
    reading, reader = joined(desk, owner)
    owner.send(*(owner.make(amount=1) for _ in range(4)))
    reading.receive(reading.examine(polled(reader, 4)))
    reading.apply()
    back = {"number": 2, "head": owner.made[2].prevhash, "next": 0, "place": ""}
    desk.unit.database(owner.organisation)[POSITIONS].update_one({"_id": owner.topic}, {"$set": back})
    reading._watch.sound(alarms.FORK, 3, "the owner names less than 4, read before")
    with pytest.raises(Fenced):
        reading.tend()
    reader.close()
    assert open_kind(desk, owner) is None
    _, again = joined(desk, owner)
    desk.reads_to(again, owner, 4)
    assert shown(owner)["fork"] == 0


@pytest.mark.parametrize("kind", [alarms.LIMIT, alarms.FORK])
def test_k10_k13_alarm_outlasts_a_decision_about_one_parked_record_that_was_quicker(desk, owner, kind):
    """A discard is about that record alone: only a position that was set back says that the alarm was seen."""
    reading, reader = joined(desk, owner)
    owner.send(owner.make("bad", orders="bug"), owner.make("good"))
    reading.receive(reading.examine(polled(reader, 2)))
    reading.apply()
    (parked,) = desk.rows(owner.organisation, "parked")
    reading._watch.sound(kind, 2, "told")
    discard(desk.unit, owner.organisation, parked["_id"], by="operator-1", confirmed_by="operator-2", reason="a bug")
    reading.tend()
    assert open_kind(desk, owner) == kind
    assert shown(owner)[kind] == 1
    assert not reading.wants_rewind


def test_k9_k13_gap_does_not_take_the_place_of_what_stops_the_feed(desk, owner):
    """The limit was tripped before the gap was noticed: the gap is shown beside it, and a person decides the limit."""
    reading, reader = joined(desk, owner)
    owner.send(*(owner.make(f"key-{n}", orders="bug") for n in range(50)))
    reading.receive(reading.examine(polled(reader, 50)))
    reading.apply()
    reading._watch.sound(alarms.GAP, 52, "missing")
    assert reading.alarm.kind == "limit"
    assert shown(owner) == {"gap": 1, "limit": 1, "fork": 0}
    alarms.resolve_alarm(desk.unit, owner.organisation, owner.topic, **MENDED)
    owner.send(owner.make("late"))
    desk.reads_to(reader, owner, 51)
    assert desk.sums(owner) == {"late": 1}
