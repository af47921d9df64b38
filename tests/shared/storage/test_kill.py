"""The database killed as by a power cut, under load: every acknowledged commit is found again."""

from threading import Event, Lock, Thread

import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.feed import FeedName
from shared.events.numbering import Numbering, in_order, pending_from
from shared.identifiers import new_identifier
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.backbone import database_server, database_uri
from shared.testing.feeds import an_event

KILLS = 2


@pytest.fixture
def own_database(tmp_path):
    """A database of this test alone, that it may kill."""
    server = database_server(tmp_path / "database")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_unit_of_work(own_database):
    """A unit of work on that database."""
    client = connect(database_uri(own_database), appname="kill")
    yield UnitOfWork(client=client, service="enrolment", clock=SystemClock(), new_identifier=new_identifier)
    client.close()


class Writer(Thread):
    """Commits a row and its event, again and again, and remembers which were acknowledged."""

    def __init__(self, unit_of_work, name, stop) -> None:
        super().__init__()
        self.unit_of_work, self.prefix, self.stop = unit_of_work, name, stop
        self.acknowledged, self.refused, self.lock = [], 0, Lock()

    def run(self):
        """Write until stopped."""
        number = 0
        while not self.stop.is_set():
            number += 1
            key = f"{self.prefix}{number}"
            try:
                self.unit_of_work.run("brent", lambda work, key=key: self.write(work, key))
            except Unavailable:
                self.refused += 1
            else:
                self.acknowledged.append(key)

    def write(self, work, key):
        """Make one row and one event."""
        work.rows("things").insert_one({"_id": key, "version": 1})
        work.emit(an_event(key))


def test_database_killed_under_load_keeps_every_acknowledged_commit(own_database, own_unit_of_work):
    """After kill -9 each acknowledged row stands with exactly one event, and no event stands without its row."""
    clock, stop = SystemClock(), Event()
    writers = [Writer(own_unit_of_work, name, stop) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for _ in range(KILLS):
        clock.sleep(1.5)
        own_database.kill()
        own_database.start()
    clock.sleep(0.5)
    stop.set()
    for writer in writers:
        writer.join()
    acknowledged = [key for writer in writers for key in writer.acknowledged]
    database = own_unit_of_work.database("brent")
    rows = {found["_id"] for found in database["things"].find({})}
    subjects = [event["subject"] for entry in database["org_entries"].find({}) for event in entry["events"]]
    assert len(acknowledged) > KILLS * 10
    assert set(acknowledged) <= rows
    assert sorted(subjects) == sorted(rows)
    waiting = [pending_from(found) for found in database["org_pending"].find({})]
    assert len(in_order(waiting)) == len(rows)
    assert Numbering(own_unit_of_work, FeedName("org", "brent", "enrolment"), {}).is_waiting()


def test_unit_of_work_says_unavailable_when_no_database_answers(own_database, own_unit_of_work):
    """A database that is gone is `Unavailable`, for commits and for queries, and all is well when it is back."""
    own_unit_of_work.run("brent", lambda work: work.rows("things").insert_one({"_id": 1}))
    own_database.kill()
    with pytest.raises(Unavailable):
        own_unit_of_work.run("brent", lambda work: work.rows("things").insert_one({"_id": 2}))
    with pytest.raises(Unavailable):
        own_unit_of_work.reading("brent").rows("things").find_one({})
    own_database.start()
    own_unit_of_work.run("brent", lambda work: work.rows("things").insert_one({"_id": 3}))
    assert own_unit_of_work.reading("brent").rows("things").count({}) == 2
