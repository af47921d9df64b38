"""The whole cluster replaced by an empty one while clients write."""

from __future__ import annotations

import pytest

from tests.faults.processes.load import Load
from tests.faults.processes.stage import CLOCK, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
OWNERS_NOTICE = "is on another log"
READERS_NOTICE = ("feed.log_is_another", "feed.rewound")


def test_p10_cluster_replaced_by_an_empty_one_is_noticed_and_ends_equal(stage):
    """Owners send all again, readers begin the log anew and keep their numbers; totals are those of the owners."""
    relays = {service: len(stage.said(f"{service}-relay")) for service in ("enrolment", "assessment")}
    readers = {service: len(stage.said(f"{service}-consume")) for service in ("enrolment", "reporting")}
    with Load(stage, stage.history, per_second=8, gives_up_every=9, awards=True).running() as load:
        until(lambda: load.acknowledged() > 20, "clients to be served")
        accepted = load.acknowledged()
        stage.kill("kafka")
        lost = CLOCK.monotonic()
        for service, at in relays.items():
            until(
                lambda service=service, at=at: OWNERS_NOTICE in stage.said(f"{service}-relay")[at:], "owners to notice"
            )
        stage.figure("P10", f"cluster lost: every owner had noticed after {CLOCK.monotonic() - lost:.1f} s")
        for service, at in readers.items():
            until(
                lambda service=service, at=at: any(
                    word in stage.said(f"{service}-consume")[at:] for word in READERS_NOTICE
                ),
                "readers to notice",
            )
        stage.figure("P10", f"cluster lost: every reader had noticed after {CLOCK.monotonic() - lost:.1f} s")
        assert load.acknowledged() > accepted, "work goes on while the cluster is lost"
    stage.quiet()
    stage.figure("P10", f"cluster lost: all equal again after {CLOCK.monotonic() - lost:.1f} s, load included")
