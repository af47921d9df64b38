"""What is done when somebody asks something of an enrolment, from nomination to its end.

Transfers are in `transfers`; what other owners' events lead to is in `reactions`.
"""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application import announcements, standings
from services.enrolment.application.commands import (
    Approve,
    ChangeRoute,
    Complete,
    DeclineOffer,
    Defer,
    Refuse,
    Resume,
    Start,
    Withdraw,
)
from services.enrolment.application.ports import Desk
from services.enrolment.application.taking import Outcome, take
from services.enrolment.domain import eligibility, enrolments, events, lifecycle, told_days
from services.enrolment.domain.decisions import NOT_KNOWN, OfferedCourse
from services.enrolment.domain.enrolment_parts import RouteChange, Sponsorship
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing, RecordRefused, RuleSaysNo
from services.enrolment.domain.records import ReadRow, Record, nomination_key
from services.enrolment.domain.told_days import Around
from shared.clock import london_date
from shared.errors import Fault


def nominate(desk: Desk, row: ReadRow, by: str | None = None) -> Outcome:
    """Return the accepted or duplicate nomination; `by` is who nominates.

    Raises:
        RecordRefused: With every fault of the record, in the contract's order.
    """
    outcome = take(desk, [row], nominated_by=by)[0]
    if outcome.verdict.faults:
        faults = tuple(Fault(fault.code, fault.detail, pointer=f"/{fault.field}") for fault in outcome.verdict.faults)
        raise RecordRefused(f"refused: {', '.join(outcome.verdict.codes)}", faults=faults)
    return outcome


def approve(desk: Desk, command: Approve) -> Enrolment:
    """Return the nomination approved by a second person; it asks for its place."""
    before = of_employer(desk, command.enrolment_id)
    after = enrolments.approve(before, command.by, london_date(desk.now), desk.now)
    desk.enrolments.save(after)
    announcements.tell_requested(desk, after)
    return after


def refuse(desk: Desk, command: Refuse) -> Enrolment:
    """Return the nomination refused by a second person; nobody outside ever heard of it."""
    before = of_employer(desk, command.enrolment_id)
    after = enrolments.refuse(before, command.by, command.reason, london_date(desk.now), desk.now)
    desk.enrolments.save(after)
    desk.silent("nobody else ever heard of this nomination")
    return after


def accept_offer(desk: Desk, enrolment_id: str) -> Enrolment:
    """Return the offered seat accepted."""
    before = of_employer(desk, enrolment_id)
    after = enrolments.accept(before, london_date(desk.now), desk.now)
    desk.enrolments.save(after)
    announcements.tell_confirmed(desk, after)
    return after


def decline_offer(desk: Desk, command: DeclineOffer) -> Enrolment:
    """Return the offered seat given back."""
    before = of_employer(desk, command.enrolment_id)
    after = enrolments.decline_offer(before, command.reason, london_date(desk.now), desk.now)
    desk.enrolments.save(after)
    announcements.tell_withdrawn(desk, after, held_seat=True)
    return after


def lapse_offers(desk: Desk, limit: int) -> int:
    """Give back offered seats whose last day is over, at most `limit` of them; return how many there were."""
    today = london_date(desk.now)
    overdue = desk.enrolments.offers_over(today, limit)
    for before in overdue:
        after = enrolments.lapse(before, today, desk.now)
        desk.enrolments.save(after)
        announcements.tell_withdrawn(desk, after, held_seat=True)
    return len(overdue)


def start(desk: Desk, command: Start) -> Enrolment:
    """Return the enrolment of somebody who has started."""
    before = of_employer(desk, command.enrolment_id)
    after = enrolments.start(before, command.started_on, desk.now)
    terms = desk.news.terms().get((before.course, before.intake))
    around = around_days(desk, before)
    if terms is not None and terms.owner == before.cohort_owner:
        around = replace(around, starts_on=terms.starts_on, ends_on=terms.ends_on)
    told_days.held_start(command.started_on, around)
    desk.enrolments.save(after)
    announcements.tell_started(desk, after)
    return after


def defer(desk: Desk, command: Defer) -> Enrolment:
    """Return the enrolment paused, with its seat kept."""
    before = of_employer(desk, command.enrolment_id)
    settings = desk.settings.find()
    after = enrolments.defer(before, command.reason, command.from_on, command.until_on, settings, desk.now)
    told_days.held_deferral(before, command.from_on, around_days(desk, before))
    desk.enrolments.save(after)
    announcements.tell_deferred(desk, after)
    return after


def resume(desk: Desk, command: Resume) -> Enrolment:
    """Return the enrolment going on where it was."""
    before = of_employer(desk, command.enrolment_id)
    after = enrolments.resume(before, command.resumed_on, desk.now)
    told_days.held_return(command.resumed_on, around_days(desk, before))
    desk.enrolments.save(after)
    announcements.tell_resumed(desk, after)
    return after


