"""What the handlers need from outside. Shapes only; storage, messaging and bootstrap fill them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.assessment.domain.evaluation import Evaluation
from services.assessment.domain.events import Event
from services.assessment.domain.line_managers import LineManagers
from services.assessment.domain.portfolio import Portfolio
from services.assessment.domain.sufficiency import EvidenceRules
from services.assessment.domain.supervision import Employment, Session
from shared.events.envelope import Outgoing
from shared.storage.unit_of_work import Reading, Work

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """Something with the version under which it is stored; 0: not stored yet."""

    value: T
    version: int


@dataclass(frozen=True, slots=True)
class Person:
    """What assessment knows of an employee: an opaque id, line managers, and a random id for supervision events.

    `employment` has the days of the latest one, where enrolment told of them.
    """

    practitioner_id: str
    managers: LineManagers
    supervisee_id: str | None = None
    employment: Employment | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What a published course is called."""

    course: str
    title: str


@dataclass(frozen=True, slots=True)
class PortfolioFilter:
    """Which portfolios are asked for; None asks for all. `after` is the last id of the page before."""

    practitioner_id: str | None = None
    course: str | None = None
    intake: str | None = None
    after: str | None = None
    limit: int = 50


class Store(Protocol[T]):
    """Things of one kind, each found by its id and replaced whole."""

    def find(self, reading: Reading, identifier: str) -> Kept[T] | None:
        """Return the thing, None when there is none."""

    def keep(self, work: Work, thing: T, version: int) -> Kept[T]:
        """Store what was read as `version` (0: new) and return it as kept now.

        Raises:
            ConcurrentChange: somebody else changed it first.
        """


@dataclass(frozen=True)
class Beside:
    """What is known of a portfolio's candidate, self-assessments and course; None where nothing is."""

    person: Kept[Person] | None
    evaluation: Kept[Evaluation] | None
    course: Kept[Course] | None


class Portfolios(Store[Portfolio], Protocol):
    """The employer's portfolios."""

    def list(self, reading: Reading, asked: PortfolioFilter) -> list[Kept[Portfolio]]:
        """Return up to `limit` portfolios in the order of their ids."""

    def beside(self, reading: Reading, portfolio_id: str) -> Beside:
        """Return what is shown with a stored portfolio."""


class Sessions(Protocol):
    """Supervision sessions."""

    def of(self, reading: Reading, practitioner_id: str) -> tuple[Session, ...]:
        """Return a person's sessions, oldest first; empty when there are none."""

    def add(self, work: Work, sessions: tuple[Session, ...]) -> None:
        """Store new sessions."""


class Erasures(Protocol):
    """What is known and forgotten of people whom the employer erased."""

    def is_news(self, work: Work, practitioner_id: str, number: int) -> bool:
        """Return whether this erasure is still to be answered, and keep that it was."""

    def portfolios_of(self, work: Work, practitioner_id: str) -> list[Kept[Portfolio]]:
        """Return every portfolio of the person."""

    def forget(self, work: Work, practitioner_id: str, portfolio_ids: Sequence[str]) -> bool:
        """Remove the person, their sessions, ratings and stored replies; return whether anything was there."""


class Rulebook(Protocol):
    """The partnership's evidence sets."""

    def rules(self, evidence_set: str) -> EvidenceRules:
        """Return the evidence set.

        Raises:
            Malformed: the partnership file does not have it.
        """


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them. `person_id(organisation, reference)` gives an employee's opaque id; references are never kept."""

    portfolios: Portfolios
    people: Store[Person]
    evaluations: Store[Evaluation]
    sessions: Sessions
    courses: Store[Course]
    erasures: Erasures
    rulebook: Rulebook
    publish: Callable[[Event, int], Outgoing]
    person_id: Callable[[str, str], str]
