"""What becomes of a row: taken, duplicate, or refused with every code that applies. Reading does not live here.

Source: partnership data rules ("How a row is decided"); the order of codes is the contract's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.enrolment.domain import eligibility, records
from services.enrolment.domain.eligibility import NOTHING_ASKED, Asked, Standing
from services.enrolment.domain.records import CODES, ReadRow, Record, RowFault

ACCEPTED = "accepted"
DUPLICATE = "duplicate"
REPEAT = "repeat"
REFUSED = "refused"
ALL_LEVELS = "ALL"


@dataclass(frozen=True, slots=True)
class OfferedCohort:
    """A cohort as this employer knows it from the programme lead's feed.

    `is_open_here` is false where its owner invites employers and this one is not among them.
    """

    owner: str
    capacity: int
    closed: bool = False
    is_open_here: bool = True


@dataclass(frozen=True, slots=True)
class OfferedCourse:
    """A course as this employer knows it from the programme lead's feed."""

    code: str
    owner: str
    level: str
    routes: tuple[str, ...]
    prerequisite_routes: tuple[str, ...] = ()
    credits: int = 0
    awarding_hei: str | None = None
    module: str | None = None
    evidence_set: str | None = None
    cohorts: Mapping[str, OfferedCohort] = field(default_factory=dict)
    asked: Asked = NOTHING_ASKED


Catalogue = Mapping[str, OfferedCourse]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one row; `faults` is empty unless it was refused."""

    decision: str
    faults: tuple[RowFault, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes, each once, in the contract's order."""
        found = {fault.code for fault in self.faults}
        return tuple(code for code in CODES if code in found)


NOT_KNOWN = Standing()


def decide(row: ReadRow, catalogue: Catalogue, taken: str | None = None, standing: Standing | None = None) -> Verdict:
    """Return the verdict on `row`, naming all its faults.

    `taken` is the fingerprint of the record that already stands under the same nomination, or None; `standing` is
    what the employer knows of the person, needed only where the course asks for it. What was taken once stays taken:
    eligibility is a question of the first time.
    """
    faults = list(row.faults)
    course = catalogue.get(row.record.course) if row.record.course else None
    if row.record.course and course is None:
        faults.append(RowFault(records.UNKNOWN_COURSE, "course", "no course of this code is published"))
    if course is not None:
        faults += _cohort_faults(row.record, course)
        faults += _person_faults(row, course)
        if taken is None:
            faults += _invitation_faults(row.record, course)
        if taken is None and course.asked != NOTHING_ASKED:
            faults += eligibility.faults(row.record, course.asked, standing or NOT_KNOWN)
    if row.record.manager_approved_on is None and not row.unreadable("manager_approved_on"):
        faults.append(
            RowFault(records.MANAGER_APPROVAL_MISSING, "manager_approved_on", "enter the day the manager approved it")
        )
    if faults:
        return Verdict(REFUSED, tuple(sorted(faults, key=lambda fault: CODES.index(fault.code))))
    return _against_taken(row.record, taken)


def transfer_faults(record: Record, course: OfferedCourse | None, standing: Standing | None) -> list[RowFault]:
    """Return what keeps a person from being taken on with a place that another employer gives over.

    The rules are a nomination's, without what was settled when the place was asked for: the manager's approval there,
    the prerequisites of the route, and whether the cohort still took requests.
    """
    if course is None:
        return [RowFault(records.UNKNOWN_COURSE, "course", "no course of this code is published")]
    faults = _level_faults(record, course) + _invitation_faults(record, course)
    faults += eligibility.transfer_faults(record.pcf_level, course.asked, standing or NOT_KNOWN)
    return sorted(faults, key=lambda fault: CODES.index(fault.code))


def _cohort_faults(record: Record, course: OfferedCourse) -> list[RowFault]:
    if not record.intake:
        return []
    cohort = course.cohorts.get(record.intake)
    if cohort is None:
        return [RowFault(records.UNKNOWN_COHORT, "intake", "the course has no such intake")]
    if cohort.closed:
        return [RowFault(records.COHORT_CLOSED, "intake", "the programme lead has closed this intake")]
    return []


def _invitation_faults(record: Record, course: OfferedCourse) -> list[RowFault]:
    cohort = course.cohorts.get(record.intake or "")
    if cohort is None or cohort.closed or cohort.is_open_here:
        return []
    detail = f"the intake {record.intake} is for employers that its owner invites, and this one is not invited"
    return [RowFault(records.NOT_OPEN_TO_EMPLOYER, "intake", detail)]


def _person_faults(row: ReadRow, course: OfferedCourse) -> list[RowFault]:
    record, faults = row.record, _level_faults(row.record, course)
    if record.route not in records.ROUTES:
        return faults
    needs_prerequisite = record.route in course.prerequisite_routes
    if needs_prerequisite and record.prerequisite_on is None and not row.unreadable("prerequisite_on"):
        faults.append(
            RowFault(records.PREREQUISITE_MISSING, "prerequisite_on", "enter the day the prerequisite was met")
        )
    if record.route not in course.routes:
        faults.append(RowFault(records.ROUTE_NOT_OFFERED, "route", "the course is not offered on this route"))
    return faults


def _level_faults(record: Record, course: OfferedCourse) -> list[RowFault]:
    if record.pcf_level in records.LEVELS and course.level not in (ALL_LEVELS, record.pcf_level):
        return [RowFault(records.LEVEL_MISMATCH, "pcf_level", f"this course is for level {course.level}")]
    return []


def _against_taken(record: Record, taken: str | None) -> Verdict:
    if taken is None:
        return Verdict(ACCEPTED)
    if taken == records.fingerprint(record):
        return Verdict(DUPLICATE)
    fault = RowFault(
        records.CONFLICTING_DUPLICATE,
        "employee_ref",
        "this person was already nominated for this intake with other details; the first stands",
    )
    return Verdict(REFUSED, (fault,))
