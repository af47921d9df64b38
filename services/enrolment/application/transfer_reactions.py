"""What follows from the events of a transfer: for the cohort's owner, who alone decides, and for both employers.

No employer reads another's feed: the owner tells each what the other said. Its two facts, given over and taken on,
may arrive in any order, and each any number of times. Rule: decision 16.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from services.enrolment.application import facts, seat_reactions
from services.enrolment.application.cohort_handlers import give_up, go_on, tell_standing
from services.enrolment.application.ports import Desk
from services.enrolment.domain import enrolments, events, explanations, seats, transfers
from services.enrolment.domain.cohorts import Place
from services.enrolment.domain.enrolment_parts import IN_PROGRESS, LAPSED, MOVED, TRANSFER_REFUSED
from services.enrolment.domain.transfers import Given, Handover, Incoming, TakenOn
from shared.clock import london_date
from shared.errors import Forbidden
from shared.events.envelope import Received

# -- the cohort's owner ---------------------------------------------------------------------------------------------


def when_transferred(desk: Desk, event: Received[facts.Transferred]) -> None:
    """Tell the other employer that a place is given over to it, as the cohort's owner."""
    said = event.data
    place = desk.places.find(said.enrolment_id)
    if place is not None and place.employer != event.organisation:
        raise Forbidden("an employer gave another's place away")
    known = desk.handovers.find(said.enrolment_id) or Handover(said.enrolment_id, said.course, said.intake)
    if known.given is not None:
        return
    given = Given(event.organisation, said.to_employer, said.transferred_on, said.accept_by)
    kept = _settled(desk, replace(known, given=given), event)
    if kept.outcome == IN_PROGRESS:
        told = events.TransferOffered(
            enrolment_id=said.enrolment_id,
            employer=said.to_employer,
            from_employer=event.organisation,
            course=said.course,
            intake=said.intake,
            route=said.route,
            pcf_level=said.pcf_level,
            transferred_on=said.transferred_on,
            accept_by=said.accept_by,
        )
        desk.tell(told, kept.version)


def when_accepted(desk: Desk, event: Received[facts.TransferAccepted]) -> None:
    """Move the place to whoever it was given to, as the cohort's owner; given back before, it is a new request."""
    said = event.data
    known = desk.handovers.find(said.from_enrolment_id) or Handover(said.from_enrolment_id, said.course, said.intake)
    _must_be_given_to(known, event.organisation)
    if any(each.employer == event.organisation for each in known.taken):
        return
    taken = TakenOn(event.organisation, said.enrolment_id, event.id)
    heard = replace(known, taken=(*known.taken, taken))
    if heard.outcome == IN_PROGRESS:
        _settled(desk, heard, event)
    else:
        desk.handovers.save(heard)
        _ask_anew(desk, heard, taken, event)


def when_refused(desk: Desk, event: Received[facts.TransferRefused]) -> None:
    """Give the place back, as the cohort's owner: whoever is in turn gets the seat."""
    said = event.data
    known = desk.handovers.find(said.enrolment_id) or Handover(said.enrolment_id, said.course, said.intake)
    _must_be_given_to(known, event.organisation)
    if event.organisation not in known.refused_by:
        _settled(desk, replace(known, refused_by=(*known.refused_by, event.organisation)), event)


def lapse_handovers(desk: Desk, limit: int) -> int:
    """Give back places that nobody took on in time, at most `limit`; return how many there were."""
    overdue = desk.handovers.overdue(london_date(desk.now), limit)
    for handover in overdue:
        _give_back(desk, handover, LAPSED)
    return len(overdue)


def _must_be_given_to(known: Handover, employer: str) -> None:
    if known.given is not None and known.given.to_employer != employer:
        raise Forbidden("an employer answered for a place that was given to another")


def _settled(desk: Desk, handover: Handover, event: Received[Any]) -> Handover:
    """Return the handover as kept, decided when both sides have spoken."""
    taken = handover.taker
    if handover.outcome != IN_PROGRESS or (taken is None and not handover.is_refused):
        return desk.handovers.save(handover)
    if taken is None:
        return _give_back(desk, handover, TRANSFER_REFUSED)
    place = desk.places.find(handover.enrolment_id)
    if place is not None and _is_movable(desk, place, taken):
        _move(desk, place, taken)
        return _closed(desk, handover, MOVED)
    given_back = _give_back(desk, handover, TRANSFER_REFUSED)
    if desk.places.find(taken.enrolment_id) is None:
        _ask_anew(desk, handover, taken, event)
    return given_back


