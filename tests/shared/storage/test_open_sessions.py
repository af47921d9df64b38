"""A process killed inside a transaction: its successor frees the locks, and nobody touches the living."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from pymongo import timeout
from pymongo.errors import PyMongoError

from shared.identifiers import new_identifier
from shared.storage.mongo import connect
from shared.storage.open_sessions import OpenSessions

HOLDS_A_ROW = """
import sys
from pathlib import Path
from shared.storage.mongo import connect
from shared.storage.open_sessions import OpenSessions

uri, directory, database = sys.argv[1:]
client = connect(uri, appname="holder")
sessions = OpenSessions(Path(directory))
with client.start_session() as session:
    sessions.note(session)
    session.start_transaction()
    client[database]["rows"].update_one({"_id": "seat"}, {"$set": {"by": "holder"}}, session=session)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(mongodb_uri):
    """A database with one seat that nobody has."""
    with connect(mongodb_uri, appname="test") as client:
        found = client[f"sessions_{new_identifier()[-8:]}"]
        found["rows"].insert_one({"_id": "seat", "by": "nobody"})
        yield found
        client.drop_database(found)


@pytest.fixture
def a_process(tmp_path):
    """Begin as a process of that directory does; ended with the test."""
    with ExitStack() as until_the_end:
        yield lambda: until_the_end.enter_context(closing(OpenSessions(tmp_path)))


@pytest.fixture
def holder(mongodb_uri, database, a_process, tmp_path):
    """A process that stands inside a transaction which has changed the seat."""
    given = [sys.executable, "-c", HOLDS_A_ROW, mongodb_uri, str(tmp_path), database.name]
    process = subprocess.Popen(given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    a_process().end_predecessors(database.client)  # a database is not dropped under an open transaction


def changes_the_seat(database) -> bool:
    """Try to change the seat; False where another transaction holds it: some databases refuse at once, others wait."""
    with database.client.start_session() as session:
        session.start_transaction()
        try:
            with timeout(1):
                database["rows"].update_one({"_id": "seat"}, {"$set": {"by": "successor"}}, session=session)
        except PyMongoError as error:
            if not error.timeout and not error.has_error_label("TransientTransactionError"):
                raise
            return False
        session.commit_transaction()
    return True


def files(directory: Path) -> int:
    """How many processes have, or had, sessions there."""
    return len(list(directory.glob("*.sessions")))


def test_p1_successor_frees_what_a_killed_process_had_locked(database, holder, a_process, tmp_path):
    """Until its session is ended the seat is locked; then the successor has it, and the file is gone."""
    successor = a_process()
    assert not changes_the_seat(database)
    holder.kill()
    holder.wait()
    assert not changes_the_seat(database)
    assert successor.end_predecessors(database.client) == 1
    assert changes_the_seat(database)
    assert database["rows"].find_one()["by"] == "successor"
    assert files(tmp_path) == 1


def test_sessions_of_a_living_process_are_left_alone(database, holder, a_process, tmp_path):
    """A sibling goes on with its transaction."""
    assert a_process().end_predecessors(database.client) == 0
    assert holder.poll() is None
    assert not changes_the_seat(database)
    assert files(tmp_path) == 2


def test_database_that_does_not_answer_leaves_them_for_the_next(database, holder, a_process, tmp_path):
    """The file stays until somebody could tell the database."""
    holder.kill()
    holder.wait()
    successor = a_process()
    with connect("mongodb://127.0.0.1:9/?directConnection=true&serverSelectionTimeoutMS=200", appname="test") as away:
        assert successor.end_predecessors(away) == 0
    assert files(tmp_path) == 2
    assert successor.end_predecessors(database.client) == 1


def test_session_is_written_once_and_a_torn_one_is_left_out(database, a_process, tmp_path):
    """A write that the death cut short begins no transaction: it is no session to end."""
    first = a_process()
    with database.client.start_session() as session:
        first.note(session)
        first.note(session)
        [file] = tmp_path.glob("*.sessions")
        assert file.read_bytes() == bytes(session.session_id["id"])
    first._file.write(b"torn")
    first.close()
    assert a_process().end_predecessors(database.client) == 1
