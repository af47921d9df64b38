"""Opens an organisation's books for reading, or its desk inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain.events import EnrolmentEvent
from services.enrolment.storage.cohort_repositories import StoredCohorts, StoredPlaceNews, StoredPlaces
from services.enrolment.storage.course_repositories import (
    StoredCatalogue,
    StoredCourses,
    StoredModuleDecisions,
    StoredProgrammes,
)
from services.enrolment.storage.entitlement_repositories import StoredEntitlements, StoredRegistrations
from services.enrolment.storage.erasure_repositories import StoredErasures, StoredEverywhere
from services.enrolment.storage.learning_repositories import StoredLearning
from services.enrolment.storage.lifecycle_repositories import StoredHandovers, StoredIncoming, StoredSettings
from services.enrolment.storage.notice_repositories import StoredNotices
from services.enrolment.storage.people_repositories import StoredPeople
from services.enrolment.storage.repositories import StoredAnswers, StoredEnrolments, StoredNominations
from services.enrolment.storage.retention_repositories import StoredAgeing
from services.enrolment.storage.session_repositories import StoredSessions
from services.enrolment.storage.task_repositories import StoredTasks
from services.enrolment.storage.upload_repositories import StoredMappings, StoredUploads
from shared.events.envelope import Outgoing
from shared.storage.unit_of_work import Reading, Work

PersonId = Callable[[str, str], str]
Publish = Callable[[EnrolmentEvent, int], Outgoing]


class Opener:
    """Makes books and desks; `person_id(organisation, reference)` gives an employee's opaque id.

    `kinds` is organisation -> kind, as the partnership file says.
    """

    def __init__(self, person_id: PersonId, publish: Publish, kinds: Mapping[str, str]) -> None:
        self._person_id = person_id
        self._kinds = kinds
        self._publish = publish

    def books(self, reading: Reading) -> Books:
        """Return the organisation's books; an old reference of a merged person gives the id that it leads to."""
        erasures = StoredErasures(reading)
        people = StoredPeople(reading, erasures)
        own_id = cache(partial(self._person_id, reading.organisation))  # a file's rows ask for it again and again
        return Books(
            organisation=reading.organisation,
            now=reading.now,
            kind=self._kinds.get(reading.organisation, ""),
            courses=StoredCourses(reading),
            programmes=StoredProgrammes(reading),
            module_decisions=StoredModuleDecisions(reading),
            learning=StoredLearning(reading),
            cohorts=StoredCohorts(reading),
            places=StoredPlaces(reading),
            sessions=StoredSessions(reading),
            news=StoredPlaceNews(reading),
            catalogue=StoredCatalogue(reading),
            nominations=StoredNominations(reading),
            people=people,
            registrations=StoredRegistrations(reading),
            entitlements=StoredEntitlements(reading),
            enrolments=StoredEnrolments(reading),
            answers=StoredAnswers(reading),
            uploads=StoredUploads(reading),
            mappings=StoredMappings(reading),
            tasks=StoredTasks(reading),
            notices=StoredNotices(reading),
            erasures=erasures,
            everywhere=StoredEverywhere(reading),
            ageing=StoredAgeing(reading),
            settings=StoredSettings(reading),
            incoming=StoredIncoming(reading),
            handovers=StoredHandovers(reading),
            person_id=lambda reference: people.survivor_of(own_id(reference)),
            own_id=own_id,
        )

    def desk(self, work: Work) -> Desk:
        """Return the organisation's desk inside this transaction."""
        books = self.books(work)
        return Desk(
            organisation=books.organisation,
            now=books.now,
            kind=books.kind,
            courses=books.courses,
            programmes=books.programmes,
            module_decisions=books.module_decisions,
            learning=books.learning,
            cohorts=books.cohorts,
            places=books.places,
            sessions=books.sessions,
            news=books.news,
            catalogue=books.catalogue,
            nominations=books.nominations,
            people=books.people,
            registrations=books.registrations,
            entitlements=books.entitlements,
            enrolments=books.enrolments,
            answers=books.answers,
            uploads=books.uploads,
            mappings=books.mappings,
            tasks=books.tasks,
            notices=books.notices,
            erasures=books.erasures,
            everywhere=books.everywhere,
            ageing=books.ageing,
            settings=books.settings,
            incoming=books.incoming,
            handovers=books.handovers,
            person_id=books.person_id,
            own_id=books.own_id,
            new_id=work.new_id,
            tell=lambda event, version: work.emit(self._publish(event, version)),
            silent=work.silent,
        )
