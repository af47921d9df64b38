"""`partnership parked …` on a real database: what an operator reads, and what two of them decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import shared
from shared.events import alarms, parking
from shared.events.checking import Next
from shared.events.envelope import GENESIS, Envelope
from shared.events.requests import replay_requests
from shared.local.cli import main

FILE = Path(shared.__file__).parent.parent / "scenarios" / "north-west-london" / "partnership.yaml"
FEED = "org.brent.enrolment.v1"
PERSON = "0198c9a0-7d1e-7c3a-9a4e-0d6d1f2a3b4c"
CANARY = "Ada Lovelace"


def event(number: int) -> Next:
    """Return a parked event that holds what nobody may read."""
    data = {"enrolment_id": PERSON, "course": "SAR", "pcf_level": CANARY}
    envelope = Envelope(
        id=PERSON, source=f"/feeds/{FEED}", type="enrolment.requested.v1", subject=PERSON,
        time="2026-01-01T00:00:00.000Z", dataschema="", organisation="brent", feedseq=number, prevhash=GENESIS,
        correlationid=PERSON, data=json.dumps(data).encode(),
    )  # fmt: skip
    return Next(envelope, "f" * 64)


@pytest.fixture
def run(monkeypatch, make_unit_of_work, mongodb_uri, database_prefix, tmp_path):
    """A way to run `partnership parked` for ealing's assessment, in which two events of one key are parked."""
    prefix = database_prefix[-10:]
    given = {
        "PARTNERSHIP_FILE": str(FILE),
        "MONGODB_URI": mongodb_uri,
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "DATABASE_PREFIX": prefix,
        "TRUSTED_ISSUERS_FILE": str(tmp_path / "none"),
        "ORGANISATION_KEYS_DIR": str(tmp_path),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    unit = make_unit_of_work("assessment", prefix=prefix)

    def write(work):
        first = parking.event_document(FEED, event(2), "bug:KeyError", is_cause=True, at=work.now)
        second = parking.event_document(FEED, event(3), parking.FOLLOWS, is_cause=False, at=work.now)
        parking.park(work, [first, second])

    unit.run("ealing", write)

    def call(command: str, *arguments: str):
        where = ["--state", str(tmp_path), "--organisation", "ealing", "--service", "assessment"]
        return CliRunner().invoke(main, ["parked", command, *where, *arguments])

    call.unit = unit
    return call


def test_list_says_reasons_with_causes_and_followers_and_records_where_asked_for(run):
    """One line per reason; with --records one per record; never a value."""
    listed = run("list")
    assert listed.exit_code == 0
    assert "bug:KeyError" in listed.stdout
    assert "1 causes      1 followers" in listed.stdout
    assert listed.stdout.splitlines()[-1] == "2 parked"
    records = run("list", "--records").stdout
    assert f"{FEED}#2" in records
    assert f"{FEED}#3" in records
    assert CANARY not in records
    assert PERSON not in records


def test_show_masks_what_is_personal(run):
    """Codes are shown, ids by their beginning, what breaks the contract not at all."""
    shown = run("show", f"{FEED}#2").stdout
    assert "/course" in shown
    assert "SAR" in shown
    assert "not what the contract says" in shown
    assert CANARY not in shown
    assert PERSON not in shown
    assert run("show", "nothing").exit_code == 1


def test_replay_and_dry_run_are_asked_of_the_reader(run):
    """Both are kept for it, with who and why, and the list shows them and their answers."""
    assert run("replay", "--reason", "mended", "--by", "one", f"{FEED}#3").exit_code == 0
    assert run("replay", "--dry-run", "--reason", "a look", "--by", "two", f"{FEED}#2").exit_code == 0
    kept = {one.is_dry: (one.key, one.by, one.reason) for one in replay_requests(run.unit, "ealing")}
    assert kept == {False: (PERSON, "one", "mended"), True: (PERSON, "two", "a look")}
    answer = {"state": "rehearsed", "taken": 1, "tried": 2, "waiting": 2, "failed_at": 3, "code": "bug:KeyError"}
    run.unit.database("ealing")["replay_requests"].update_one({"dry": True}, {"$set": answer})
    listed = run("list").stdout
    assert "would take 1 of 2 tried, 2 waiting; it would fail at 3: bug:KeyError" in listed
    assert f"replay of {FEED} {PERSON[:8]}… asked" in listed


def test_i11_discard_takes_two_people(run):
    """The same person is refused with exit code 1; another one confirms; both stand in `show`."""
    assert run("discard", f"{FEED}#2").exit_code == 2
    assert run("discard", "--confirm", "--by", "two", f"{FEED}#2").exit_code == 1
    assert run("discard", "--reason", "a mistake", "--by", "one", f"{FEED}#2", f"{FEED}#3").exit_code == 0
    refused = run("discard", "--confirm", "--by", "One", f"{FEED}#2")
    assert refused.exit_code == 1
    assert "second person" in refused.stderr
    assert run("list").stdout.splitlines()[-1] == "2 parked"
    assert run("discard", "--confirm", "--by", "two", f"{FEED}#2", f"{FEED}#3").exit_code == 0
    assert run("list").stdout.splitlines()[-1] == "0 parked"
    shown = run("show", f"{FEED}#2").stdout
    assert "discard-asked by one: a mistake" in shown
    assert "discarded by two: a mistake" in shown


def test_k13_stopped_feed_is_named_with_its_reason_and_resumed(run):
    """The list begins with it and says how it goes on; after `resume` it is gone from the list."""
    alarm = alarms.Alarm(feed=FEED, kind=alarms.LIMIT, number=51, detail="too much is parked")
    alarms.raise_alarm(run.unit, "ealing", alarm)
    first = run("list").stdout.splitlines()[0]
    assert first == f"STOPPED {FEED} at 51 (limit): too much is parked"
    assert run("resume", "--reason", "mended", "--by", "one", FEED).exit_code == 0
    assert "STOPPED" not in run("list").stdout
    assert run("resume", "--reason", "mended", "--by", "one", FEED).exit_code == 1
