"""What a process shows of a feed ends when the feed is another reader's: figures that stand still would alarm on.

Groups are tried on Apache Kafka: the local broker lets a member in late, or not at all, where it has many topics.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import shared
from shared.errors import Unavailable
from shared.events import fences, heard
from shared.events.consumer import LogSource
from shared.events.feed_reading import ReadingRules
from shared.events.reading_loop import TakenOver

ROOT = Path(shared.__file__).parent.parent
QUICK = ReadingRules(look_seconds=0.1)
FIGURES = {
    "feed_alarms",
    "feed_announced",
    "feed_heard_at_seconds",
    "feed_lag_events",
    "feed_lag_records",
    "feed_lag_seconds",
    "feed_missing_events",
    "feed_number",
    "feed_readers_fenced_lately",
    "feed_other_partnership_file",
    "feed_reconcile_differences",
    "feed_taken_up_at_seconds",
    "parked_keys",
    "parked_records",
}
COMES_BACK = FIGURES - {"feed_reconcile_differences"}
"""What is shown again before the gap is filled: only then can the reader's own count be held against the owner's."""


def shown(owner) -> set[str]:
    """Return the gauges that tell of the owner's feed."""
    wanted = {"service": "enrolment", "feed": owner.topic}
    return {
        family.name
        for family in REGISTRY.collect()
        for sample in family.samples
        if family.type == "gauge" and wanted.items() <= sample.labels.items() and family.name != "feed_absent"
    }


def told_everything(owner) -> None:
    """Let the feed have something of all that is shown: an event parked, a number that has not come, a heartbeat."""
    owner.send(owner.make("good"), owner.make("bad", orders="bug"))
    owner.beat()
    owner.make("kept back")
    owner.send(owner.make("too early"))


def shows_everything(owner) -> bool:
    """Say whether an operator sees a feed with a gap, and all the rest."""
    labels = {"service": "enrolment", "feed": owner.topic}
    return shown(owner) >= FIGURES and REGISTRY.get_sample_value("feed_missing_events", labels) == 1


def no_broker() -> LogSource:
    """Answer as a broker that is away does."""
    raise Unavailable("the broker does not answer")


@pytest.mark.kafka
@pytest.mark.timeout(120)
def test_a_feed_that_the_group_took_back_is_shown_no_more(desk, new_owner, monkeypatch):
    """Of two feeds one goes: what is kept is shown as before, of the other nothing until it comes back.

    What the group decides is said in its place.
    """
    kept, gone = owners = [new_owner("brent"), new_owner("ealing")]
    for owner in owners:
        told_everything(owner)
    reader = desk.reader(*owners, group=f"g-{kept.organisation}", rules=QUICK)
    desk.settle(reader, lambda: all(shows_everything(owner) for owner in owners), seconds=40)
    with monkeypatch.context() as other_member:
        other_member.setattr(reader._source, "held", lambda: frozenset({kept.topic}))
        reader.step()
        assert shown(gone) == set()
        assert heard.last("enrolment", gone.topic) is None
        assert shown(kept) >= FIGURES
    gone.beat()
    desk.settle(reader, lambda: shown(gone) >= COMES_BACK, seconds=40)


@pytest.mark.kafka
@pytest.mark.timeout(120)
def test_a_feed_that_another_member_has_after_the_connection_was_lost_is_shown_no_more(desk, owner):
    """A member that joins anew is given what it is given; as long as nobody answers, what it showed stands."""
    told_everything(owner)
    reader = desk.reader(owner, group=f"g-{owner.organisation}", rules=QUICK)
    desk.settle(reader, lambda: shows_everything(owner), seconds=40)
    connect, reader._make_source = reader._make_source, no_broker
    reader._drop_source()
    assert reader.step() > 0
    assert shown(owner) >= FIGURES
    reader._make_source = connect
    desk.settle(reader, lambda: shown(owner) == set())
    owner.beat()
    desk.settle(reader, lambda: shown(owner) >= COMES_BACK, seconds=40)


