"""The task list: what waits, counted and one by one, for whom. Where each kind is found is the storage room's."""

from __future__ import annotations

from collections.abc import Sequence

from services.enrolment.application.ports import Books
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.tasks import MOST_COUNTED, OpenTask, Standing, kinds_of, standing


def standings(books: Books, roles: Sequence[str]) -> list[Standing]:
    """Return how every kind of task of these roles stands, those with nothing to do too."""
    found = []
    for kind in kinds_of(roles):
        oldest = books.tasks.oldest(kind.name)
        count = books.tasks.count(kind.name, MOST_COUNTED + 1) if oldest else 0
        found.append(standing(kind, count, oldest))
    return found


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
        found += books.tasks.some(name, about if name == kind else None, limit - len(found))
        if len(found) >= limit:
            break
    return found
