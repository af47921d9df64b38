"""How people, their histories and what was found of them look as JSON. No decision here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from services.enrolment.application.duplicates import Duplicate
from services.enrolment.application.entitlement_ports import RegisterCheck
from services.enrolment.application.entitlements import CpdStatement
from services.enrolment.domain.duplicates import match_keys
from services.enrolment.domain.employments import absences_at, employments_at
from services.enrolment.domain.identifiers import hcpc_standing
from services.enrolment.domain.practitioners import DETAILS, Practitioner
from services.enrolment.domain.registrations import Finding, Registration, in_renewal

Body = dict[str, Any]
_NUMBERS = ("uln", "husid", "sid")


def practitioner(
    found: Practitioner,
    registration: Registration,
    as_of: date,
    *,
    known_at: datetime | None = None,
    asked: str | None = None,
) -> Body:
    """Return a person with the plain fields of `as_of`; `asked` is the old name that led here."""
    return {
        "practitioner_id": found.practitioner_id,
        "employee_ref": found.employee_ref,
        "as_of": as_of.isoformat(),
        **_built({name: getattr(found, name) for name in (*DETAILS, *_NUMBERS)}),
        "employment_start": _built(found.employment_start),
        "line_managers": [_without(one, "said_at", "source_ref") for one in found.line_managers],
        "employments": [_without(one, "stands") for one in employments_at(found.employments, known_at)],
        "absences": [_without(one, "stands") for one in absences_at(found.absences, known_at)],
        "hcpc_numbers": [_without(one, "stands", "recorded_at") for one in hcpc_standing(found.hcpc_numbers)],
        "registration": _shown(registration.findings[-1] if registration.findings else None, registration, as_of),
        "resolved_from": asked,
    }


def history(found: Practitioner, registration: Registration, today: date) -> Body:
    """Return everything that was told of a person."""
    managers = sorted(
        [*found.corrected_managers, *found.line_managers], key=lambda one: (one.from_on, str(one.recorded_at or ""))
    )
    return {
        "practitioner_id": found.practitioner_id,
        "statements": [{**_without(one, "details", "told_as"), **_built(one.details)} for one in found.statements],
        "line_managers": _built(managers),
        "employments": _built(found.employments),
        "absences": _built(found.absences),
        "hcpc_numbers": _built(found.hcpc_numbers),
        "registrations": [_shown(one, registration, today) for one in registration.findings],
    }


def identity(found: Practitioner) -> Body:
    """Return what a university is given for registration, and nothing else."""
    return {
        "practitioner_id": found.practitioner_id,
        "given_name": found.given_name,
        "family_name": found.family_name,
        "registration_number": found.swe_number,
    }


def duplicate(found: Duplicate) -> Body:
    """Return two people who may be one, with what they have in common."""
    keys = match_keys(found.one)
    return {
        "reasons": [reason for reason in keys if reason in found.reasons],
        "people": [
            {
                "practitioner_id": one.practitioner_id,
                "employee_ref": one.employee_ref,
                "given_name": one.given_name,
                "family_name": one.family_name,
            }
            for one in (found.one, found.other)
        ],
    }


def register_check(found: RegisterCheck) -> Body:
    """Return a check with its figures."""
    return _without(found, "after", "content_id", "leased_until")


def registration(found: Registration, today: date) -> Body:
    """Return one person's last finding."""
    last = found.findings[-1] if found.findings else None
    return {"practitioner_id": found.practitioner_id, **_shown(last, found, today)}


def cpd_statement(found: CpdStatement) -> Body:
    """Return a person's year of learning."""
    return {
        "from_on": found.from_on.isoformat(),
        "until_on": found.until_on.isoformat(),
        "balances": _built(found.balances),
        "items": [_without(item, "practitioner_id") for item in found.items],
        "courses": [
            {
                "enrolment_id": one.enrolment_id,
                "course": one.course,
                "intake": one.intake,
                "status": one.status,
                "confirmed_on": _built(one.confirmed_on),
            }
            for one in found.courses
        ],
    }


def plain(found: object) -> Body:
    """Return a value field by field."""
    body: Body = _built(found)
    return body


def _shown(found: Finding | None, registration: Registration, day: date) -> Body:
    if found is None:
        return {
            "status": registration.status,
            "registered_until": None,
            "checked_on": None,
            "renewal_pending": False,
        }
    return {
        "status": found.status,
        "registered_until": _built(found.registered_until),
        "checked_on": found.last_checked_on.isoformat(),
        "renewal_pending": in_renewal(found.status, found.registered_until, day),
    }


def _built(value: object) -> Any:  # noqa: ANN401 - JSON of whatever shape
    return msgspec.to_builtins(value)


def _without(value: object, *names: str) -> Body:
    body: Body = msgspec.to_builtins(value)
    return {name: each for name, each in body.items() if name not in names}
