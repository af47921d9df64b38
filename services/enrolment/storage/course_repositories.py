"""The programme lead's courses, cohorts and places, and the catalogue that an employer has heard of."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.facts import CohortOpened, CoursePublished
from services.enrolment.domain.courses import Course, KeptCohort, Place
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse
from services.enrolment.domain.seats import WAITING
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from shared.storage.mongo import Document
from shared.storage.unit_of_work import Reading


class StoredCourses:
    """Courses by code, cohorts by course and intake."""

    def __init__(self, reading: Reading) -> None:
        self._courses = reading.rows("courses")
        self._cohorts = reading.rows("cohorts")

    def find(self, code: str) -> Course | None:
        """Return the course, or None."""
        found = self._courses.find_one({"_id": code})
        return value_of(found, Course) if found else None

    def page(self, after: str | None, limit: int) -> list[Course]:
        """Return courses in order of code."""
        found = self._courses.find(following(after), sort=[("_id", 1)], limit=limit)
        return [value_of(document, Course) for document in found]

    def save(self, course: Course) -> Course:
        """Keep the course as its next version and return that."""
        kept = replace(course, version=course.version + 1)
        keep_version(self._courses, document_of(kept, kept.code))
        return kept

    def cohort(self, course: str, intake: str) -> KeptCohort | None:
        """Return the cohort, or None."""
        found = self._cohorts.find_one({"_id": f"{course}/{intake}"})
        return value_of(found, KeptCohort) if found else None

    def cohorts_of(self, course: str) -> list[KeptCohort]:
        """Return the course's cohorts in order of intake."""
        found = self._cohorts.find({"course": course}, sort=[("_id", 1)])
        return [value_of(document, KeptCohort) for document in found]

    def save_cohort(self, kept: KeptCohort) -> KeptCohort:
        """Keep the cohort as its next version and return that."""
        after = replace(kept, version=kept.version + 1)
        keep_version(self._cohorts, document_of(after, f"{after.course}/{after.intake}"))
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


class StoredCatalogue:
    """What the programme leads' feeds said, course by course and cohort by cohort."""

    def __init__(self, reading: Reading) -> None:
        self._courses = reading.rows("catalogue_courses")
        self._cohorts = reading.rows("catalogue_cohorts")

    def courses(self) -> dict[str, OfferedCourse]:
        """Return all, by code, with their cohorts."""
        cohorts: dict[str, dict[str, OfferedCohort]] = {}
        for document in self._cohorts.find({}):
            cohorts.setdefault(document["course"], {})[document["intake"]] = value_of(document, OfferedCohort)
        return {
            code: OfferedCourse(
                code=code,
                owner=told.owner,
                level=told.level,
                routes=told.routes,
                prerequisite_routes=told.prerequisite_routes,
                credits=told.credits,
                awarding_hei=told.awarding_hei,
                module=told.module,
                evidence_set=told.evidence_set,
                cohorts=cohorts.get(code, {}),
            )
            for code, told in self.titles().items()
        }

    def titles(self) -> dict[str, CoursePublished]:
        """Return all courses as they were told, by code, in order of code."""
        found = self._courses.find({}, sort=[("_id", 1)])
        return {document["_id"]: value_of(document, CoursePublished) for document in found}

    def put_course(self, told: CoursePublished) -> None:
        """Keep a course; one of another owner under the same code stays."""
        known = self._courses.find_one({"_id": told.course}, {"owner": 1})
        if known is None or known["owner"] == told.owner:
            self._courses.replace_one({"_id": told.course}, document_of(told, told.course), upsert=True)

    def put_cohort(self, told: CohortOpened) -> None:
        """Keep a cohort, open or with another capacity; a closed one stays closed."""
        name = f"{told.course}/{told.intake}"
        known = self._cohorts.find_one({"_id": name})
        if known is not None and known["owner"] != told.owner:
            return
        closed = bool(known and known["closed"])
        self._cohorts.replace_one({"_id": name}, document_of(told, name, closed=closed), upsert=True)

    def close(self, course: str, intake: str, owner: str) -> None:
        """Mark a cohort closed."""
        self._cohorts.update_one({"_id": f"{course}/{intake}", "owner": owner}, {"$set": {"closed": True}})
