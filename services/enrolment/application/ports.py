"""What the handlers need from outside, as protocols. No document, collection or envelope is known here.

`Books` is one organisation's enrolment data for reading, `Desk` the same inside one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from services.enrolment.application.cohort_ports import Cohorts, PlaceNews, Places, Sessions
from services.enrolment.application.duplicate_ports import Candidate, ToMatch
from services.enrolment.application.entitlement_ports import Entitlements, Registrations
from services.enrolment.application.erasure_ports import Ageing, Erasures, Everywhere
from services.enrolment.application.facts import CohortOpened, CourseDescribed, CoursePublished, ProgrammeDescribed
from services.enrolment.application.learning_ports import Learning, ModuleDecisions, Programmes
from services.enrolment.application.lifecycle_ports import Handovers, IncomingTransfers, OwnSettings
from services.enrolment.application.task_ports import Notices, OpenTasks
from services.enrolment.application.uploads import Upload, UploadRow, UploadWithdrawal
from services.enrolment.domain.courses import Course
from services.enrolment.domain.decisions import OfferedCourse
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.events import EnrolmentEvent
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.records import Record
from services.enrolment.domain.taken import Taken
from services.enrolment.domain.text_files import FileRow, Table
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

    def course(self, code: str, intake: str | None = None) -> OfferedCourse | None:
        """Return one course with its cohorts or only that one, or None, without reading the others."""

    def titles(self) -> dict[str, CoursePublished]:
        """Return all courses as they were told, by code."""

    def descriptions(self) -> dict[str, CourseDescribed]:
        """Return what the owners said of their courses, by code; a course that was only published is not there."""

    def programmes(self) -> list[ProgrammeDescribed]:
        """Return all programmes as they were told, in order of owner and code."""

    def put_course(self, told: CoursePublished) -> None:
        """Keep a course; one of another owner under the same code stays."""

    def put_description(self, told: CourseDescribed) -> None:
        """Keep what the owner of a course says of it."""

    def put_programme(self, told: ProgrammeDescribed) -> None:
        """Keep a programme."""

    def put_cohort(self, told: CohortOpened) -> None:
        """Keep a cohort, open or with another capacity."""

    def close(self, course: str, intake: str, owner: str) -> None:
        """Mark a cohort closed."""


class Nominations(Protocol):
    """Every nomination ever taken, by natural key."""

    def known(self, keys: Sequence[str]) -> dict[str, Taken]:
        """Return those already taken, by key."""

    def read_ahead(self, record: Record, practitioner_id: str) -> None:
        """Read what the nomination of this person will be decided by at once, where that is quicker later on."""

    def add(self, taken: Sequence[Taken]) -> None:
        """Keep new ones; one that is there makes the transaction run again."""

    def replace(self, taken: Taken) -> None:
        """Keep what follows one that is there; whoever does it at the same moment runs again."""


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """What a list of people may be narrowed by; None means any. `name` is how a family name begins, in any spelling."""

    name: str | None = None
    team: str | None = None
    pcf_level: str | None = None


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """People in order of their names; `next` is what the next page comes after, None on the last."""

    people: list[Practitioner]
    next: str | None


class People(Protocol):
    """The employer's practitioners."""

    def find(self, practitioner_id: str) -> Practitioner | None:
        """Return the person, or None."""

    def many(self, ids: Sequence[str]) -> dict[str, Practitioner]:
        """Return the persons found, by id."""

    def page(self, after: str | None, limit: int) -> list[Practitioner]:
        """Return persons in order of id."""

    def by_name(self, after: str | None, limit: int, wanted: PeopleFilter) -> PeoplePage:
        """Return persons in order of their names as last told; who was merged into another is not listed."""

    def count(self, wanted: PeopleFilter, most: int) -> int:
        """Return how many there are, counted up to `most`."""

    def save(self, people: Sequence[Practitioner]) -> list[Practitioner]:
        """Keep each as its next version and return those."""

    def hold(self, ids: Sequence[str]) -> None:
        """Let nobody else change or hold these people at the same time: of two transactions that do, one runs again.

        Without it, two that read the same people and write elsewhere (a merge and a nomination, two nominations under
        two references of one person) would not see each other.
        """

    def survivor_of(self, practitioner_id: str) -> str:
        """Return the id that this one leads to: itself, unless it was merged into another."""

    def merged_into(self, practitioner_id: str) -> list[Practitioner]:
        """Return everybody whose id leads to this one, in order of id."""

    def survivors(self) -> frozenset[str]:
        """Return the ids to which others lead."""

    def forget_merges(self) -> None:
        """Look again at who was merged: somebody just was."""

    def to_match(self, most: int) -> ToMatch:
        """Return whom to hold against the others next: whole batches, until there are `most` people."""

    def alike(self, people: Sequence[Practitioner]) -> list[Candidate]:
        """Return the pairs of these people with anybody who is like them and not said to be another."""

    def keep_matched(self, due: ToMatch, people: Sequence[Practitioner], found: Sequence[Candidate]) -> None:
        """Keep that these people were held against the others, with the pairs that were found and no others."""

    def candidates(self, after: str | None, limit: int) -> list[Candidate]:
        """Return kept pairs that are not said to be two, in order of their name."""

    def save_candidate(self, candidate: Candidate) -> None:
        """Keep what is known of a pair."""

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
    pcf_level: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentPart:
    """What a bounded look at the list found. `reached` is the id to look on from where it ended early, else None."""

    enrolments: list[Enrolment]
    reached: str | None


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

    def part(self, after: str | None, limit: int, wanted: EnrolmentFilter) -> EnrolmentPart:
        """Return the same for somebody who waits: less of it, where much would have to be looked through."""

    def part_before(self, before: str, limit: int, wanted: EnrolmentFilter) -> EnrolmentPart:
        """Return the last enrolments before that id, in order of id, with the same bound."""

    def offers_over(self, today: date, limit: int) -> list[Enrolment]:
        """Return enrolments with an open offer whose last day is over, longest ago first."""

    def count(self, wanted: EnrolmentFilter, most: int) -> int:
        """Return how many there are, counted up to `most`."""

    def counted(self, wanted: EnrolmentFilter, most: int) -> tuple[int, bool]:
        """Return how many there are, up to `most` and as far as a part looks, and whether those are all."""


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

    def latest(self, before: str | None, limit: int, states: Sequence[str]) -> list[Upload]:
        """Return jobs in one of these states that came before the one of that id, latest first."""

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

    def named(self, upload_id: str, keys: Sequence[str]) -> set[str]:
        """Return which of these nominations the file names, in good rows or bad ones, but not to end them."""

    def refused_people(self, upload_id: str, references: Sequence[str]) -> set[str]:
        """Return which of these employees stand in a refused row of the file."""

    def add_withdrawals(self, listed: Sequence[UploadWithdrawal]) -> None:
        """Keep what a file ends when it is confirmed."""

    def save_withdrawals(self, listed: Sequence[UploadWithdrawal]) -> None:
        """Keep changed ones."""

    def withdrawals(self, upload_id: str, first: int, limit: int) -> list[UploadWithdrawal]:
        """Return up to `limit` of what a file ends, from index `first`."""

    def listed(self, upload_id: str, enrolment_ids: Sequence[str]) -> set[str]:
        """Return which of these enrolments are on the file's list already."""


