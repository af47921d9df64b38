"""Opens an organisation's books for reading, or its desk inside one transaction."""

from __future__ import annotations

from collections.abc import Callable

from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain.events import EnrolmentEvent
from services.enrolment.storage.cohort_repositories import StoredCohorts, StoredPlaces
from services.enrolment.storage.course_repositories import StoredCatalogue, StoredCourses
from services.enrolment.storage.people_repositories import StoredPeople
from services.enrolment.storage.repositories import StoredAnswers, StoredEnrolments, StoredNominations
from services.enrolment.storage.upload_repositories import StoredMappings, StoredUploads
from shared.events.envelope import Outgoing
from shared.storage.unit_of_work import Reading, Work

PersonId = Callable[[str, str], str]
Publish = Callable[[EnrolmentEvent, int], Outgoing]


class Opener:
    """Makes books and desks; `person_id(organisation, reference)` gives an employee's opaque id."""

    def __init__(self, person_id: PersonId, publish: Publish) -> None:
        self._person_id = person_id
        self._publish = publish

    def books(self, reading: Reading) -> Books:
        """Return the organisation's books."""
        return Books(
            organisation=reading.organisation,
            now=reading.now,
            courses=StoredCourses(reading),
            cohorts=StoredCohorts(reading),
            places=StoredPlaces(reading),
            catalogue=StoredCatalogue(reading),
            nominations=StoredNominations(reading),
            people=StoredPeople(reading),
            enrolments=StoredEnrolments(reading),
            answers=StoredAnswers(reading),
            uploads=StoredUploads(reading),
            mappings=StoredMappings(reading),
            person_id=lambda reference: self._person_id(reading.organisation, reference),
        )

    def desk(self, work: Work) -> Desk:
        """Return the organisation's desk inside this transaction."""
        books = self.books(work)
        return Desk(
            organisation=books.organisation,
            now=books.now,
            courses=books.courses,
            cohorts=books.cohorts,
            places=books.places,
            catalogue=books.catalogue,
            nominations=books.nominations,
            people=books.people,
            enrolments=books.enrolments,
            answers=books.answers,
            uploads=books.uploads,
            mappings=books.mappings,
            person_id=books.person_id,
            new_id=work.new_id,
            tell=lambda event, version: work.emit(self._publish(event, version)),
            silent=work.silent,
        )
