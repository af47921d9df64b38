"""The runbooks, played step by step on the whole platform with its real commands, processes, database and broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kafka import KafkaProducer

from services.reporting.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.reporting.storage.feeds import feed_states
from services.reporting.storage.repositories import MongoRooms
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.envelope import Envelope, Opened
from shared.events.feed_reading import ReadingRules
from shared.events.log import OwnLog
from shared.events.reader import build_reader
from shared.events.records import encode, encode_unnumbered
from shared.identifiers import new_identifier
from shared.local.cli import main
from shared.local.platform import RunningPlatform
from shared.local.play.doors import Doors, PlayError
from shared.process.settings import CommonSettings, load
from shared.storage.mongo import connect
from shared.testing.backbone import bootstrap, broker_server
from shared.testing.backups import backup_of, restore
from tests.journeys.conftest import a_platform
from tests.journeys.test_restart import BOARD, EMPLOYER, MARCHLAND, counted, nominate, open_course, records

pytestmark = [pytest.mark.journey, pytest.mark.faults, pytest.mark.timeout(300)]

OWN = ["--organisation", EMPLOYER, "--service", "enrolment"]
TOPIC = f"org.{EMPLOYER}.enrolment.v1"
AGAIN = "have happened again"


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[RunningPlatform]:
    """The whole platform, once for all runbooks."""
    with a_platform(tmp_path_factory.mktemp("runbooks"), MARCHLAND / "partnership.yaml") as started:
        yield started


@pytest.fixture(scope="module")
def doors(platform) -> Iterator[Doors]:
    """The public doors, with a course that one employer has nominated somebody for."""
    made = Doors(platform, SystemClock())
    open_course(made)
    nominate(made, records()[0])
    made.until("the board's projection", lambda: counted(made).get("nominated") == 1)
    yield made
    made.close()


@pytest.fixture
def partnership(platform):
    """A way to run a command of the operator's."""

    def run(*words: str) -> Result:
        command, rest = words[0], words[1:]
        return CliRunner().invoke(main, [command, "--state", str(platform.place.directory), *rest])

    return run


def heads(doors: Doors) -> dict[str, object]:
    """Return the employer's feed head."""
    operator = doors.as_("enrolment", EMPLOYER, "operator")
    return operator.get(operator.path("feed"), limit=1)["head"]


def test_p14_runbook_an_owners_database_was_restored_from_a_backup(platform, doors, partnership, tmp_path):
    """As the page says: all stopped, the relay alone, look, bring back, the reader, what people did, the API last.

    Noticed before anything is numbered, whole again: nothing is lost or told twice, and who is put in again under their
    employee reference has the same opaque id.
    """
    before, opaque_id, held = stopped_and_restored(platform, doors)
    wake(held, "enrolment-relay")  # step 2: alone
    doors.until("an alarm", lambda: partnership("freshness", "--service", "enrolment").exit_code == 1)
    look(partnership, tmp_path / "lost.tsv")
    assert owned(platform)["head"]["number"] < before["number"], "nothing was numbered meanwhile"

    assert partnership("recover-feed", *OWN, "--apply").exit_code == 2, "a reason is needed"
    done = partnership("recover-feed", *OWN, "--apply", "--reason", "the disk of Tuesday night")  # step 3
    assert done.exit_code == 0, done.output
    assert {name: owned(platform)["head"][name] for name in before} == before

    wake(held, "enrolment-consume")  # step 4: what it would tell a second time is left out, and counted
    doors.until("the reactions to happen again", lambda: AGAIN in partnership("recover-feed", *OWN).output)
    assert {name: owned(platform)["head"][name] for name in before} == before, "nothing is told twice"

    wake(held, "enrolment-worker")
    wake(held, "enrolment-api")  # step 5: what a person did, by a person; then step 6
    doors.until("the service again", lambda: heads(doors) == before)
    nominate(doors, records()[1])
    assert requested_last(platform) == opaque_id
    doors.until("everything to be fresh", lambda: partnership("freshness", "--service", "enrolment").exit_code == 0)
    assert partnership("verify-feed", *OWN, "--against", "log", "--against", "readers").exit_code == 0
    assert partnership("recover-feed", *OWN).exit_code == 0
    nominate(doors, records()[2])
    # the one who was put in again stands twice, as the page warns, until both sides agree which nomination stands
    doors.until("the board's projection", lambda: counted(doors).get("nominated") == 4)


