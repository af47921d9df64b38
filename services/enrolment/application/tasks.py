"""The task list: what waits, counted and one by one, for whom. Where each kind is found is the storage room's."""

from __future__ import annotations

from collections.abc import Sequence

from services.enrolment.application.duplicates import duplicates
from services.enrolment.application.ports import Books
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.tasks import DUPLICATE, MOST_COUNTED, OpenTask, Standing, TaskKind, kinds_of, standing

MOST_PAIRS = 100
"""Pairs of people are looked at one by one, because whether they are still alike no index knows."""


def standings(books: Books, roles: Sequence[str]) -> list[Standing]:
    """Return how every kind of task of these roles stands, those with nothing to do too."""
    return [_standing(books, kind) for kind in kinds_of(roles)]


def _standing(books: Books, kind: TaskKind) -> Standing:
    if kind.name == DUPLICATE:
        found = len(duplicates(books, None, MOST_PAIRS + 1))
        return Standing(kind, min(found, MOST_PAIRS), None, is_more=found > MOST_PAIRS)
    return standing(kind, books.tasks.count(kind.name, MOST_COUNTED + 1), books.tasks.oldest(kind.name))


def feed(books: Books, roles: Sequence[str], after: str | None, limit: int) -> list[OpenTask]:
    """Return up to `limit` single tasks after the one with the id `after`: kind by kind, each in order of id.

    Raises:
        NoSuchThing: `after` names no kind of task.
    """
    kinds = [kind.name for kind in kinds_of(roles)]
    kind, _, about = (after or "").partition(":")
    if after is not None and kind not in kinds:
        raise NoSuchThing("no such task")
    found: list[OpenTask] = []
    for name in kinds[kinds.index(kind) :] if after is not None else kinds:
        found += _some(books, name, about if name == kind else None, limit - len(found))
        if len(found) >= limit:
            break
    return found


def _some(books: Books, kind: str, after: str | None, limit: int) -> list[OpenTask]:
    if kind == DUPLICATE:
        return [OpenTask(kind, pair.pair, None) for pair in duplicates(books, after, limit)]
    return books.tasks.some(kind, after, limit)
