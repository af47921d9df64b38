"""C1: the board's tables read from the roll-ups, after a short history and after a long one.

Reporting is loaded by its name, as its processes are; nothing of `shared` imports a service. History is heard through
reporting's own subscriptions in the unit of work's transactions, a batch of a reader's at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from importlib import import_module
from typing import Any

import msgspec

from shared.events.envelope import Received
from shared.identifiers import new_identifier
from shared.local.bench.stage import Duel, Stage, Timed
from shared.partnership import load
from shared.storage.unit_of_work import UnitOfWork, Work

SERVICE = "reporting"
COURSES, MONTHS, BATCH_EVENTS = 4, 5, 200
COURSE_TYPE, REQUESTED_TYPE = "enrolment.course-published.v1", "enrolment.requested.v1"


def duels(stage: Stage) -> tuple[Duel, ...]:
    """Return the row: A is the long history, B the short one."""
    board = _Board(stage)
    times = stage.sizes.history_times
    row = Duel(
        id="C1",
        title=f"board's five tables from roll-ups, {times}x the history",
        bare_title=f"the same tables after {stage.sizes.history} enrolments",
        size=stage.sizes.report_reads,
        platform=board.long,
        bare=board.short,
    )
    return (row,)


class _Board:
    """The board's database twice; each is filled when it is first read."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._partnership = load(stage.partnership_file)
        reporting = import_module(f"services.{SERVICE}.bootstrap")
        consumed = import_module(f"services.{SERVICE}.messaging.consumed")
        self._desk = reporting.desk_of(self._partnership)
        self._heard = {row.type: row for row in consumed.subscriptions(self._desk.rooms.projections)}

    @contextmanager
    def short(self, size: int) -> Iterator[Timed]:
        """Read after a short history."""
        yield self._reads(self._after_short, size)

    @contextmanager
    def long(self, size: int) -> Iterator[Timed]:
        """Read after a long history."""
        yield self._reads(self._after_long, size)

    @cached_property
    def _after_short(self) -> UnitOfWork:
        return self._filled("short_", self._stage.sizes.history)

    @cached_property
    def _after_long(self) -> UnitOfWork:
        return self._filled("long_", self._stage.sizes.history * self._stage.sizes.history_times)

    def _reads(self, unit: UnitOfWork, size: int) -> Timed:
        def run() -> int:
            for _ in range(size):
                self._desk.projections(unit.reading(self._partnership.board))
            return size

        return run

    def _filled(self, prefix: str, enrolments: int) -> UnitOfWork:
        stage = self._stage
        unit = UnitOfWork(
            client=stage.client, service=SERVICE, clock=stage.clock, new_identifier=new_identifier, prefix=prefix
        )
        lead = self._partnership.programme_lead
        events = [(lead, COURSE_TYPE, _course(number, lead)) for number in range(COURSES)]
        employers = self._partnership.with_role("employer")
        events += [
            (employers[number % len(employers)], REQUESTED_TYPE, _request(number)) for number in range(enrolments)
        ]
        for start in range(0, len(events), BATCH_EVENTS):
            unit.run(self._partnership.board, self._hearing(events[start : start + BATCH_EVENTS], start))
        return unit

    def _hearing(self, events: Sequence[tuple[str, str, dict[str, object]]], start: int) -> Callable[[Work], None]:
        def hear(work: Work) -> None:
            for number, (owner, kind, fields) in enumerate(events, start + 1):
                row = self._heard[kind]
                row.reaction(work, self._received(number, owner, kind, msgspec.convert(fields, row.struct)))

        return hear

    def _received(self, number: int, owner: str, kind: str, data: object) -> Received[Any]:
        return Received(
            id=new_identifier(),
            type=kind,
            key=str(number),
            organisation=owner,
            service="enrolment",
            topic=f"org.{owner}.enrolment.v1",
            number=number,
            time=self._stage.clock.now(),
            correlation_id=new_identifier(),
            data=data,
        )


def _course(number: int, owner: str) -> dict[str, object]:
    return {
        "course": f"C{number}",
        "title": f"Course {number}",
        "level": "ALL",
        "routes": ["practice_only"],
        "credits": 0,
        "accreditation": "none",
        "owner": owner,
    }


def _request(number: int) -> dict[str, object]:
    """Return a nomination; every history spreads over the same buckets, as terms do, so only its length differs."""
    return {
        "enrolment_id": new_identifier(),
        "course": f"C{number % COURSES}",
        "route": "practice_only",
        "pcf_level": "SW",
        "requested_on": date(2025, 1 + number % MONTHS, 12),
    }
