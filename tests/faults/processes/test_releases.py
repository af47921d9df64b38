"""Releases side by side, under load: an event gets another version, a row another field, a collection another index."""

from __future__ import annotations

import signal

import pytest

from shared.events.ledger import Ledger
from shared.events.parking import PARKED
from shared.partnership.model import SERVICES
from tests.faults.processes.load import Load, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.releasing import FIELD, FIRST, KNOWS, SECOND, TELLS, Releases
from tests.faults.processes.stage import EMPLOYERS, Stage, a_stage, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]

PARTS = ("consume", "worker", "api", "relay")
"""The order of `docs/runbooks/new-release.md`; back to the release before it is the opposite."""


def test_p20_next_release_is_rolled_out_and_back_again_under_load(tmp_path, figures):
    """Whoever reads takes what either release told, whoever writes changes what either kept, and nothing is parked.

    A second API of the release that only knows serves all the time: the first tells what the others do not, and for
    a while what it does not. Clients see successes and 503, nothing else.
    """
    releases = Releases(tmp_path / "releases")
    with a_stage(tmp_path / "stage", through=releases.through) as stage:
        stage.figures = figures
        open_cohorts(stage)
        releases.prepare(stage, KNOWS)
        with stage.another("enrolment", "api", **releases.environment(KNOWS)) as second:
            assert releases.of(second.process.pid) == KNOWS
            urls = (stage.platform.url("enrolment"), second.url)
            with Load(stage, stage.history, per_second=8, urls=urls, awards=True).running() as load:
                served(load, 100)
                before = kept_by_release(stage)
                for release, parts in ((KNOWS, PARTS), (TELLS, PARTS), (KNOWS, PARTS[::-1])):
                    releases.choose(release)
                    roll(stage, load, releases, release, parts)
        stage.quiet()
        findings(stage, stage.history).require_none()
        told, after = told_by_version(stage), kept_by_release(stage)
        stage.figure(
            "P20", f"releases side by side: {dict(load.answers)}; told: {told}; without, with: {before}, {after}"
        )
        assert parked(stage) == 0
    assert set(load.answers) <= {"200", "201", "503", "409", "connection refused"}, load.answers
    assert load.answers["409"] <= load.answers["503"]
    assert min(told[FIRST], told[SECOND]) > 50
    assert min(before) > 0, "only one release has kept anything by then"
    assert after[0] < before[0], "the next release changed nothing that the first had kept"


def served(load: Load, count: int) -> None:
    """Wait until so many more requests were done."""
    before = load.acknowledged()
    until(lambda: load.acknowledged() > before + count, "clients to be served")


def roll(stage: Stage, load: Load, releases: Releases, release: str, parts: tuple[str, ...]) -> None:
    """End every process politely, part by part; its successor is of this release, and clients are served."""
    for program in sorted(stage.programs(), key=lambda name: parts.index(name.split("-")[1])):
        assert releases.of(stage.platform.pid(program)) != release
        was = stage.kill(program, signal.SIGTERM)
        stage.restarted(program, was)
        assert releases.of(stage.platform.pid(program)) == release
        served(load, 3)


def told_by_version(stage: Stage) -> dict[str, int]:
    """Return how many requests for a place were told in each version."""
    told = {FIRST: 0, SECOND: 0}
    with stage.client() as client:
        for feed in stage.feeds():
            ledger = Ledger(stage.unit(client, feed.service).reading(feed.organisation), feed)
            for envelope, _ in ledger.walk(0, ledger.head()):
                if envelope.type in told:
                    told[envelope.type] += 1
    return told


def kept_by_release(stage: Stage) -> tuple[int, int]:
    """Return how many enrolments are kept without, and with, what is new."""
    with stage.client() as client:
        rows = [stage.unit(client, "enrolment").database(employer)["enrolments"] for employer in EMPLOYERS]
        fresh = sum(each.count_documents({FIELD: {"$exists": True}}) for each in rows)
        return sum(each.count_documents({}) for each in rows) - fresh, fresh


def parked(stage: Stage) -> int:
    """Return how many records wait for a decision, anywhere."""
    with stage.client() as client:
        owners = {service: stage.platform.partnership.owners(service) for service in SERVICES}
        databases = [stage.unit(client, service).database(owner) for service in owners for owner in owners[service]]
        return sum(each[PARKED].count_documents({}) for each in databases)
