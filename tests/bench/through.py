"""D1: how long from a nomination's 201 to its place on the board, at a set pace, through real processes.

Enrolment's API under gunicorn, its relay, the broker, reporting's reader: each as the platform runs it. The board's
database is watched by a change stream.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import msgspec

from shared.identifiers import new_identifier
from shared.local.ports import LOOPBACK
from shared.storage.mongo import database_name
from tests.bench.enrolling import Enrolment, enrolment, nomination, nomination_file
from tests.bench.figures import Figure
from tests.bench.machine import PROC, peak_mebibytes_of
from tests.bench.measuring import Pace, Row
from tests.bench.processes import serving
from tests.bench.ratios import percentile, spread
from tests.bench.stage import SEC, Miscounted, Sink, Stage
from tests.bench.writing import NOMINATIONS, UPLOADS

CALLERS = 4
WORKERS = "2"
LAST_SECONDS = 30.0
LISTENING_SECONDS = 1.0
SETTLING = 10
"""Nominations that are posted first and not counted: connections, caches and the first topics are then there."""


def rows() -> tuple[Row, ...]:
    """Return the row."""
    return (Row(id="D1", measure=passed_through, sinks=(SEC,), weight=1.0),)


def passed_through(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """Return D1's figures, and the memory of the API's workers after a file of many people."""
    prefix = stage.fresh_prefix()
    pace.say("D1: three services' processes start")
    with enrolment(stage, sink, prefix) as service, serving(stage, sink, prefix, service) as (port, master):
        with _board_watched(stage, sink, prefix, service) as board:
            pace.say("D1: nominations posted")
            _posted(stage, port, service, range(1, SETTLING + 1))
            _wait(stage, board, SETTLING)
            count = int(stage.sizes.through_seconds * stage.sizes.through_per_second)
            accepted = _posted(stage, port, service, range(SETTLING + 1, SETTLING + count + 1))
            _wait(stage, board, SETTLING + count)
        took = [(board.at[key] - at) * 1000 for key, at in accepted.items() if key in board.at]
        if len(took) != count:
            raise Miscounted(f"{count - len(took)} of {count} nominations did not reach the board")
        peak = _memory_after_file(stage, port, master, service)
    details = {"per_second": stage.sizes.through_per_second, "events": float(count), "most_milliseconds": max(took)}
    halves = took[: count // 2] or took, took[count // 2 :]
    found = []
    for part, share in (("p50", 0.5), ("p99", 0.99)):
        value = spread([percentile(took, share), *(percentile(half, share) for half in halves)])
        title = f"from a 201 to the board, {stage.sizes.through_per_second:.0f} a second: {part}"
        found.append(Figure(id="D1", part=part, title=title, bare_title="", unit="ms", value=value, details=details))
    title = f"API worker: peak memory after {count} POSTs and a file of {stage.sizes.uploaded} people"
    return [*found, Figure(id="M1", part="api", title=title, bare_title="", unit="MiB", value=spread([peak]))]


@dataclass(frozen=True, slots=True)
class _Board:
    """When each enrolment was first seen in the board's database, by the id that it has there."""

    at: dict[str, float]


@contextmanager
def _board_watched(stage: Stage, sink: Sink, prefix: str, service: Enrolment) -> Iterator[_Board]:
    board, stop = _Board({}), Event()
    name = database_name("reporting", service.partnership.board, prefix)
    place = {"ns.db": name, "ns.coll": "enrolments"}

    def watch() -> None:
        with sink.client.watch([{"$match": place}], max_await_time_ms=200) as stream:
            while not stop.is_set():
                change = stream.try_next()
                if change is not None:
                    board.at.setdefault(change["documentKey"]["_id"].rpartition("/")[2], stage.clock.monotonic())

    thread = Thread(target=watch, name="bench-board")
    thread.start()
    stage.clock.sleep(LISTENING_SECONDS)
    try:
        yield board
    finally:
        stop.set()
        thread.join()


def _posted(stage: Stage, port: int, service: Enrolment, numbers: Sequence[int]) -> dict[str, float]:
    """Post nominations at the pace and return when each was accepted, by its enrolment's id."""
    headers = _headers(service)
    pace, begun = 1 / stage.sizes.through_per_second, stage.clock.monotonic()

    def one(place: int, number: int) -> tuple[str, float]:
        stage.clock.sleep(max(0.0, begun + place * pace - stage.clock.monotonic()))
        body = msgspec.json.encode(nomination(number))
        said = _asked(port, NOMINATIONS, body, {**headers, "Content-Type": "application/json"}, 201)
        return said["enrolment_id"], stage.clock.monotonic()

    with ThreadPoolExecutor(CALLERS) as pool:
        return dict(pool.map(one, range(len(numbers)), numbers))


def _headers(service: Enrolment) -> dict[str, str]:
    return {"Authorization": service.headers()["HTTP_AUTHORIZATION"]}


def _asked(port: int, path: str, body: bytes, headers: Mapping[str, str], wanted: int) -> dict[str, str]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("POST", path, body, {**headers, "Idempotency-Key": new_identifier()})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != wanted:
        raise Miscounted(f"{path} was answered with {answer.status}: {content.decode()[:300]}")
    found: dict[str, str] = msgspec.json.decode(content)
    return found


def _wait(stage: Stage, board: _Board, count: int) -> None:
    until = stage.clock.monotonic() + LAST_SECONDS
    while len(board.at) < count and stage.clock.monotonic() < until:
        stage.clock.sleep(0.02)


def _memory_after_file(stage: Stage, port: int, master: int, service: Enrolment) -> float:
    """Send a file of many people and return the most memory that any of the API's workers ever had."""
    headers = {**_headers(service), "Content-Type": "application/octet-stream"}
    _asked(port, f"{UPLOADS}?filename=people.csv", nomination_file(stage.sizes.uploaded), headers, 202)
    workers = Path(PROC / str(master) / "task" / str(master) / "children").read_text().split()
    return max(peak_mebibytes_of(int(worker)) for worker in workers)
