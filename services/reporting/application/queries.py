"""What may be asked: the tables as they stand (for the operator), publications (for the board), freshness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.reporting.application.ports import Counted, FeedState, KnownCourse, Publications, Terms
from services.reporting.domain.errors import NoSuchReport
from services.reporting.domain.publication import TITLES, Publication, PublishedTable
from services.reporting.domain.rollups import Course, RollUps


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far one feed was read, how long ago it was heard of, how many of its events are still to come.

    `owner_number` is what the owner says that it has; the rest names what a person has to look at.
    """

    feed: str
    number: int
    owner_number: int | None
    delay_seconds: int | None
    missing: int | None
    is_other_partnership: bool | None
    differences: tuple[str, ...]
    stopped: str | None


def rollups_of(counted: Counted, terms: Terms) -> RollUps:
    """Return what the tables are made from, as of now."""
    return RollUps(
        courses=tuple(_course(course, terms) for course in counted.courses()),
        employers=terms.employers,
        counts=counted.counts(),
        changes=counted.changes(),
    )


def publication_of(publications: Publications, publication_id: str | None) -> Publication:
    """Return the publication of that id, the latest for None.

    Raises:
        NoSuchReport: when there is none.
    """
    latest = publication_id is None
    found = next(iter(publications.all()), None) if latest else publications.find(publication_id or "")
    if found is None:
        raise NoSuchReport("There is no such publication.")
    return found


def table_of(publication: Publication, name: str) -> PublishedTable:
    """Return a table of a publication.

    Raises:
        NoSuchReport: when no table has that name.
    """
    found = publication.table(name)
    if found is None:
        raise NoSuchReport(f"There is no such table; the tables are {', '.join(TITLES)}.")
    return found


def freshness_of(states: tuple[FeedState, ...], now: datetime) -> tuple[Freshness, ...]:
    """Return how fresh each feed is, by name. Unknown stays None: no heartbeat was heard yet."""
    return tuple(
        Freshness(
            feed=state.feed,
            number=max(state.number, state.taken),
            owner_number=state.announced,
            delay_seconds=None if state.heard_at is None else max(0, int((now - state.heard_at).total_seconds())),
            missing=None if state.announced is None else max(0, state.announced - max(state.number, state.taken)),
            is_other_partnership=state.is_other_partnership,
            differences=state.differences,
            stopped=state.stopped,
        )
        for state in states
    )


def _course(known: KnownCourse, terms: Terms) -> Course:
    domains = None if known.evidence_set is None else terms.domains.get(known.evidence_set, ())
    return Course(known.code, known.title, known.routes, known.credits_per_award, domains)
