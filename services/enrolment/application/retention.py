"""Letting go of what is too old: a dry run that counts, a run that removes in small steps, an employer's periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from services.enrolment.application import erasure
from services.enrolment.application.erasure_ports import Due
from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain import retention
from services.enrolment.domain.errors import NoSuchThing, WrongState
from services.enrolment.domain.retention import DONE, KINDS, LEAVERS, RUNNING, Periods, RetentionRun

REMOVED_PER_STEP = 100
ERASED_PER_STEP = 20
QUIET = "what an employer keeps, and for how long, is its own business"


def dry_run(books: Books) -> tuple[Periods, list[Due]]:
    """Return the periods and what a run would remove now. Nothing is changed."""
    periods = books.ageing.periods()
    return periods, [books.ageing.due(kind, periods.before(kind, books.now)) for kind in KINDS]


def set_periods(desk: Desk, days: Mapping[str, int]) -> Periods:
    """Return the employer's periods with some of them changed. Raises as `retention.with_days` does."""
    standing = desk.ageing.periods()
    changed = retention.with_days(standing, days)
    if changed == standing:
        return standing
    desk.silent(QUIET)
    return desk.ageing.set_periods(changed)


def apply(desk: Desk, by: str) -> RetentionRun:
    """Return a run that a worker carries out.

    Raises:
        WrongState: One is at work already.
    """
    if desk.ageing.runs(RUNNING):
        raise WrongState("a run is at work already")
    desk.silent(QUIET)
    return desk.ageing.keep_run(RetentionRun(desk.new_id(), by, desk.now, desk.ageing.periods().days))


def find(books: Books, run_id: str) -> RetentionRun:
    """Return one run.

    Raises:
        NoSuchThing: There is none of that id.
    """
    found = books.ageing.run(run_id)
    if found is None:
        raise NoSuchThing("no such run")
    return found


def step(desk: Desk, run_id: str, expected: tuple[str, ...]) -> bool:
    """Bring a run one part forward; return whether there is more to do."""
    run = desk.ageing.run(run_id)
    if run is None or run.state != RUNNING:
        return False
    for kind in KINDS:
        before = run.asked_at - timedelta(days=run.days[kind])
        count = _let_go(desk, run, kind, before, expected)
        if count:
            desk.ageing.keep_run(replace(run, removed={**run.removed, kind: run.removed.get(kind, 0) + count}))
            return True
    desk.ageing.keep_run(replace(run, state=DONE, finished_at=desk.now))
    return False


def _let_go(desk: Desk, run: RetentionRun, kind: str, before: datetime, expected: tuple[str, ...]) -> int:
    if kind != LEAVERS:
        return desk.ageing.remove(kind, before, REMOVED_PER_STEP)
    begun = 0
    for practitioner_id in desk.ageing.left_before(before.date(), ERASED_PER_STEP):
        try:
            asked = erasure.ask(desk, practitioner_id, "retention_ended", run.asked_by, expected)
        except WrongState:
            continue  # a nomination still waits for an answer: the next run takes them
        erasure.approve(desk, asked.erasure_id, run.asked_by, alone=True)
        begun += 1
    return begun
