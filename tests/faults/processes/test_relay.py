"""The relay killed around its sending, and two relays of one feed of which one stood still beyond its lease."""

from __future__ import annotations

import pytest

from tests.faults.processes.dying import ACKNOWLEDGED, COMMIT, SENDING, SENT, STOP, Order
from tests.faults.processes.load import Load
from tests.faults.processes.stage import CLOCK, LEAD, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
FEED = f"org.{LEAD}.enrolment.v1"


def published(stage) -> int:
    """Return up to which number the lead's feed is marked as sent."""
    with stage.client() as client:
        return client[f"enrolment__{LEAD}"]["org_state"].find_one({"_id": "mark"})["published"]


@pytest.mark.parametrize("point", [SENDING, SENT, ACKNOWLEDGED, COMMIT])
def test_p3_relay_killed_around_its_sending_sends_the_rest_and_readers_count_once(stage, point):
    """Around sending and around its own transaction: what is sent again has no second effect."""
    with Load(stage, stage.history, per_second=8, gives_up_every=9).running() as load:
        until(lambda: load.acknowledged() > 5, "clients to be served")
        was = stage.platform.pid("enrolment-relay")
        stage.dies(
            "enrolment-relay", Order(point, touches="" if point in (SENDING, SENT, ACKNOWLEDGED) else "org_state")
        )
        at, died = published(stage), CLOCK.monotonic()
        until(lambda: published(stage) > at, "the feed to leave again")
        stage.figure("P3", f"relay killed at '{point}': its feed left again after {CLOCK.monotonic() - died:.1f} s")
        stage.restarted("enrolment-relay", was)


def test_p4_relay_that_stood_still_beyond_its_lease_is_fenced_and_forks_nothing(stage):
    """Stopped in the middle of its transaction; another takes over when the lease has run out; then it wakes."""
    with (
        Load(stage, stage.history, per_second=5, gives_up_every=9).running(),
        stage.another("enrolment", "relay", INSTANCE="other") as second,
    ):
        was = stage.platform.pid("enrolment-relay")
        stage.dies("enrolment-relay", Order(COMMIT, STOP, touches=f"{LEAD}/org_state"))
        stopped, at = CLOCK.monotonic(), published(stage)
        until(lambda: published(stage) > at, "the other relay to take over")
        stage.figure(
            "P4", f"relay stopped: another sent its feeds after {CLOCK.monotonic() - stopped:.1f} s (lease 30 s)"
        )
        CLOCK.sleep(max(0.0, stopped + 35 - CLOCK.monotonic()))
        stage.wake(was)
        until(lambda: "was fenced" in stage.said("enrolment-relay"), "the sleeper to notice")
        assert stage.platform.pid("enrolment-relay") == was
        assert second.process.poll() is None