def _is_movable(desk: Desk, place: Place, taken: TakenOn) -> bool:
    """Return whether there is a place to move, to somebody who did not withdraw, of an employer that may have it."""
    kept = desk.cohorts.find(place.course, place.intake)
    return (
        kept is not None
        and place.state in (seats.SEAT, seats.WAITING)
        and desk.places.find(taken.enrolment_id) is None
        and seats.may_be_handed_to(kept.cohort, taken.employer)
    )


def _move(desk: Desk, place: Place, taken: TakenOn) -> None:
    """Move the place under its number."""
    kept = desk.cohorts.find(place.course, place.intake)
    if kept is None:
        return
    cohort, state = seats.hand_over(kept.cohort, place.employer, taken.employer, place.state)
    desk.cohorts.save(replace(kept, cohort=cohort))
    desk.places.save(replace(place, state=seats.LEFT))
    moved = Place(
        enrolment_id=taken.enrolment_id,
        request_id=taken.request_id,
        employer=taken.employer,
        course=place.course,
        intake=place.intake,
        number=place.number,
        state=state,
    )
    desk.places.add(moved)
    position = desk.places.count_until(place.course, place.intake, seats.WAITING, place.number)
    answer = (moved.enrolment_id, moved.request_id, moved.employer, moved.course, moved.intake)
    if state == seats.SEAT:
        desk.tell(events.SeatConfirmed(*answer), moved.version)
    else:
        desk.tell(events.WaitListed(*answer, position=position), moved.version)
    rank = cohort.taken if state == seats.SEAT else position
    tell_standing(desk, moved, explanations.standing(cohort, moved.employer, state, rank))
    go_on(desk, place.course, place.intake)


def _ask_anew(desk: Desk, handover: Handover, taken: TakenOn, event: Received[Any]) -> None:
    """Answer as if the new employer had asked for a place of its own: the old one is gone."""
    asked = facts.Requested(
        enrolment_id=taken.enrolment_id,
        cohort_owner=desk.organisation,
        course=handover.course,
        intake=handover.intake,
    )
    request = msgspec.structs.replace(event, id=taken.request_id, organisation=taken.employer, data=asked)
    seat_reactions.when_requested(desk, request)


def _give_back(desk: Desk, handover: Handover, outcome: str) -> Handover:
    place = desk.places.find(handover.enrolment_id)
    if place is not None:
        give_up(desk, place)
    return _closed(desk, handover, outcome)


def _closed(desk: Desk, handover: Handover, outcome: str) -> Handover:
    kept = desk.handovers.save(replace(handover, outcome=outcome))
    if kept.given is not None:
        told = events.TransferClosed(
            enrolment_id=kept.enrolment_id,
            employer=kept.given.employer,
            to_employer=kept.given.to_employer,
            course=kept.course,
            intake=kept.intake,
            outcome=outcome,
            closed_on=london_date(desk.now),
        )
        desk.tell(told, kept.version)
    return kept


# -- the employers --------------------------------------------------------------------------------------------------


def when_offered(desk: Desk, event: Received[facts.TransferOffered]) -> None:
    """Know, as an employer, that somebody may be taken on with their place."""
    said = event.data
    if desk.incoming.find(said.enrolment_id) is not None:
        return
    incoming = Incoming(
        from_enrolment_id=said.enrolment_id,
        from_employer=said.from_employer,
        cohort_owner=event.organisation,
        course=said.course,
        intake=said.intake,
        route=said.route,
        pcf_level=said.pcf_level,
        transferred_on=said.transferred_on,
        accept_by=said.accept_by,
    )
    desk.incoming.save(incoming)


def when_closed(desk: Desk, event: Received[facts.TransferClosed]) -> None:
    """Note what became of a place: as who gave it over, and as who was asked to take it."""
    said = event.data
    enrolment = desk.enrolments.find(said.enrolment_id) if said.employer == desk.organisation else None
    if enrolment is not None:
        if enrolment.cohort_owner != event.organisation:
            raise Forbidden("only the cohort's owner decides about a transfer")
        after = enrolments.transfer_ended(enrolment, said.outcome, said.closed_on, desk.now)
        if after != enrolment:
            desk.enrolments.save(after)
    incoming = desk.incoming.find(said.enrolment_id) if said.to_employer == desk.organisation else None
    if incoming is not None and said.outcome == LAPSED:
        lapsed = transfers.lapse(incoming)
        if lapsed != incoming:
            desk.incoming.save(lapsed)
