"""The whole cluster replaced by an empty one, or one log by another without its tail, while clients write."""

from __future__ import annotations

import pytest

from shared.testing.feeds import as_they_stand, numbers_on, put_back
from shared.testing.history import Findings, Kind, Violation
from tests.faults.processes.load import Load, open_cohorts
from tests.faults.processes.observing import findings
from tests.faults.processes.stage import CLOCK, a_stage, until
from tests.faults.processes.test_reader import FEED, position

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
OWNERS_NOTICE = "is on another log"
READERS_NOTICE = ("feed.log_is_another", "feed.rewound", "feed.absent")


def test_p10_cluster_replaced_by_an_empty_one_is_noticed_and_ends_equal(stage):
    """Owners send all again, readers begin the log anew and keep their numbers; totals are those of the owners."""
    relays = {service: len(stage.said(f"{service}-relay")) for service in ("enrolment", "assessment")}
    readers = {service: len(stage.said(f"{service}-consume")) for service in ("enrolment", "reporting")}
    with Load(stage, stage.history, per_second=8, gives_up_every=9, awards=True).running() as load:
        until(lambda: load.acknowledged() > 20, "clients to be served")
        accepted = load.acknowledged()
        stage.lose_cluster()
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


def is_a_hole(found: Violation) -> bool:
    """Say whether it is that a number stands on the lead's log before those below it."""
    return (found.kind, found.where) == (Kind.REORDERED, FEED) and " comes after number " in found.what


def test_p9_log_put_back_without_its_tail_is_made_whole_by_its_owner(tmp_path):
    """The lead's log is another all of a sudden, and ends in the middle of what everybody has read.

    What its relay sends before it has noticed may stand behind a hole there; then all that is missing follows.
    """
    with a_stage(tmp_path) as stage:
        open_cohorts(stage)
        with Load(stage, stage.history, per_second=8, gives_up_every=9).running() as load:
            until(lambda: load.acknowledged() > 20, "clients to be served")
            before = len(stage.said("enrolment-relay"))
            with stage.stopped("enrolment-relay"):
                stood = as_they_stand(stage.platform.kafka_bootstrap, FEED)
                put_back(stage.platform.kafka_bootstrap, FEED, stood[: len(stood) // 2])
            until(lambda: OWNERS_NOTICE in stage.said("enrolment-relay")[before:], "the owner to notice")
            at = position(stage, "reporting")["number"]
            until(lambda: position(stage, "reporting")["number"] > at, "the board's reader to go on")
        stage.quiet()
        found = findings(stage, stage.history)
        rest = [one for one in found.violations if not is_a_hole(one)]
        assert rest == [], Findings(rest)
        numbers = numbers_on(stage.platform.kafka_bootstrap, FEED)
        assert set(numbers) == set(range(1, max(numbers) + 1)), "every number stands there again"
