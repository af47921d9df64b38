"""The programme lead's courses, cohorts and places; the employer's catalogue, nominations, people and enrolments.

Each is bound to one organisation's database, for reading or inside a transaction. No rule lives here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar, cast

from pymongo import ReplaceOne

from services.enrolment.application.facts import CohortOpened, CoursePublished
from services.enrolment.application.ports import EnrolmentFilter, Taken
from services.enrolment.domain.courses import Course, KeptCohort, Place
from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.seats import WAITING
from services.enrolment.storage.documents import document_of, value_of
from shared.storage.mongo import Document
from shared.storage.rows import Rows
from shared.storage.unit_of_work import Reading, Work

T = TypeVar("T")
MOST_KEYS = 100
"""How many keys one `$in` may have; more is slow on the local database."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield `items` in parts of at most `MOST_KEYS`."""
    for start in range(0, len(items), MOST_KEYS):
        yield items[start : start + MOST_KEYS]


def following(after: str | None) -> dict[str, object]:
    """Return the filter for ids after `after`."""
    return {} if after is None else {"_id": {"$gt": after}}


def keep_version(rows: Rows, document: Document) -> None:
    """Insert version 1, or replace the version before; somebody else's change makes the callback run again."""
    if document["version"] == 1:
        rows.insert_one(document)
    else:
        rows.replace_version(document, document["version"] - 1)


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


class StoredNominations:
    """Every nomination ever taken, by natural key; never deleted."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("records_taken")

    def known(self, keys: Sequence[str]) -> dict[str, Taken]:
        """Return those already taken, by key."""
        found = [row for part in chunks(list(dict.fromkeys(keys))) for row in self._rows.find({"_id": {"$in": part}})]
        return {row["_id"]: value_of(row, Taken) for row in found}

    def add(self, taken: Sequence[Taken]) -> None:
        """Keep new ones; one that is there makes the transaction run again."""
        self._rows.insert_many([document_of(each, each.key) for each in taken])


class StoredPeople:
    """Practitioners by opaque id."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._rows = reading.rows("practitioners")

    def find(self, practitioner_id: str) -> Practitioner | None:
        """Return the person, or None."""
        found = self._rows.find_one({"_id": practitioner_id})
        return value_of(found, Practitioner) if found else None

    def many(self, ids: Sequence[str]) -> dict[str, Practitioner]:
        """Return the persons found, by id."""
        found = [row for part in chunks(ids) for row in self._rows.find({"_id": {"$in": part}})]
        return {row["_id"]: value_of(row, Practitioner) for row in found}

    def page(self, after: str | None, limit: int) -> list[Practitioner]:
        """Return persons in order of id."""
        found = self._rows.find(following(after), sort=[("_id", 1)], limit=limit)
        return [value_of(row, Practitioner) for row in found]

    def save(self, people: Sequence[Practitioner]) -> list[Practitioner]:
        """Keep each as its next version and return those, in the same order."""
        kept = [replace(person, version=person.version + 1) for person in people]
        documents = [document_of(person, person.practitioner_id) for person in kept]
        self._rows.insert_many([document for document in documents if document["version"] == 1])
        for document in documents:
            if document["version"] > 1:
                self._rows.replace_version(document, document["version"] - 1)
        return kept

    def log_release(self, practitioner_id: str, asking: str, purpose: str) -> None:
        """Keep who was given whose identity, why and when."""
        work = cast("Work", self._reading)
        release = {"practitioner_id": practitioner_id, "asking": asking, "purpose": purpose, "released_at": work.now}
        work.rows("identity_releases").insert_one({"_id": work.new_id(), **release})


class StoredEnrolments:
    """Enrolments by id, which is also the order in which they were taken."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("enrolments")

    def find(self, enrolment_id: str) -> Enrolment | None:
        """Return the enrolment, or None."""
        found = self._rows.find_one({"_id": enrolment_id})
        return value_of(found, Enrolment) if found else None

    def add(self, enrolments: Sequence[Enrolment]) -> None:
        """Keep new ones."""
        self._rows.insert_many([document_of(each, each.enrolment_id) for each in enrolments])

    def save(self, enrolment: Enrolment) -> None:
        """Keep the next version of one."""
        keep_version(self._rows, document_of(enrolment, enrolment.enrolment_id))

    def page(self, after: str | None, limit: int, wanted: EnrolmentFilter) -> list[Enrolment]:
        """Return enrolments in order of id."""
        names = ("course", "intake", "employee_ref", "practitioner_id", "status")
        asked = {name: getattr(wanted, name) for name in names if getattr(wanted, name) is not None}
        found = self._rows.find({**asked, **following(after)}, sort=[("_id", 1)], limit=limit)
        return [value_of(row, Enrolment) for row in found]


class StoredAnswers:
    """Intake references and the hashes of the records answered under each; never deleted."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("intake_answers")

    def answered(self, record_ref: str) -> tuple[str, ...]:
        """Return the hashes of the records answered under this reference, in order."""
        found = self._rows.find_one({"_id": record_ref})
        return tuple(found["hashes"]) if found else ()

    def add(self, record_ref: str, record_hash: str, known: int) -> None:
        """Keep that one more record was answered; `known` were before."""
        if known == 0:
            self._rows.insert_one({"_id": record_ref, "hashes": [record_hash]})
        else:
            self._rows.update_one({"_id": record_ref}, {"$push": {"hashes": record_hash}})


def replacements(documents: Sequence[Document]) -> list[ReplaceOne[Document]]:
    """Return one operation per document, replacing it as a whole."""
    return [ReplaceOne({"_id": document["_id"]}, document) for document in documents]
