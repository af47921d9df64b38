"""What comes in and what goes out over HTTP. Shapes only; rules are the domain's."""

from __future__ import annotations

from services.assessment.domain.evaluation import HIGHEST_RATING, LOWEST_RATING, WAVES
from shared.http.fields import Choice, CivilDate, Flag, Identifier, Items, Part, StrictSchema, Table, Text, Whole

LEVELS = ("ASYE", "SW", "ESW", "ADVANCED", "STRATEGIC")
OUTCOMES = ("pass", "fail")
WORD = r"[a-z][a-z0-9_]{0,63}"
REF = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}"
LONGEST_REFERENCE = 64
MINUTES_OF_A_DAY = 1440


class EvidenceItemIn(StrictSchema):
    """A piece of evidence. Without `author_ref` the author is nobody of this employer's."""

    ref = Text(required=True, longest=64, pattern=REF)
    kind = Text(required=True, longest=64, pattern=WORD)
    author_role = Text(required=True, longest=64, pattern=WORD)
    author_ref = Text(longest=LONGEST_REFERENCE, allow_none=True, load_default=None)
    made_on = CivilDate(required=True)
    domains = Items(Text(longest=64, pattern=WORD), required=True, most=64)
    level = Choice(LEVELS, required=True)


class EvidenceIn(StrictSchema):
    """Pieces of evidence, taken together or not at all."""

    items = Items(Part(EvidenceItemIn), required=True, least=1, most=200)


class InvalidationIn(StrictSchema):
    """From `on`, that day included, the piece no longer counts."""

    reason = Text(required=True, longest=64, pattern=WORD)
    on = CivilDate(required=True)


class SelfAssessmentItemIn(StrictSchema):
    """One wave's ratings, one per domain of the framework."""

    wave = Choice(WAVES, required=True)
    held_on = CivilDate(required=True)
    ratings = Table(
        keys=Text(longest=64, pattern=WORD), values=Whole(least=LOWEST_RATING, most=HIGHEST_RATING), required=True
    )


class SelfAssessmentsIn(StrictSchema):
    """Self-assessments, taken together or not at all."""

    items = Items(Part(SelfAssessmentItemIn), required=True, least=1, most=len(WAVES))


class SubmissionIn(StrictSchema):
    """The day on which the portfolio is handed in."""

    submitted_on = CivilDate(required=True)


class VerificationIn(StrictSchema):
    """The day on which the supervisor stands by the portfolio."""

    verified_on = CivilDate(required=True)


class RecommendationIn(StrictSchema):
    """What the assessor recommends, and when."""

    recommended_on = CivilDate(required=True)
    outcome = Choice(OUTCOMES, required=True)


class ConfirmationIn(StrictSchema):
    """What the employer confirms, and when."""

    confirmed_on = CivilDate(required=True)
    outcome = Choice(OUTCOMES, required=True)


class SessionItemIn(StrictSchema):
    """One supervision session."""

    held_on = CivilDate(required=True)
    minutes = Whole(required=True, least=1, most=MINUTES_OF_A_DAY)
    uninterrupted = Flag(required=True)
    pcf_discussed = Flag(required=True)


class SupervisionIn(StrictSchema):
    """Sessions with one person, held by whoever asks; taken together or not at all."""

    practitioner_ref = Text(required=True, longest=LONGEST_REFERENCE)
    items = Items(Part(SessionItemIn), required=True, least=1, most=200)


class PortfoliosQuery(StrictSchema):
    """Which portfolios."""

    practitioner_ref = Text(longest=LONGEST_REFERENCE)
    course = Text(longest=64)
    intake = Text(longest=64)


class ReadinessQuery(StrictSchema):
    """Which portfolio, held against its evidence set on which day (today)."""

    portfolio = Identifier(required=True)
    on = CivilDate()


class PersonQuery(StrictSchema):
    """Whose supervision."""

    practitioner_ref = Text(required=True, longest=LONGEST_REFERENCE)


class ComplianceQuery(StrictSchema):
    """Whose supervision, in the year until which day (today)."""

    practitioner_ref = Text(required=True, longest=LONGEST_REFERENCE)
    until = CivilDate()


