"""The bodies of cohorts and the waiting lists."""

from __future__ import annotations

from shared.http import Flag, Identifier, Items, Part, Slug, StrictSchema, Text, Whole


class CohortIn(StrictSchema):
    """How many seats a cohort has."""

    capacity = Whole(required=True, most=100_000)


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


COHORT_IN = CohortIn()
COHORT_OUT = CohortOut()
WAITING_LISTS_OUT = WaitingListsOut()
