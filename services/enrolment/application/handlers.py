"""What is done when somebody asks something of an enrolment, from nomination to its end.

Transfers are in `transfers`; what other owners' events lead to is in `reactions`.
"""

from __future__ import annotations

from services.enrolment.application import announcements
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
from services.enrolment.domain import enrolments, events, lifecycle
from services.enrolment.domain.decisions import OfferedCourse
from services.enrolment.domain.enrolment_parts import RouteChange, Sponsorship
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing, RecordRefused, RuleSaysNo
from services.enrolment.domain.records import ReadRow
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
    after = enrolments.start(of_employer(desk, command.enrolment_id), command.started_on, desk.now)
    desk.enrolments.save(after)
    announcements.tell_started(desk, after)
    return after


def defer(desk: Desk, command: Defer) -> Enrolment:
    """Return the enrolment paused, with its seat kept."""
    before = of_employer(desk, command.enrolment_id)
    settings = desk.settings.find()
    after = enrolments.defer(before, command.reason, command.from_on, command.until_on, settings, desk.now)
    desk.enrolments.save(after)
    announcements.tell_deferred(desk, after)
    return after


def resume(desk: Desk, command: Resume) -> Enrolment:
    """Return the enrolment going on where it was."""
    after = enrolments.resume(of_employer(desk, command.enrolment_id), command.resumed_on, desk.now)
    desk.enrolments.save(after)
    announcements.tell_resumed(desk, after)
    return after


def change_route(desk: Desk, command: ChangeRoute) -> Enrolment:
    """Return the enrolment on the route that employer and worker have chosen.

    Raises:
        RuleSaysNo: The course asks for something first on that route, and no day is given on which it was met.
    """
    before = of_employer(desk, command.enrolment_id)
    course = desk.catalogue.courses().get(before.course)
    change = RouteChange(
        before.route, command.route, command.effective_on, command.agreed_with_worker_on, command.reason
    )
    after = enrolments.change_route(before, change, course.routes if course else (), desk.now)
    _prerequisite_met(course, command)
    desk.enrolments.save(after)
    if enrolments.has_place(after):
        announcements.tell_route_changed(desk, after, change)
    else:
        desk.silent("the confirmation will say which route it is")
    return after


def _prerequisite_met(course: OfferedCourse | None, command: ChangeRoute) -> None:
    if course is not None and command.route in course.prerequisite_routes and command.prerequisite_on is None:
        raise RuleSaysNo("this route asks for something first: give the day on which the prerequisite was met")


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
    desk.enrolments.save(after)
    if before.status == lifecycle.NOMINATED:
        desk.silent("nobody else ever heard of this nomination")
    else:
        announcements.tell_withdrawn(desk, after, held_seat=enrolments.holds_seat(before))
    return after


def complete(desk: Desk, command: Complete) -> Enrolment:
    """Return the enrolment completed, or not completed."""
    before = of_employer(desk, command.enrolment_id)
    course = desk.catalogue.courses().get(before.course)
    evidence_set = course.evidence_set if course else None
    after = enrolments.complete(before, command.outcome, command.completed_on, desk.now, evidence_set=evidence_set)
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
