"""What cohorts need from outside, as protocols.

The owner's cohorts, places, queue, sessions and attendance, and what an employer has heard of its people's places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.enrolment.application.facts import AttendanceRecorded, CohortTermsSet
from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.explanations import Standing
from services.enrolment.domain.sessions import Attendance, Session


class Cohorts(Protocol):
    """The programme lead's own cohorts."""

    def find(self, course: str, intake: str) -> KeptCohort | None:
        """Return the cohort, or None."""

    def of_course(self, course: str) -> list[KeptCohort]:
        """Return the course's cohorts in order of intake."""

    def unsettled(self) -> list[KeptCohort]:
        """Return the cohorts in whose queue somebody is in turn for a seat."""

    def save(self, kept: KeptCohort) -> KeptCohort:
        """Keep the cohort as its next version and return that."""


class Places(Protocol):
    """Every request that a cohort's owner has answered."""

    def find(self, enrolment_id: str) -> Place | None:
        """Return the place of that enrolment, or None."""

    def add(self, place: Place) -> None:
        """Keep a new place."""

    def save(self, place: Place) -> Place:
        """Keep the place as its next version and return that."""

    def first_waiting(self, kept: KeptCohort, employer: str, waits_from: int) -> Place:
        """Return who came first of one employer's people in the queue, none of whom came before `waits_from`.

        Raises:
            LookupError: Nobody of that employer waits.
        """

    def page(self, kept: KeptCohort, state: str, after: int, limit: int) -> list[Place]:
        """Return up to `limit` places of one state that arrived after number `after`, in order of arrival."""

    def count_until(self, course: str, intake: str, state: str, number: int) -> int:
        """Return how many places of one state arrived up to and with `number`."""


class Sessions(Protocol):
    """The programme lead's session plans, and who attended."""

    def find(self, course: str, intake: str, session: str) -> Session | None:
        """Return the session, or None."""

    def page(self, course: str, intake: str, after: str | None, limit: int) -> list[Session]:
        """Return a cohort's sessions in order of their codes."""

    def save(self, session: Session) -> Session:
        """Keep the session as its next version and return that."""

    def attendance(self, session: Session, enrolment_id: str) -> Attendance | None:
        """Return what is recorded of one person at one session, or None."""

    def attendance_page(self, session: Session, after: str | None, limit: int) -> list[Attendance]:
        """Return what is recorded of one session, in order of enrolments."""

    def attendance_of(self, enrolment_id: str) -> list[Attendance]:
        """Return what is recorded of one enrolment, in order of sessions."""

    def save_attendance(self, attendance: Attendance) -> Attendance:
        """Keep what is recorded as its next version and return that."""


class PlaceNews(Protocol):
    """What an employer has heard from cohorts' owners about its people's places."""

    def put_standing(self, enrolment_id: str, standing: Standing) -> None:
        """Keep the numbers behind the latest decision about an enrolment."""

    def standings(self, enrolment_ids: Sequence[str]) -> dict[str, Standing]:
        """Return the numbers behind the latest decisions, by enrolment."""

    def put_attendance(self, told: AttendanceRecorded) -> None:
        """Keep what was recorded of one person at one session; the latest counts."""

    def attendance_of(self, enrolment_id: str) -> list[AttendanceRecorded]:
        """Return what was recorded of one enrolment, in order of sessions."""

    def put_terms(self, told: CohortTermsSet) -> None:
        """Keep a cohort's days, quotas and invitations; those of another owner under the same name stay."""

    def terms(self) -> dict[tuple[str, str], CohortTermsSet]:
        """Return the days, quotas and invitations that were told, by course and intake."""
