"""The unit of work, on the real database."""

import json
from datetime import UTC, datetime
from threading import Barrier, Thread

import msgspec
import pytest
from pymongo.errors import OperationFailure

from shared.errors import ConcurrentChange, Malformed, RuleBroken, Unavailable
from shared.events.envelope import Cause, Outgoing
from shared.events.feed import MOST_EVENTS


def an_event(key="a", version=1, feed="org"):
    """An event of an aggregate."""
    return Outgoing(
        type="test.happened.v1", key=key, version=version, data=json.dumps({"key": key}).encode(), feed=feed
    )


def test_unit_of_work_commits_state_and_events_together(unit_of_work, organisation):
    """State, one feed entry and its pending document stand after one commit."""

    def place(work):
        work.rows("things").insert_one({"_id": "a", "version": 1})
        work.emit(an_event("a"), an_event("b"))
        return "placed"

    assert unit_of_work.run(organisation, place, cause=Cause("why", "because", "00-trace")) == "placed"
    database = unit_of_work.database(organisation)
    entry = database["org_entries"].find_one({})
    assert [event["subject"] for event in entry["events"]] == ["a", "b"]
    event = entry["events"][0]
    assert (event["correlationid"], event["causationid"], event["traceparent"]) == ("why", "because", "00-trace")
    pending = database["org_pending"].find_one({})
    assert (pending["_id"], pending["count"]) == (entry["_id"], 2)
    assert pending["versions"] == [["a", 1, 1], ["b", 1, 1]]
    assert unit_of_work.reading(organisation).rows("things").count({}) == 1


def test_unit_of_work_leaves_nothing_behind_when_the_callback_raises(unit_of_work, organisation):
    """A broken rule takes back every row and every event."""

    def break_a_rule(work):
        work.rows("things").insert_one({"_id": "a"})
        work.emit(an_event())
        raise RuleBroken("no")

    with pytest.raises(RuleBroken):
        unit_of_work.run(organisation, break_a_rule)
    database = unit_of_work.database(organisation)
    assert [database[name].count_documents({}) for name in ("things", "org_entries", "org_pending")] == [0, 0, 0]


def test_k5_oversize_commits_are_refused_before_they_are_committed(unit_of_work, organisation):
    """More than 500 events, 4 MiB or one event too large never reaches the feed."""
    large = Outgoing(type="t.v1", key="a", version=1, data=b'"' + b"x" * 899_000 + b'"')
    too_large = Outgoing(type="t.v1", key="a", version=1, data=b'"' + b"x" * 900_000 + b'"')
    for events in ([an_event()] * (MOST_EVENTS + 1), [large] * 5, [too_large]):
        with pytest.raises(Malformed):
            unit_of_work.run(organisation, lambda work, events=events: work.emit(*events))
    assert unit_of_work.database(organisation)["org_entries"].count_documents({}) == 0


def test_unit_of_work_keeps_the_feeds_of_one_commit_apart(unit_of_work, organisation):
    """Events for `org` and `out` stand in two entries of one commit."""
    unit_of_work.run(organisation, lambda work: work.emit(an_event(), an_event(feed="out")))
    database = unit_of_work.database(organisation)
    assert database["org_entries"].count_documents({}) == 1
    assert database["out_entries"].find_one({})["source"] == f"/feeds/out.{organisation}.enrolment.v1"