@pytest.mark.kafka
@pytest.mark.timeout(120)
def test_a_feed_that_went_to_another_process_of_the_group_is_shown_there_only(desk, new_owner, mongodb_uri, tmp_path):
    """Of two feeds one goes to a second process when that joins, and comes back when it has left."""
    owners = [new_owner("brent"), new_owner("ealing")]
    for owner in owners:
        told_everything(owner)
    group = f"enrolment.{owners[0].organisation}"
    reader = desk.reader(*owners, group=group, rules=QUICK)
    desk.settle(reader, lambda: all(shows_everything(owner) for owner in owners), seconds=40)
    organisations = [owner.organisation for owner in owners]
    told = {"mongodb": mongodb_uri, "bootstrap": desk.bootstrap, "group": group, "organisations": organisations}
    command = [sys.executable, str(Path(__file__).with_name("a_reader.py")), json.dumps(told)]
    with (tmp_path / "other.log").open("ab") as log:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # noqa: TID251 - handed on, not read
        other = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        desk.settle(reader, lambda: len(reader._active) == 1 and any(not shown(owner) for owner in owners), seconds=40)
        [gone] = [owner for owner in owners if not shown(owner)]
        [kept] = [owner for owner in owners if owner is not gone]
        kept.beat()
        desk.settle(reader, lambda: shown(kept) >= COMES_BACK, seconds=40)
        assert shown(gone) == set()
    finally:
        other.terminate()
        other.wait(30)
    gone.beat()
    desk.settle(reader, lambda: shown(gone) >= COMES_BACK, seconds=40)


def test_a_reader_that_was_fenced_shows_nothing_more(desk, owner):
    """Its process may live on for a while; the one that took over tells how the feed is."""
    told_everything(owner)
    reader = desk.reader(owner, rules=QUICK)
    desk.settle(reader, lambda: shows_everything(owner))
    desk.unit.database(owner.organisation)["positions"].update_one({"_id": owner.topic}, {"$inc": {"epoch": 1}})
    with pytest.raises(TakenOver):
        desk.settle(reader, lambda: False)
    assert shown(owner) == set()


def test_a_feed_that_is_taken_up_shows_at_once_how_far_it_was_taken(desk, owner):
    """Nothing new has to come first: whoever asks for a feed's freshness would be told that nothing was ever taken."""
    owner.send(owner.make(), owner.make())
    first = desk.reader(owner)
    desk.reads_to(first, owner, 2)
    first.close()
    assert shown(owner) == set()
    second = desk.reader(owner)
    desk.settle(second, lambda: owner.topic in second._active)
    labels = {"service": "enrolment", "feed": owner.topic}
    assert REGISTRY.get_sample_value("feed_number", labels) == 2
    assert REGISTRY.get_sample_value("feed_taken_up_at_seconds", labels) > 0


def lately(owner) -> float | None:
    """Return how many readers of the feed an operator sees as fenced."""
    return REGISTRY.get_sample_value("feed_readers_fenced_lately", {"service": "enrolment", "feed": owner.topic})


@pytest.mark.parametrize("intake", [None, lambda *_: None])
def test_p6_readers_that_ended_fenced_are_counted_where_that_outlives_them(desk, owner, intake):
    """Two readers that take a feed from each other end each time; whoever holds it shows how often, from its start."""
    owner.send(owner.make())
    reader = desk.reader(owner, rules=QUICK, intake=intake)
    desk.settle(reader, lambda: lately(owner) == 0)
    for count in range(1, 5):
        successor = desk.reader(owner, rules=QUICK, intake=intake)
        desk.settle(successor, lambda one=successor: owner.topic in one._active)
        owner.send(owner.make())
        with pytest.raises(TakenOver):
            desk.settle(reader, lambda: False)
        assert lately(owner) is None, "the one that ended shows nothing"
        reader = successor
        desk.settle(reader, lambda count=count: lately(owner) == count)
    reader.close()
    again = desk.reader(owner, rules=QUICK, intake=intake)
    desk.settle(again, lambda: lately(owner) == 4)
    long_ago = desk.unit.clock.now() - fences.LATELY
    desk.unit.database(owner.organisation)[fences.FENCES].update_one({}, {"$set": {"at.0": long_ago}})
    desk.settle(again, lambda: lately(owner) == 3)


def test_a_database_that_came_back_from_a_backup_counts_as_no_other_reader(desk, owner):
    """The reader ends as well, and is started again; but nobody is to look for a second one."""
    owner.send(owner.make(), owner.make())
    reader = desk.reader(owner, rules=QUICK)
    desk.reads_to(reader, owner, 2)
    desk.unit.database(owner.organisation)["positions"].update_one({"_id": owner.topic}, {"$set": {"number": 1}})
    with pytest.raises(TakenOver, match="backup"):
        desk.settle(reader, lambda: False)
    desk.settle(desk.reader(owner, rules=QUICK), lambda: lately(owner) == 0)
