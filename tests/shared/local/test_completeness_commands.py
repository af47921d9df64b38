"""`freshness`, `verify-feed --against`, `recover-feed`, `adopt-feed` on a real database and broker of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import shared
from shared.clock import SystemClock
from shared.events.envelope import GENESIS
from shared.events.feed import FeedName
from shared.events.ledger import HashIndex, Ledger
from shared.identifiers import new_identifier
from shared.local.cli import main
from shared.partnership import load
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.backbone import bootstrap, broker_server, database_server, database_uri
from shared.testing.backups import backup_of, restore
from shared.testing.feeds import a_relay, commits

pytestmark = [pytest.mark.backbone, pytest.mark.timeout(180)]

FILE = Path(shared.__file__).parent.parent / "scenarios" / "marchland" / "partnership.yaml"
FEED = FeedName("org", "vale", "enrolment")
VALE = ("--organisation", "vale", "--service", "enrolment")
APPLY = ("--apply", "--reason", "the disk of Tuesday night", "--by", "somebody")


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A database and a broker; their addresses stand where `partnership up` writes them."""
    folder = tmp_path_factory.mktemp("completeness")
    database, broker = database_server(folder / "database"), broker_server(folder / "broker")
    database.start()
    broker.start()
    told = {
        "PARTNERSHIP_FILE": str(FILE),
        "MONGODB_URI": database_uri(database),
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap(broker),
    }
    (folder / "running.json").write_text(json.dumps({"environment": told}))
    yield folder, database_uri(database), bootstrap(broker)
    database.stop()
    broker.stop()


@pytest.fixture
def run(stores):
    """A way to run a command: its exit code and what it said."""

    def command(name, *words):
        found = CliRunner().invoke(main, [name, "--state", str(stores[0]), *words])
        return found.exit_code, found.output

    return command


@pytest.fixture
def unit(stores):
    """The employer's database, empty."""
    with connect(stores[1], appname="test") as client:
        for name in client.list_database_names():
            if name.startswith(("enrolment__", "reporting__")):
                for collection in client[name].list_collection_names():
                    client[name][collection].delete_many({})
        yield UnitOfWork(client=client, service="enrolment", clock=SystemClock(), new_identifier=new_identifier)


def send(stores, feed=FEED):
    """Let a feed's relay do its work."""
    relay = a_relay(stores[1], stores[2], [feed], holder="same", heartbeat_seconds=0.0)
    relay.step()
    relay.close()


def board_reads(unit, number, head, feed=FEED, **more):
    """Put the board's reader where it read a feed to."""
    place = {"number": number, "head": head, "next": 0, "place": "p", "generation": "g", "epoch": 1, "decisions": 0}
    positions = unit.client["reporting__marchland-board"]["positions"]
    positions.replace_one({"_id": feed.topic}, {"_id": feed.topic, **place, "blocked": [], **more}, upsert=True)
    return positions


def test_p14_an_owner_from_a_backup_is_found_and_brought_back(stores, run, unit, tmp_path):
    """The runbook's commands in their order, where the log knows more; then those where readers alone do."""
    commits(unit, "vale", 3)
    send(stores)
    backup = backup_of(unit.database("vale"))
    commits(unit, "vale", 2, first=4)
    send(stores)
    ledger = Ledger(unit.reading("vale"), FEED)
    board_reads(unit, 5, ledger.head().hash)
    assert run("verify-feed", *VALE, "--against", "log", "--against", "readers")[0] == 0

    restore(unit.database("vale"), backup)
    code, said = run("freshness", "--organisation", "vale")
    assert (code, "recover-feed --organisation vale --service enrolment" in said) == (1, True)
    code, said = run("verify-feed", *VALE, "--against", "log", "--against", "readers")
    assert (code, "number 4: on the log and not in the database" in said) == (1, True)
    assert "number 5: read by reporting of marchland-board, and this database ends at 3" in said
    code, said = run("recover-feed", *VALE, "--list", str(tmp_path / "lost.tsv"))
    assert (code, "2 were told by what people did" in said) == (1, True)
    lines = (tmp_path / "lost.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["number", "4", "5"]
    assert run("recover-feed", *VALE, "--apply")[0] == 2
    assert run("recover-feed", *VALE, *APPLY)[0] == 0
    assert run("verify-feed", *VALE, "--against", "log", "--against", "readers")[0] == 0
    assert unit.database("vale")["brought_back"].count_documents({}) == 2
    goes_on_without_the_log(run, unit, ledger)


def goes_on_without_the_log(run, unit, ledger):
    """The board has read four events more, which nobody else has: it is found, and adopted by a person's word."""
    positions = board_reads(unit, 9, "f" * 64)
    code, said = run("recover-feed", *VALE)
    assert (code, "number 9: read by reporting of marchland-board, and the log ends at 5" in said) == (1, True)
    code, said = run("freshness")
    assert (code, "read to 9, and its owner names 5" in said) == (1, True)
    code, said = run("adopt-feed", *VALE, "--number", "5")
    assert (code, "reporting of marchland-board has taken 6 to 9, which stays done" in said) == (0, True)
    assert positions.find_one({"_id": FEED.topic})["number"] == 9
    assert run("adopt-feed", *VALE, "--number", "7", *APPLY)[0] == 1, "the owner's log does not go there"
    assert run("adopt-feed", *VALE, "--number", "5", *APPLY)[0] == 0
    moved = positions.find_one({"_id": FEED.topic})
    assert (moved["number"], moved["head"]) == (5, HashIndex(ledger, ledger.head()).hash_at(5))
    assert run("recover-feed", *VALE)[0] == 0


def test_freshness_names_what_differs_and_is_content_otherwise(stores, run, unit):
    """The reader's own count against the owner's heartbeat, another partnership file, and nothing when all is well."""
    feed = FeedName("org", "marchland", "enrolment")
    commits(unit, "marchland", 2)
    send(stores, feed)
    head = Ledger(unit.reading("marchland"), feed).head()
    tally = {"number": head.number, "counts": [["test.happened.v1", 1]], "credits": 20}
    board_reads(unit, head.number, head.hash, feed, tally=tally)
    code, said = run("freshness", "--service", "reporting")
    assert code == 1
    assert f"test.happened.v1: 1 here, {head.number} at the owner" in said
    assert "credits: 20 here, 0 at the owner" in said
    assert "another partnership file: ffffffff" in said, "the test's relay has one of its own"
    assert load(FILE).hash != "f" * 64
    assert head.hash != GENESIS
    assert run("freshness", "--service", "accreditation") == (0, "0 readings, 0 to look at\n")
