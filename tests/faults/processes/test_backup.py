"""An owner's database is yesterday's again: noticed before it numbers anything new, by itself and by its readers."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from pymongo import MongoClient

from shared.local.cli import main
from shared.testing.feeds import numbers_on
from shared.testing.history import Findings
from tests.faults.processes.load import Load, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.stage import CLOCK, Stage, a_stage, until
from tests.faults.processes.test_api import Client

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
OWNER = "vale"
DATABASE = f"enrolment__{OWNER}"
FEED = f"org.{OWNER}.enrolment.v1"
ROWS_OF_PEOPLE = {"the employer's rows"}
PARTS = ("enrolment-api", "enrolment-relay", "enrolment-consume", "enrolment-worker")


class Backup:
    """All documents and indexes of one database, as a backup holds them."""

    def __init__(self, client: MongoClient) -> None:
        database = client[DATABASE]
        names = database.list_collection_names()
        self.documents = {name: list(database[name].find({})) for name in names}
        self.indexes = {name: database[name].index_information() for name in names}

    def restore(self, client: MongoClient) -> None:
        """Put it in the place of what is there."""
        client.drop_database(DATABASE)
        for name, documents in self.documents.items():
            if documents:
                client[DATABASE][name].insert_many(documents)
            for index, told in self.indexes[name].items():
                if index != "_id_":
                    keys = [(key, int(way)) for key, way in told["key"]]
                    how = {option: value for option, value in told.items() if option not in {"v", "key", "ns"}}
                    client[DATABASE][name].create_index(keys, name=index, **how)


@contextlib.contextmanager
def yesterday(folder, figures) -> Iterator[tuple[Stage, int, int]]:
    """Run a platform, work, back one owner up, work on, restore it; yields the stage and both heads."""
    with a_stage(folder) as stage, stage.client() as client:
        stage.figures = figures
        open_cohorts(stage)
        worked(stage)
        backup, then = Backup(client), head(client)
        worked(stage)
        now = head(client)
        assert now > then + 3
        with contextlib.ExitStack() as held:
            for part in PARTS:
                was = stage.kill(part, signal.SIGTERM)
                until(lambda part=part, was=was: stage.platform.pid(part) != was, f"{part} again", pause=0.01)
                held.enter_context(stage.stopped(part))  # it has only just begun: nothing of it is open
            backup.restore(client)
            assert head(client) == then
        yield stage, then, now


def worked(stage: Stage) -> None:
    """Take some nominations in, somebody to their credit, and let everybody hear of them."""
    with Load(stage, stage.history, per_second=10, awards=True).running() as load:
        before = load.acknowledged()
        until(lambda: load.acknowledged() > before + 30, "clients to be served")
    stage.quiet()


def partnership(stage: Stage, *words: str) -> Result:
    """Run a command of the operator's on the owner's feed."""
    command, *rest = words
    own = ["--state", str(stage.platform.place.directory), "--organisation", OWNER, "--service", "enrolment"]
    return CliRunner().invoke(main, [command, *own, *rest])


def head(client: MongoClient) -> int:
    """Return the last number of the owner's feed."""
    return client[DATABASE]["org_state"].find_one({"_id": "head"})["number"]


def test_p14_owner_restored_from_yesterdays_backup_is_noticed_before_it_numbers_anything(tmp_path, figures):
    """The relay refuses, loudly; what is taken in meanwhile waits; other owners' feeds flow.

    Its feed brought back, everybody is where they were but for the rows that people made since the backup.
    """
    with yesterday(tmp_path, figures) as (stage, then, now), stage.client() as client:
        began = CLOCK.monotonic()
        refused = lambda: stage.metrics("enrolment", "relay", "relay_feed").get((FEED, "refused")) == 1  # noqa: E731
        until(refused, "the relay to refuse")
        stage.figure("P14", f"owner restored from a backup: its relay refused after {CLOCK.monotonic() - began:.1f} s")
        Client(stage).ask_until_answered()
        others = head_of(client, "marchland")
        with Load(stage, stage.history, per_second=6).running():
            until(lambda: head_of(client, "marchland") > others + 3, "other owners' feeds to flow")
        assert head(client) == then
        assert client[DATABASE]["org_pending"].count_documents({}) > 0
        assert max(numbers_on(stage.platform.kafka_bootstrap, FEED)) == now
        assert refused()
        done = partnership(stage, "recover-feed", "--apply", "--reason", "a test")
        assert done.exit_code == 0, done.output
        stage.quiet()
        found = findings(stage, stage.history)
        rest = [one for one in found.violations if one.where not in ROWS_OF_PEOPLE]
        assert rest == [], Findings(rest)
        assert found.violations, "the rows of the lost day are missed"


def test_p14_readers_sound_the_fork_alarm_when_the_log_was_lost_as_well(tmp_path, figures):
    """With an empty cluster nothing warns the owner; its readers know more than it does, and stop that feed."""
    with yesterday(tmp_path, figures) as (stage, then, now), stage.client() as client:
        stage.kill("enrolment-relay", signal.SIGSTOP)
        stage.kill("kafka")
        stage.kill("enrolment-relay")
        began = CLOCK.monotonic()
        for service in ("reporting", "assessment"):
            until(
                lambda service=service: stage.metrics(service, "consume", "feed_alarms").get((FEED, "fork")) == 1,
                f"{service} to sound the alarm",
            )
        stage.figure("P14", f"backup and empty cluster: readers' fork alarm after {CLOCK.monotonic() - began:.1f} s")
        assert head(client) < now
        parted(stage, then)


def parted(stage: Stage, then: int) -> None:
    """Let the owner number its own new history, and every reader here go on with it, as the runbook says."""
    Client(stage).ask_until_answered()
    with stage.client() as client:
        until(lambda: head(client) > then, "the owner to number")
        assert partnership(stage, "verify-feed", "--against", "readers").exit_code == 1
        said = partnership(stage, "adopt-feed", "--number", str(then))
        assert f"has taken {then + 1} to " in said.output, said.output
        done = partnership(stage, "adopt-feed", "--number", str(then), "--apply", "--reason", "agreed with the owner")
        assert done.exit_code == 0, done.output
        for service in ("reporting", "assessment"):
            alarms = lambda service=service: stage.metrics(service, "consume", "feed_alarms").get((FEED, "fork"), 0)  # noqa: E731
            until(lambda alarms=alarms: alarms() == 0, f"{service} to go on")
        stage.quiet()
    walked = partnership(stage, "verify-feed", "--against", "log", "--against", "readers")
    assert walked.exit_code == 0, walked.output


def head_of(client: MongoClient, owner: str) -> int:
    """Return the last number of another owner's feed."""
    return client[f"enrolment__{owner}"]["org_state"].find_one({"_id": "head"})["number"]
