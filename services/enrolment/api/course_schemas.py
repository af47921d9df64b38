"""The bodies of courses and the catalogue."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain.courses import (
    ACCREDITATIONS,
    CODE_FORM,
    COURSE,
    COURSE_LEVELS,
    KINDS,
    LINK_FORM,
    MOST_CREDITS,
    MOST_MINUTES,
    VERSION_FORM,
)
from services.enrolment.domain.eligibility import PCF_DOMAINS, ROLE_CODES
from services.enrolment.domain.records import ROUTES
from shared.http import (
    Choice,
    CivilDate,
    Flag,
    Items,
    Part,
    Slug,
    StrictSchema,
    Text,
    Whole,
    WholeText,
)

CODE, VERSION, LINK = CODE_FORM, VERSION_FORM, LINK_FORM
WORD = r"[a-z][a-z0-9_-]{0,62}"
MOST_MONTHS = 600


class PrerequisiteSchema(StrictSchema):
    """What a course asks for first, and on which routes it binds."""

    text = Text(required=True, longest=300)
    routes = Items(Choice(ROUTES), required=True, least=1, most=2)


class CourseFirstSchema(StrictSchema):
    """A course that must have been completed first; `within_months` before the approval, null: ever."""

    course = Text(required=True, longest=64, pattern=CODE)
    routes = Items(Choice(ROUTES), required=True, least=1, most=2)
    within_months = Whole(least=1, most=MOST_MONTHS, **OPTIONAL)


class EligibilitySchema(StrictSchema):
    """What a course asks of who takes it. `after` has course codes or `asye`; one of `roles` is enough.

    `open_to` are kinds of organisations whose staff may take the whole course, everybody when empty; `elements` are
    courses that others may take alone; `rated_domains` are domains of the PCF to be rated before a nomination.
    """

    after = Items(Text(longest=64, pattern=CODE), most=20, load_default=[])
    courses_first = Items(Part(CourseFirstSchema), most=20, load_default=[])
    in_house_within_months = Whole(least=1, most=MOST_MONTHS, **OPTIONAL)
    roles = Items(Choice(ROLE_CODES), most=len(ROLE_CODES), load_default=[])
    open_to = Items(Text(longest=63, pattern=WORD), most=20, load_default=[])
    elements = Items(Text(longest=64, pattern=CODE), most=50, load_default=[])
    rated_domains = Items(Whole(least=1, most=PCF_DOMAINS), most=PCF_DOMAINS, load_default=[])


class ActivitySchema(StrictSchema):
    """A part that is a piece of CPD of its own."""

    kind = Choice(KINDS, required=True)
    minutes = Whole(required=True, least=1, most=10_000)
    with_peers = Flag(load_default=False)


class DevelopedSchema(StrictSchema):
    """A domain of a framework that the course develops."""

    framework = Text(required=True, longest=63, pattern=WORD)
    domain = Whole(required=True, least=1, most=99)


class HandbookSchema(StrictSchema):
    """A version of the handbook, in force from a day until the next one."""

    version = Text(required=True, longest=32, pattern=VERSION)
    link = Text(required=True, longest=520, pattern=LINK)
    valid_from = CivilDate(required=True)


class DescriptionSchema(StrictSchema):
    """What the course is in the catalogue."""

    kind = Choice(KINDS, load_default=COURSE)
    minutes = Whole(least=1, most=MOST_MINUTES, **OPTIONAL)
    parts = Items(Part(ActivitySchema), most=10, load_default=[])
    micro_credential_by = Slug(**OPTIONAL)
    develops = Items(Part(DevelopedSchema), most=100, load_default=[])
    handbooks = Items(Part(HandbookSchema), most=100, load_default=[])


class CourseIn(StrictSchema):
    """A course as its owner offers it."""

    title = Text(required=True, longest=200)
    level = Choice(COURSE_LEVELS, required=True)
    routes = Items(Choice(ROUTES), required=True, least=1, most=2)
    credits = Whole(most=MOST_CREDITS, load_default=0)
    accreditation = Choice(ACCREDITATIONS, load_default="none")
    awarding_hei = Slug(**OPTIONAL)
    module = Text(longest=64, pattern=CODE, **OPTIONAL)
    prerequisite = Part(PrerequisiteSchema, **OPTIONAL)
    evidence_set = Text(longest=64, pattern=CODE, **OPTIONAL)
    prerequisites = Items(Part(PrerequisiteSchema), most=20, load_default=[])
    eligibility = Part(EligibilitySchema, **OPTIONAL)
    description = Part(DescriptionSchema, **OPTIONAL)


class CourseOut(CourseIn):
    """A course as it is kept; its accreditation is what the awarding university decided, once it has."""

    code = Text()
    owner = Slug()
    accredited_from = CivilDate(allow_none=True)


class CatalogueQuota(StrictSchema):
    """How many seats of a cohort one employer may have at most (null: no limit), and how many are kept for it."""

    employer = Slug()
    at_most = Whole(allow_none=True)
    reserved = Whole()


class CatalogueCohort(StrictSchema):
    """A cohort as the catalogue shows it."""

    intake = Text()
    owner = Slug()
    capacity = Whole()
    closed = Flag()
    starts_on = CivilDate(allow_none=True)
    ends_on = CivilDate(allow_none=True)
    invited = Items(Slug(), allow_none=True)
    quotas = Items(Part(CatalogueQuota))


class CatalogueCourse(StrictSchema):
    """A course as the catalogue shows it. `handbook` is the version in force today."""

    code = Text()
    title = Text()
    owner = Slug()
    level = Choice(COURSE_LEVELS)
    routes = Items(Choice(ROUTES))
    credits = Whole()
    accreditation = Choice(ACCREDITATIONS)
    accredited_from = CivilDate(allow_none=True)
    awarding_hei = Slug(allow_none=True)
    module = Text(allow_none=True)
    prerequisite_routes = Items(Choice(ROUTES))
    evidence_set = Text(allow_none=True)
    kind = Choice(KINDS)
    minutes = Whole(allow_none=True)
    bite_size = Flag()
    cpd_pieces = Whole()
    cpd_pieces_with_peers = Whole()
    micro_credential_by = Slug(allow_none=True)
    develops = Items(Part(DevelopedSchema))
    handbook = Part(HandbookSchema, allow_none=True)
    handbooks = Items(Part(HandbookSchema))
    eligibility = Part(EligibilitySchema)
    cohorts = Items(Part(CatalogueCohort))


class CatalogueOut(StrictSchema):
    """Every course that this organisation knows."""

    items = Items(Part(CatalogueCourse))
    next = Text(allow_none=True)


class CatalogueAsked(StrictSchema):
    """What the catalogue may be narrowed by; courses for all levels are for every level."""

    kind = Choice(KINDS)
    level = Choice(COURSE_LEVELS)
    most_minutes = WholeText(least=1, most=MOST_MINUTES)


class HandbookAsked(StrictSchema):
    """On which day; today without it."""

    on = CivilDate()


COURSE_IN = CourseIn()


COURSE_OUT = CourseOut()


CATALOGUE_OUT = CatalogueOut()


CATALOGUE_ASKED = CatalogueAsked()


HANDBOOK_ASKED = HandbookAsked()


HANDBOOK_OUT = HandbookSchema()
