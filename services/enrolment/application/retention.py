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
ASKED_PER_STEP = 20
QUIET = "what an employer keeps, and for how long, is its own business"


def dry_run(books: Books) -> tuple[Periods, list[Due]]:
    """Return the periods and what a run would remove now. Nothing is changed."""
    periods = books.ageing.periods()
    return periods, [books.ageing.due(kind, periods.before(kind, books.now)) for kind in KINDS]


def dry_run_with(books: Books, days: Mapping[str, int]) -> tuple[Periods, list[Due]]:
    """Return other periods and what a run under them would remove now. Nothing is changed.

    Raises as `retention.with_days` does.
    """
    periods = retention.with_days(books.ageing.periods(), days)
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
        if kind == LEAVERS:
            after = _ask_for_leavers(desk, run, before, expected)
        else:
            after = _counted(run, kind, desk.ageing.remove(kind, before, REMOVED_PER_STEP))
        if after != run:
            desk.ageing.keep_run(after)
            return True
    desk.ageing.keep_run(replace(run, state=DONE, finished_at=desk.now))
    return False


def _counted(run: RetentionRun, kind: str, count: int) -> RetentionRun:
    return replace(run, removed={**run.removed, kind: run.removed.get(kind, 0) + count}) if count else run


def _ask_for_leavers(desk: Desk, run: RetentionRun, before: datetime, expected: tuple[str, ...]) -> RetentionRun:
    """Return the run after the next people who left were asked to be erased, or were passed over.

    Asked only: a period is one person's word, and an erasure, which cannot be undone, is for two.
    """
    people = desk.ageing.left_before(before.date(), run.after, ASKED_PER_STEP)
    asked = 0
    for practitioner_id in people:
        try:
            erasure.ask(desk, practitioner_id, "retention_ended", run.asked_by, expected)
        except (WrongState, NoSuchThing):
            continue  # a nomination still waits for an answer, or they were merged just now: the next run takes them
        asked += 1
    return replace(_counted(run, LEAVERS, asked), after=people[-1]) if people else run
