"""An owner's database is yesterday's again: noticed before it numbers anything new, by itself and by its readers."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import msgspec
import pytest
from pymongo import MongoClient

from shared.events.ledger import Ledger
from shared.testing.feeds import numbers_on
from shared.testing.history import Findings, Kind
from tests.faults.processes.awarding import Awarding
from tests.faults.processes.copying import Copy, standing_aside
from tests.faults.processes.load import Load, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.owners import VALE, WESTBRIDGE, Owner, partnership
from tests.faults.processes.stage import CLOCK, Stage, a_stage, until
from tests.faults.processes.test_api import Client

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


@contextlib.contextmanager
def yesterday(folder, figures, owner: Owner) -> Iterator[tuple[Stage, int, int]]:
    """Run a platform, work, back one owner up, work on, restore it; yields the stage and both heads."""
    with a_stage(folder) as stage, stage.client() as client:
        stage.figures = figures
        open_cohorts(stage)
        worked(stage)
        backup, then = Copy(client, [owner.database]), owner.head(client)
        worked(stage)
        now = owner.head(client)
        assert now > then
        with standing_aside(stage, owner.parts):
            backup.restore(client)
            assert owner.head(client) == then
        yield stage, then, now


def worked(stage: Stage, *, awards: bool = True, quiet: bool = True) -> None:
    """Take some nominations in, somebody to their credit, and let everybody hear of them."""
    with Load(stage, stage.history, per_second=10, awards=awards).running() as load:
        before = load.acknowledged()
        until(lambda: load.acknowledged() > before + 30, "clients to be served")
    if quiet:
        stage.quiet()


def bring_back(stage: Stage, owner: Owner) -> None:
    """Bring the feed back from the log; its reader is fenced by that, started again, and reads on."""
    reader = f"{owner.service}-consume"
    was = stage.platform.pid(reader)
    done = partnership(stage, owner, "recover-feed", "--apply", "--reason", "a test")
    assert done.exit_code == 0, done.output
    stage.restarted(reader, was)
    stage.quiet()


def refuses(stage: Stage, owner: Owner) -> bool:
    """Say whether the owner's relay shows that it refuses."""
    return stage.metrics(owner.service, "relay", "relay_feed").get((owner.feed.topic, "refused")) == 1


def credited(stage: Stage, client: MongoClient) -> tuple[list[str], set[str]]:
    """Return the enrolments whose credit the university's feed tells of, each as often, and those of its ledger."""
    feed = WESTBRIDGE.feed
    ledger = Ledger(stage.unit(client, feed.service).reading(feed.organisation), feed)
    events = [event for event, _ in ledger.walk(0, ledger.head()) if event.type == "accreditation.credit-awarded.v1"]
    told = [msgspec.json.decode(event.data)["enrolment_id"] for event in events]
    return told, {row["body"]["enrolment_id"] for row in client[WESTBRIDGE.database]["credits"].find({})}


def test_p14_owner_restored_from_yesterdays_backup_is_noticed_before_it_numbers_anything(tmp_path, figures):
    """The relay refuses, loudly; what is taken in meanwhile waits; other owners' feeds flow.

    Its feed brought back, everybody is where they were but for the rows that people made since the backup.
    """
    with yesterday(tmp_path, figures, VALE) as (stage, then, now), stage.client() as client:
        began = CLOCK.monotonic()
        until(lambda: refuses(stage, VALE), "the relay to refuse")
        stage.figure("P14", f"owner restored from a backup: its relay refused after {CLOCK.monotonic() - began:.1f} s")
        Client(stage).ask_until_answered()
        others = head_of(client, "marchland")
        with Load(stage, stage.history, per_second=6).running():
            until(lambda: head_of(client, "marchland") > others + 3, "other owners' feeds to flow")
        assert VALE.head(client) == then
        assert client[VALE.database]["org_pending"].count_documents({}) > 0
        assert max(numbers_on(stage.platform.kafka_bootstrap, VALE.feed.topic)) == now
        assert refuses(stage, VALE)
        bring_back(stage, VALE)
        found = findings(stage, stage.history)
        rest = [one for one in found.violations if one.where not in VALE.rows_of_people]
        assert rest == [], Findings(rest)
        assert found.violations, "the rows of the lost day are missed"


