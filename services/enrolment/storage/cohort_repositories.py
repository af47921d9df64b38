"""The programme lead's cohorts, places and queues."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.seats import WAITING
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import keep_version
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading


class StoredCohorts:
    """Cohorts by course and intake."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("cohorts")

    def find(self, course: str, intake: str) -> KeptCohort | None:
        """Return the cohort, or None."""
        found = self._rows.find_one({"_id": f"{course}/{intake}"})
        return value_of(found, KeptCohort) if found else None

    def of_course(self, course: str) -> list[KeptCohort]:
        """Return the course's cohorts in order of intake."""
        found = self._rows.find({"course": course}, sort=[("_id", 1)])
        return [value_of(document, KeptCohort) for document in found]

    def save(self, kept: KeptCohort) -> KeptCohort:
        """Keep the cohort as its next version and return that."""
        after = replace(kept, version=kept.version + 1)
        keep_version(self._rows, document_of(after, f"{after.course}/{after.intake}"))
        return after


class StoredPlaces:
    """Places by enrolment; the queue by cohort, state and number."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("places")

    def find(self, enrolment_id: str) -> Place | None:
        """Return the place of that enrolment, or None."""
        found = self._rows.find_one({"_id": enrolment_id})
        return value_of(found, Place) if found else None

    def add(self, place: Place) -> None:
        """Keep a new place."""
        self._rows.insert_one(self._document(place))

    def move(self, place: Place, state: str) -> Place:
        """Keep the place in another state and return it."""
        moved = replace(place, state=state, version=place.version + 1)
        self._rows.replace_version(self._document(moved), place.version)
        return moved

    def heads(self, course: str, intake: str, limit: int) -> list[Place]:
        """Return the first `limit` of the queue."""
        wanted = {"cohort": f"{course}/{intake}", "state": WAITING}
        return [value_of(found, Place) for found in self._rows.find(wanted, sort=[("number", 1)], limit=limit)]

    def in_state(self, course: str, intake: str, state: str) -> list[Place]:
        """Return places in order of arrival."""
        wanted = {"cohort": f"{course}/{intake}", "state": state}
        return [value_of(found, Place) for found in self._rows.find(wanted, sort=[("number", 1)])]

    @staticmethod
    def _document(place: Place) -> Document:
        return document_of(place, place.enrolment_id, cohort=f"{place.course}/{place.intake}")