def look(partnership, events: Path) -> None:
    """See what each of the page's questions answers; nothing is changed by looking."""
    found = partnership("freshness", "--service", "enrolment")
    assert f"recover-feed --organisation {EMPLOYER} --service enrolment" in found.output
    walked = partnership("verify-feed", *OWN, "--against", "log", "--against", "readers")
    assert walked.exit_code == 1
    assert "on the log and not in the database" in walked.output
    assert "read by reporting of" in walked.output
    rehearsed = partnership("recover-feed", *OWN, "--list", str(events))
    assert rehearsed.exit_code == 1
    assert "can be brought back, with the same numbers and bytes" in rehearsed.output
    assert "enrolment.requested" in events.read_text()


def stopped_and_restored(platform: RunningPlatform, doors: Doors) -> tuple[dict[str, object], str, dict[str, int]]:
    """Nominate somebody, stop every part of the service, put its database back, and hold its parts back.

    Returns:
        The head that was, the opaque id of who was nominated, and the held parts' processes.
    """
    held: dict[str, int] = {}
    with connect(platform.backbone.mongodb_uri, appname="test") as client:
        database = client[f"enrolment__{EMPLOYER}"]
        backup = backup_of(database)
        nominate(doors, records()[1])
        doors.until("the board's projection", lambda: counted(doors).get("nominated") == 2)
        doors.until("the log to be whole", lambda: is_whole_here(platform, doors))
        before, opaque_id = heads(doors), requested_last(platform)
        for name, pid in platform.supervisor.pids().items():
            if name.startswith("enrolment-"):
                os.kill(pid, signal.SIGTERM)
                doors.until("the part's end", lambda name=name, pid=pid: platform.supervisor.pids().get(name) != pid)
                held[name] = platform.supervisor.pids()[name]
                os.kill(held[name], signal.SIGSTOP)  # it has only just begun: nothing of it is open
        restore(database, backup)
    return before, opaque_id, held


def wake(held: dict[str, int], part: str) -> None:
    """Let a part go on from where it was held back: its beginning."""
    os.kill(held[part], signal.SIGCONT)


def owned(platform: RunningPlatform) -> dict[str, dict]:
    """Return the state of the employer's feed as its database has it, by name."""
    with connect(platform.backbone.mongodb_uri, appname="test") as client:
        return {doc["_id"]: doc for doc in client[f"enrolment__{EMPLOYER}"]["org_state"].find({})}


def requested_last(platform: RunningPlatform) -> str:
    """Return the opaque id of whoever the employer's log tells of last as asked for."""
    bodies = [one.body for one in log(platform).read(0) if isinstance(one.body, Envelope)]
    asked = [json.loads(body.data) for body in bodies if body.type == "enrolment.requested.v1"]
    return str(asked[-1]["practitioner_id"])


def is_whole_here(platform: RunningPlatform, doors: Doors) -> bool:
    """Return whether the employer's log ends at its head."""
    found = [one.body.feedseq for one in log(platform).read(0) if isinstance(one.body, Envelope)]
    return bool(found) and found[-1] == heads(doors)["number"]


def log(platform: RunningPlatform) -> OwnLog:
    """Return the employer's log."""
    return OwnLog(platform.kafka_bootstrap, TOPIC, SystemClock())


def test_k9_a_range_that_the_log_lacks_comes_from_the_owners_instance_over_http(platform, doors, tmp_path, monkeypatch):
    """A second instance whose log lacks two events asks the first one's pull feed, with its own real token."""
    doors.until("the log to be whole", lambda: is_whole_here(platform, doors))
    broker = broker_server(tmp_path / "second")
    broker.start()
    try:
        copy_without(platform, bootstrap(broker), {2, 3})
        for name, value in told(platform).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap(broker))
        monkeypatch.setenv("DATABASE_PREFIX", "second")
        given = load(CommonSettings.read)
        rooms = MongoRooms(feed_states)
        reader = build_reader(
            "reporting",
            given,
            given.partnership(),
            subscriptions(rooms.projections),
            IGNORED,
            FEEDS,
            rules=ReadingRules(gap_seconds=0.2),
        )
        with connect(platform.backbone.mongodb_uri, appname="test") as client:
            positions = client[f"secondreporting__{BOARD}"]["positions"]

            def at_the_head() -> bool:
                reader.step()
                position = positions.find_one({"_id": TOPIC})
                return position is not None and position["number"] == heads(doors)["number"]

            doors.until("the second instance to have everything", at_the_head)
            assert positions.find_one({"_id": TOPIC})["head"] == heads(doors)["hash"]
        reader.close()
    finally:
        broker.stop()


