"""The bodies of self-audits, of what HR vouches for, and of recommendations."""

from __future__ import annotations

from services.enrolment.api.course_schemas import CODE, WORD
from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain.courses import PCF
from services.enrolment.domain.eligibility import ROLE_CODES
from services.enrolment.domain.learning_needs import LEAST_RATING, MOST_RATING
from shared.http import Choice, CivilDate, Identifier, Items, Part, StrictSchema, Text, Whole


class NeedSchema(StrictSchema):
    """How a person rates themselves in a domain of a framework: 1 needs most, 5 needs nothing."""

    framework = Text(longest=63, pattern=WORD, load_default=PCF)
    domain = Whole(required=True, least=1, most=99)
    rating = Whole(required=True, least=LEAST_RATING, most=MOST_RATING)


class LearningNeedsIn(StrictSchema):
    """A self-audit of one day; it takes the place of the one before."""

    audited_on = CivilDate(required=True)
    needs = Items(Part(NeedSchema), required=True, most=200)


class LearningNeedsOut(LearningNeedsIn):
    """The latest self-audit."""

    practitioner_id = Identifier()


class PriorCourseSchema(StrictSchema):
    """A course completed before or outside the platform."""

    course = Text(required=True, longest=64, pattern=CODE)
    completed_on = CivilDate(required=True)


class BackgroundIn(StrictSchema):
    """What HR vouches for: roles, those that the person plans for included, and courses completed elsewhere."""

    roles = Items(Choice(ROLE_CODES), most=len(ROLE_CODES), load_default=[])
    prior_courses = Items(Part(PriorCourseSchema), most=200, load_default=[])


class BackgroundOut(BackgroundIn):
    """What HR vouches for, as it is kept."""

    practitioner_id = Identifier()


class RecommendationsAsked(StrictSchema):
    """For whom: the employee reference or the opaque id."""

    practitioner = Text(required=True, longest=500)


class ReasonOut(StrictSchema):
    """Why: a code, the course, what it is about, and a sentence for people."""

    code = Text()
    course = Text()
    about = Text(**OPTIONAL)
    sentence = Text(longest=1000)


class CombinationOut(StrictSchema):
    """Courses in the order in which they are taken; `programme` is the one that they make up, if they do."""

    courses = Items(Text())
    programme = Text(**OPTIONAL)
    reasons = Items(Part(ReasonOut))


class RecommendationsOut(StrictSchema):
    """At most five combinations, the most fitting first, and why each other course is left out."""

    practitioner_id = Identifier()
    items = Items(Part(CombinationOut))
    left_out = Items(Part(ReasonOut))
    next = Text(allow_none=True)


LEARNING_NEEDS_IN = LearningNeedsIn()


LEARNING_NEEDS_OUT = LearningNeedsOut()


BACKGROUND_IN = BackgroundIn()


BACKGROUND_OUT = BackgroundOut()


RECOMMENDATIONS_ASKED = RecommendationsAsked()


RECOMMENDATIONS_OUT = RecommendationsOut()
