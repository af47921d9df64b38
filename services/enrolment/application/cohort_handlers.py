"""What a programme lead does with cohorts, and how the head of a queue gets a seat."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.commands import OpenCohort
from services.enrolment.application.facts import CohortOpened
from services.enrolment.application.ports import Desk
from services.enrolment.domain import events, explanations, seats
from services.enrolment.domain.cohorts import KeptCohort, Place
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.explanations import Standing

MOST_AT_ONCE = 100
"""How many are promoted in one transaction; the queue's worker promotes the rest, step by step."""


def as_wanted(kept: KeptCohort | None, command: OpenCohort) -> KeptCohort:
    """Return the cohort as the command wants it; the same as `kept` when it changes nothing.

    Raises:
        RuleSaysNo: More seats are taken than there would be, by all, by one employer, or beside the reserved ones.
    """
    if kept is None:
        cohort = seats.Cohort(command.capacity, terms=command.terms)
        return KeptCohort(command.course, command.intake, cohort, starts_on=command.starts_on, ends_on=command.ends_on)
    cohort = seats.change(kept.cohort, command.capacity, command.terms)
    return replace(kept, cohort=cohort, starts_on=command.starts_on, ends_on=command.ends_on)


def open_cohort(desk: Desk, command: OpenCohort) -> KeptCohort:
    """Return the cohort, new or changed; who may have a seat by the change is promoted at once, in order.

    Raises:
        NoSuchThing: There is no such course.
        RuleSaysNo: More seats are taken than there would be, by all, by one employer, or beside the reserved ones.
    """
    if desk.courses.find(command.course) is None:
        raise NoSuchThing("no such course")
    known = desk.cohorts.find(command.course, command.intake)
    wanted = as_wanted(known, command)
    if wanted == known and not seats.in_turn(wanted.cohort):
        return known
    cohort, promoted = _fill(desk, wanted)
    kept = desk.cohorts.save(replace(wanted, cohort=cohort))
    _tell_changes(desk, known, kept)
    for place, after in promoted:
        _tell_promoted(desk, place, after, in_place_of=None)
    return kept


def _tell_changes(desk: Desk, known: KeptCohort | None, kept: KeptCohort) -> None:
    if known is None or known.cohort.capacity != kept.cohort.capacity:
        desk.tell(events.CohortOpened(kept.course, kept.intake, kept.cohort.capacity, desk.organisation), kept.version)
        desk.catalogue.put_cohort(CohortOpened(kept.course, kept.intake, kept.cohort.capacity, desk.organisation))
    terms = (kept.cohort.terms, kept.starts_on, kept.ends_on)
    before = (known.cohort.terms, known.starts_on, known.ends_on) if known else (seats.Terms(), None, None)
    if terms != before:
        desk.tell(
            events.CohortTermsSet(
                course=kept.course,
                intake=kept.intake,
                owner=desk.organisation,
                invited=kept.cohort.terms.invited,
                quotas=tuple(
                    events.QuotaSet(quota.employer, quota.at_most, quota.reserved) for quota in kept.cohort.terms.quotas
                ),
                starts_on=kept.starts_on,
                ends_on=kept.ends_on,
            ),
            kept.version,
        )


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


def give_up(desk: Desk, place: Place) -> None:
    """Free a seat or a place in the queue; a freed seat goes to whoever is in turn. Freeing twice is freeing once."""
    kept = desk.cohorts.find(place.course, place.intake)
    if kept is None or place.state not in (seats.SEAT, seats.WAITING):
        return
    desk.places.save(replace(place, state=seats.LEFT))
    left = seats.leave(kept.cohort, place.employer, place.state)
    cohort, promoted = _fill(desk, replace(kept, cohort=left))
    desk.cohorts.save(replace(kept, cohort=cohort))
    freed = place.enrolment_id if place.state == seats.SEAT else None
    for number, (moved, after) in enumerate(promoted):
        _tell_promoted(desk, moved, after, in_place_of=freed if number == 0 else None)


def go_on(desk: Desk, course: str, intake: str) -> bool:
    """Promote more of those who are in turn after a large change; return whether anybody was."""
    kept = desk.cohorts.find(course, intake)
    if kept is None or not seats.in_turn(kept.cohort):
        return False
    cohort, promoted = _fill(desk, kept)
    desk.cohorts.save(replace(kept, cohort=cohort))
    for place, after in promoted:
        _tell_promoted(desk, place, after, in_place_of=None)
    return True


def tell_standing(desk: Desk, place: Place, standing: Standing) -> None:
    """Tell a place's employer the numbers behind the decision; what it says of them is its own business."""
    desk.tell(
        events.PlaceExplained(
            enrolment_id=place.enrolment_id,
            request_id=place.request_id,
            employer=place.employer,
            course=place.course,
            intake=place.intake,
            state=standing.state,
            capacity=standing.capacity,
            rank=standing.rank,
            taken=standing.taken,
            at_most=standing.at_most,
            reserved=standing.reserved,
            kept=standing.kept,
            reason=standing.reason,
        ),
        place.version,
    )


def _fill(desk: Desk, kept: KeptCohort) -> tuple[seats.Cohort, list[tuple[Place, seats.Cohort]]]:
    """Give seats to those in turn; return the cohort, and each promoted place with the cohort just after it.

    One place is read per employer and promotion; the queue behind them is not.
    """
    cohort = kept.cohort
    promoted: list[tuple[Place, seats.Cohort]] = []
    heads: dict[str, Place] = {}
    while len(promoted) < MOST_AT_ONCE and (employers := seats.in_turn(cohort)):
        for employer in employers:
            if employer not in heads:
                waits_from = cohort.share_of(employer).waits_from
                heads[employer] = desk.places.first_waiting(kept, employer, waits_from)
        first = min((heads[employer] for employer in employers), key=lambda place: place.number)
        heads.pop(first.employer)
        cohort = seats.promote(cohort, first.employer, first.number)
        promoted.append((desk.places.save(replace(first, state=seats.SEAT)), cohort))
    return cohort, promoted


def _tell_promoted(desk: Desk, place: Place, cohort: seats.Cohort, *, in_place_of: str | None) -> None:
    desk.tell(
        events.SeatPromoted(
            place.enrolment_id, place.request_id, place.employer, place.course, place.intake, in_place_of
        ),
        place.version,
    )
    tell_standing(desk, place, explanations.standing(cohort, place.employer, seats.SEAT, cohort.taken))
