"""The bodies and queries that enrolment's routes take and give. No rule of the domain beyond shapes and words."""

from __future__ import annotations

from typing import Any

from services.enrolment.domain.decisions import ACCEPTED, DUPLICATE
from services.enrolment.domain.enrolment_parts import (
    DEFERRAL_REASONS,
    FUNDERS,
    OUTCOMES,
    REASONS,
    ROUTE_REASONS,
    TRANSFER_REASONS,
    TRANSFER_STATES,
)
from services.enrolment.domain.enrolments import MOST_RELEASE_DAYS
from services.enrolment.domain.lifecycle import STATUSES
from services.enrolment.domain.records import FIELDS, LEVELS, ROUTES
from shared.http import (
    Choice,
    CivilDate,
    Exact,
    Identifier,
    Instant,
    Items,
    Part,
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
    {**_TEXTS, "fte": Exact(least=0, most=100, places=6, **OPTIONAL)},
    name="Nomination",
)


class SponsorshipIn(StrictSchema):
    """Who pays, and how many days the worker is released for learning."""

    funded_by = Choice(FUNDERS, required=True)
    release_days = Whole(required=True, most=MOST_RELEASE_DAYS)
    agreed_on = CivilDate(required=True)


class HappenedOut(StrictSchema):
    """One line of history: what, on which day it counts, when it was written down, what it led to."""

    what = Text()
    on = CivilDate()
    recorded_at = Instant()
    status = Choice(STATUSES)
    route = Choice(ROUTES)


class DeferralOut(StrictSchema):
    """A pause that kept the seat; `until_on` is the last day that was agreed."""

    reason = Choice(DEFERRAL_REASONS)
    from_on = CivilDate()
    until_on = CivilDate()
    resumed_on = CivilDate(allow_none=True)


class RouteChangeOut(StrictSchema):
    """From a day on another route, which employer and worker both chose."""

    from_route = Choice(ROUTES)
    to_route = Choice(ROUTES)
    effective_on = CivilDate()
    agreed_with_worker_on = CivilDate()
    reason = Choice(ROUTE_REASONS)
    prerequisite_on = CivilDate(allow_none=True)


class TransferOut(StrictSchema):
    """Where the place went, and what became of that."""

    to_employer = Slug()
    reason = Choice(TRANSFER_REASONS)
    transferred_on = CivilDate()
    accept_by = CivilDate()
    state = Choice(TRANSFER_STATES)


class OriginOut(StrictSchema):
    """Where a place came from."""

    employer = Slug()
    enrolment_id = Identifier()


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
    explanation = Text(allow_none=True)
    requested_on = CivilDate()
    confirmed_on = CivilDate(allow_none=True)
    ended_on = CivilDate(allow_none=True)
    outcome = Choice(OUTCOMES, allow_none=True)
    offer_expires_on = CivilDate(allow_none=True)
    started_on = CivilDate(allow_none=True)
    deferrals = Items(Part(DeferralOut))
    route_changes = Items(Part(RouteChangeOut))
    sponsorship = Part(SponsorshipIn, allow_none=True)
    transfer = Part(TransferOut, allow_none=True)
    transferred_from = Part(OriginOut, allow_none=True)
    asked_again_after = Identifier(allow_none=True)
    history = Items(Part(HappenedOut))
    decision = Choice((ACCEPTED, DUPLICATE))


class EnrolmentsAsked(StrictSchema):
    """What a list of enrolments may be narrowed by."""

    course = Text(longest=64)
    intake = Text(longest=64)
    employee_ref = Text(longest=500)
    status = Choice(STATUSES)
    pcf_level = Choice(LEVELS)
    route = Choice(ROUTES)


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
SPONSORSHIP_IN = SponsorshipIn()
