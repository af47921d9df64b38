"""A1 and A2: a nomination posted and a file uploaded, against parsing and bare inserts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pymongo
from flask import Flask, Response, request

from shared.identifiers import new_identifier
from shared.storage.mongo import MAJORITY, SNAPSHOT, Client, Document
from shared.storage.unit_of_work import UnitOfWork
from tests.bench.enrolling import EMPLOYER, Enrolment, ask, enrolment, nomination, nomination_file
from tests.bench.figures import Figure
from tests.bench.following import RECOUNT_SECONDS
from tests.bench.measuring import Duel, Pace, Row, fought
from tests.bench.stage import NULL, SEC, Miscounted, Side, Sink, Stage, Timed, as_a_process

NOMINATIONS = f"/v1/organisations/{EMPLOYER}/enrolments"
UPLOADS = f"/v1/organisations/{EMPLOYER}/enrolment-uploads"
CALLERS = 16
ONE_TITLE = "POST of a nomination: token, schema, rules, reply kept, state and feed entry committed"
ONE_BARE = "the same view in bare Flask: parse, one transaction of three documents"


def rows() -> tuple[Row, ...]:
    """Return the rows."""
    return (
        Row(id="A1", measure=posted, sinks=(NULL, SEC), weight=1.5),
        Row(id="A2", measure=uploaded, sinks=(NULL, SEC), weight=2.5),
    )


def posted(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """A1: one caller, and on the real database sixteen at a time."""
    with enrolment(stage, sink) as service:
        numbers = iter(range(1, 10_000_000))
        bare_app = _bare_app(service.unit, sink.client)

        def duel(part: str, size: int, callers: int) -> Duel:
            return Duel(
                id="A1",
                part=part,
                title=ONE_TITLE if callers == 1 else f"{callers} callers on one process: {ONE_TITLE}",
                bare_title=ONE_BARE,
                size=size,
                platform=as_a_process(_posts(service.app, service, numbers, callers)),
                bare=_posts(bare_app, service, numbers, callers),
            )

        found = [fought(stage, duel(sink.name, stage.sizes.requests, 1), pace)]
        if sink.name == SEC:
            found.append(fought(stage, duel(f"crowd {sink.name}", stage.sizes.requests, CALLERS), pace))
        return found


def _posts(app: Flask, service: Enrolment, numbers: Iterator[int], callers: int) -> Side:
    """Return requests to an application. Every answer must be 201."""

    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        bodies = [msgspec.json.encode(nomination(next(numbers))) for _ in range(size)]
        headers = service.headers()

        def one(body: bytes) -> int:
            return ask(app, "POST", NOMINATIONS, body, headers)[0]

        def run() -> int:
            statuses = _called(one, bodies, callers)
            if set(statuses) != {201}:
                raise Miscounted(f"{app.name} answered {sorted(set(statuses))}")
            return size

        yield run

    return side


def _called(one: Callable[[bytes], int], bodies: Sequence[bytes], callers: int) -> list[int]:
    if callers == 1:
        return [one(body) for body in bodies]
    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(one, bodies))


def _bare_app(unit: UnitOfWork, client: Client) -> Flask:
    """Return an application whose view parses and writes as many documents as the platform's, in one transaction."""
    app = Flask("bare")
    database = unit.database(f"{EMPLOYER}-bare")
    names = ("effects", "effects-replies", "effects-entries")
    for name in names:
        database.create_collection(name)

    @app.post(NOMINATIONS)
    def nominate() -> Response:
        body, identifier = request.get_json(), new_identifier()
        said = msgspec.json.encode({"enrolment_id": identifier, **body})
        documents: tuple[Document, ...] = (
            {"_id": identifier, **body},
            {"_id": request.headers["Idempotency-Key"], "status": 201, "content": said},
            {"_id": new_identifier(), "events": [{"id": identifier, "type": "requested", "data": said}]},
        )
        with client.start_session() as session, session.start_transaction(SNAPSHOT, MAJORITY):
            for name, document in zip(names, documents, strict=True):
                database[name].insert_one(document, session=session)
        return Response(said, status=201, content_type="application/json")

    return app


def uploaded(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """A2: a file sent, checked, confirmed and imported; every person has an enrolment and an event afterwards."""
    size = stage.sizes.uploaded
    duel = Duel(
        id="A2",
        part=sink.name,
        title=f"upload of {size} people: kept, checked row by row, confirmed, imported with an event each",
        bare_title="parse the same CSV and one unordered insert_many",
        size=size,
        platform=as_a_process(_upload(stage, sink)),
        bare=_bare_upload(stage, sink),
        warm_up=10,
    )
    return [fought(stage, duel, pace)]


def _upload(stage: Stage, sink: Sink) -> Side:
    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        content = nomination_file(size)
        with enrolment(stage, sink) as service:
            headers = service.headers()

            def run() -> int:
                sent = service.good("POST", f"{UPLOADS}?filename=people.csv", content, headers, "octet-stream")
                service.worker.work_once()
                service.good("POST", f"{UPLOADS}/{sent['id']}/confirm", b"{}", headers)
                service.worker.work_once()
                job = service.good("GET", f"{UPLOADS}/{sent['id']}", b"", headers)
                if job["state"] != "completed" or job["counts"]["accepted"] != size:
                    raise Miscounted(f"the upload of {size} people ended as {job['state']}, {job['counts']}")
                return size

            yield run
            _recount(service, size)

    return side


def _recount(service: Enrolment, size: int) -> None:
    """Count the enrolments and the events that were written."""
    database = service.unit.database(EMPLOYER)
    with pymongo.timeout(RECOUNT_SECONDS):
        kept = database["enrolments"].count_documents({})
        events = [event["type"] for entry in database["org_entries"].find({}) for event in entry["events"]]
    told = events.count("enrolment.requested.v1")
    if (kept, told) != (size, size):
        raise Miscounted(f"{kept} enrolments and {told} events of {size} people")


def _bare_upload(stage: Stage, sink: Sink) -> Side:
    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        content = nomination_file(size)
        collection = stage.unit(sink, prefix=stage.fresh_prefix()).database(EMPLOYER).create_collection("effects")

        def run() -> int:
            people = csv.DictReader(io.StringIO(content.decode()))
            collection.insert_many([{"_id": new_identifier(), **each} for each in people], ordered=False)
            return size

        yield run
        if collection.count_documents({}) != size:
            raise Miscounted("the bare upload is not whole")

    return side
