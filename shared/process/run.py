"""Runs one part of one service: `python -m services.<name> api | consume | relay | worker | prepare`.

Starting, stopping and saying how it is live here; what a part does is the service's `bootstrap.py`. SIGTERM and
SIGINT set the stop event, upon which a part ends its transaction and returns. Exit codes: 0 done, 1 failed, 2 wrong
usage. `prepare` makes databases and indexes ready, may be run again at any time, and ends by writing one line of JSON
to the standard output: `{"service": "enrolment", "parts": ["api", "relay", "consume", "worker"]}`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NoReturn, Protocol, TypeVar

import structlog

from shared.clock import SystemClock, wait_for
from shared.errors import PlatformError, Unavailable
from shared.process import lifeline
from shared.process.settings import CommonSettings, load
from shared.process.settling import settle
from shared.telemetry import metrics
from shared.telemetry.health_server import HealthServer
from shared.telemetry.logs import configure_logging

S = TypeVar("S", bound=CommonSettings)
DONE, FAILED, WRONG_USAGE = 0, 1, 2
ASK_AGAIN_SECONDS = 1.0
GUNICORN_CONFIGURATION = Path(__file__).with_name("gunicorn_conf.py")

log = structlog.get_logger(__name__)


class Part(Protocol):
    """A process's work: a relay, a reader, a worker."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then leave everything tidy and return."""

    def ready(self) -> bool:
        """Return whether the work goes on at present (the database answers). Asked from another thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Generic[S]):
    """How the parts of a service are built. Builders are called in the process that runs the part, after any fork.

    `web_app` is the import path of the application's factory: `services.enrolment.bootstrap:web_app`. `check` refuses
    to start on what is not safe (`Malformed`, with all of it), and raises `Unavailable` while nobody can know.
    """

    settings: Callable[[], S]
    web_app: str
    prepare: Callable[[S], None]
    relay: Callable[[S], Part]
    consume: Callable[[S], Part]
    worker: Callable[[S], Part] | None = None
    check: Callable[[S, str], None] = lambda *_: None

    def names(self) -> tuple[str, ...]:
        """Return the parts that run for ever, in the order in which they are started."""
        return ("api", "relay", "consume", *(("worker",) if self.worker else ()))


def main(service: str, parts: Parts[S], arguments: Sequence[str] | None = None) -> int:
    """Run the part that the command line names and return its exit code. `api` becomes gunicorn and never returns."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    choices = (*parts.names(), "prepare")
    if len(given) != 1 or given[0] not in choices:
        print(f"usage: python -m services.{service} {' | '.join(choices)}", file=sys.stderr)  # noqa: T201
        return WRONG_USAGE
    try:
        settings = parts.settings()
        configure_logging(service, console=settings.log_format == "console", level=settings.log_level)
        _run(service, given[0], parts, settings)
    except PlatformError as error:
        print(f"{service} {given[0]}: {error.detail}", file=sys.stderr)  # noqa: T201
        return FAILED
    return DONE


def common_settings() -> CommonSettings:
    """Return the settings of a service that has none of its own: what `Parts.settings` may be."""
    return load(CommonSettings.read)


def _run(service: str, name: str, parts: Parts[S], settings: S) -> None:
    if name == "prepare":
        parts.prepare(settings)
        print(json.dumps({"service": service, "parts": parts.names()}))  # noqa: T201 - its product
        return
    stop = stop_when_asked()
    if name == "api":
        if is_safe(lambda: parts.check(settings, name), stop, settings):
            become_gunicorn(service, parts.web_app)
        return
    metrics.STARTED.labels(service, name).set(SystemClock().now().timestamp())
    builders = {"relay": parts.relay, "consume": parts.consume, "worker": parts.worker}
    build = builders[name]
    if build is not None:
        run_part(name, lambda: build(settings), settings, stop, check=lambda: parts.check(settings, name))


def stop_when_asked() -> threading.Event:
    """Return an event that SIGTERM, SIGINT or the end of the supervisor that started this process sets."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    lifeline.watch(stop)
    return stop


def run_part(
    name: str,
    build: Callable[[], Part],
    settings: CommonSettings,
    stop: threading.Event,
    *,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run one part, once its check has found nothing, until `stop` is set."""
    part: list[Part] = []
    health = HealthServer(settings.health_port, lambda: bool(part) and part[0].ready(), host=settings.host).start()
    try:
        log.info("process.starting", part=name, health_port=health.port)
        if passes(check, stop):
            part.append(build())
            settle()
            part[0].run(stop)
        log.info("process.stopped", part=name)
    finally:
        health.stop()


def is_safe(check: Callable[[], None], stop: threading.Event, settings: CommonSettings) -> bool:
    """Return whether the API may start, False when it is to stop first.

    While the database is away nobody knows: then it says on its own port that it lives and is not ready.

    Raises:
        Malformed: with everything that is not safe.
    """
    try:
        check()
    except Unavailable:
        health = HealthServer(settings.port, lambda: False, host=settings.host).start()
        try:
            return passes(check, stop)
        finally:
            health.stop()
    return not stop.is_set()


def passes(check: Callable[[], None], stop: threading.Event) -> bool:
    """Return whether the check passes, however long nobody can know; False when `stop` is set first.

    Raises:
        Malformed: with everything that is not safe.
    """
    is_told = False
    while not stop.is_set():
        try:
            check()
        except Unavailable as error:
            if not is_told:
                log.warning("process.waiting", detail=error.detail)
            is_told = True
            wait_for(stop, ASK_AGAIN_SECONDS)
        else:
            return True
    return False


def become_gunicorn(service: str, web_app: str) -> NoReturn:
    """Replace this process by gunicorn, whose workers log in the service's name.

    No client of a database or broker may be open before.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONFIGURATION), "--name", service]
    os.execv(sys.executable, [*gunicorn, f"{web_app}()"])  # noqa: S606 - our own interpreter, no shell
