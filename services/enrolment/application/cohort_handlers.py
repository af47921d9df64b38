"""What a programme lead does with cohorts, and how the head of a queue gets a seat."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.commands import OpenCohort
from services.enrolment.application.facts import CohortOpened
from services.enrolment.application.ports import Desk
from services.enrolment.domain import events, seats
from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.errors import NoSuchThing


def open_cohort(desk: Desk, command: OpenCohort) -> KeptCohort:
    """Return the cohort, new or with another capacity; more seats promote the head of the queue at once.

    Raises:
        NoSuchThing: There is no such course.
        RuleSaysNo: More seats are taken than there would be.
    """
    if desk.courses.find(command.course) is None:
        raise NoSuchThing("no such course")
    kept = desk.cohorts.find(command.course, command.intake)
    if kept is None:
        kept = KeptCohort(command.course, command.intake, seats.Cohort(command.capacity))
        promoted = 0
    elif kept.cohort.capacity == command.capacity:
        return kept
    else:
        cohort, promoted = seats.resize(kept.cohort, command.capacity)
        kept = replace(kept, cohort=cohort)
    kept = desk.cohorts.save(kept)
    desk.tell(events.CohortOpened(command.course, command.intake, command.capacity, desk.organisation), kept.version)
    desk.catalogue.put_cohort(CohortOpened(command.course, command.intake, command.capacity, desk.organisation))
    for place in desk.places.heads(command.course, command.intake, promoted) if promoted else ():
        promote(desk, place, in_place_of=None)
    return kept


def close_cohort(desk: Desk, course: str, intake: str) -> KeptCohort:
    """Return the cohort closed to new requests; its queue still moves. Closing twice is closing once."""
    kept = desk.cohorts.find(course, intake)
    if kept is None:
        raise NoSuchThing("no such cohort")
    if kept.cohort.closed:
        return kept
    kept = desk.cohorts.save(replace(kept, cohort=replace(kept.cohort, closed=True)))
    desk.tell(events.CohortClosed(course, intake, desk.organisation), kept.version)
    desk.catalogue.close(course, intake, desk.organisation)
    return kept


def promote(desk: Desk, place: Place, *, in_place_of: str | None) -> None:
    """Give a waiting place its seat and tell its employer."""
    moved = desk.places.move(place, seats.SEAT)
    desk.tell(
        events.SeatPromoted(
            moved.enrolment_id, moved.request_id, moved.employer, moved.course, moved.intake, in_place_of
        ),
        moved.version,
    )
