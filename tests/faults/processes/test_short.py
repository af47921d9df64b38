"""Faults on real processes, in short: what `make test` runs of it. The rest has the marker `faults`."""

import pytest

from shared.testing.history import History
from tests.faults.processes.load import Load, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.stage import a_stage, until

pytestmark = pytest.mark.timeout(240)


def test_p1_p3_p5_kill_9_under_load_loses_doubles_and_delays_nothing_for_good(tmp_path):
    """While clients write, API, relay and two readers are killed: each answer holds, everywhere, once."""
    with a_stage(tmp_path, dying=False) as stage:
        open_cohorts(stage)
        history = History()
        with Load(stage, history, per_second=12, gives_up_every=9).running() as load:
            for program in ("enrolment-api", "enrolment-relay", "enrolment-consume", "reporting-consume"):
                before = load.acknowledged()
                was = stage.kill(program)
                stage.restarted(program, was)
                until(lambda load=load, before=before: load.acknowledged() > before + 5, "clients to be served again")
        stage.quiet()
        assert history.counts()["failed"] == 0, load.answers
        findings(stage, history).require_none()
