"""What the application needs of the outside, said as protocols; the storage room keeps the promises.

Everything is of one organisation, the board, and of one transaction or one reading of its database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.reporting.domain.facts import EnrolmentFacts, EvaluationFacts
from services.reporting.domain.publication import FeedPosition, Publication
from services.reporting.domain.rollups import Bucket, ChangeBucket, ChangeCounts, Counts
from shared.storage.unit_of_work import Reading, Work


@dataclass(frozen=True, slots=True)
class Terms:
    """What reporting takes from the partnership file. `domains` is by evidence set, in its framework's order."""

    title: str
    board: str
    employers: tuple[str, ...]
    names: Mapping[str, str]
    domains: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class KnownCourse:
    """A course as its owner last published it. `position` is the feed number of its first publication."""

    code: str
    title: str
    level: str
    routes: tuple[str, ...]
    credits_per_award: int
    accreditation: str
    evidence_set: str | None
    owner: str
    position: int


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far one feed was read, and what its owner last said of itself.

    `number` and `head` are the position that is kept with the effects; `taken` may be further on, past events of no
    interest here. `announced` is the highest number that the owner has named, `heard_at` when the last event or
    heartbeat came; both None before the first. `is_other_partnership` says that the owner works with another
    partnership file (None before its first heartbeat), `differences` names the figures in which the owner's own totals
    and what was counted here differ, `stopped` why the feed stands still.
    """

    feed: str
    number: int
    head: str | None
    taken: int
    announced: int | None
    heard_at: datetime | None
    is_other_partnership: bool | None = None
    differences: tuple[str, ...] = ()
    stopped: str | None = None


class Projections(Protocol):
    """The board's database as reactions see it."""

    def enrolment(self, organisation: str, enrolment_id: str) -> EnrolmentFacts:
        """Return what is known of an employer's enrolment; empty facts for an unknown one."""

    def expect_enrolments(self, named: Collection[tuple[str, str]]) -> None:
        """Read at once what will be asked of these enrolments: employer and enrolment id."""

    def keep_enrolment(self, organisation: str, enrolment_id: str, facts: EnrolmentFacts) -> None:
        """Keep the facts in place of what was known."""

    def evaluation(self, organisation: str, evaluation_id: str) -> EvaluationFacts:
        """Return what is known of a self-evaluation; empty facts for an unknown one."""

    def expect_evaluations(self, named: Collection[tuple[str, str]]) -> None:
        """Read at once what will be asked of these self-evaluations: employer and evaluation id."""

    def keep_evaluation(self, organisation: str, evaluation_id: str, facts: EvaluationFacts) -> None:
        """Keep the facts in place of what was known."""

    def move(self, bucket: Bucket, by: Counts) -> None:
        """Add to a bucket; one update of a bucket for all that a transaction adds to it."""

    def move_change(self, bucket: ChangeBucket, by: ChangeCounts) -> None:
        """Add to a bucket of paired self-assessments."""

    def course(self, code: str) -> KnownCourse | None:
        """Return a course, None for an unknown one."""

    def keep_course(self, course: KnownCourse) -> None:
        """Keep a course in place of what was known of it."""

    def answers_erasure(self, employer: str, practitioner_id: str, number: int) -> bool:
        """Return whether this erasure is still to be answered, and keep that it was."""


class Counted(Protocol):
    """The board's database as queries see it."""

    def courses(self) -> tuple[KnownCourse, ...]:
        """Return the courses in the order in which they were first published."""

    def counts(self) -> Mapping[Bucket, Counts]:
        """Return every bucket with its counts."""

    def changes(self) -> Mapping[ChangeBucket, ChangeCounts]:
        """Return every bucket of paired self-assessments."""


class Publications(Protocol):
    """The closed publications."""

    def all(self) -> tuple[Publication, ...]:
        """Return all publications, the latest first; empty before the first."""

    def find(self, publication_id: str) -> Publication | None:
        """Return one publication, None for an unknown id."""

    def add(self, publication: Publication) -> None:
        """Keep a new publication for ever."""


class Feeds(Protocol):
    """How far the feeds were read."""

    def states(self) -> tuple[FeedState, ...]:
        """Return the state of every feed that was heard of, by name."""


class Rooms(Protocol):
    """Opens the board's database for a transaction or a reading."""

    def projections(self, work: Work) -> Projections:
        """Return the projections of a transaction; the same one for the same transaction."""

    def counted(self, reading: Reading) -> Counted:
        """Return the roll-ups."""

    def publications(self, reading: Reading) -> Publications:
        """Return the closed publications."""

    def feeds(self, reading: Reading) -> Feeds:
        """Return the feeds' states."""


def position_of(state: FeedState) -> FeedPosition:
    """Return what a publication says of a feed."""
    return FeedPosition(state.feed, state.number, state.head)
