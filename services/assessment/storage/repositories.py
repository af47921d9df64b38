"""The employer's collections behind the application's ports. The organisation is the database that `reading` is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from services.assessment.application.ports import Beside, Course, Kept, Person, PortfolioFilter
from services.assessment.domain.evaluation import Evaluation
from services.assessment.domain.portfolio import Portfolio
from services.assessment.domain.supervision import Session
from services.assessment.storage import documents
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading, Work

T = TypeVar("T")

PORTFOLIOS = "portfolios"
PEOPLE = "people"
EVALUATIONS = "evaluations"
SESSIONS = "supervision_sessions"
COURSES = "courses"


class Versioned(Generic[T]):
    """One collection of things that are replaced whole, guarded by their version."""

    def __init__(
        self, collection: str, to_document: Callable[[T, int], Document], from_document: Callable[[Document], T]
    ) -> None:
        self._collection = collection
        self._to_document = to_document
        self._from_document = from_document

    def find(self, reading: Reading, identifier: str) -> Kept[T] | None:
        """Return the thing with its version, None when there is none."""
        return self.kept(reading.rows(self._collection).find_one({"_id": identifier}))

    def kept(self, document: Document | None) -> Kept[T] | None:
        """Return the thing that a document holds, None without one."""
        return self._kept(document) if document is not None else None

    def keep(self, work: Work, thing: T, version: int) -> Kept[T]:
        """Store `thing`, read as `version` (0: new).

        Raises:
            ConcurrentChange: somebody else changed it first.
        """
        document = self._to_document(thing, version + 1)
        if version == 0:
            work.rows(self._collection).insert_one(document)
        else:
            work.rows(self._collection).replace_version(document, version)
        return Kept(thing, version + 1)

    def _kept(self, document: Document) -> Kept[T]:
        return Kept(self._from_document(document), document["version"])


class StoredPortfolios(Versioned[Portfolio]):
    """Portfolios, found by id, person, course or intake."""

    def __init__(self) -> None:
        super().__init__(PORTFOLIOS, documents.portfolio_document, documents.portfolio_from)

    def list(self, reading: Reading, asked: PortfolioFilter) -> list[Kept[Portfolio]]:
        """Return up to `limit` portfolios in the order of their ids."""
        wanted = {"practitioner_id": asked.practitioner_id, "course": asked.course, "intake": asked.intake}
        query: dict[str, object] = {name: value for name, value in wanted.items() if value is not None}
        if asked.after is not None:
            query["_id"] = {"$gt": asked.after}
        found = reading.rows(PORTFOLIOS).find(query, sort=[("_id", 1)], limit=asked.limit)
        return [self._kept(document) for document in found]

    def beside(self, reading: Reading, portfolio_id: str) -> Beside:
        """Return what is shown with a stored portfolio: three documents, one command."""
        others = {PEOPLE: "practitioner_id", EVALUATIONS: "_id", COURSES: "course"}
        found = reading.rows(PORTFOLIOS).beside(portfolio_id, others)
        return Beside(
            person=stored_people().kept(found[PEOPLE]),
            evaluation=stored_evaluations().kept(found[EVALUATIONS]),
            course=stored_courses().kept(found[COURSES]),
        )


class StoredSessions:
    """Supervision sessions, one document each."""

    def of(self, reading: Reading, practitioner_id: str) -> tuple[Session, ...]:
        """Return a person's sessions, oldest first."""
        found = reading.rows(SESSIONS).find({"practitioner_id": practitioner_id})
        sessions = (documents.session_from(document) for document in found)
        return tuple(sorted(sessions, key=lambda session: (session.held_on, session.session_id)))

    def add(self, work: Work, sessions: tuple[Session, ...]) -> None:
        """Store new sessions."""
        work.rows(SESSIONS).insert_many([documents.session_document(session) for session in sessions])


def stored_people() -> Versioned[Person]:
    """Return the collection of people."""
    return Versioned(PEOPLE, documents.person_document, documents.person_from)


def stored_evaluations() -> Versioned[Evaluation]:
    """Return the collection of self-assessments."""
    return Versioned(EVALUATIONS, documents.evaluation_document, documents.evaluation_from)


def stored_courses() -> Versioned[Course]:
    """Return the collection of courses' titles."""
    return Versioned(
        COURSES,
        lambda course, version: {"_id": course.course, "version": version, "title": course.title},
        lambda document: Course(document["_id"], document["title"]),
    )
