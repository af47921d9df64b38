"""How often readers of a feed found another in their place: kept where it outlives them.

A reader in mode `assign` ends over it, mostly before anybody has scraped its counter, and its successor begins at 0. So
it leaves word in the database, and whoever holds the feed shows how many did lately. Must not live here: who is fenced.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from shared.events import reading_metrics
from shared.storage.unit_of_work import UnitOfWork, Work

FENCES: Final = "reader_fences"
"""The collection; `_id` is the topic, `at` when it happened last, the newest at the end."""
LATELY: Final = timedelta(minutes=15)
MOST_KEPT: Final = 50


def note(unit: UnitOfWork, organisation: str, topic: str) -> None:
    """Leave word that a reader of the topic found another in its place.

    Raises:
        Unavailable: The database does not answer.
        ConcurrentChange: Others left word at the same time, again and again.
    """

    def write(work: Work) -> None:
        rows = work.rows(FENCES)
        held = rows.find_one({"_id": topic})
        before = [] if held is None else held["at"]
        rows.replace_one({"_id": topic}, {"_id": topic, "at": [*before, work.now][-MOST_KEPT:]}, upsert=True)

    unit.run(organisation, write)


def show(unit: UnitOfWork, organisations: Iterable[str], topic: str) -> None:
    """Show how many readers of the topic were fenced lately, in whichever of these databases they noticed it.

    Raises:
        Unavailable: The database does not answer.
    """
    count = sum(lately(unit, organisation, topic) for organisation in organisations)
    reading_metrics.FENCED_LATELY.labels(unit.service, topic).set(count)


def lately(unit: UnitOfWork, organisation: str, topic: str) -> int:
    """Return how many readers of the topic left word in this database lately.

    Raises:
        Unavailable: The database does not answer.
    """
    held = unit.reading(organisation).rows(FENCES).find_one({"_id": topic})
    return 0 if held is None else sum(at >= unit.clock.now() - LATELY for at in held["at"])
