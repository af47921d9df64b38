"""The services' own processes, started as the platform starts them, on databases that begin with a prefix."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event

from services.reporting.messaging.consumed import FEEDS
from shared.events.reader import followed_feeds
from shared.events.topics import Topics
from shared.local.platform import ROOT, bells
from shared.local.ports import any_free
from shared.local.programs import Program, answers_ready
from shared.local.supervisor import Supervisor
from tests.bench.enrolling import EMPLOYER, LEAD, Enrolment, environment
from tests.bench.stage import Sink, Stage

WORKERS = "2"
HOSTED = "HOSTED_ORGANISATIONS"


@contextmanager
def relaying(stage: Stage, sink: Sink, prefix: str, organisation: str) -> Iterator[int]:
    """Yield the process number of enrolment's relay of one organisation's feeds."""
    port = any_free()
    given = {**environment(stage, sink, prefix), "PYTHONPATH": str(ROOT), HOSTED: organisation}
    supervisor = Supervisor(stage.directory / "service-logs", stage.clock, lambda _: None)
    try:
        supervisor.finish([_program("enrolment", "prepare", given)])
        supervisor.start([_program("enrolment", "relay", given | {"HEALTH_PORT": str(port)}, port)], Event())
        yield supervisor.pids()["enrolment-relay"]
    finally:
        supervisor.stop()


@contextmanager
def serving(stage: Stage, sink: Sink, prefix: str, service: Enrolment) -> Iterator[tuple[int, int]]:
    """Yield the API's port and its master's process number, with relay and the board's reader beside it."""
    port, relay_port, reader_port = any_free(), any_free(), any_free()
    given = {**environment(stage, sink, prefix), "PYTHONPATH": str(ROOT), "WEB_CONCURRENCY": WORKERS}
    given |= bells(stage.directory / "bells")
    lead = {HOSTED: f"{LEAD},{EMPLOYER}"}
    board = {HOSTED: service.partnership.board}
    _make_topics(stage, service)
    supervisor = Supervisor(stage.directory / "service-logs", stage.clock, lambda _: None)
    try:
        supervisor.finish(
            [_program("enrolment", "prepare", given | lead), _program("reporting", "prepare", given | board)]
        )
        supervisor.start(
            (
                _program("enrolment", "api", given | lead | {"PORT": str(port)}, port),
                _program("enrolment", "relay", given | lead | {"HEALTH_PORT": str(relay_port)}, relay_port),
                _program("reporting", "consume", given | board | {"HEALTH_PORT": str(reader_port)}, reader_port),
            ),
            Event(),
        )
        yield port, supervisor.pids()["enrolment-api"]
    finally:
        supervisor.stop()


def _program(service: str, part: str, settings: Mapping[str, str], port: int | None = None) -> Program:
    return Program(
        name=f"{service}-{part}",
        command=(sys.executable, "-m", f"services.{service}", part),
        environment=settings,
        port=port,
        ready=answers_ready(port) if port else lambda: True,
    )


def _make_topics(stage: Stage, service: Enrolment) -> None:
    """Make every feed's topic, as the others' relays would have: the reader then waits for none."""
    topics = Topics(stage.bootstrap_servers, stage.clock, config=stage.kafka_config)
    for feed in followed_feeds(service.partnership, FEEDS, [service.partnership.board]):
        topics.ensure_feed(feed.topic)
    topics.close()
