"""What an operator sees of a whole platform that runs: one request followed through it, its metrics, its readiness.

One platform for all of these stories; none of them leaves it otherwise than it was found.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from kafka import KafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient

from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.local.platform import RunningPlatform
from shared.local.play.doors import Doors
from tests.deploy.alert_rules import EVERY, PROMETHEUS_OWN, matchers_in, metrics_in, rules
from tests.journeys.conftest import a_platform
from tests.journeys.test_restart import EMPLOYER, LEAD, MARCHLAND, open_course, records

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EMPLOYERS_FEED, LEADS_FEED = f"org.{EMPLOYER}.enrolment.v1", f"org.{LEAD}.enrolment.v1"
PARTS = ("api", "relay", "consume", "worker")
LABELS = {"service", "part", "feed", "kind", "reason", "source", "organisation", "method", "route", "status", "le"}
OF_PYTHON = {"generation", "implementation", "major", "minor", "patchlevel", "version"}
NOT_LOCALLY = {"feed_copies"}
"""What the local profile, which has one broker, does not look at: `tests/shared/events/test_shown.py` does."""
FIGURE = re.compile(r"[0-9.]+|\+Inf")
WORD = re.compile(r"[A-Za-z0-9_.:/<>+-]{0,120}")

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[RunningPlatform]:
    """The whole platform, with a course that an employer can nominate for."""
    with a_platform(tmp_path_factory.mktemp("operation"), MARCHLAND / "partnership.yaml") as started:
        doors = Doors(started, CLOCK)
        open_course(doors)
        doors.close()
        yield started


@pytest.fixture
def doors(platform) -> Iterator[Doors]:
    """The platform's doors."""
    made = Doors(platform, CLOCK)
    yield made
    made.close()


def processes(platform) -> list[tuple[str, str, str]]:
    """Return service, part and base address of every process of the services."""
    found = []
    for service in ("enrolment", "assessment", "accreditation", "reporting"):
        for part in PARTS:
            with contextlib.suppress(KeyError):  # two services have no worker
                found.append((service, part, platform.metrics_url(service, part).removesuffix("/metrics")))
    return found


def readiness(platform) -> dict[str, int]:
    """Return what every process says of itself, all asked at once."""
    return said(platform, "readyz")


def said(platform, path: str) -> dict[str, int]:
    """Return the status that every process answers on a path."""
    asked = processes(platform)
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = pool.map(status, [f"{base}/{path}" for _, _, base in asked])
    return {f"{service}-{part}": answer for (service, part, _), answer in zip(asked, answers, strict=True)}


def status(address: str) -> int:
    """Return the status of an answer, 0 where nobody listens."""
    try:
        return httpx.get(address, timeout=15).status_code
    except httpx.ConnectError:
        return 0


