"""What a cohort's owner may look at: seats and queues with the reasons, sessions and attendance. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from services.enrolment.application.ports import Books
from services.enrolment.domain import explanations, seats
from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.explanations import Standing
from services.enrolment.domain.sessions import Session

MOST_COURSES = 1000
MOST_SHOWN = 1000
"""How many seats and how many of the queue a cohort shows at once; its list of places has all, page by page."""
MOST_OF_EACH_QUEUE = 100
"""How many of each queue are shown where all queues are: so many cohorts at once."""

Explained = tuple[Place, Standing]


@dataclass(frozen=True, slots=True)
class CohortView:
    """A cohort with the first of its seats and of its queue, each in order of arrival, and why each stands there."""

    kept: KeptCohort
    seats: list[Explained]
    waiting: list[Explained]


def cohort(books: Books, course: str, intake: str) -> KeptCohort:
    """Return the cohort.

    Raises:
        NoSuchThing: There is none.
    """
    kept = books.cohorts.find(course, intake)
    if kept is None:
        raise NoSuchThing("no such cohort")
    return kept


def view(books: Books, kept: KeptCohort) -> CohortView:
    """Return the cohort with its places."""
    return CohortView(
        kept, places(books, kept, seats.SEAT, 0, MOST_SHOWN), places(books, kept, seats.WAITING, 0, MOST_SHOWN)
    )


def places(books: Books, kept: KeptCohort, state: str, after: int, limit: int) -> list[Explained]:
    """Return up to `limit` places of one state that arrived after number `after`, with the numbers as they are now."""
    found = books.places.page(kept, state, after, limit)
    before = books.places.count_until(kept.course, kept.intake, state, after) if after else 0
    return [
        (place, explanations.standing(kept.cohort, place.employer, state, rank))
        for rank, place in enumerate(found, start=before + 1)
    ]


def waiting_lists(books: Books) -> list[tuple[KeptCohort, list[Explained]]]:
    """Return every cohort that somebody waits for, with the first of its queue."""
    found = [kept for course in books.courses.page(None, MOST_COURSES) for kept in books.cohorts.of_course(course.code)]
    return [(kept, places(books, kept, seats.WAITING, 0, MOST_OF_EACH_QUEUE)) for kept in found if kept.cohort.waiting]


def session(books: Books, course: str, intake: str, code: str) -> Session:
    """Return one session of a cohort.

    Raises:
        NoSuchThing: There is none.
    """
    found = books.sessions.find(course, intake, code)
    if found is None:
        raise NoSuchThing("no such session")
    return found