def told(platform: RunningPlatform) -> dict[str, str]:
    """Return the environment of the running platform's processes."""
    return json.loads(platform.place.running_file.read_text())["environment"]


def copy_without(platform: RunningPlatform, servers: str, numbers: set[int]) -> None:
    """Write the employer's log to another broker, without some of its events."""
    producer = KafkaProducer(bootstrap_servers=servers, acks="all")
    for record in log(platform).read(0):
        if isinstance(record.body, Opened):
            source, owner = f"/feeds/{TOPIC}", EMPLOYER
            copy = encode_unnumbered(
                record.body, identifier=new_identifier(), source=source, organisation=owner, time=record.time, epoch=1
            )
        elif isinstance(record.body, Envelope) and record.body.feedseq not in numbers:
            copy = encode(record.body, record.epoch)
        else:
            continue
        producer.send(TOPIC, key=copy.key, value=copy.value, headers=copy.headers, partition=0)
    producer.flush(10)
    producer.close(timeout=2)


def test_runbook_kafka_was_lost(platform, doors, partnership):
    """The broker comes back empty: the owners send all again, everybody is fresh, and no figure has changed."""
    before, figures = heads(doors), counted(doors)
    os.kill(platform.pid("kafka"), signal.SIGKILL)
    found: list[int] = []

    def stands() -> bool:
        found[:] = numbers(platform)
        return set(found) == set(range(1, before["number"] + 1))  # the log may hold an event twice, the readers not

    try:
        doors.until("the feed to stand on the new log", stands)
    except PlayError as error:
        error.add_note(
            f"of {before['number']} events there are {found}; the supervisor has {platform.supervisor.pids()}"
        )
        raise
    doors.until("everything to be fresh", lambda: partnership("freshness").exit_code == 0)
    assert partnership("verify-feed", *OWN, "--against", "log", "--against", "readers").exit_code == 0
    assert (heads(doors), counted(doors)) == (before, figures)
    assert "yes" in partnership("topics").output


def numbers(platform: RunningPlatform) -> list[int]:
    """Return the numbers on the employer's log."""
    try:
        return [one.body.feedseq for one in log(platform).read(0) if isinstance(one.body, Envelope)]
    except Unavailable:  # the broker is on its way
        return []


def test_runbook_backup_and_restore_of_one_organisation(platform, doors, partnership, tmp_path):
    """An export, the loss of both databases, an import, the feeds brought back: everybody is where they were.

    The board's database is lost as well and has no backup at all: an empty one reads everybody's feeds from the start.
    """
    folder = tmp_path / "backup"
    doors.until("a quiet moment", lambda: partnership("export", "--organisation", EMPLOYER, str(folder)).exit_code == 0)
    before, figures = heads(doors), counted(doors)
    names = ("enrolment", "assessment")
    held = [pid for name, pid in platform.supervisor.pids().items() if name.startswith((*names, "reporting"))]
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    with connect(platform.backbone.mongodb_uri, appname="test") as client:
        for service in names:
            client.drop_database(f"{service}__{EMPLOYER}")
        client.drop_database(f"reporting__{BOARD}")
    loaded = partnership("import", str(folder))
    assert loaded.exit_code == 0, loaded.output
    for service in names:
        own = ("--organisation", EMPLOYER, "--service", service)
        back = partnership("recover-feed", *own, "--apply", "--reason", "restored from the export")
        assert back.exit_code == 0, back.output
    for service in (*names, "reporting"):
        command = [sys.executable, "-m", f"services.{service}", "prepare"]
        subprocess.run(command, env=told(platform), check=True, capture_output=True)
    for pid in held:
        os.kill(pid, signal.SIGKILL)
    doors.until("the service again", lambda: heads(doors)["number"] >= before["number"])
    doors.until("everything to be fresh", lambda: partnership("freshness").exit_code == 0)
    doors.until("the board's figures", lambda: counted(doors) == figures)
    walked = partnership("verify-feed", "--organisation", EMPLOYER, "--against", "log", "--against", "readers")
    assert walked.exit_code == 0, walked.output
    assert (heads(doors), counted(doors)) == (before, figures)
