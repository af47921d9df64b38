"""The simulation's store passes the same cases as the real database: a fake that differs would prove nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError

from shared.storage.mongo import MAJORITY, SNAPSHOT
from tests.faults.simulation.scheduler import Process, Scheduler
from tests.faults.simulation.store import Server
from tests.faults.simulation.store_client import Client, StoreFaults

TRANSIENT = "TransientTransactionError"


@pytest.fixture(params=["simulated", "real"])
def client(request) -> Iterator[object]:
    """A client of the simulated store, and of the real one."""
    if request.param == "real":
        yield request.getfixturevalue("mongo_client")
        return
    scheduler = Scheduler(1, switch_rate=0.0)
    yield Client(Server(scheduler.monotonic), Process(scheduler, "test"), StoreFaults())


@pytest.fixture
def rows(client, new_organisation):
    """An empty collection."""
    return client[f"conformance__{new_organisation('store')}"]["rows"]


def begin(client):
    """Return a session with a transaction begun as the unit of work begins them."""
    session = client.start_session()
    session.start_transaction(SNAPSHOT, MAJORITY)
    return session


def kept(rows, **wanted):
    """Return what is there, by `_id`."""
    return {doc.pop("_id"): doc for doc in rows.find(wanted)}


def test_documents_come_back_as_they_were_kept(rows):
    """Texts, numbers, nothing, bytes, lists, parts and aware instants of whole milliseconds."""
    moment = datetime(2026, 1, 5, 9, 0, 0, 123000, tzinfo=UTC)
    doc = {
        "_id": "a",
        "n": 2**40,
        "none": None,
        "raw": b"\x00\xff",
        "list": [1, [2]],
        "part": {"x": True},
        "at": moment,
    }
    rows.insert_one(dict(doc))
    assert rows.find_one({"_id": "a"}) == doc
    assert rows.find_one({"at": moment})["_id"] == "a"


def test_filters_find_what_they_name(rows):
    """Equality, absence as null, `$in`, projections that name and that leave out, sort, limit, count."""
    rows.insert_many(
        [{"_id": number, "kind": "even" if number % 2 == 0 else None, "n": -number} for number in range(5)]
    )
    rows.insert_one({"_id": 9})
    assert set(kept(rows, kind="even")) == {0, 2, 4}
    assert set(kept(rows, kind=None)) == {1, 3, 9}
    assert set(kept(rows, _id={"$in": [1, 2, 77]})) == {1, 2}
    assert rows.find_one({"_id": 2}, {"_id": 1}) == {"_id": 2}
    assert rows.find_one({"_id": 2}, {"kind": 0}) == {"_id": 2, "n": -2}
    assert [doc["_id"] for doc in rows.find({"kind": "even"}, sort=[("n", 1)], limit=2)] == [4, 2]
    assert rows.count_documents({"kind": "even"}) == 3


def test_guarded_updates_say_how_many_they_met(rows):
    """A guard that fails changes nothing and says 0."""
    rows.insert_one({"_id": "head", "epoch": 3, "until": None})
    assert rows.update_one({"_id": "head", "epoch": 2}, {"$set": {"epoch": 9}}).matched_count == 0
    assert rows.update_one({"_id": "head", "epoch": 3, "until": None}, {"$set": {"epoch": 4}}).matched_count == 1
    assert rows.update_one({"_id": "head"}, {"$inc": {"turn": 1}}).matched_count == 1
    rows.insert_one({"_id": "list", "blocked": ["a", "b"]})
    for other in ([], ["a"], ["b", "a"], ["a", "b", "c"]):
        assert rows.update_one({"_id": "list", "blocked": other}, {"$set": {"blocked": []}}).matched_count == 0
    assert rows.update_one({"_id": "list", "blocked": ["a", "b"]}, {"$set": {"blocked": []}}).matched_count == 1
    assert rows.update_one({"_id": "list", "blocked": ["a"]}, {"$set": {"blocked": ["c"]}}).matched_count == 0
    assert rows.update_one({"_id": "list", "blocked": []}, {"$inc": {"turn": 1}}).matched_count == 1
    rows.delete_many({"_id": "list"})
    assert rows.update_one({"_id": "new"}, {"$inc": {"sum": 5}}, upsert=True).matched_count == 0
    assert rows.update_one({"_id": "new"}, {"$push": {"order": 7}}).matched_count == 1
    assert rows.replace_one({"_id": "absent"}, {"x": 1}).matched_count == 0
    assert rows.delete_many({"epoch": {"$in": [1, 2]}}).deleted_count == 0
    assert kept(rows) == {"head": {"epoch": 4, "until": None, "turn": 1}, "new": {"sum": 5, "order": [7]}}


def test_bulk_carries_out_in_order_up_to_the_first_that_fails(rows):
    """What comes before the fault is kept."""
    rows.bulk_write(
        [
            InsertOne({"_id": 1}),
            UpdateOne({"_id": 1}, {"$set": {"x": 2}}),
            ReplaceOne({"_id": 3}, {"y": 1}, upsert=True),
        ]
    )
    with pytest.raises(BulkWriteError) as caught:
        rows.bulk_write([DeleteOne({"_id": 3}), InsertOne({"_id": 1}), InsertOne({"_id": 8})])
    assert [fault["code"] for fault in caught.value.details["writeErrors"]] == [11000]
    assert kept(rows) == {1: {"x": 2}}


def test_second_of_one_id_is_refused(rows):
    """`_id` is unique, and so is what an index says."""
    rows.insert_one({"_id": 1, "person": "p", "module": "m"})
    with pytest.raises(DuplicateKeyError):
        rows.insert_one({"_id": 1})
    rows.create_index([("person", 1), ("module", 1)], unique=True)
    with pytest.raises(DuplicateKeyError):
        rows.insert_one({"_id": 2, "person": "p", "module": "m"})


def test_transaction_is_seen_by_nobody_before_its_commit_and_whole_after_it(client, rows):
    """Its own reads see its writes; others see none, then all."""
    rows.insert_one({"_id": "old", "n": 1})
    session = begin(client)
    rows.insert_one({"_id": "new"}, session=session)
    rows.update_one({"_id": "old"}, {"$set": {"n": 2}}, session=session)
    assert {doc["_id"] for doc in rows.find({}, session=session)} == {"old", "new"}
    assert kept(rows) == {"old": {"n": 1}}
    session.commit_transaction()
    assert kept(rows) == {"old": {"n": 2}, "new": {}}
    session.end_session()


def test_transaction_reads_one_snapshot(client, rows):
    """What others commit meanwhile is not seen."""
    rows.insert_one({"_id": 1, "n": 1})
    session = begin(client)
    assert rows.find_one({"_id": 1}, session=session)["n"] == 1
    rows.update_one({"_id": 1}, {"$set": {"n": 2}})
    rows.insert_one({"_id": 2})
    assert [doc["n"] for doc in rows.find({"_id": {"$in": [1, 2]}}, session=session)] == [1]
    session.abort_transaction()
    session.end_session()


def _both(*steps):
    for step in steps:
        step()


@pytest.mark.parametrize("change", ["update", "insert"])
def test_transaction_that_comes_second_is_told_to_try_again(client, rows, change):
    """Of two that change the same, the second fails with the label that says so (or finds the key taken)."""
    rows.insert_one({"_id": 1, "n": 1})
    first, second = begin(client), begin(client)
    for session in (first, second):
        rows.find_one({"_id": 1}, session=session)

    def act(session):
        if change == "update":
            rows.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
        else:
            rows.insert_one({"_id": 2}, session=session)

    act(first)
    first.commit_transaction()
    with pytest.raises(PyMongoError) as caught:
        _both(lambda: act(second), second.commit_transaction)
    assert caught.value.has_error_label(TRANSIENT) or isinstance(caught.value, DuplicateKeyError)
    if second.in_transaction:
        second.abort_transaction()
    assert rows.find_one({"_id": 1})["n"] == (2 if change == "update" else 1)
    for session in (first, second):
        session.end_session()


def test_aborted_transaction_leaves_nothing_and_commits_may_be_asked_for_again(client, rows):
    """Abort, then another transaction of the same session; its commit twice is one."""
    session = begin(client)
    rows.insert_one({"_id": "never"}, session=session)
    session.abort_transaction()
    assert not session.in_transaction
    session.start_transaction(SNAPSHOT, MAJORITY)
    rows.insert_one({"_id": "once"}, session=session)
    session.commit_transaction()
    session.commit_transaction()
    assert set(kept(rows)) == {"once"}
    session.end_session()


def test_killed_session_has_no_transaction_any_more(client, rows):
    """A successor ends its predecessor's session: what was open is gone, its locks too, and the session lives on."""
    rows.insert_one({"_id": 1, "n": 1})
    session = begin(client)
    rows.update_one({"_id": 1}, {"$set": {"n": 2}}, session=session)
    client.admin.command("killSessions", [{"id": session.session_id["id"]}])
    rows.update_one({"_id": 1}, {"$set": {"n": 3}})
    with pytest.raises(OperationFailure) as caught:
        rows.update_one({"_id": 1}, {"$set": {"n": 4}}, session=session)
    assert caught.value.has_error_label(TRANSIENT)
    session.abort_transaction()
    session.start_transaction(SNAPSHOT, MAJORITY)
    rows.update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
    session.commit_transaction()
    assert kept(rows) == {1: {"n": 4}}
    session.end_session()
