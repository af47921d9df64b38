"""The bodies of courses and the catalogue."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain.courses import ACCREDITATIONS, COURSE_LEVELS
from services.enrolment.domain.records import ROUTES
from shared.http import (
    Choice,
    Flag,
    Items,
    Part,
    Slug,
    StrictSchema,
    Text,
    Whole,
)

CODE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


class PrerequisiteSchema(StrictSchema):
    """What a course asks for first, and on which routes it binds."""

    text = Text(required=True, longest=300)
    routes = Items(Choice(ROUTES), required=True, least=1, most=2)


class CourseIn(StrictSchema):
    """A course as its owner offers it."""

    title = Text(required=True, longest=200)
    level = Choice(COURSE_LEVELS, required=True)
    routes = Items(Choice(ROUTES), required=True, least=1, most=2)
    credits = Whole(most=180, load_default=0)
    accreditation = Choice(ACCREDITATIONS, load_default="none")
    awarding_hei = Slug(**OPTIONAL)
    module = Text(longest=64, pattern=CODE, **OPTIONAL)
    prerequisite = Part(PrerequisiteSchema, **OPTIONAL)
    evidence_set = Text(longest=64, pattern=CODE, **OPTIONAL)


class CatalogueCohort(StrictSchema):
    """A cohort as the catalogue shows it."""

    intake = Text()
    owner = Slug()
    capacity = Whole()
    closed = Flag()


class CourseOut(CourseIn):
    """A course as it is kept."""

    code = Text()
    owner = Slug()


class CatalogueCourse(StrictSchema):
    """A course as the catalogue shows it."""

    code = Text()
    title = Text()
    owner = Slug()
    level = Choice(COURSE_LEVELS)
    routes = Items(Choice(ROUTES))
    credits = Whole()
    accreditation = Choice(ACCREDITATIONS)
    awarding_hei = Slug(allow_none=True)
    module = Text(allow_none=True)
    prerequisite_routes = Items(Choice(ROUTES))
    evidence_set = Text(allow_none=True)
    cohorts = Items(Part(CatalogueCohort))


class CatalogueOut(StrictSchema):
    """Every course that this organisation knows."""

    items = Items(Part(CatalogueCourse))
    next = Text(allow_none=True)


COURSE_IN = CourseIn()


COURSE_OUT = CourseOut()


CATALOGUE_OUT = CatalogueOut()
