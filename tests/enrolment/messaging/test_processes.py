"""Relay, reader and worker of two employers and the lead on a real broker and a real database."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from services.enrolment import bootstrap
from shared.clock import SystemClock
from tests.enrolment.messaging.intake_messages import REF, a_message


@contextmanager
def _running(*parts):
    stop = threading.Event()
    threads = [threading.Thread(target=part.run, args=(stop,)) for part in parts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


def _until(question, seconds=90.0):
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while not (answer := question()):
        assert clock.monotonic() < deadline, "waited too long"
        clock.sleep(0.1)
    return answer


def _say(bootstrap_servers, times):
    producer = KafkaProducer(bootstrap_servers=bootstrap_servers, allow_auto_create_topics=False)
    value = a_message()
    for _ in range(times):
        producer.send("in.hounslow.enrolment.v1", key=REF.encode(), value=value, partition=0).get(timeout=10)
    producer.close()


def _answers(bootstrap_servers):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest", group_id=None)
    partition = TopicPartition("out.hounslow.enrolment.v1", 0)
    consumer.assign([partition])
    found = []
    for _ in range(5):
        for record in consumer.poll(timeout_ms=400).get(partition, ()):
            headers = {name: value.decode() for name, value in record.headers}
            if headers["ce_type"].startswith("enrolment."):
                found.append((headers["ce_type"], json.loads(record.value)))
    consumer.close()
    return found


@pytest.mark.timeout(400)
def test_requests_answers_and_intake_cross_the_real_broker(house, enrolment_settings, own_bootstrap):
    """The lead's catalogue reaches an employer, its request gets a seat, its HR system gets one answer."""
    bootstrap.prepare(enrolment_settings)
    given = replace(
        enrolment_settings,
        kafka_bootstrap_servers=own_bootstrap,
        hosted_organisations=("brent", "hounslow"),
        relay_poll_seconds=0.1,
        heartbeat_seconds=1.0,
    )
    parts = [
        build(given) for build in (bootstrap.build_relay_part, bootstrap.build_reader_part, bootstrap.build_worker)
    ]
    with _running(*parts):
        course = {"title": "S", "level": "SW", "routes": ["practice_only"], "evidence_set": "cpd-portfolio"}
        house.good("PUT", "courses/SAR", "programme_lead", json=course)
        house.good("PUT", "courses/SAR/cohorts/2025-09", "programme_lead", json={"capacity": 1})

        def cohorts():
            return [found["cohorts"] for found in house.good("GET", "/v1/catalogue", org="hounslow")["items"]]

        _until(lambda: cohorts() and cohorts()[0])
        _say(own_bootstrap, 3)
        _until(lambda: [found["status"] for found in house.pages("enrolments", "hounslow")] == ["confirmed"])
        answers = _until(lambda: _answers(own_bootstrap))
    assert [(kind, data["record_ref"]) for kind, data in answers] == [("enrolment.record-accepted.v1", REF)]
