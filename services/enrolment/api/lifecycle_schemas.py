"""The bodies of an enrolment's steps between nomination and end, of transfers, and of an employer's settings."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain.enrolment_parts import (
    DEFERRAL_REASONS,
    REASONS,
    REFUSAL_REASONS,
    ROUTE_REASONS,
    TRANSFER_REASONS,
)
from services.enrolment.domain.lifecycle_settings import (
    APPROVAL_STAGES,
    AT_ONCE,
    MOST_DAYS,
    MOST_DEFERRALS,
    MOST_MONTHS,
    WAYS_TO_ACCEPT,
)
from services.enrolment.domain.records import FIELDS, LEVELS, ROUTES
from services.enrolment.domain.transfers import INCOMING_STATES
from shared.http import Choice, CivilDate, Exact, Identifier, Part, Slug, StrictSchema, Text, Whole


class SettingsIn(StrictSchema):
    """What this employer decides about its enrolments; what is left out is the default."""

    approval_stages = Whole(least=APPROVAL_STAGES[0], most=APPROVAL_STAGES[-1], load_default=1)
    accepts_offers = Choice(WAYS_TO_ACCEPT, load_default=AT_ONCE)
    offer_days = Whole(least=1, most=MOST_DAYS, load_default=14)
    deferrals_allowed = Whole(most=MOST_DEFERRALS, load_default=1)
    deferral_months = Whole(least=1, most=MOST_MONTHS, load_default=3)
    transfer_days = Whole(least=1, most=MOST_DAYS, load_default=28)


class RefusalIn(StrictSchema):
    """Why a nomination goes no further."""

    reason = Choice(REFUSAL_REASONS, required=True)


class OfferDeclinedIn(StrictSchema):
    """Why an offered seat is given back."""

    reason = Choice(REASONS, required=True)


class AskedAgainIn(StrictSchema):
    """When the manager approved asking again."""

    manager_approved_on = CivilDate(required=True)


class StartIn(StrictSchema):
    """When somebody started."""

    started_on = CivilDate(required=True)


class DeferralIn(StrictSchema):
    """Why, and from when until when, a confirmed place is paused; without an end until the longest day allowed."""

    reason = Choice(DEFERRAL_REASONS, required=True)
    from_on = CivilDate(required=True)
    until_on = CivilDate(**OPTIONAL)


class ResumptionIn(StrictSchema):
    """When a pause ended."""

    resumed_on = CivilDate(required=True)


class RouteChangeIn(StrictSchema):
    """Which route, from when, agreed with the worker when, and why."""

    route = Choice(ROUTES, required=True)
    effective_on = CivilDate(required=True)
    agreed_with_worker_on = CivilDate(required=True)
    reason = Choice(ROUTE_REASONS, required=True)
    prerequisite_on = CivilDate(**OPTIONAL)


class TransferIn(StrictSchema):
    """Which employer the person goes to, when and why."""

    to_employer = Slug(required=True)
    transferred_on = CivilDate(required=True)
    reason = Choice(TRANSFER_REASONS, required=True)


class IncomingAsked(StrictSchema):
    """What a list of incoming transfers may be narrowed by."""

    state = Choice(INCOMING_STATES)


class IncomingOut(StrictSchema):
    """A place that another employer gives over; who the person is the two employers tell each other."""

    from_enrolment_id = Identifier()
    from_employer = Slug()
    cohort_owner = Slug()
    course = Text()
    intake = Text()
    route = Choice(ROUTES)
    pcf_level = Choice(LEVELS)
    transferred_on = CivilDate()
    accept_by = CivilDate()
    state = Choice(INCOMING_STATES)
    enrolment_id = Identifier(allow_none=True)


_OF_THE_PLACE = frozenset(
    {"employee_ref", "course", "intake", "route", "pcf_level", "fte", "manager_approved_on", "prerequisite_on"}
)
PERSON_FIELDS = tuple(name for name in FIELDS if name not in _OF_THE_PLACE)


class TransferredPersonIn(StrictSchema):
    """Who the person is at this employer, as in a record; what is wrong is answered with the contract's codes."""


_Person = TransferredPersonIn.from_dict(
    {
        **{name: Text(longest=500, shortest=0, **OPTIONAL) for name in PERSON_FIELDS},
        "fte": Exact(least=0, most=100, places=6, **OPTIONAL),
    },
    name="TransferredPerson",
)


class TakenOnIn(StrictSchema):
    """Under which reference the person works here; `person` for somebody who is not known here yet."""

    employee_ref = Text(required=True, longest=500)
    person = Part(_Person, **OPTIONAL)


SETTINGS_IN = SettingsIn()
REFUSAL_IN = RefusalIn()
OFFER_DECLINED_IN = OfferDeclinedIn()
ASKED_AGAIN_IN = AskedAgainIn()
START_IN = StartIn()
DEFERRAL_IN = DeferralIn()
RESUMPTION_IN = ResumptionIn()
ROUTE_CHANGE_IN = RouteChangeIn()
TRANSFER_IN = TransferIn()
INCOMING_ASKED = IncomingAsked()
INCOMING_OUT = IncomingOut()
TAKEN_ON_IN = TakenOnIn()
