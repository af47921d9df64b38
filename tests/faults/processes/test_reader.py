"""Readers killed around their transaction, and one that stood still while another took its feeds."""

from __future__ import annotations

import pytest

from tests.faults.processes.dying import COMMIT, COMMITTED, STOP, TELLING_KAFKA, Order
from tests.faults.processes.load import Load
from tests.faults.processes.stage import BOARD, CLOCK, LEAD, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
FEED = f"org.{LEAD}.enrolment.v1"
HOME = {"enrolment": "vale", "assessment": "vale", "reporting": BOARD}
TAKEN_FROM = {"enrolment": FEED, "assessment": "org.vale.enrolment.v1", "reporting": FEED}


def position(stage, service: str) -> dict:
    """Return where a service's organisation stands in a feed that concerns it all the time."""
    with stage.client() as client:
        return client[f"{service}__{HOME[service]}"]["positions"].find_one({"_id": TAKEN_FROM[service]})


@pytest.mark.parametrize(
    ("service", "point"),
    [
        ("enrolment", COMMIT),
        ("enrolment", COMMITTED),
        ("enrolment", TELLING_KAFKA),
        ("assessment", COMMIT),
        ("reporting", COMMITTED),
    ],
)
def test_p5_reader_killed_around_its_transaction_goes_on_where_the_database_says(stage, service, point):
    """In the middle of a batch, after its transaction, before Kafka hears of it: nothing is skipped or taken twice."""
    program = f"{service}-consume"
    with Load(stage, stage.history, per_second=8, gives_up_every=9).running() as load:
        until(lambda: load.acknowledged() > 5, "clients to be served")
        was = stage.platform.pid(program)
        stage.dies(program, Order(point, touches="" if point == TELLING_KAFKA else "/positions"))
        died, at = CLOCK.monotonic(), position(stage, service)["number"]
        until(lambda: position(stage, service)["number"] > at, "the reader to go on")
        stage.figure("P5", f"{program} killed at '{point}': went on after {CLOCK.monotonic() - died:.1f} s")
        stage.restarted(program, was)


def test_p6_reader_that_wakes_in_the_middle_of_its_transaction_writes_nothing_more(stage):
    """It stood still before its commit, another took its feeds over: its commit does not count, and it goes."""
    with Load(stage, stage.history, per_second=8, gives_up_every=9).running() as load:
        until(lambda: load.acknowledged() > 5, "clients to be served")
        was = stage.platform.pid("reporting-consume")
        stage.dies("reporting-consume", Order(COMMIT, STOP, touches="/positions"))
        stopped, asleep = CLOCK.monotonic(), position(stage, "reporting")
        with stage.another("reporting", "consume") as second:
            until(lambda: position(stage, "reporting")["number"] > asleep["number"], "the other to take over")
            stage.figure(
                "P6", f"reader stopped: another read on {CLOCK.monotonic() - stopped:.1f} s later, start included"
            )
            assert position(stage, "reporting")["epoch"] > asleep["epoch"]
            stage.wake(was)
            until(lambda: "reader.fenced" in stage.said("reporting-consume"), "the sleeper to notice")
            stage.restarted("reporting-consume", was)
            until(lambda: second.process.poll() is not None, "the other to be fenced in its turn and go")
