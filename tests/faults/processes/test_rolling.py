"""Every process ended politely and started again, one after the other, while clients write."""

from __future__ import annotations

import signal

import pytest

from tests.faults.processes.load import Load
from tests.faults.processes.stage import CLOCK, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


def test_p20_rolling_restart_of_every_process_under_load_fails_no_request(stage):
    """With two APIs and a balancer's habit (refused: the other one), clients see successes and 503, nothing else."""
    with stage.another("enrolment", "api") as second:
        urls = (stage.platform.url("enrolment"), second.url)
        with Load(stage, stage.history, per_second=10, urls=urls, awards=True).running() as load:
            until(lambda: load.acknowledged() > 5, "clients to be served")
            programs = stage.programs()
            for program in programs:
                was = stage.kill(program, signal.SIGTERM)
                stage.restarted(program, was)
                before = load.acknowledged()
                until(lambda before=before: load.acknowledged() > before + 3, "clients to be served")
        stage.figure("P20", f"rolling restart of {len(programs)} processes: {dict(load.answers)}")
    allowed = {"200", "201", "503", "409", "connection refused"}
    assert set(load.answers) <= allowed, load.answers
    assert load.answers["409"] <= load.answers["503"]


def test_p20_sigterm_to_the_only_api_ends_no_request_in_the_middle(stage):
    """Whoever was let in gets an answer; whoever comes meanwhile is refused at the door, and comes again."""
    with Load(stage, stage.history, per_second=15).running() as load:
        for _ in range(2):
            until(lambda: load.acknowledged() > 5, "clients to be served")
            was = stage.kill("enrolment-api", signal.SIGTERM)
            began = CLOCK.monotonic()
            stage.restarted("enrolment-api", was)
            stage.figure("P20", f"API ended by SIGTERM under load: ready again after {CLOCK.monotonic() - began:.1f} s")
    assert set(load.answers) <= {"200", "201", "503", "connection refused"}, load.answers
