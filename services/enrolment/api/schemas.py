"""The bodies and queries that enrolment's routes take and give. No rule of the domain beyond shapes and words."""

from __future__ import annotations

from typing import Any

from services.enrolment.application.uploads import STATES
from services.enrolment.domain.courses import ACCREDITATIONS, COURSE_LEVELS
from services.enrolment.domain.decisions import ACCEPTED, DUPLICATE, REFUSED
from services.enrolment.domain.enrolments import OUTCOMES, REASONS, STATUSES
from services.enrolment.domain.records import CODES, FIELDS, LEVELS, ROUTES
from shared.http import (
    Choice,
    CivilDate,
    Exact,
    Flag,
    Identifier,
    Instant,
    Items,
    Part,
    Slug,
    StrictSchema,
    Table,
    Text,
    Whole,
)

CODE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_OPTIONAL: dict[str, Any] = {"required": False, "allow_none": True, "load_default": None}


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
    awarding_hei = Slug(**_OPTIONAL)
    module = Text(longest=64, pattern=CODE, **_OPTIONAL)
    prerequisite = Part(PrerequisiteSchema, **_OPTIONAL)
    evidence_set = Text(longest=64, pattern=CODE, **_OPTIONAL)


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


class NothingIn(StrictSchema):
    """A body without content: `{}`."""


class NominationIn(StrictSchema):
    """The canonical record; what is missing or wrong is answered with the contract's codes."""