def test_unit_of_work_runs_the_callback_again_when_versions_moved(unit_of_work, organisation):
    """Two writers of one aggregate both succeed, one of them in a second run."""
    unit_of_work.run(organisation, lambda work: work.rows("things").insert_one({"_id": "a", "version": 0}))
    barrier = Barrier(2, timeout=10)
    runs = []

    def raise_version(work):
        found = work.rows("things").find_one({"_id": "a"})
        if len(runs) < 2:
            runs.append(1)
            barrier.wait()
        work.rows("things").replace_version({**found, "version": found["version"] + 1}, found["version"])
        work.emit(an_event(version=found["version"] + 1))

    threads = [Thread(target=unit_of_work.run, args=(organisation, raise_version)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unit_of_work.reading(organisation).rows("things").find_one({})["version"] == 2
    assert unit_of_work.database(organisation)["org_entries"].count_documents({}) == 2


def test_unit_of_work_gives_up_after_three_tries_at_a_stale_aggregate(unit_of_work, organisation):
    """A version that never fits and a key that stays taken become ConcurrentChange."""
    unit_of_work.run(organisation, lambda work: work.rows("things").insert_one({"_id": "a", "version": 7}))
    runs = []

    def stale(work):
        runs.append(1)
        work.rows("things").replace_version({"_id": "a", "version": 2}, 1)

    with pytest.raises(ConcurrentChange):
        unit_of_work.run(organisation, stale)
    assert len(runs) == 3
    with pytest.raises(ConcurrentChange):
        unit_of_work.run(organisation, lambda work: work.rows("things").insert_many([{"_id": "a"}]))


def test_unit_of_work_gives_the_clock_and_new_identifiers(make_unit_of_work, organisation):
    """`now` comes from the clock, aware; identifiers differ."""

    class Still:
        def now(self):
            return datetime(2026, 1, 2, tzinfo=UTC)

        def monotonic(self):
            return 0.0

        def sleep(self, seconds):
            """Do not wait."""

    unit = make_unit_of_work(clock=Still())
    now, ids = unit.run(organisation, lambda work: (work.now, {work.new_id(), work.new_id()}))
    assert now == datetime(2026, 1, 2, tzinfo=UTC)
    assert len(ids) == 2


def test_an_event_apart_shares_no_correlation_with_the_rest_of_its_commit(unit_of_work, organisation):
    """By its correlation, causation and trace nobody can tell what else the same request did."""

    def record(work):
        work.emit(an_event("a"), msgspec.structs.replace(an_event("b"), apart=True))

    unit_of_work.run(organisation, record, cause=Cause("why", "because", "00-trace"))
    together, apart = unit_of_work.database(organisation)["org_entries"].find_one({})["events"]
    assert together["correlationid"] == "why"
    assert apart["correlationid"] != "why"
    assert apart.get("causationid") is None
    assert apart.get("traceparent") is None


class LostCommit:
    """A real session whose first commit happens, or does not, and whose answer is "no such transaction"."""

    def __init__(self, client, *, happens: bool) -> None:
        self.session = client.start_session()
        self._commit = self.session.commit_transaction
        self._happens = happens
        self.session.commit_transaction = self.lose_once

    def lose_once(self) -> None:
        """Lose the first answer; later commits are the session's own."""
        self.session.commit_transaction = self._commit
        if self._happens:
            self._commit()
        else:
            self.session.abort_transaction()
        raise OperationFailure("no such transaction", code=251)


@pytest.mark.parametrize("happens", [True, False])
def test_p2_lost_answer_to_a_commit_leads_to_one_effect(unit_of_work, organisation, mongo_client, happens):
    """Whether the commit whose answer was lost had happened or not: one row, one entry, the callback's result."""
    lost = LostCommit(mongo_client, happens=happens)
    runs = []

    def place(work):
        runs.append(1)
        work.rows("things").insert_one({"_id": work.new_id()})
        work.emit(an_event())
        return "placed"

    with lost.session:
        assert unit_of_work.run(organisation, place, session=lost.session) == "placed"
    database = unit_of_work.database(organisation)
    assert [database[name].count_documents({}) for name in ("things", "org_entries", "org_pending")] == [1, 1, 1]
    assert len(runs) == (1 if happens else 2)


def test_p2_lost_answer_without_an_event_is_unavailable_and_never_guessed(unit_of_work, organisation, mongo_client):
    """With no entry to look for nobody can know: the asker is told to repeat, and nothing is run a second time."""
    lost = LostCommit(mongo_client, happens=True)
    with lost.session, pytest.raises(Unavailable, match="repeat"):
        unit_of_work.run(
            organisation, lambda work: work.rows("things").insert_one({"_id": work.new_id()}), session=lost.session
        )
    assert unit_of_work.database(organisation)["things"].count_documents({}) == 1
