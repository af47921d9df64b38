"""The bodies of programmes."""

from __future__ import annotations

from services.enrolment.api.course_schemas import CODE
from services.enrolment.domain.programmes import CENTRAL, DELIVERIES, STRAND_LEVELS
from shared.http import Choice, Items, Part, Slug, StrictSchema, Text


class StrandSchema(StrictSchema):
    """The courses for people of one level, in the order in which they are taken."""

    level = Choice(STRAND_LEVELS, required=True)
    courses = Items(Text(longest=64, pattern=CODE), required=True, least=1, most=50)


class ProgrammeIn(StrictSchema):
    """Courses in combination. Central: the owner delivers it once for all partners."""

    title = Text(required=True, longest=200)
    delivery = Choice(DELIVERIES, load_default=CENTRAL)
    strands = Items(Part(StrandSchema), required=True, least=1, most=len(STRAND_LEVELS))


class ProgrammeOut(ProgrammeIn):
    """A programme as it is kept."""

    code = Text()
    owner = Slug()


class ProgrammesOut(StrictSchema):
    """Every programme that this organisation knows."""

    items = Items(Part(ProgrammeOut))
    next = Text(allow_none=True)


PROGRAMME_IN = ProgrammeIn()


PROGRAMME_OUT = ProgrammeOut()


PROGRAMMES_OUT = ProgrammesOut()