def figure(platform, process: tuple[str, str], name: str, **labels: str) -> float | None:
    """Return one figure of a process's page, None where it is not there."""
    page = httpx.get(platform.metrics_url(*process), timeout=15).text
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def records_on(platform, topic: str) -> list[dict[str, str]]:
    """Return the headers of every numbered event on a topic."""
    consumer = KafkaConsumer(
        bootstrap_servers=platform.kafka_bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek(partition, 0)
    end, found = consumer.end_offsets([partition])[partition], []
    while consumer.position(partition) < end:
        for record in consumer.poll(timeout_ms=500).get(partition, ()):
            headers = {name: value.decode() for name, value in record.headers}
            if "ce_feedseq" in headers:
                found.append(headers)
    consumer.close(autocommit=False)
    return found


def lines_of(platform, program: str, **wanted: object) -> list[dict]:
    """Return the log lines of a program that say so."""
    text = (platform.place.logs / f"{program}.log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if wanted.items() <= line.items()]


def nominated(platform, record: dict, **headers: str) -> httpx.Response:
    """Return the answer to a nomination with headers of its own."""
    token = platform.mint(EMPLOYER, "hr", "hr-desk", "enrolment")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_identifier(), **headers}
    path = f"{platform.url('enrolment')}/v1/organisations/{EMPLOYER}/enrolments"
    return httpx.post(path, headers=headers, json=record, timeout=30)


def until(what: str, question: Callable[[], object], seconds: float = 60) -> object:
    """Return the first answer that is something."""
    end = CLOCK.monotonic() + seconds
    while not (answer := question()):
        assert CLOCK.monotonic() < end, f"waited too long for {what}"
        CLOCK.sleep(0.1)
    return answer


def own_events(platform, correlation: str) -> set[str]:
    """Return the ids of what a request itself emitted, as stored.

    Answers come back while this looks, and the employer's own next events with them: the request's own have no cause.
    """
    with MongoClient(platform.backbone.mongodb_uri) as client:
        entries = client[f"enrolment__{EMPLOYER}"]["org_entries"].find({"events.correlationid": correlation})
        every = [event for entry in entries for event in entry["events"]]
    assert all(event["traceparent"].startswith(f"00-{TRACE}-") for event in every)
    assert SPAN not in str(every), "our own span, not the caller's"
    own = {event["id"] for event in every if event["causationid"] is None}
    assert own
    return own


def sent(platform, topic: str, correlation: str) -> list[dict[str, str]]:
    """Return the headers of what stands on a topic because of a request."""
    return [one for one in records_on(platform, topic) if one["ce_correlationid"] == correlation]


def caused(record: dict[str, str]) -> str | None:
    """Return the id of the event that caused a record's, or nothing."""
    return record.get("ce_causationid")


def own_records(platform, correlation: str, wanted: int) -> dict[str, dict[str, str]]:
    """Return the headers of what a request itself emitted, by id; nothing before there are as many as wanted."""
    found = {one["ce_id"]: one for one in sent(platform, EMPLOYERS_FEED, correlation) if caused(one) is None}
    return found if len(found) >= wanted else {}


def test_one_request_is_followed_from_http_to_the_answer_of_another_organisation(platform):
    """HTTP, the stored entry, the broker's record, the reader's lines and what it emits: one correlation, one trace."""
    own = new_identifier()
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "X-Correlation-Id": own}
    reply = nominated(platform, records()[0], **headers)
    assert reply.status_code == 201, reply.text
    correlation = reply.headers["X-Correlation-Id"]
    assert correlation != own, "no text of a partner's choosing stands on the bus"
    [line] = lines_of(platform, "enrolment-api", event="http.request", correlation_id=correlation)
    assert (line["trace_id"], line["partners_correlation_id"], line["status"]) == (TRACE, own, 201)

    stored = own_events(platform, correlation)
    ids = until("the records", lambda: own_records(platform, correlation, len(stored)))
    assert set(ids) == stored
    assert {one["ce_traceparent"].split("-")[1] for one in ids.values()} == {TRACE}

    answers = until(
        "the answer", lambda: [one for one in sent(platform, LEADS_FEED, correlation) if caused(one) in ids]
    )
    assert {one["ce_traceparent"].split("-")[1] for one in answers} == {TRACE}

    cause = caused(answers[0])
    mine = until(
        "the reader's line", lambda: lines_of(platform, "enrolment-consume", event="event.taken", event_id=cause)
    )
    assert {(one["correlation_id"], one["trace_id"]) for one in mine} == {(correlation, TRACE)}
    assert {(one["feed"], one["number"]) for one in mine} == {(EMPLOYERS_FEED, int(ids[cause]["ce_feedseq"]))}
    back = until(
        "the employer's own line",
        lambda: [
            one
            for one in lines_of(platform, "enrolment-consume", event="event.taken", feed=LEADS_FEED)
            if one["correlation_id"] == correlation
        ],
    )
    assert {one["trace_id"] for one in back} == {TRACE}
    until(
        "another service's line",
        lambda: lines_of(platform, "assessment-consume", event="event.taken", correlation_id=correlation),
    )


def test_every_metric_of_an_alert_has_a_figure_on_the_page_of_the_process_that_it_names(platform):
    """A rule over a metric that nobody sets, or over a kind of it that nobody shows, would never wake anybody."""
    until(
        "a heartbeat to be held against what was read",
        lambda: (
            figure(platform, ("reporting", "consume"), "feed_reconcile_differences", feed=EMPLOYERS_FEED) is not None
        ),
    )
    leads = f"{platform.url('enrolment')}/v1/organisations/{LEAD}/enrolments"
    theirs = platform.mint(EMPLOYER, "hr", "hr-desk", "enrolment")
    asked = [httpx.get(leads, headers={"Authorization": f"Bearer {token}"}, timeout=30) for token in ("no", theirs)]
    assert [answer.status_code for answer in asked] == [401, 404]

    shown: dict[str, set[tuple[str, str, str]]] = {part: set() for part in PARTS}
    for _, part, base in processes(platform):
        for family in text_string_to_metric_families(httpx.get(f"{base}/metrics", timeout=15).text):
            for sample in family.samples:
                shown[part] |= {(sample.name, "", ""), *((sample.name, *pair) for pair in sample.labels.items())}
    missing = {
        (rule["alert"], part, *wanted)
        for rule in rules()
        for wanted in figures_of(rule["expr"])
        for part in (PARTS if rule["annotations"]["process"] == EVERY else (rule["annotations"]["process"],))
        if wanted not in shown[part]
    }
    assert missing == set()


def figures_of(expression: str) -> set[tuple[str, str, str]]:
    """Return the metrics that an alert asks for, and of each the label values that it names."""
    named = {(metric, label, value) for metric, label, sign, value in matchers_in(expression) if sign == "="}
    asked = {(metric, "", "") for metric in metrics_in(expression) - PROMETHEUS_OWN} | named
    return {one for one in asked if one[0] not in NOT_LOCALLY}


