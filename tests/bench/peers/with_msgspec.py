"""The enrolment as the struct that the platform's reader decodes events into, with the same rules as the peers'."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tests.bench.peers import rules

Name = Annotated[str, Meta(min_length=1, max_length=rules.NAME_LENGTH)]
Identifier = Annotated[str, Meta(pattern=rules.exact(rules.UUID))]
Code = Annotated[str, Meta(pattern=rules.exact(rules.CODE))]


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who."""

    practitioner_id: Identifier
    given_name: Name
    family_name: Name
    email: Annotated[str, Meta(pattern=rules.exact(rules.EMAIL))]
    registered_on: date


class Placement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where."""

    agency: Name
    borough: Annotated[str, Meta(pattern=rules.exact(rules.SLUG))]
    days: Annotated[int, Meta(ge=1, le=rules.MOST_DAYS)]
    hours_per_week: Annotated[float, Meta(ge=rules.LEAST_HOURS, le=rules.MOST_HOURS)]


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What."""

    code: Code
    intake: Annotated[str, Meta(pattern=rules.exact(rules.INTAKE))]
    credits: Annotated[int, Meta(ge=rules.LEAST_CREDITS, le=rules.MOST_CREDITS)]
    fee_pence: Annotated[int, Meta(ge=0, le=rules.MOST_PENCE)]
    modules: Annotated[list[Code], Meta(min_length=1, max_length=rules.MOST_CODES)]


class Enrolment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    serial: Annotated[int, Meta(ge=1, le=rules.MOST_SERIAL)]
    enrolment_id: Identifier
    requested_at: Annotated[datetime, Meta(tz=True)]
    starts_on: date
    route: Literal[rules.ROUTES]
    level: Literal[rules.LEVELS]
    part_time: bool
    candidate: Candidate
    placement: Placement
    course: Course


def row(enrolment: Enrolment) -> dict[str, Any]:
    """Return what is stored of an enrolment."""
    return {"_id": enrolment.enrolment_id, **msgspec.to_builtins(enrolment)}