def change_route(desk: Desk, command: ChangeRoute) -> Enrolment:
    """Return the enrolment on the route that employer and worker have chosen.

    Raises:
        RuleSaysNo: The course asks for something first on that route that is not met, or a day cannot be.
    """
    before = of_employer(desk, command.enrolment_id)
    course = desk.catalogue.course(before.course)
    change = RouteChange(
        before.route,
        command.route,
        command.effective_on,
        command.agreed_with_worker_on,
        command.reason,
        command.prerequisite_on,
    )
    after = enrolments.change_route(before, change, course.routes if course else (), desk.now)
    told_days.held_route_change(change, command.prerequisite_on, around_days(desk, before))
    _prerequisites_met(desk, course, before, change)
    desk.enrolments.save(after)
    if enrolments.has_place(after):
        announcements.tell_route_changed(desk, after, change)
    else:
        desk.silent("the confirmation will say which route it is")
    return after


def _prerequisites_met(desk: Desk, course: OfferedCourse | None, before: Enrolment, change: RouteChange) -> None:
    """Refuse a route whose prerequisites are not met on the day from which it counts, as a nomination would be."""
    if course is None:
        return
    if change.to_route in course.prerequisite_routes and change.prerequisite_on is None:
        raise RuleSaysNo(
            "this route asks for something first: give the day on which the prerequisite was met",
            about="prerequisite_on",
        )
    asking = Record(
        employee_ref=before.employee_ref,
        pcf_level=before.pcf_level,
        course=before.course,
        intake=before.intake,
        route=change.to_route,
        manager_approved_on=change.effective_on,
        prerequisite_on=change.prerequisite_on,
    )
    known = standings.of_nominated(desk, [asking], {course.code: course}).get(before.employee_ref, NOT_KNOWN)
    missing = eligibility.route_faults(asking, course.asked, known)
    if missing:
        details = "; ".join(fault.detail for fault in missing)
        raise RuleSaysNo(f"this route asks for something first: {details}", about="route")


def around_days(desk: Desk, enrolment: Enrolment) -> Around:
    """Return what the days of an enrolment's steps are held against, without the cohort's own days."""
    place = Record(employee_ref=enrolment.employee_ref, course=enrolment.course, intake=enrolment.intake)
    taken = desk.nominations.known([nomination_key(place)]).get(nomination_key(place))
    today = london_date(desk.now)
    approved_on = taken.of(enrolment.enrolment_id).manager_approved_on if taken else None
    return Around(today, min(approved_on, today) if approved_on else None)


def sponsor(desk: Desk, before: Enrolment, sponsorship: Sponsorship) -> Enrolment:
    """Return the enrolment with who pays and how much release was agreed; the same again changes nothing."""
    if before.sponsorship == sponsorship:
        return before
    after = enrolments.sponsor(before, sponsorship, desk.now)
    desk.enrolments.save(after)
    desk.silent("who pays and releases is the employer's own business")
    return after


def withdraw(desk: Desk, command: Withdraw) -> Enrolment:
    """Return the enrolment withdrawn; the bus learns the coarse reason only."""
    before = of_employer(desk, command.enrolment_id)
    after = enrolments.withdraw(before, command.reason, command.withdrawn_on, desk.now)
    told_days.held_end(before, command.withdrawn_on, around_days(desk, before), "withdrawn_on")
    desk.enrolments.save(after)
    if before.status == lifecycle.NOMINATED:
        desk.silent("nobody else ever heard of this nomination")
    else:
        announcements.tell_withdrawn(desk, after, held_seat=enrolments.holds_seat(before))
    return after


def complete(desk: Desk, command: Complete) -> Enrolment:
    """Return the enrolment completed, or not completed."""
    before = of_employer(desk, command.enrolment_id)
    course = desk.catalogue.course(before.course)
    evidence_set = course.evidence_set if course else None
    after = enrolments.complete(before, command.outcome, command.completed_on, desk.now, evidence_set=evidence_set)
    told_days.held_end(before, command.completed_on, around_days(desk, before), "completed_on")
    desk.enrolments.save(after)
    desk.tell(
        events.Completed(after.enrolment_id, after.course, after.intake, command.outcome, command.completed_on),
        after.version,
    )
    return after


def of_employer(desk: Desk, enrolment_id: str) -> Enrolment:
    """Return one of the employer's enrolments.

    Raises:
        NoSuchThing: There is none of that id.
    """
    found = desk.enrolments.find(enrolment_id)
    if found is None:
        raise NoSuchThing("no such enrolment")
    return found
