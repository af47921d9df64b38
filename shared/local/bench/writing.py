"""A1 and A2: a commit of state and feed entry, against parsing and inserting alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from shared.events.envelope import Outgoing
from shared.local.bench.stage import Duel, Stage, Timed, bodies, event
from shared.storage.unit_of_work import Work

STATE = "enrolments"


def duels(stage: Stage) -> tuple[Duel, ...]:
    """Return both rows."""
    rows = _Writing(stage)
    return (
        Duel(
            id="A1",
            title="commit of one event: state, contract, feed entry",
            bare_title="parse + insert_one, same write concern",
            size=stage.sizes.single_commits,
            platform=rows.single,
            bare=rows.bare_single,
        ),
        Duel(
            id="A2",
            title=f"commit of {stage.sizes.bulk_events} events at once",
            bare_title="parse + one insert_many of as many",
            size=stage.sizes.bulk_commits,
            platform=rows.bulk,
            bare=rows.bare_bulk,
        ),
    )


class _Writing:
    """Every side writes one event first, untimed: its collections are then there, as they are in production."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._unit = stage.unit()

    @contextmanager
    def single(self, size: int) -> Iterator[Timed]:
        """One transaction per event."""
        organisation = self._stage.new_feed().organisation
        incoming = bodies(size)
        self._commit(organisation, bodies(1))

        def run() -> int:
            for body in incoming:
                self._commit(organisation, [body])
            return size

        yield run

    @contextmanager
    def bare_single(self, size: int) -> Iterator[Timed]:
        """One insert per event."""
        collection = self._unit.database(self._stage.new_feed().organisation)[STATE]
        incoming = bodies(size)
        collection.insert_one(_document(bodies(1)[0]))

        def run() -> int:
            for body in incoming:
                collection.insert_one(_document(body))
            return size

        yield run

    @contextmanager
    def bulk(self, size: int) -> Iterator[Timed]:
        """One transaction per `bulk_events` events."""
        organisation = self._stage.new_feed().organisation
        commits = [bodies(self._stage.sizes.bulk_events) for _ in range(size)]
        self._commit(organisation, bodies(1))

        def run() -> int:
            for incoming in commits:
                self._commit(organisation, incoming)
            return sum(map(len, commits))

        yield run

    @contextmanager
    def bare_bulk(self, size: int) -> Iterator[Timed]:
        """One insert per `bulk_events` events."""
        collection = self._unit.database(self._stage.new_feed().organisation)[STATE]
        batches = [bodies(self._stage.sizes.bulk_events) for _ in range(size)]
        collection.insert_one(_document(bodies(1)[0]))

        def run() -> int:
            for incoming in batches:
                collection.insert_many([_document(body) for body in incoming], ordered=False)
            return sum(map(len, batches))

        yield run

    def _commit(self, organisation: str, incoming: list[bytes]) -> None:
        documents = [_document(body) for body in incoming]
        events: list[Outgoing] = [event(each["_id"], body) for each, body in zip(documents, incoming, strict=True)]

        def commit(work: Work) -> None:
            if len(documents) == 1:
                work.rows(STATE).insert_one(documents[0])
            else:
                work.rows(STATE).insert_many(documents)
            work.emit(*events)

        self._unit.run(organisation, commit)


def _document(body: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(body)
    return {"_id": fields["enrolment_id"], **fields}
