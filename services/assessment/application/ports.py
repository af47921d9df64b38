"""What the handlers need from outside. Shapes only; storage, messaging and bootstrap fill them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from services.assessment.domain.evaluation import Evaluation
from services.assessment.domain.events import Event
from services.assessment.domain.line_managers import LineManagers
from services.assessment.domain.portfolio import Portfolio
from services.assessment.domain.sufficiency import EvidenceRules
from services.assessment.domain.supervision import Session
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
    """What assessment knows of an employee: an opaque id, line managers, and a random id for supervision events."""

    practitioner_id: str
    managers: LineManagers
    supervisee_id: str | None = None


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


class Portfolios(Protocol):
    """The employer's portfolios."""

    def find(self, reading: Reading, portfolio_id: str) -> Kept[Portfolio] | None:
        """Return the portfolio, None when there is none."""

    def list(self, reading: Reading, asked: PortfolioFilter) -> list[Kept[Portfolio]]:
        """Return up to `limit` portfolios in the order of their ids."""

    def keep(self, work: Work, portfolio: Portfolio, version: int) -> Kept[Portfolio]:
        """Store what was read as `version` (0: new) and return it as kept now."""


class People(Protocol):
    """The employer's people, by opaque id."""

    def find(self, reading: Reading, practitioner_id: str) -> Kept[Person] | None:
        """Return the person, None when enrolment has not told of one."""

    def keep(self, work: Work, person: Person, version: int) -> Kept[Person]:
        """Store what was read as `version` (0: new) and return it as kept now."""


class Evaluations(Protocol):
    """Self-assessments, one document per portfolio."""

    def find(self, reading: Reading, portfolio_id: str) -> Kept[Evaluation] | None:
        """Return the self-assessments, None before the first."""

    def keep(self, work: Work, evaluation: Evaluation, version: int) -> Kept[Evaluation]:
        """Store what was read as `version` (0: new) and return it as kept now."""


class Sessions(Protocol):
    """Supervision sessions."""

    def of(self, reading: Reading, practitioner_id: str) -> tuple[Session, ...]:
        """Return a person's sessions, oldest first; empty when there are none."""

    def add(self, work: Work, sessions: tuple[Session, ...]) -> None:
        """Store new sessions."""


class Courses(Protocol):
    """Titles of published courses."""

    def find(self, reading: Reading, course: str) -> Kept[Course] | None:
        """Return the course, None when it was not published to us."""

    def keep(self, work: Work, course: Course, version: int) -> None:
        """Store what was read as `version` (0: new)."""


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
    people: People
    evaluations: Evaluations
    sessions: Sessions
    courses: Courses
    rulebook: Rulebook
    publish: Callable[[Event, int], Outgoing]
    person_id: Callable[[str, str], str]