_TEXTS = {name: Text(longest=500, shortest=0, **_OPTIONAL) for name in FIELDS if name != "fte"}
NominationSchema = NominationIn.from_dict(
    {**_TEXTS, "fte": Exact(least=0, most=100, places=6, metadata={"type": ["string", "number", "null"]}, **_OPTIONAL)},
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


class PractitionerIn(StrictSchema):
    """A person's details, as the employer keeps them."""

    given_name = Text(longest=300, **_OPTIONAL)
    family_name = Text(longest=300, **_OPTIONAL)
    email = Text(longest=300, **_OPTIONAL)
    date_of_birth = CivilDate(**_OPTIONAL)
    swe_number = Text(longest=20, pattern=r"[Ss][Ww]\s*0*[1-9][0-9]{0,5}", **_OPTIONAL)
    job_title = Text(longest=300, **_OPTIONAL)
    team = Text(longest=300, **_OPTIONAL)
    pcf_level = Choice(LEVELS, **_OPTIONAL)
    employment_start = CivilDate(**_OPTIONAL)
    fte = Exact(least=0, most=100, places=6, **_OPTIONAL)
    line_manager_ref = Text(longest=500, **_OPTIONAL)


class LineManagerIn(StrictSchema):
    """Who manages the line from a day on; null: nobody."""

    line_manager_ref = Text(required=True, longest=500, allow_none=True)
    from_on = CivilDate(required=True)


class LineManagerOut(LineManagerIn):
    """Who manages the line from a day on."""

    line_manager_id = Identifier(allow_none=True)


class ReferenceIn(StrictSchema):
    """Whose details an address names."""

    employee_ref = Text(required=True, longest=500)


class PractitionerOut(PractitionerIn):
    """A person as the employer keeps them."""

    practitioner_id = Identifier()
    employee_ref = Text()
    line_managers = Items(Part(LineManagerOut))


class IdentityAsked(StrictSchema):
    """Why an identity is asked for."""

    purpose = Choice(("registration",), required=True)


class IdentityOut(StrictSchema):
    """What a university is given for the registration of one person: no more than it needs to know them again."""

    practitioner_id = Identifier()
    given_name = Text(allow_none=True)
    family_name = Text(allow_none=True)
    registration_number = Text(allow_none=True)


class UploadAsked(StrictSchema):
    """The file's name (for its ending only) and, where it differs from the mapping, its encoding."""

    filename = Text(longest=300)
    charset = Text(longest=40, pattern=r"[A-Za-z0-9_.-]+")


class FaultOut(StrictSchema):
    """One fault of a row."""

    code = Choice(CODES)
    field = Text()
    detail = Text()


class FileFaultOut(StrictSchema):
    """What is wrong with a file as a whole, and in which row it was found."""

    code = Choice(("unreadable_file",))
    detail = Text(longest=5000)
    row = Whole(allow_none=True)


class UploadOut(StrictSchema):
    """A file's job. `fault` says why a file as a whole could not be read."""

    id = Identifier()
    state = Choice(STATES)
    filename = Text()
    uploaded_at = Instant()
    counts = Table(keys=Text(), values=Whole())
    rows = Whole()
    done = Whole()
    fault = Text(longest=5000, allow_none=True)
    fault_row = Whole(allow_none=True)
    same_as = Identifier(allow_none=True)
    seen_before = Flag()
    faults = Items(Part(FileFaultOut))


class UploadRowOut(StrictSchema):
    """One row: where it stood, what was decided and why."""

    line = Whole()
    employee_ref = Text(allow_none=True)
    course = Text(allow_none=True)
    intake = Text(allow_none=True)
    route = Text(allow_none=True)
    decision = Choice((ACCEPTED, DUPLICATE, REFUSED))
    codes = Items(Choice(CODES))
    faults = Items(Part(FaultOut))
    enrolment_id = Identifier(allow_none=True)


class RowsAsked(StrictSchema):
    """Which rows are wanted."""

    decision = Choice((ACCEPTED, DUPLICATE, REFUSED))


class SplitNameSchema(StrictSchema):
    """A combined name column, and whether it may hold a single name."""

    column = Text(required=True)
    order = Text(required=True, pattern=r"(family\W*\s*given|given\W*\s*family)")
    single_name = Choice(("given", "family"))


class MappingSchema(StrictSchema):
    """How an employer's own files are read; what is not said is the canonical file."""

    format = Choice(("csv", "tsv", "xlsx", "xls", "ods", "ndjson"), required=True)
    encoding = Text(longest=40, pattern=r"[A-Za-z0-9_.-]+")
    delimiter = Choice((",", ";", "\t", "|"))
    sheet = Text()
    heading_row = Whole(least=1, most=1000)
    date_format = Text(longest=40)
    columns = Table(keys=Text(longest=64, pattern=r"[a-z][a-z0-9_]*"), values=Text())
    values = Table(keys=Choice(FIELDS), values=Table(keys=Text(), values=Text()))
    split_name = Part(SplitNameSchema)
    scale = Table(keys=Choice(("fte",)), values=Exact(least=0, most=1000, places=6))
    pad_left = Table(keys=Choice(FIELDS), values=Whole(least=1, most=40))


COURSE_IN = CourseIn()
COURSE_OUT = CourseOut()
COHORT_IN = CohortIn()
COHORT_OUT = CohortOut()
CATALOGUE_OUT = CatalogueOut()
WAITING_LISTS_OUT = WaitingListsOut()
NOTHING_IN = NothingIn()
NOMINATION_IN = NominationSchema()
ENROLMENT_OUT = EnrolmentOut()
ENROLMENTS_ASKED = EnrolmentsAsked()
WITHDRAWAL_IN = WithdrawalIn()
COMPLETION_IN = CompletionIn()
PRACTITIONER_IN = PractitionerIn()
REFERENCE_IN = ReferenceIn()
PRACTITIONER_OUT = PractitionerOut()
LINE_MANAGER_IN = LineManagerIn()
IDENTITY_ASKED = IdentityAsked()
IDENTITY_OUT = IdentityOut()
UPLOAD_ASKED = UploadAsked()
UPLOAD_OUT = UploadOut()
UPLOAD_ROW_OUT = UploadRowOut()
ROWS_ASKED = RowsAsked()
MAPPING = MappingSchema()