class EvidenceOut(StrictSchema):
    """A piece of evidence as kept: the author is an opaque id."""

    evidence_id = Identifier()
    ref = Text()
    kind = Text()
    author_role = Text()
    author_id = Identifier(allow_none=True)
    made_on = CivilDate()
    domains = Items(Text())
    level = Choice(LEVELS)
    invalidated_on = CivilDate(allow_none=True)
    invalidation_reason = Text(allow_none=True)


class EvidenceListOut(StrictSchema):
    """Pieces of evidence."""

    items = Items(Part(EvidenceOut))


class SubmissionOut(StrictSchema):
    """One handing-in and what came of it."""

    attempt = Whole()
    submitted_on = CivilDate()
    outcome = Choice(("submitted", "returned"))
    missing = Items(Text())


class ReturnOut(StrictSchema):
    """One handing-in that went back, with everything missing, in order."""

    attempt = Whole()
    returned_on = CivilDate()
    missing = Items(Text())


class DecisionOut(StrictSchema):
    """Who (an opaque id) decided what, and when."""

    by_id = Identifier()
    on = CivilDate()
    outcome = Choice(OUTCOMES, allow_none=True)


class SelfAssessmentOut(StrictSchema):
    """One wave's ratings."""

    wave = Choice(WAVES)
    held_on = CivilDate()
    ratings = Table(keys=Text(), values=Whole())


class SelfAssessmentsOut(StrictSchema):
    """Self-assessments."""

    items = Items(Part(SelfAssessmentOut))


class LineManagerOut(StrictSchema):
    """From which day, that day included, who was line manager."""

    line_manager_id = Identifier(allow_none=True)
    from_on = CivilDate()


class PortfolioSummaryOut(StrictSchema):
    """A portfolio in a list.

    `practice` is in_progress, returned, submitted, confirmed_pass, confirmed_fail or closed; `state` also tells
    verified and recommended apart. `outcome` is null until it is confirmed.
    """

    portfolio_id = Identifier()
    enrolment_id = Identifier()
    practitioner_id = Identifier()
    course = Text()
    intake = Text()
    route = Text()
    pcf_level = Text()
    evidence_set = Text()
    state = Text()
    practice = Text()
    outcome = Choice(OUTCOMES, allow_none=True)


class PortfolioOut(PortfolioSummaryOut):
    """A portfolio with everything in it."""

    course_title = Text(allow_none=True)
    evidence = Items(Part(EvidenceOut))
    submissions = Items(Part(SubmissionOut))
    returns = Items(Part(ReturnOut))
    self_assessments = Items(Part(SelfAssessmentOut))
    line_managers = Items(Part(LineManagerOut))
    verified = Part(DecisionOut, allow_none=True)
    recommended = Part(DecisionOut, allow_none=True)
    confirmed = Part(DecisionOut, allow_none=True)


class StepOut(StrictSchema):
    """Where a portfolio stands after a step."""

    portfolio_id = Identifier()
    state = Text()
    practice = Text()


class SubmissionResultOut(StepOut):
    """What came of handing in: submitted, or returned with everything missing, in order."""

    attempt = Whole()
    outcome = Choice(("submitted", "returned"))
    missing = Items(Text())


class ReadinessOut(StrictSchema):
    """What a portfolio lacks on a day, by name."""

    portfolio_id = Identifier()
    on = CivilDate()
    is_sufficient = Flag()
    missing = Items(Text())


class SessionOut(StrictSchema):
    """A supervision session."""

    session_id = Identifier()
    supervisor_id = Identifier()
    held_on = CivilDate()
    minutes = Whole()
    uninterrupted = Flag()
    pcf_discussed = Flag()
    is_standard_met = Flag()


class SessionListOut(StrictSchema):
    """Supervision sessions, oldest first."""

    items = Items(Part(SessionOut))


class GapOut(StrictSchema):
    """A stretch without a session to standard, longer than allowed."""

    after_on = CivilDate()
    until_on = CivilDate()
    days = Whole()
    allowed_days = Whole()


class ComplianceOut(StrictSchema):
    """How often supervision was held; frequency and quality are separate findings."""

    from_on = CivilDate()
    until_on = CivilDate()
    held = Whole()
    to_standard = Whole()
    pcf_discussed = Whole()
    is_met = Flag()
    gaps = Items(Part(GapOut))
    months_without = Items(Text())