class Mappings(Protocol):
    """This employer's own column mapping, where it has set one."""

    def find(self) -> tuple[FileMapping, int] | None:
        """Return it with its version, or None."""

    def save(self, mapping: FileMapping, version: int) -> int:
        """Keep it as the version after `version` (0: new) and return that."""


@dataclass(frozen=True, slots=True)
class Books:
    """One organisation's data, for reading. `kind` is what the partnership file says that it is.

    `person_id` gives the id to which an employee reference leads, `own_id` the one that is that reference's own.
    """

    organisation: str
    now: datetime
    kind: str
    courses: Courses
    programmes: Programmes
    module_decisions: ModuleDecisions
    learning: Learning
    cohorts: Cohorts
    places: Places
    sessions: Sessions
    news: PlaceNews
    catalogue: CatalogueBook
    nominations: Nominations
    people: People
    registrations: Registrations
    entitlements: Entitlements
    enrolments: Enrolments
    answers: Answers
    uploads: Uploads
    mappings: Mappings
    tasks: OpenTasks
    notices: Notices
    erasures: Erasures
    everywhere: Everywhere
    ageing: Ageing
    settings: OwnSettings
    incoming: IncomingTransfers
    handovers: Handovers
    person_id: Callable[[str], str]
    own_id: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Desk(Books):
    """The same inside one transaction, with new ids and a way to tell others."""

    new_id: Callable[[], str]
    tell: Callable[[EnrolmentEvent, int], None]
    silent: Callable[[str], None]


OpenBooks = Callable[[Reading], Books]
OpenDesk = Callable[[Work], Desk]
ReadFile = Callable[[bytes, FileMapping], Iterator[FileRow]]
OpenTable = Callable[[bytes, FileMapping], tuple[list[str], Table]]
"""The names of a file's sheets, and its rows as they stand, for somebody to look at before it is mapped."""
SaysDelta = Callable[[bytes, FileMapping], bool]
"""Whether a file says of itself that it leaves people out (a OneRoster archive's manifest)."""
