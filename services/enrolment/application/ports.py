"""What the handlers need from outside, as protocols. No document, collection or envelope is known here.

`Books` is one organisation's enrolment data for reading, `Desk` the same inside one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.enrolment.application.cohort_ports import Cohorts, Places
from services.enrolment.application.facts import CohortOpened, CoursePublished
from services.enrolment.application.uploads import Upload, UploadRow
from services.enrolment.domain.courses import Course
from services.enrolment.domain.decisions import OfferedCourse
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.events import EnrolmentEvent
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.text_files import FileRow
from shared.storage.unit_of_work import Reading, Work


class Courses(Protocol):
    """The programme lead's own courses."""

    def find(self, code: str) -> Course | None:
        """Return the course, or None."""

    def page(self, after: str | None, limit: int) -> list[Course]:
        """Return courses in order of code."""

    def save(self, course: Course) -> Course:
        """Keep the course as its next version and return that."""


class CatalogueBook(Protocol):
    """The courses and cohorts that this employer has heard of."""

    def courses(self) -> dict[str, OfferedCourse]:
        """Return all, by code, with their cohorts."""

    def titles(self) -> dict[str, CoursePublished]:
        """Return all courses as they were told, by code."""

    def put_course(self, told: CoursePublished) -> None:
        """Keep a course; one of another owner under the same code stays."""

    def put_cohort(self, told: CohortOpened) -> None:
        """Keep a cohort, open or with another capacity."""

    def close(self, course: str, intake: str, owner: str) -> None:
        """Mark a cohort closed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands under a nomination for ever."""

    key: str
    fingerprint: str
    enrolment_id: str


class Nominations(Protocol):
    """Every nomination ever taken, by natural key."""

    def known(self, keys: Sequence[str]) -> dict[str, Taken]:
        """Return those already taken, by key."""

    def add(self, taken: Sequence[Taken]) -> None:
        """Keep new ones; one that is there makes the transaction run again."""


class People(Protocol):
    """The employer's practitioners."""

    def find(self, practitioner_id: str) -> Practitioner | None:
        """Return the person, or None."""

    def many(self, ids: Sequence[str]) -> dict[str, Practitioner]:
        """Return the persons found, by id."""

    def page(self, after: str | None, limit: int) -> list[Practitioner]:
        """Return persons in order of id."""

    def save(self, people: Sequence[Practitioner]) -> list[Practitioner]:
        """Keep each as its next version and return those."""

    def log_release(self, practitioner_id: str, asking: str, purpose: str) -> None:
        """Keep who was given whose identity, why and when."""


@dataclass(frozen=True, slots=True)
class EnrolmentFilter:
    """What a list may be narrowed by; None means any."""

    course: str | None = None
    intake: str | None = None
    employee_ref: str | None = None
    practitioner_id: str | None = None
    status: str | None = None


class Enrolments(Protocol):
    """The employer's enrolments."""

    def find(self, enrolment_id: str) -> Enrolment | None:
        """Return the enrolment, or None."""

    def add(self, enrolments: Sequence[Enrolment]) -> None:
        """Keep new ones."""

    def save(self, enrolment: Enrolment) -> None:
        """Keep the next version of one."""

    def page(self, after: str | None, limit: int, wanted: EnrolmentFilter) -> list[Enrolment]:
        """Return enrolments in order of id."""


class Answers(Protocol):
    """Which intake records were answered, for ever."""

    def answered(self, record_ref: str) -> tuple[str, ...]:
        """Return the hashes of the records answered under this reference, in order."""

    def add(self, record_ref: str, record_hash: str, known: int) -> None:
        """Keep that one more record was answered; `known` were before."""


class Uploads(Protocol):
    """Uploaded files, their jobs and their rows."""

    def find(self, upload_id: str) -> Upload | None:
        """Return the job, or None."""

    def same_file(self, sha256: str) -> list[Upload]:
        """Return jobs with that content, latest first."""

    def page(self, after: str | None, limit: int) -> list[Upload]:
        """Return jobs, oldest first."""

    def waiting(self) -> list[Upload]:
        """Return jobs that a worker has something to do for, oldest first."""

    def find_any(self, upload_id: str) -> Upload | None:
        """Return the job, one that is being removed too, or None."""

    def add(self, upload: Upload) -> None:
        """Keep a new job."""

    def save(self, upload: Upload) -> Upload:
        """Keep the job as its next version and return that."""

    def remove(self, upload_id: str) -> None:
        """Forget a job."""

    def remove_rows(self, upload_id: str, first: int, limit: int) -> None:
        """Forget up to `limit` rows from index `first`."""

    def add_rows(self, rows: Sequence[UploadRow]) -> None:
        """Keep checked rows."""

    def save_rows(self, rows: Sequence[UploadRow]) -> None:
        """Keep changed rows."""

    def rows(self, upload_id: str, first: int, limit: int, decision: str | None = None) -> list[UploadRow]:
        """Return up to `limit` rows from index `first`, in file order."""

    def taken_in(self, upload_id: str, keys: Sequence[str]) -> dict[str, str]:
        """Return key -> fingerprint of the rows of this file found good so far."""


class Mappings(Protocol):
    """This employer's own column mapping, where it has set one."""

    def find(self) -> tuple[FileMapping, int] | None:
        """Return it with its version, or None."""

    def save(self, mapping: FileMapping, version: int) -> int:
        """Keep it as the version after `version` (0: new) and return that."""


@dataclass(frozen=True, slots=True)
class Books:
    """One organisation's data, for reading."""

    organisation: str
    now: datetime
    courses: Courses
    cohorts: Cohorts
    places: Places
    catalogue: CatalogueBook
    nominations: Nominations
    people: People
    enrolments: Enrolments
    answers: Answers
    uploads: Uploads
    mappings: Mappings
    person_id: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Desk(Books):
    """The same inside one transaction, with new ids and a way to tell others."""

    new_id: Callable[[], str]
    tell: Callable[[EnrolmentEvent, int], None]
    silent: Callable[[str], None]


OpenBooks = Callable[[Reading], Books]
OpenDesk = Callable[[Work], Desk]
ReadFile = Callable[[bytes, FileMapping], Iterator[FileRow]]
