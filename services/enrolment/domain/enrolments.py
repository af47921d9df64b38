"""One enrolment as its employer sees it, from nomination to its end. The seat itself is the owner's.

Every command is a pure function of the enrolment; which statuses it may come from stands in `lifecycle`, what else it
needs stands here. `on` is the day that counts, `at` when it was written down.
Source: partnership data rules; design of seats: an answer counts only for the latest request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.enrolment.domain import lifecycle
from services.enrolment.domain.enrolment_parts import (
    DEFERRAL_REASONS,
    FUNDERS,
    IN_PROGRESS,
    OFFER_LAPSED,
    OUTCOMES,
    REASONS,
    REFUSAL_REASONS,
    ROUTE_REASONS,
    TRANSFER_REASONS,
    Deferral,
    Happened,
    Origin,
    RouteChange,
    Sponsorship,
    Transfer,
    months_later,
)
from services.enrolment.domain.errors import RuleSaysNo, SamePerson
from services.enrolment.domain.lifecycle import OFFERED, REQUESTED, UNANSWERED
from services.enrolment.domain.lifecycle_settings import LifecycleSettings

MOST_RELEASE_DAYS = 366


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One nomination for a place and what came of it. `version` rises by one with every change."""

    enrolment_id: str
    practitioner_id: str
    employee_ref: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    pcf_level: str
    requested_on: date
    status: str = REQUESTED
    version: int = 1
    request_id: str | None = None
    position: int | None = None
    reason: str | None = None
    confirmed_on: date | None = None
    ended_on: date | None = None
    outcome: str | None = None
    nominated_by: str | None = None
    offer_expires_on: date | None = None
    started_on: date | None = None
    deferrals: tuple[Deferral, ...] = ()
    route_changes: tuple[RouteChange, ...] = ()
    sponsorship: Sponsorship | None = None
    transfer: Transfer | None = None
    transferred_from: Origin | None = None
    asked_again_after: str | None = None
    history: tuple[Happened, ...] = ()


def opened(enrolment: Enrolment, on: date, at: datetime) -> Enrolment:
    """Return a new enrolment with the first line of its history."""
    what = "asked-again" if enrolment.asked_again_after else enrolment.status
    what = "transferred-in" if enrolment.transferred_from else what
    return replace(enrolment, history=(Happened(what, on, at, enrolment.status, enrolment.route),))


def due_on(enrolment: Enrolment) -> date | None:
    """Return the last day of an offer that is open; the day after it lapses."""
    return enrolment.offer_expires_on if enrolment.status == OFFERED else None


def holds_seat(enrolment: Enrolment) -> bool:
    """Return whether the cohort's owner counts a seat as taken by it."""
    return enrolment.status in lifecycle.HOLDS_SEAT


def has_place(enrolment: Enrolment) -> bool:
    """Return whether the place is certain, so that portfolio and registration are open."""
    return enrolment.status in lifecycle.HAS_PLACE


def concerns(enrolment: Enrolment, request_id: str) -> bool:
    """Return whether an answer to `request_id` is about this enrolment's latest request and still matters."""
    known = enrolment.request_id
    return enrolment.status in UNANSWERED and (known is None or known == request_id)


# -- approval by a second person ------------------------------------------------------------------------------------


def approve(enrolment: Enrolment, by: str, on: date, at: datetime) -> Enrolment:
    """Return the enrolment asking for its place, after a second person approved it.

    Raises:
        WrongState: It does not wait for approval.
        SamePerson: Whoever nominated approves.
    """
    changed = _moved(enrolment, lifecycle.APPROVE, on, at, requested_on=on)
    _must_be_another(enrolment, by)
    return changed


def refuse(enrolment: Enrolment, by: str, reason: str, on: date, at: datetime) -> Enrolment:
    """Return the nomination refused by a second person.

    Raises:
        WrongState: It does not wait for approval.
        SamePerson: Whoever nominated refuses; they withdraw it instead.
        RuleSaysNo: The reason is none of `REFUSAL_REASONS`.
    """
    _one_of(reason, REFUSAL_REASONS, "refusal")
    changed = _moved(enrolment, lifecycle.REFUSE, on, at, reason=reason, ended_on=on)
    _must_be_another(enrolment, by)
    return changed


