"""Faults on real processes around an Apache Kafka, in short; `make test-faults-kafka` plays all of them on it."""

import pytest

from tests.faults.processes.brokers import on_apache_kafka
from tests.faults.processes.load import Load
from tests.faults.processes.observing import findings
from tests.faults.processes.stage import a_stage, until
from tests.faults.processes.test_reader import position
from tests.faults.processes.test_short import killed_one_after_the_other

pytestmark = [pytest.mark.kafka, pytest.mark.own_broker, pytest.mark.timeout(900)]


def test_p1_p3_p5_p8_p10_processes_around_apache_kafka_are_killed_and_so_is_the_broker(tmp_path):
    """Every part killed under load, the broker twice: once it comes back with its records, once another begins empty.

    Nothing is lost, doubled or stale, and what is on the log at the end is the owners' feeds.
    """
    with a_stage(tmp_path, broker=on_apache_kafka) as stage:
        history = killed_one_after_the_other(stage)
        with Load(stage, history, per_second=8, gives_up_every=9).running() as load:
            for strike, is_another in ((lambda: stage.kill("kafka"), False), (stage.lose_cluster, True)):
                strike()
                before, read = load.acknowledged(), position(stage, "reporting")["number"]
                until(lambda before=before: load.acknowledged() > before + 5, "clients to be served meanwhile")
                until(lambda read=read: position(stage, "reporting")["number"] > read + 30, "readers to read on")
                assert ("is on another log" in stage.said("enrolment-relay")) == is_another
        stage.quiet()
        findings(stage, history).require_none()
