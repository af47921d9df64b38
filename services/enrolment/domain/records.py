"""The canonical nomination record, whatever door it came through. What its fields mean is in `field_list`.

Source: partnership data rules ("How a row is decided").
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import date

from services.enrolment.domain import field_list
from services.enrolment.domain.field_list import FIELD_LIST

LEVELS = field_list.LEVELS
PRACTICE_ONLY = field_list.PRACTICE_ONLY
ACADEMIC = field_list.ACADEMIC
ROUTES = field_list.ROUTES
REQUIRED = tuple(entry.name for entry in FIELD_LIST if entry.need == field_list.MANDATORY)
DATES = frozenset(entry.name for entry in FIELD_LIST if entry.kind == field_list.DATE)
NUMBERS = frozenset(entry.name for entry in FIELD_LIST if entry.kind == field_list.NUMBER)
CHOICES = {entry.name: entry.words for entry in FIELD_LIST if entry.words}

# The contract's order: a row's codes are listed like this, whatever was found first.
MISSING_VALUE = "missing_value"
INVALID_VALUE = "invalid_value"
INVALID_DATE = "invalid_date"
INVALID_REGISTRATION_NUMBER = "invalid_registration_number"
UNKNOWN_COURSE = "unknown_course"
UNKNOWN_COHORT = "unknown_cohort"
COHORT_CLOSED = "cohort_closed"
LEVEL_MISMATCH = "level_mismatch"
PREREQUISITE_MISSING = "prerequisite_missing"
ROUTE_NOT_OFFERED = "route_not_offered"
MANAGER_APPROVAL_MISSING = "manager_approval_missing"
CONFLICTING_DUPLICATE = "conflicting_duplicate"
# Ours, after the contract's: only a course that asks for it is the reason for one of these.
SEQUENCE_NOT_MET = "sequence_not_met"
ROLE_NOT_ELIGIBLE = "role_not_eligible"
NOT_OPEN_TO_EMPLOYER = "not_open_to_employer"
PCF_RATING_MISSING = "pcf_rating_missing"
ELIGIBILITY_CODES = (SEQUENCE_NOT_MET, ROLE_NOT_ELIGIBLE, NOT_OPEN_TO_EMPLOYER, PCF_RATING_MISSING)
CODES = (
    MISSING_VALUE,
    INVALID_VALUE,
    INVALID_DATE,
    INVALID_REGISTRATION_NUMBER,
    UNKNOWN_COURSE,
    UNKNOWN_COHORT,
    COHORT_CLOSED,
    LEVEL_MISMATCH,
    PREREQUISITE_MISSING,
    ROUTE_NOT_OFFERED,
    MANAGER_APPROVAL_MISSING,
    CONFLICTING_DUPLICATE,
    *ELIGIBILITY_CODES,
)


@dataclass(frozen=True, slots=True)
class Record:
    """One person nominated for one cohort. A field that was empty or could not be read is None.

    `fte` is a decimal number in its shortest form ("0.8"); `swe_number` is "SW" and digits without leading zeros.
    """

    employee_ref: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    date_of_birth: date | None = None
    swe_number: str | None = None
    job_title: str | None = None
    team: str | None = None
    pcf_level: str | None = None
    line_manager_ref: str | None = None
    employment_start: date | None = None
    fte: str | None = None
    course: str | None = None
    intake: str | None = None
    route: str | None = None
    manager_approved_on: date | None = None
    prerequisite_on: date | None = None


FIELDS = tuple(field.name for field in fields(Record))


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with a row: a code of the contract, the canonical field, and what to do about it."""

    code: str
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A record as it was read, where it stood (`line`, as a person sees it), and what could not be read."""

    line: int
    record: Record
    faults: tuple[RowFault, ...] = ()

    def unreadable(self, field: str) -> bool:
        """Return whether `field` held something that could not be read."""
        return any(fault.field == field for fault in self.faults)


_quoted = json.JSONEncoder(ensure_ascii=False).encode
_IN_ORDER = tuple(sorted(FIELDS))


def nomination_key(record: Record) -> str:
    """Return the natural key of a nomination within its employer. It holds for ever.

    Source: partnership data rules: a nomination is (employee_ref, course, intake).
    """
    return f"[{_quoted(record.employee_ref)}, {_quoted(record.course)}, {_quoted(record.intake)}]"


def fingerprint(record: Record) -> str:
    """Return the same text for records whose canonical values are all equal, and only for those."""
    values = [(name, value) for name in _IN_ORDER if (value := getattr(record, name)) is not None]
    written = ", ".join(f'"{name}": {_quoted(str(value))}' for name, value in values)
    return hashlib.sha256(f"{{{written}}}".encode()).hexdigest()