# -- the cohort owner's answers -------------------------------------------------------------------------------------


def seat_given(enrolment: Enrolment, request_id: str, settings: LifecycleSettings, on: date, at: datetime) -> Enrolment:
    """Return the enrolment with a seat: confirmed, or an offer, as its employer has decided.

    Whoever took a person on with their place has accepted it already.
    """
    taken_on = enrolment.transferred_from is not None and enrolment.status == REQUESTED
    if settings.accepts_by_hand and not taken_on:
        last = on + timedelta(days=settings.offer_days)
        return _moved(enrolment, lifecycle.OFFER, on, at, request_id=request_id, position=None, offer_expires_on=last)
    return confirm(enrolment, request_id, on, at)


def confirm(enrolment: Enrolment, request_id: str, on: date, at: datetime) -> Enrolment:
    """Return the enrolment with a certain place."""
    return _moved(enrolment, lifecycle.CONFIRM, on, at, request_id=request_id, position=None, confirmed_on=on)


def wait(enrolment: Enrolment, request_id: str, position: int | None, on: date, at: datetime) -> Enrolment:
    """Return the enrolment in the queue; `position` was true when the owner answered."""
    return _moved(enrolment, lifecycle.WAIT, on, at, request_id=request_id, position=position)


def decline(enrolment: Enrolment, request_id: str, reason: str | None, on: date, at: datetime) -> Enrolment:
    """Return the enrolment without a place."""
    return _moved(enrolment, lifecycle.DECLINE, on, at, request_id=request_id, reason=reason, ended_on=on)


def accept(enrolment: Enrolment, on: date, at: datetime) -> Enrolment:
    """Return the offer accepted.

    Raises:
        WrongState: There is no open offer.
        RuleSaysNo: The offer's last day is over.
    """
    changed = _moved(enrolment, lifecycle.ACCEPT, on, at, confirmed_on=on, offer_expires_on=None)
    if enrolment.offer_expires_on is not None and on > enrolment.offer_expires_on:
        raise RuleSaysNo("the offer's last day is over; the seat goes back to the cohort")
    return changed


def decline_offer(enrolment: Enrolment, reason: str, on: date, at: datetime) -> Enrolment:
    """Return the offer declined: the enrolment is withdrawn and its seat goes back.

    Raises:
        WrongState: There is no open offer.
        RuleSaysNo: The reason is none of `REASONS`.
    """
    _one_of(reason, REASONS, "withdrawal")
    return _moved(enrolment, lifecycle.DECLINE_OFFER, on, at, reason=reason, ended_on=on, offer_expires_on=None)


def lapse(enrolment: Enrolment, on: date, at: datetime) -> Enrolment:
    """Return the enrolment whose offer nobody accepted in time: withdrawn, its seat goes back.

    Raises:
        WrongState: There is no open offer.
        RuleSaysNo: Its last day is not over.
    """
    changed = _moved(enrolment, lifecycle.LAPSE, on, at, reason=OFFER_LAPSED, ended_on=on, offer_expires_on=None)
    if enrolment.offer_expires_on is None or on <= enrolment.offer_expires_on:
        raise RuleSaysNo("the offer is still open")
    return changed


# -- on the course --------------------------------------------------------------------------------------------------


def start(enrolment: Enrolment, on: date, at: datetime) -> Enrolment:
    """Return the enrolment of somebody who has started.

    Raises:
        WrongState: There is no confirmed place, or it has started.
    """
    return _moved(enrolment, lifecycle.START, on, at, started_on=on)


