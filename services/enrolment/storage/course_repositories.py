"""The programme lead's courses, and the catalogue that an employer has heard of."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.facts import CohortOpened, CoursePublished
from services.enrolment.domain.courses import Course
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from shared.storage.unit_of_work import Reading


class StoredCourses:
    """Courses by code."""

    def __init__(self, reading: Reading) -> None:
        self._courses = reading.rows("courses")

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
