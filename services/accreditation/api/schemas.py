"""What comes in and goes out over HTTP, made once. Shapes only; rules live in the domain."""

from __future__ import annotations

from services.accreditation.domain.boards import BoardState
from services.accreditation.domain.candidacy import MarkKind, Outcome, State
from services.accreditation.domain.modules import (
    HIGHEST_LEVEL,
    HIGHEST_MARK,
    LOWEST_LEVEL,
    MOST_CREDITS,
    MOST_WORDS,
    InstanceState,
)
from shared.http import Choice, CivilDate, Flag, Identifier, Items, Slug, StrictSchema, Text, Whole

CODE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
ACADEMIC = ("not_submitted", "submitted", "pass", "fail")
OUTCOMES = tuple(Outcome)
MOST_INSTANCES = 50
MOST_DELIVERERS = 20


class ModuleIn(StrictSchema):
    """A shell module's definition."""

    title = Text(required=True, longest=200)
    credits = Whole(required=True, least=1, most=MOST_CREDITS)
    level = Whole(required=True, least=LOWEST_LEVEL, most=HIGHEST_LEVEL)
    pass_mark = Whole(required=True, least=1, most=HIGHEST_MARK)
    words = Whole(required=True, least=1, most=MOST_WORDS)


class ModuleOut(ModuleIn):
    """A shell module."""

    code = Text(required=True)


class ProposalIn(StrictSchema):
    """A wish to run a module; who proposes is who asks."""

    module = Text(required=True, pattern=CODE)
    course = Text(required=True, pattern=CODE)
    intake = Text(required=True, pattern=CODE)
    course_owner = Slug(required=True)
    delivered_by = Items(Slug(), required=True, least=1, most=MOST_DELIVERERS)


class InstanceOut(ProposalIn):
    """A module instance."""

    instance_id = Identifier(required=True)
    proposed_by = Slug(required=True)
    credits = Whole(required=True)
    level = Whole(required=True)
    pass_mark = Whole(required=True)
    state = Choice(tuple(InstanceState), required=True)
    approved_on = CivilDate(required=True, allow_none=True)


class ApprovalIn(StrictSchema):
    """The day from which a run is approved."""

    approved_on = CivilDate(required=True)


class NothingIn(StrictSchema):
    """An empty object: the address says it all."""


class RegistrationFilterIn(StrictSchema):
    """What a list of registrations may be narrowed by."""

    course = Text(pattern=CODE)
    intake = Text(pattern=CODE)
    employer = Slug()
    enrolment_id = Identifier()
    state = Choice(tuple(State))


class RegistrationOut(StrictSchema):
    """A registration as the university's staff see it."""

    registration_id = Identifier(required=True)
    enrolment_id = Identifier(required=True)
    employer = Slug(required=True)
    person_id = Identifier(required=True, allow_none=True)
    module = Text(required=True, allow_none=True)
    instance_id = Identifier(required=True, allow_none=True)
    course = Text(required=True)
    intake = Text(required=True)
    state = Choice(tuple(State), required=True)
    practice_outcome = Choice(OUTCOMES, required=True, allow_none=True)
    submitted_on = CivilDate(required=True, allow_none=True)
    words = Whole(required=True, allow_none=True)
    first_mark = Whole(required=True, allow_none=True)
    second_mark = Whole(required=True, allow_none=True)
    agreed_mark = Whole(required=True, allow_none=True)
    ratified = Flag(required=True)
    academic = Choice(ACADEMIC, required=True)
    withdrawn_on = CivilDate(required=True, allow_none=True)
    credit_id = Identifier(required=True, allow_none=True)
    credited_before = Identifier(required=True, allow_none=True)


class SubmissionIn(StrictSchema):
    """Work handed in."""

    submitted_on = CivilDate(required=True)
    words = Whole(required=True, least=1, most=MOST_WORDS)


class MarkIn(StrictSchema):
    """A mark; who gives it is who asks."""

    kind = Choice(tuple(MarkKind), required=True)
    mark = Whole(required=True, least=0, most=HIGHEST_MARK)


class BoardIn(StrictSchema):
    """A board to be called."""

    held_on = CivilDate(required=True)
    instance_ids = Items(Identifier(), required=True, least=1, most=MOST_INSTANCES)


class BoardOut(BoardIn):
    """An exam board."""

    board_id = Identifier(required=True)
    state = Choice(tuple(BoardState), required=True)
    ratified_marks = Whole(required=True)


class CreditOut(StrictSchema):
    """One award, without names."""

    sequence = Whole(required=True)
    credit_id = Identifier(required=True)
    person_id = Identifier(required=True)
    registration_id = Identifier(required=True)
    enrolment_id = Identifier(required=True)
    employer = Slug(required=True)
    course = Text(required=True)
    intake = Text(required=True)
    module = Text(required=True)
    credits = Whole(required=True)
    level = Whole(required=True)
    awarded_on = CivilDate(required=True)
    board_id = Identifier(required=True)


class RegistryItemOut(CreditOut):
    """One award with the university's own record of the person; names are null once erased."""

    registration_number = Text(required=True, allow_none=True)
    given_name = Text(required=True, allow_none=True)
    family_name = Text(required=True, allow_none=True)


MODULE_IN, MODULE_OUT = ModuleIn(), ModuleOut()
PROPOSAL_IN, INSTANCE_OUT, APPROVAL_IN, NOTHING_IN = ProposalIn(), InstanceOut(), ApprovalIn(), NothingIn()
REGISTRATION_FILTER, REGISTRATION_OUT = RegistrationFilterIn(), RegistrationOut()
SUBMISSION_IN, MARK_IN = SubmissionIn(), MarkIn()
BOARD_IN, BOARD_OUT = BoardIn(), BoardOut()
CREDIT_OUT, REGISTRY_ITEM_OUT = CreditOut(), RegistryItemOut()
