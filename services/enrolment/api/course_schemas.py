"""The bodies of courses, cohorts, the catalogue and the waiting lists."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain.courses import ACCREDITATIONS, COURSE_LEVELS
from services.enrolment.domain.records import ROUTES
from shared.http import (
    Choice,
    Flag,
    Identifier,
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


class CohortIn(StrictSchema):
    """How many seats a cohort has."""

    capacity = Whole(required=True, most=100_000)


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


class PlaceOut(StrictSchema):
    """A seat or a place in the queue, by opaque ids."""

    employer = Slug()
    enrolment_id = Identifier()
    number = Whole()


class CohortOut(StrictSchema):
    """A cohort with its seats and its queue, each in order of arrival."""

    course = Text()
    intake = Text()
    capacity = Whole()
    closed = Flag()
    seats = Items(Part(PlaceOut))
    waiting = Items(Part(PlaceOut))


class QueueOut(StrictSchema):
    """The queue of one cohort, in order of arrival."""

    course = Text()
    intake = Text()
    waiting = Items(Part(PlaceOut))


class WaitingListsOut(StrictSchema):
    """Every queue that is not empty."""

    items = Items(Part(QueueOut))
    next = Text(allow_none=True)


COURSE_IN = CourseIn()


COURSE_OUT = CourseOut()


COHORT_IN = CohortIn()


COHORT_OUT = CohortOut()


CATALOGUE_OUT = CatalogueOut()


WAITING_LISTS_OUT = WaitingListsOut()
