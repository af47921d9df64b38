"""How enrolment's values look as JSON. No decision here."""

from __future__ import annotations

from typing import Any

import msgspec

from services.enrolment.application.facts import CoursePublished
from services.enrolment.application.uploads import Upload, UploadRow
from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.courses import Course
from services.enrolment.domain.decisions import OfferedCourse
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.practitioners import Practitioner
from services.enrolment.domain.records import RowFault

Body = dict[str, Any]


def course(found: Course, owner: str) -> Body:
    """Return a course as its owner sees it."""
    return {**_without(found, "version"), "owner": owner}


def catalogue_course(told: CoursePublished, offered: OfferedCourse) -> Body:
    """Return a course with its cohorts as everybody sees it."""
    cohorts = [
        {"intake": intake, "owner": cohort.owner, "capacity": cohort.capacity, "closed": cohort.closed}
        for intake, cohort in sorted(offered.cohorts.items())
    ]
    described: Body = msgspec.to_builtins(told)
    described["code"] = described.pop("course")
    return {**described, "cohorts": cohorts}


def cohort(kept: KeptCohort, seats: list[Place], waiting: list[Place]) -> Body:
    """Return a cohort with its seats and its queue."""
    return {
        "course": kept.course,
        "intake": kept.intake,
        "capacity": kept.cohort.capacity,
        "closed": kept.cohort.closed,
        "seats": [place(found) for found in seats],
        "waiting": [place(found) for found in waiting],
    }


def place(found: Place) -> Body:
    """Return a place by opaque ids."""
    return {"employer": found.employer, "enrolment_id": found.enrolment_id, "number": found.number}


def enrolment(found: Enrolment) -> Body:
    """Return an enrolment as its employer sees it."""
    return _without(found, "version", "request_id")


def practitioner(found: Practitioner) -> Body:
    """Return a person as their employer sees them."""
    return _without(found, "version")


def identity(found: Practitioner) -> Body:
    """Return what a university is given for registration, and nothing else."""
    return {
        "practitioner_id": found.practitioner_id,
        "given_name": found.given_name,
        "family_name": found.family_name,
        "registration_number": found.swe_number,
    }


def upload(found: Upload, *, is_new: bool = True) -> Body:
    """Return a file's job; `faults` has the fault of the file as a whole, if there is one."""
    fault = [{"code": "unreadable_file", "detail": found.fault, "row": found.fault_row}] if found.fault else []
    return {
        "id": found.upload_id,
        "state": found.state,
        "filename": found.filename,
        "uploaded_at": found.uploaded_at,
        "counts": {"accepted": 0, "duplicate": 0, "refused": 0, **found.counts},
        "rows": found.total,
        "done": found.done,
        "fault": found.fault,
        "fault_row": found.fault_row,
        "faults": fault,
        "same_as": found.same_as,
        "seen_before": not is_new or found.same_as is not None,
    }


def upload_row(found: UploadRow) -> Body:
    """Return one row of a file."""
    return {
        "line": found.line,
        "employee_ref": found.record.employee_ref,
        "course": found.record.course,
        "intake": found.record.intake,
        "route": found.record.route,
        "decision": found.decision,
        "codes": list(found.codes),
        "faults": [row_fault(fault) for fault in found.faults],
        "enrolment_id": found.enrolment_id,
    }


def row_fault(fault: RowFault) -> Body:
    """Return one fault of a row."""
    return {"code": fault.code, "field": fault.field, "detail": fault.detail}


def _without(value: object, *names: str) -> Body:
    found: Body = msgspec.to_builtins(value)
    return {name: each for name, each in found.items() if name not in names}
