"""The enrolment as a pydantic model with the rules of the marshmallow schema, for FastStream in its own idiom."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from tests.bench.peers import rules

Name = Annotated[str, Field(min_length=1, max_length=rules.NAME_LENGTH)]
Identifier = Annotated[str, Field(pattern=rules.whole(rules.UUID))]
Code = Annotated[str, Field(pattern=rules.whole(rules.CODE))]


class Strict(BaseModel):
    """Everything that is not named is refused."""

    model_config = ConfigDict(extra="forbid")


class Candidate(Strict):
    """Who."""

    practitioner_id: Identifier
    given_name: Name
    family_name: Name
    email: Annotated[str, Field(pattern=rules.whole(rules.EMAIL))]
    registered_on: date


class Placement(Strict):
    """Where."""

    agency: Name
    borough: Annotated[str, Field(pattern=rules.whole(rules.SLUG))]
    days: Annotated[int, Field(strict=True, ge=1, le=rules.MOST_DAYS)]
    hours_per_week: Annotated[float, Field(strict=True, ge=rules.LEAST_HOURS, le=rules.MOST_HOURS)]


class Course(Strict):
    """What."""

    code: Code
    intake: Annotated[str, Field(pattern=rules.whole(rules.INTAKE))]
    credits: Annotated[int, Field(strict=True, ge=rules.LEAST_CREDITS, le=rules.MOST_CREDITS)]
    fee_pence: Annotated[int, Field(strict=True, ge=0, le=rules.MOST_PENCE)]
    modules: Annotated[list[Code], Field(min_length=1, max_length=rules.MOST_CODES)]


class Enrolment(Strict):
    """All of it."""

    serial: Annotated[int, Field(strict=True, ge=1, le=rules.MOST_SERIAL)]
    enrolment_id: Identifier
    requested_at: AwareDatetime
    starts_on: date
    route: Literal[rules.ROUTES]
    level: Literal[rules.LEVELS]
    part_time: StrictBool
    candidate: Candidate
    placement: Placement
    course: Course


def row(enrolment: Enrolment) -> dict[str, Any]:
    """Return what is stored of an enrolment."""
    return {"_id": enrolment.enrolment_id, **enrolment.model_dump(mode="json")}
