"""What the cohort owner's handlers need from outside, as protocols: cohorts, places and the queue."""

from __future__ import annotations

from typing import Protocol

from services.enrolment.domain.cohorts import KeptCohort, Place


class Cohorts(Protocol):
    """The programme lead's own cohorts."""

    def find(self, course: str, intake: str) -> KeptCohort | None:
        """Return the cohort, or None."""

    def of_course(self, course: str) -> list[KeptCohort]:
        """Return the course's cohorts in order of intake."""

    def save(self, kept: KeptCohort) -> KeptCohort:
        """Keep the cohort as its next version and return that."""


class Places(Protocol):
    """Every request that a cohort's owner has answered."""

    def find(self, enrolment_id: str) -> Place | None:
        """Return the place of that enrolment, or None."""

    def add(self, place: Place) -> None:
        """Keep a new place."""

    def move(self, place: Place, state: str) -> Place:
        """Keep the place in another state and return it."""

    def heads(self, course: str, intake: str, limit: int) -> list[Place]:
        """Return the first `limit` of the queue."""

    def in_state(self, course: str, intake: str, state: str) -> list[Place]:
        """Return places in order of arrival; who was promoted stands where the seat was given."""
