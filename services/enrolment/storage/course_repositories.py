"""The programme lead's courses, and the catalogue that an employer has heard of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from services.enrolment.application.facts import CohortOpened, CourseDescribed, CoursePublished, ProgrammeDescribed
from services.enrolment.domain.courses import Course, ModuleDecision
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse
from services.enrolment.domain.eligibility import NOTHING_ASKED, Asked
from services.enrolment.domain.programmes import Programme
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from shared.storage.mongo import Document
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


class StoredProgrammes:
    """Programmes by code."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("programmes")

    def find(self, code: str) -> Programme | None:
        """Return the programme, or None."""
        found = self._rows.find_one({"_id": code})
        return value_of(found, Programme) if found else None

    def page(self, after: str | None, limit: int) -> list[Programme]:
        """Return programmes in order of code."""
        found = self._rows.find(following(after), sort=[("_id", 1)], limit=limit)
        return [value_of(document, Programme) for document in found]

    def save(self, programme: Programme) -> Programme:
        """Keep the programme as its next version and return that."""
        kept = replace(programme, version=programme.version + 1)
        keep_version(self._rows, document_of(kept, kept.code))
        return kept


class StoredModuleDecisions:
    """Decisions by university and instance."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("module_decisions")

    def of(self, course: str) -> list[ModuleDecision]:
        """Return all about that course."""
        return [value_of(row, ModuleDecision) for row in self._rows.find({"course": course}, sort=[("_id", 1)])]

    def put(self, decision: ModuleDecision) -> None:
        """Keep the latest decision about an instance."""
        name = f"{decision.hei}/{decision.instance_id}"
        self._rows.replace_one({"_id": name}, document_of(decision, name), upsert=True)


class StoredCatalogue:
    """What the programme leads' feeds said, course by course and cohort by cohort."""

    def __init__(self, reading: Reading) -> None:
        self._courses = reading.rows("catalogue_courses")
        self._cohorts = reading.rows("catalogue_cohorts")
        self._descriptions = reading.rows("catalogue_descriptions")
        self._programmes = reading.rows("catalogue_programmes")
        self._terms = reading.rows("cohort_terms_heard")
        self._organisation = reading.organisation

    def courses(self) -> dict[str, OfferedCourse]:
        """Return all, by code, with their cohorts."""
        titles = self.titles()
        described = self._described(titles)
        cohorts = self._offered_cohorts({})
        return {code: _offered(told, cohorts.get(code, {}), described.get(code)) for code, told in titles.items()}

    def course(self, code: str, intake: str | None = None) -> OfferedCourse | None:
        """Return one course with its cohorts or only that one, or None, without reading the others."""
        found = self._courses.find_one({"_id": code})
        if found is None:
            return None
        told = value_of(found, CoursePublished)
        said = self._descriptions.find_one({"_id": f"{told.owner}/{code}"})
        if intake is None:
            cohorts = self._offered_cohorts({"_id": {"$gte": f"{code}/", "$lt": f"{code}0"}})  # "0" follows "/"
        else:
            names = [f"{code}/{intake}"]
            cohorts = self._as_offered(self._cohorts.by_ids(names), self._terms.by_ids(names))
        return _offered(told, cohorts.get(code, {}), value_of(said, CourseDescribed) if said else None)

    def _offered_cohorts(self, which: dict[str, Any]) -> dict[str, dict[str, OfferedCohort]]:
        terms = self._terms.find(which, projection={"owner": 1, "invited": 1})
        return self._as_offered(self._cohorts.find(which), terms)

    def _as_offered(self, found: Iterable[Document], told: Iterable[Document]) -> dict[str, dict[str, OfferedCohort]]:
        """Return cohorts by course and intake; one that this employer is not invited to is not open here."""
        terms_of = {row["_id"]: row for row in told}
        cohorts: dict[str, dict[str, OfferedCohort]] = {}
        for document in found:
            cohort, terms = value_of(document, OfferedCohort), terms_of.get(document["_id"])
            if terms and terms["owner"] == cohort.owner and not self._is_among(terms["invited"]):
                cohort = replace(cohort, is_open_here=False)
            cohorts.setdefault(document["course"], {})[document["intake"]] = cohort
        return cohorts

    def _is_among(self, invited: Collection[str] | None) -> bool:
        return invited is None or self._organisation in invited

    def titles(self) -> dict[str, CoursePublished]:
        """Return all courses as they were told, by code, in order of code."""
        found = self._courses.find({}, sort=[("_id", 1)])
        return {document["_id"]: value_of(document, CoursePublished) for document in found}

    def descriptions(self) -> dict[str, CourseDescribed]:
        """Return what the owners said of their courses, by code; a course that was only published is not there."""
        return self._described(self.titles())

    def _described(self, titles: dict[str, CoursePublished]) -> dict[str, CourseDescribed]:
        """Return the descriptions of those whose course it is; somebody else's under the same code is passed over."""
        found = [value_of(document, CourseDescribed) for document in self._descriptions.find({})]
        return {
            told.course: told for told in found if told.course in titles and titles[told.course].owner == told.owner
        }

    def programmes(self) -> list[ProgrammeDescribed]:
        """Return all programmes as they were told, in order of owner and code."""
        return [value_of(row, ProgrammeDescribed) for row in self._programmes.find({}, sort=[("_id", 1)])]

    def put_description(self, told: CourseDescribed) -> None:
        """Keep what somebody says of a course; it counts for the course of that owner only."""
        name = f"{told.owner}/{told.course}"
        self._descriptions.replace_one({"_id": name}, document_of(told, name), upsert=True)

    def put_programme(self, told: ProgrammeDescribed) -> None:
        """Keep a programme of that owner."""
        name = f"{told.owner}/{told.programme}"
        self._programmes.replace_one({"_id": name}, document_of(told, name), upsert=True)

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


def _offered(told: CoursePublished, cohorts: dict[str, OfferedCohort], said: CourseDescribed | None) -> OfferedCourse:
    return OfferedCourse(
        code=told.course,
        owner=told.owner,
        level=told.level,
        routes=told.routes,
        prerequisite_routes=told.prerequisite_routes,
        credits=told.credits,
        awarding_hei=told.awarding_hei,
        module=told.module,
        evidence_set=told.evidence_set,
        cohorts=cohorts,
        asked=_asked(said),
    )


def _asked(told: CourseDescribed | None) -> Asked:
    """Return what a course asks for; nothing where nobody said so."""
    if told is None:
        return NOTHING_ASKED
    return Asked(
        after=told.after,
        courses_first=told.courses_first,
        in_house_within_months=told.in_house_within_months,
        roles=told.roles,
        open_to=told.open_to,
        elements=told.elements,
        rated_domains=told.rated_domains,
    )