def test_labels_are_services_feeds_and_codes_and_nothing_of_a_person_is_on_a_page_or_in_a_log(platform):
    """Every label is one of a few, its values are words; the people who were nominated stand in no page and no log."""
    people = records()
    canaries = {
        record[name]
        for record in people
        for name in ("family_name", "email", "date_of_birth", "swe_number", "employee_ref")
        if record[name]
    }
    assert len(canaries) > len(people)
    places = {log.name: log.read_text(encoding="utf-8", errors="replace") for log in platform.place.logs.glob("*.log")}
    feeds = 2 * 4 * len(platform.partnership.organisations)
    for service, part, base in processes(platform):
        page = places[f"metrics of {service} {part}"] = httpx.get(f"{base}/metrics", timeout=15).text
        for family in text_string_to_metric_families(page):
            labels = {name for sample in family.samples for name in sample.labels}
            assert labels <= LABELS | (OF_PYTHON if family.name.startswith("python_") else set()), family.name
            for sample in family.samples:
                assert all(WORD.fullmatch(value) for value in sample.labels.values()), sample
            if {"feed"} <= labels and not family.name.startswith("relay_feed"):
                assert len(family.samples) <= 6 * feeds, family.name
    found = {(place, canary) for place, text in places.items() for canary in canaries if canary in text}
    assert found == set()


@contextlib.contextmanager
def stopped(platform, program: str) -> Iterator[None]:
    """Let a program hang, as a machine that swaps or a network that swallows does."""
    pid = platform.pid(program)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # a supervisor that waited too long has started another
            os.kill(pid, signal.SIGCONT)


def test_p8_p15_while_only_kafka_is_away_everything_is_ready_and_the_outbox_shows_what_waits(platform):
    """People work on: requests are taken, no process says that it is not ready, and the age of what waits is shown."""

    def outbox(name: str) -> float:
        return figure(platform, ("enrolment", "relay"), name, feed=EMPLOYERS_FEED) or 0

    until("an empty outbox", lambda: outbox("outbox_events") == 0 and outbox("outbox_oldest_seconds") == 0)
    with stopped(platform, "kafka"):
        assert nominated(platform, records()[1]).status_code == 201
        until("the outbox to be seen", lambda: outbox("outbox_events") >= 1)
        first = outbox("outbox_oldest_seconds")
        until("what waits to grow older", lambda: outbox("outbox_oldest_seconds") > first + 2)
        assert set(readiness(platform).values()) == {200}
        assert nominated(platform, records()[2]).status_code == 201
        until("both to be seen", lambda: outbox("outbox_events") >= 2)
    until("the outbox to drain", lambda: outbox("outbox_events") == 0 and outbox("outbox_oldest_seconds") == 0)
    assert set(readiness(platform).values()) == {200}


def test_p12_p15_while_the_database_hangs_nothing_is_ready_and_every_probe_is_answered(platform):
    """A hung database is as bad as none; whoever asks is told so, and not kept waiting by it."""
    with stopped(platform, "mongodb"):
        until("nobody to be ready", lambda: set(readiness(platform).values()) == {503}, seconds=25)
        assert set(said(platform, "livez").values()) == {200}
    until("everybody to be ready", lambda: set(readiness(platform).values()) == {200})


def test_p19_p20_parts_that_are_told_to_end_end_well_and_their_successors_go_on_at_once(platform, doors):
    """They say that they have stopped, what they held is free, and nothing waits for a lease to run out."""
    parts = ("relay", "consume", "worker")

    def stops(part: str) -> int:
        return len(lines_of(platform, f"enrolment-{part}", event="process.stopped", part=part))

    before = {part: (platform.pid(f"enrolment-{part}"), stops(part)) for part in parts}
    for pid, _ in before.values():
        os.kill(pid, signal.SIGTERM)
    for part, (pid, stopped_before) in before.items():
        until(f"the word of {part}", lambda part=part, count=stopped_before: stops(part) > count)
        until("its successor", lambda part=part, pid=pid: platform.pid(f"enrolment-{part}") != pid)
    until("their successors to be ready", lambda: set(readiness(platform).values()) == {200})
    for part in parts:
        assert figure(platform, ("enrolment", part), "process_started_at_seconds", service="enrolment", part=part)
    made = nominated(
        platform, {**records()[0], "employee_ref": "P20", "swe_number": "SW765432", "email": "p20@vale.example"}
    )
    assert made.status_code == 201, made.text
    hr = doors.as_("enrolment", EMPLOYER, "hr")
    path = hr.path(f"enrolments/{made.json()['enrolment_id']}")
    doors.until("an answer", lambda: hr.get(path)["status"] != "requested")