def test_p14_university_restored_from_yesterdays_backup_awards_no_credit_a_second_time(tmp_path, figures):
    """What its feed told comes back; marks and boards of the lost day are entered again, and give the same credits."""
    with yesterday(tmp_path, figures, WESTBRIDGE) as (stage, then, now), stage.client() as client:
        began = CLOCK.monotonic()
        until(lambda: refuses(stage, WESTBRIDGE), "the relay to refuse")
        stage.figure("P14", f"university restored from a backup: refused after {CLOCK.monotonic() - began:.1f} s")
        worked(stage, quiet=False, awards=False)
        assert WESTBRIDGE.head(client) == then
        bring_back(stage, WESTBRIDGE)
        assert WESTBRIDGE.head(client) >= now
        found = findings(stage, stage.history)
        rest = [one for one in found.violations if one.where not in WESTBRIDGE.rows_of_people]
        assert rest == [], Findings(rest)

        told, in_ledger = credited(stage, client)
        lost = [enrolment_id for enrolment_id in told if enrolment_id not in in_ledger]
        assert lost, "somebody's credit of the lost day is missing from the ledger"
        with contextlib.closing(Awarding(stage, stage.history, dict)) as awarding:
            for enrolment_id in lost:
                awarding.credit(enrolment_id)
        stage.quiet()
        findings(stage, stage.history).require_none()
        assert sorted(credited(stage, client)[0]) == sorted(told)


def test_p14_readers_sound_the_fork_alarm_when_the_log_was_lost_as_well(tmp_path, figures):
    """With an empty cluster nothing warns the owner; its readers know more than it does, and stop that feed.

    Once its new history is adopted nobody but that owner's people of the lost day is missed or counted too much.
    """
    with yesterday(tmp_path, figures, VALE) as (stage, then, now), stage.client() as client:
        stage.kill("enrolment-relay", signal.SIGSTOP)
        stage.lose_cluster()
        stage.kill("enrolment-relay")
        began = CLOCK.monotonic()
        for service in ("reporting", "assessment"):
            until(lambda service=service: (service, VALE.feed.topic) in stage.forked(), f"{service} to sound the alarm")
        stage.figure("P14", f"backup and empty cluster: readers' fork alarm after {CLOCK.monotonic() - began:.1f} s")
        assert VALE.head(client) < now
        parted(stage, then)
        only_what_was_given_up_differs(stage)


def parted(stage: Stage, then: int) -> None:
    """Let the owner number its own new history, and every reader here go on with it, as the runbook says."""
    Client(stage).ask_until_answered()
    with stage.client() as client:
        until(lambda: VALE.head(client) > then, "the owner to number")
        assert partnership(stage, VALE, "verify-feed", "--against", "readers").exit_code == 1
        said = partnership(stage, VALE, "adopt-feed", "--number", str(then))
        assert f"has taken {then + 1} to " in said.output, said.output
        done = partnership(
            stage, VALE, "adopt-feed", "--number", str(then), "--apply", "--reason", "agreed with the owner"
        )
        assert done.exit_code == 0, done.output
        for service in ("reporting", "assessment"):
            until(lambda service=service: (service, VALE.feed.topic) not in stage.forked(), f"{service} to go on")
        stage.quiet()
    walked = partnership(stage, VALE, "verify-feed", "--against", "log", "--against", "readers")
    assert walked.exit_code == 0, walked.output


def only_what_was_given_up_differs(stage: Stage) -> None:
    """What the owner forgot is missing at the owner and counted elsewhere; nothing else is lost, doubled or stale."""
    found = findings(stage, stage.history).violations
    lost = {one for one in found if one.kind is Kind.LOST}
    rows = {one.what for one in lost if one.where in VALE.rows_of_people}
    assert rows, "the rows of the lost day are missed"
    assert {one.where for one in lost} <= {*VALE.rows_of_people, "the employer's feed", "confirmations"}
    assert {one.what for one in lost} == rows
    rest = [one for one in found if one.kind is not Kind.LOST]
    of_vale = [
        one for one in rest if one.where == "the report's figures" and one.what.startswith(f"{VALE.organisation}|")
    ]
    assert rest == of_vale, Findings(rest)


def head_of(client: MongoClient, owner: str) -> int:
    """Return the last number of another owner's feed."""
    return client[f"enrolment__{owner}"]["org_state"].find_one({"_id": "head"})["number"]
