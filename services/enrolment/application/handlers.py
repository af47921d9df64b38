"""What is done when somebody asks: courses and cohorts, practitioners, withdrawal, completion. Files live elsewhere."""

from __future__ import annotations

from services.enrolment.application.commands import (
    Complete,
    Withdraw,
)
from services.enrolment.application.ports import Desk
from services.enrolment.application.taking import Outcome, take
from services.enrolment.domain import enrolments, events
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing, RecordRefused
from services.enrolment.domain.records import ReadRow
from shared.errors import Fault


def nominate(desk: Desk, row: ReadRow) -> Outcome:
    """Return the accepted or duplicate nomination.

    Raises:
        RecordRefused: With every fault of the record, in the contract's order.
    """
    outcome = take(desk, [row])[0]
    if outcome.verdict.faults:
        faults = tuple(Fault(fault.code, fault.detail, pointer=f"/{fault.field}") for fault in outcome.verdict.faults)
        raise RecordRefused(f"refused: {', '.join(outcome.verdict.codes)}", faults=faults)
    return outcome


def withdraw(desk: Desk, command: Withdraw) -> Enrolment:
    """Return the enrolment withdrawn; the bus learns the coarse reason only."""
    before = _enrolment(desk, command.enrolment_id)
    after = enrolments.withdraw(before, command.reason, command.withdrawn_on)
    desk.enrolments.save(after)
    desk.tell(
        events.Withdrawn(
            enrolment_id=after.enrolment_id,
            cohort_owner=after.cohort_owner,
            course=after.course,
            intake=after.intake,
            route=after.route,
            pcf_level=after.pcf_level,
            held_seat=before.status == enrolments.CONFIRMED,
            reason=enrolments.bus_reason(command.reason),
            withdrawn_on=command.withdrawn_on,
        ),
        after.version,
    )
    return after


def complete(desk: Desk, command: Complete) -> Enrolment:
    """Return the enrolment completed, or not completed."""
    before = _enrolment(desk, command.enrolment_id)
    course = desk.catalogue.courses().get(before.course)
    evidence_set = course.evidence_set if course else None
    after = enrolments.complete(before, command.outcome, command.completed_on, evidence_set=evidence_set)
    desk.enrolments.save(after)
    desk.tell(
        events.Completed(after.enrolment_id, after.course, after.intake, command.outcome, command.completed_on),
        after.version,
    )
    return after


def _enrolment(desk: Desk, enrolment_id: str) -> Enrolment:
    found = desk.enrolments.find(enrolment_id)
    if found is None:
        raise NoSuchThing("no such enrolment")
    return found
