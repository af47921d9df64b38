"""How long each kind of thing is kept: defaults, an employer's own periods, and a run that removes what is too old.

Feeds are never shortened: they hold no identity. Source: domain, section 7 (HR files: leaving and six years).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.enrolment.domain.errors import RuleSaysNo

UPLOADS = "uploads"
REPLIES = "stored_replies"
STRAYS = "unreadable_records"
RELEASES = "identity_releases"
LEAVERS = "practitioners_who_left"
SIX_YEARS = 2192
DEFAULT_DAYS: Mapping[str, int] = {UPLOADS: 90, REPLIES: 400, STRAYS: 30, RELEASES: SIX_YEARS, LEAVERS: SIX_YEARS}
MEANING: Mapping[str, str] = {
    UPLOADS: "Uploaded files with their rows, refused ones too, from the day on which they came",
    REPLIES: "Replies stored so that a repeated request has one effect",
    STRAYS: "Contents of records that could not be read",
    RELEASES: "Who was given whose identity, and why",
    LEAVERS: "People, from the day on which their last employment ended; a second person approves each erasure",
}
KINDS = tuple(DEFAULT_DAYS)
LONGEST_DAYS = 36_525
SHORTEST_DAYS = 1
SHORTEST_REPLIES_DAYS = 2
"""A sender may still be repeating its request."""

RUNNING = "running"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Periods:
    """Days per kind."""

    days: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_DAYS))
    version: int = 0

    def before(self, kind: str, now: datetime) -> datetime:
        """Return the moment before which a thing of this kind is too old."""
        return now - timedelta(days=self.days[kind])


@dataclass(frozen=True, slots=True)
class RetentionRun:
    """One clearing out, with the periods that stood when it was asked for.

    `removed` counts by kind; of people who left, the erasures that wait for a second person. `after` is the last of
    them who was looked at.
    """

    run_id: str
    asked_by: str
    asked_at: datetime
    days: Mapping[str, int]
    state: str = RUNNING
    removed: dict[str, int] = field(default_factory=dict)
    finished_at: datetime | None = None
    after: str | None = None
    version: int = 0


def shortest(kind: str) -> int:
    """Return how many days things of a kind are kept at the least."""
    return SHORTEST_REPLIES_DAYS if kind == REPLIES else SHORTEST_DAYS


def with_days(periods: Periods, days: Mapping[str, int]) -> Periods:
    """Return the periods with some of them changed.

    Raises:
        RuleSaysNo: A kind is unknown or a period is out of bounds.
    """
    for kind, count in days.items():
        if kind not in DEFAULT_DAYS:
            raise RuleSaysNo("there is no such kind of thing")
        least = shortest(kind)
        if not least <= count <= LONGEST_DAYS:
            raise RuleSaysNo(f"a period has {least} to {LONGEST_DAYS} days", about=f"days/{kind}")
    return replace(periods, days={**periods.days, **days})