def defer(
    enrolment: Enrolment, reason: str, from_on: date, until_on: date | None, settings: LifecycleSettings, at: datetime
) -> Enrolment:
    """Return the enrolment paused; it keeps its seat. Without `until_on` until the longest day allowed.

    Raises:
        WrongState: There is no confirmed place.
        RuleSaysNo: Not a reason for deferral, no deferral is left, or it would be too long. Source: BR-12.
    """
    _one_of(reason, DEFERRAL_REASONS, "deferral")
    longest = months_later(from_on, settings.deferral_months)
    deferral = Deferral(reason, from_on, until_on or longest)
    changed = _moved(enrolment, lifecycle.DEFER, from_on, at, deferrals=(*enrolment.deferrals, deferral))
    if len(enrolment.deferrals) >= settings.deferrals_allowed:
        raise RuleSaysNo(
            f"this employer allows {settings.deferrals_allowed} deferrals of one enrolment; withdraw it, "
            "or change the enrolment settings"
        )
    if deferral.until_on <= from_on:
        raise RuleSaysNo("a deferral ends after the day on which it begins", about="until_on")
    if deferral.until_on > longest:
        months = f"at most {settings.deferral_months} months"
        raise RuleSaysNo(f"a deferral lasts {months}: give {longest} or earlier", about="until_on")
    if enrolment.started_on is not None and from_on < enrolment.started_on:
        raise RuleSaysNo("a deferral begins on the day of the start or later", about="from_on")
    return changed


def resume(enrolment: Enrolment, on: date, at: datetime) -> Enrolment:
    """Return the enrolment going on where it was; later than agreed is allowed and can be seen.

    Raises:
        WrongState: It is not deferred.
        RuleSaysNo: The day lies before the deferral.
    """
    last = enrolment.deferrals[-1:]
    resumed = tuple(replace(each, resumed_on=on) for each in last)
    changed = _moved(enrolment, lifecycle.RESUME, on, at, deferrals=(*enrolment.deferrals[:-1], *resumed))
    if any(on < each.from_on for each in last):
        raise RuleSaysNo("the day of return lies before the deferral; give a later one", about="resumed_on")
    return changed


def change_route(enrolment: Enrolment, change: RouteChange, offered: Sequence[str], at: datetime) -> Enrolment:
    """Return the enrolment on another route from a day on, which employer and worker both chose (E9, E10).

    Raises:
        WrongState: It has ended.
        RuleSaysNo: The course is not offered on that route, it is the route already, the worker agreed later than it
            counts, an earlier change counts from a later day, or it is no reason for a route change.
    """
    _one_of(change.reason, ROUTE_REASONS, "route change")
    changed = _moved(
        replace(enrolment, route=change.to_route),
        lifecycle.CHANGE_ROUTE,
        change.effective_on,
        at,
        route_changes=(*enrolment.route_changes, change),
    )
    if change.to_route not in offered:
        raise RuleSaysNo("the course is not offered on this route; choose one that the catalogue names", about="route")
    if change.to_route == enrolment.route or change.from_route != enrolment.route:
        raise RuleSaysNo("the enrolment is on this route already", about="route")
    if change.agreed_with_worker_on > change.effective_on:
        agreed = "the worker agrees first: give a day of agreement up to the day from which it counts"
        raise RuleSaysNo(agreed, about="agreed_with_worker_on")
    if any(change.effective_on < earlier.effective_on for earlier in enrolment.route_changes):
        later = "an earlier change of route counts from a later day; give that day or a later one"
        raise RuleSaysNo(later, about="effective_on")
    return changed


def sponsor(enrolment: Enrolment, sponsorship: Sponsorship, at: datetime) -> Enrolment:
    """Return the enrolment with who pays and how much release was agreed (E7).

    Raises:
        WrongState: It ended without being completed.
        RuleSaysNo: Nobody of `FUNDERS` pays, or the days are not 0 to 366.
    """
    _one_of(sponsorship.funded_by, FUNDERS, "funder", "funded_by")
    if not 0 <= sponsorship.release_days <= MOST_RELEASE_DAYS:
        raise RuleSaysNo(f"release is 0 to {MOST_RELEASE_DAYS} days", about="release_days")
    return _moved(enrolment, lifecycle.SPONSOR, sponsorship.agreed_on, at, sponsorship=sponsorship)


# -- ends -----------------------------------------------------------------------------------------------------------


