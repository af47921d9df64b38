"""The bodies of cohorts, their places and the waiting lists."""

from __future__ import annotations

from services.enrolment.api.schemas import OPTIONAL
from services.enrolment.domain import seats
from shared.http import Choice, CivilDate, Flag, Identifier, Items, Part, Slug, StrictSchema, Text, Whole

MOST_SEATS = 100_000


class QuotaSchema(StrictSchema):
    """How many seats one employer may have at most (null: no limit), and how many are kept for it."""

    employer = Slug(required=True)
    at_most = Whole(most=MOST_SEATS, **OPTIONAL)
    reserved = Whole(most=MOST_SEATS, load_default=0)


class CohortIn(StrictSchema):
    """How many seats a cohort has, who may ask for them (`invited` null: everybody), how many each, and its days."""

    capacity = Whole(required=True, most=MOST_SEATS)
    quotas = Items(Part(QuotaSchema), most=200, load_default=list)
    invited = Items(Slug(), most=200, **OPTIONAL)
    starts_on = CivilDate(**OPTIONAL)
    ends_on = CivilDate(**OPTIONAL)


class PlaceOut(StrictSchema):
    """A seat or a place in the queue, by opaque ids; `rank` counts seats or the queue from 1."""

    employer = Slug()
    enrolment_id = Identifier()
    number = Whole()
    rank = Whole()
    explanation = Text()


class ShareOut(StrictSchema):
    """How many seats one employer has, and how many of its people wait."""

    employer = Slug()
    taken = Whole()
    waiting = Whole()


class CohortOut(StrictSchema):
    """A cohort with the first thousand of its seats and of its queue, each in order of arrival."""

    course = Text()
    intake = Text()
    capacity = Whole()
    closed = Flag()
    taken = Whole()
    queued = Whole()
    starts_on = CivilDate(allow_none=True)
    ends_on = CivilDate(allow_none=True)
    invited = Items(Slug(), allow_none=True)
    quotas = Items(Part(QuotaSchema))
    shares = Items(Part(ShareOut))
    seats = Items(Part(PlaceOut))
    waiting = Items(Part(PlaceOut))


class PlacesAsked(StrictSchema):
    """Which places of a cohort are asked for."""

    state = Choice((seats.SEAT, seats.WAITING), load_default=seats.SEAT)


class QueueOut(StrictSchema):
    """The first hundred of the queue of one cohort, in order of arrival, and how many wait; its places have all."""

    course = Text()
    intake = Text()
    queued = Whole()
    waiting = Items(Part(PlaceOut))


class WaitingListsOut(StrictSchema):
    """Every queue that is not empty."""

    items = Items(Part(QueueOut))
    next = Text(allow_none=True)


COHORT_IN = CohortIn()
COHORT_OUT = CohortOut()
PLACE_OUT = PlaceOut()
PLACES_ASKED = PlacesAsked()
WAITING_LISTS_OUT = WaitingListsOut()
