"""The bodies of duplicates, register checks, access, the ASYE package and days of CPD."""

from __future__ import annotations

from services.enrolment.api.practitioner_schemas import ClockOut, RegistrationShown
from services.enrolment.domain.duplicates import REASONS
from services.enrolment.domain.entitlements import ACTIVITIES, KINDS
from services.enrolment.domain.lifecycle import STATUSES as ENROLMENT_STATUSES
from services.enrolment.domain.registrations import MOST_FAULTS, STATUSES
from shared.http import Choice, CivilDate, Exact, Flag, Identifier, Items, Part, StrictSchema, Text, Whole

MOST_DAYS = 366


class MergeIn(StrictSchema):
    """Whose reference or id leads to whose from now on."""

    into = Text(required=True, longest=500)
    merged = Text(required=True, longest=500)


class SplitIn(StrictSchema):
    """Whose reference or id is their own again."""

    merged = Text(required=True, longest=500)


class ApartIn(StrictSchema):
    """Two people who are alike and are two."""

    one = Text(required=True, longest=500)
    other = Text(required=True, longest=500)


class AlikeOut(StrictSchema):
    """One of two people who may be one."""

    practitioner_id = Identifier()
    employee_ref = Text()
    given_name = Text(allow_none=True)
    family_name = Text(allow_none=True)


class DuplicateOut(StrictSchema):
    """Two people who may be one, and what they have in common."""

    reasons = Items(Choice(REASONS))
    people = Items(Part(AlikeOut))


class RegisterFaultOut(StrictSchema):
    """A line of a register file that could not be taken."""

    line = Whole()
    code = Text()
    detail = Text()


class RegisterCheckOut(StrictSchema):
    """A register file held against one's own people; the figures count people once it is done."""

    check_id = Identifier()
    checked_on = CivilDate()
    is_done = Flag()
    rows = Whole()
    refused = Whole()
    faults = Items(Part(RegisterFaultOut), most=MOST_FAULTS)
    registered = Whole()
    lapsed = Whole()
    not_found = Whole()
    without_number = Whole()


class RegistrationsAsked(StrictSchema):
    """Of which status."""

    status = Choice(STATUSES[:-1], required=True)


class RegistrationOut(RegistrationShown):
    """What the last register file said of one person."""

    practitioner_id = Identifier()


class AccessAsked(StrictSchema):
    """Nominations between which days, of the people employed on the last of them (today)."""

    from_on = CivilDate()
    until_on = CivilDate()


class UptakeOut(StrictSchema):
    """One group of people: how many there are, were nominated, had a place."""

    by = Choice(("all", "pcf_level", "team", "fte"))
    group = Text()
    headcount = Whole()
    nominated = Whole()
    confirmed = Whole()


class AccessOut(StrictSchema):
    """Who gets to learn, of one employer's people."""

    from_on = CivilDate(allow_none=True)
    until_on = CivilDate()
    groups = Items(Part(UptakeOut))


class AgreementIn(StrictSchema):
    """What is agreed with a newly qualified person, and when their development plan was spoken about."""

    protected_time_percent = Whole(required=True, least=0, most=100)
    workload_percent = Whole(required=True, least=0, most=100)
    pdp_held_on = Items(CivilDate(), most=20, required=True)


class AgreementOut(StrictSchema):
    """What was agreed."""

    agreed_on = CivilDate()
    protected_time_percent = Whole()
    workload_percent = Whole()
    pdp_held_on = Items(CivilDate())


class PdpOut(StrictSchema):
    """One conversation about the development plan."""

    after_months = Whole()
    due_on = CivilDate(allow_none=True)
    held_on = CivilDate(allow_none=True)


class AsyeSupportOut(StrictSchema):
    """The support package of one newly qualified person on a day."""

    on = CivilDate()
    started_on = CivilDate()
    ends_on = CivilDate(allow_none=True)
    protected_time_percent = Whole()
    protected_days_a_week = Text()
    workload_percent = Whole()
    agreement = Part(AgreementOut, allow_none=True)
    pdp = Items(Part(PdpOut))
    supervision = Part(ClockOut)
    is_met = Flag()


class CpdEntitlementSchema(StrictSchema):
    """Days of CPD a year for everybody; `is_pro_rata`: part-time people their share."""

    formal_days = Exact(required=True, most=MOST_DAYS)
    informal_days = Exact(required=True, most=MOST_DAYS)
    is_pro_rata = Flag(load_default=False)


class CpdItemIn(StrictSchema):
    """Days that somebody used to learn. What was learnt is the person's own and not asked for."""

    kind = Choice(KINDS, required=True)
    activity = Choice(ACTIVITIES, required=True)
    held_on = CivilDate(required=True)
    days = Exact(required=True, most=MOST_DAYS)
    course = Text(longest=64, pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*", required=False, allow_none=True, load_default=None)


class CpdItemOut(StrictSchema):
    """Days that were used to learn."""

    item_id = Identifier()
    kind = Choice(KINDS)
    activity = Choice(ACTIVITIES)
    held_on = CivilDate()
    days = Text()
    course = Text(allow_none=True)


class CpdBalanceOut(StrictSchema):
    """Entitled, used and left; null where the employer has set nothing."""

    kind = Choice(KINDS)
    entitled_days = Text(allow_none=True)
    used_days = Text()
    left_days = Text(allow_none=True)


class CpdCourseOut(StrictSchema):
    """A place that somebody was given in the year."""

    enrolment_id = Identifier()
    course = Text()
    intake = Text()
    status = Choice(ENROLMENT_STATUSES)
    confirmed_on = CivilDate(allow_none=True)


class CpdStatementOut(StrictSchema):
    """A person's registration year of learning."""

    from_on = CivilDate()
    until_on = CivilDate()
    balances = Items(Part(CpdBalanceOut))
    items = Items(Part(CpdItemOut))
    courses = Items(Part(CpdCourseOut))


MERGE_IN = MergeIn()
SPLIT_IN = SplitIn()
APART_IN = ApartIn()
DUPLICATE_OUT = DuplicateOut()
REGISTER_CHECK_OUT = RegisterCheckOut()
REGISTRATIONS_ASKED = RegistrationsAsked()
REGISTRATION_OUT = RegistrationOut()
ACCESS_ASKED = AccessAsked()
ACCESS_OUT = AccessOut()
AGREEMENT_IN = AgreementIn()
ASYE_SUPPORT_OUT = AsyeSupportOut()
CPD_ENTITLEMENT = CpdEntitlementSchema()
CPD_ITEM_IN = CpdItemIn()
CPD_ITEM_OUT = CpdItemOut()
CPD_STATEMENT_OUT = CpdStatementOut()
