"""The bodies and queries that enrolment's routes take and give. No rule of the domain beyond shapes and words."""

from __future__ import annotations

from typing import Any

from services.enrolment.domain.decisions import ACCEPTED, DUPLICATE
from services.enrolment.domain.enrolments import OUTCOMES, REASONS, STATUSES
from services.enrolment.domain.records import FIELDS, LEVELS, ROUTES
from shared.http import (
    Choice,
    CivilDate,
    Exact,
    Identifier,
    Slug,
    StrictSchema,
    Text,
    Whole,
)

OPTIONAL: dict[str, Any] = {"required": False, "allow_none": True, "load_default": None}


class NothingIn(StrictSchema):
    """A body without content: `{}`."""


class NominationIn(StrictSchema):
    """The canonical record; what is missing or wrong is answered with the contract's codes."""


_TEXTS = {name: Text(longest=500, shortest=0, **OPTIONAL) for name in FIELDS if name != "fte"}
NominationSchema = NominationIn.from_dict(
    {**_TEXTS, "fte": Exact(least=0, most=100, places=6, metadata={"type": ["string", "number", "null"]}, **OPTIONAL)},
    name="Nomination",
)


class EnrolmentOut(StrictSchema):
    """An enrolment as its employer sees it."""

    enrolment_id = Identifier()
    practitioner_id = Identifier()
    employee_ref = Text()
    cohort_owner = Slug()
    course = Text()
    intake = Text()
    route = Choice(ROUTES)
    pcf_level = Choice(LEVELS)
    status = Choice(STATUSES)
    position = Whole(allow_none=True)
    reason = Text(allow_none=True)
    requested_on = CivilDate()
    confirmed_on = CivilDate(allow_none=True)
    ended_on = CivilDate(allow_none=True)
    outcome = Choice(OUTCOMES, allow_none=True)
    decision = Choice((ACCEPTED, DUPLICATE))


class EnrolmentsAsked(StrictSchema):
    """What a list of enrolments may be narrowed by."""

    course = Text(longest=64)
    intake = Text(longest=64)
    employee_ref = Text(longest=500)
    status = Choice(STATUSES)


class WithdrawalIn(StrictSchema):
    """Why and when an enrolment ends early."""

    reason = Choice(REASONS, required=True)
    withdrawn_on = CivilDate(required=True)


class CompletionIn(StrictSchema):
    """How and when a course without a portfolio ended."""

    completed_on = CivilDate(required=True)
    outcome = Choice(OUTCOMES, load_default=OUTCOMES[0])


NOTHING_IN = NothingIn()
NOMINATION_IN = NominationSchema()
ENROLMENT_OUT = EnrolmentOut()
ENROLMENTS_ASKED = EnrolmentsAsked()
WITHDRAWAL_IN = WithdrawalIn()
COMPLETION_IN = CompletionIn()