def transfer(
    enrolment: Enrolment,
    to_employer: str,
    reason: str,
    on: date,
    settings: LifecycleSettings,
    at: datetime,
    today: date,
) -> Enrolment:
    """Return the enrolment given over to another employer, which has until `accept_by` to take the person on.

    Raises:
        WrongState: There is neither a seat nor a place in the queue.
        RuleSaysNo: It is no reason for a transfer.
    """
    _one_of(reason, TRANSFER_REASONS, "transfer")
    accept_by = today + timedelta(days=settings.transfer_days)
    on_its_way = Transfer(to_employer, reason, on, accept_by)
    return _moved(
        enrolment, lifecycle.TRANSFER, on, at, transfer=on_its_way, ended_on=on, position=None, offer_expires_on=None
    )


def transfer_ended(enrolment: Enrolment, state: str, on: date, at: datetime) -> Enrolment:
    """Return a transferred enrolment with what became of its place; anything else, or a repeat, unchanged."""
    going = enrolment.transfer
    if going is None or going.state != IN_PROGRESS:
        return enrolment
    return replace(
        enrolment,
        transfer=replace(going, state=state),
        version=enrolment.version + 1,
        history=(
            *enrolment.history,
            Happened(f"transfer-{state}", on, at, enrolment.status, enrolment.route),
        ),
    )


def withdraw(enrolment: Enrolment, reason: str, on: date, at: datetime) -> Enrolment:
    """Return the enrolment withdrawn.

    Raises:
        WrongState: It has ended already.
        RuleSaysNo: The reason is none of `REASONS`.
    """
    _one_of(reason, REASONS, "withdrawal")
    return _moved(
        enrolment, lifecycle.WITHDRAW, on, at, reason=reason, ended_on=on, position=None, offer_expires_on=None
    )


def complete(enrolment: Enrolment, outcome: str, on: date, at: datetime, *, evidence_set: str | None) -> Enrolment:
    """Return the enrolment finished by its employer, for a course without an evidence set.

    Raises:
        WrongState: There is no confirmed place.
        RuleSaysNo: The course ends through a portfolio, the outcome is none of `OUTCOMES`, or it ends before it began.
    """
    if evidence_set is not None:
        raise RuleSaysNo("this course ends through a portfolio, in the assessment service")
    return finished(enrolment, outcome, on, at)


def finished(enrolment: Enrolment, outcome: str, on: date, at: datetime) -> Enrolment:
    """Return the enrolment finished, whoever said so.

    Raises:
        WrongState: There is no confirmed place.
        RuleSaysNo: The outcome is none of `OUTCOMES`, or it ends before it began.
    """
    if outcome not in OUTCOMES:
        raise RuleSaysNo("the outcome is completed or not_completed", about="outcome")
    changed = _moved(enrolment, lifecycle.COMPLETE, on, at, outcome=outcome, ended_on=on)
    if enrolment.started_on is not None and on < enrolment.started_on:
        raise RuleSaysNo("it ends before it started; give the day of the start or a later one", about="completed_on")
    return changed


# -- inside ---------------------------------------------------------------------------------------------------------


def _moved(enrolment: Enrolment, command: str, on: date, at: datetime, **changes: object) -> Enrolment:
    """Return the enrolment one step on, with a line of history; the table may refuse."""
    status = lifecycle.after(command, enrolment.status, has_started=enrolment.started_on is not None)
    line = Happened(command, on, at, status, enrolment.route)
    history = (*enrolment.history, line)
    return replace(enrolment, status=status, version=enrolment.version + 1, history=history, **changes)  # type: ignore[arg-type]


def _one_of(given: str, known: Sequence[str], what: str, about: str = "reason") -> None:
    if given not in known:
        raise RuleSaysNo(f"this is no {what} that is known here; give one of {', '.join(known)}", about=about)


def _must_be_another(enrolment: Enrolment, by: str) -> None:
    if enrolment.nominated_by == by:
        raise SamePerson("whoever nominated somebody does not decide about the nomination; ask a second person")
