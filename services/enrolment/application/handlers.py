"""What is done when somebody asks: courses and cohorts, practitioners, withdrawal, completion. Files live elsewhere."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.commands import (
    AssignLineManager,
    Complete,
    OpenCohort,
    ReleaseIdentity,
    Withdraw,
)
from services.enrolment.application.facts import CohortOpened, CoursePublished
from services.enrolment.application.ports import Desk, EnrolmentFilter
from services.enrolment.application.taking import Outcome, take
from services.enrolment.domain import enrolments, events, practitioners, seats
from services.enrolment.domain.courses import Course, KeptCohort, Place
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing, RecordRefused, RuleSaysNo
from services.enrolment.domain.practitioners import LineManager, Practitioner
from services.enrolment.domain.records import ACADEMIC, ReadRow
from shared.errors import Fault

REGISTRATION = "registration"


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


def publish_course(desk: Desk, course: Course) -> Course:
    """Return the course as kept; everybody is told when anything changed."""
    known = desk.courses.find(course.code)
    if known is not None and replace(course, version=known.version) == known:
        return known
    kept = desk.courses.save(replace(course, version=known.version if known else 0))
    prerequisite_routes = kept.prerequisite.routes if kept.prerequisite else ()
    told = events.CoursePublished(
        course=kept.code,
        title=kept.title,
        level=kept.level,
        routes=kept.routes,
        credits=kept.credits,
        accreditation=kept.accreditation,
        awarding_hei=kept.awarding_hei,
        module=kept.module,
        prerequisite_routes=prerequisite_routes,
        evidence_set=kept.evidence_set,
        owner=desk.organisation,
    )
    desk.tell(told, kept.version)
    desk.catalogue.put_course(
        CoursePublished(
            course=kept.code,
            title=kept.title,
            level=kept.level,
            routes=kept.routes,
            credits=kept.credits,
            owner=desk.organisation,
            accreditation=kept.accreditation,
            awarding_hei=kept.awarding_hei,
            module=kept.module,
            prerequisite_routes=prerequisite_routes,
            evidence_set=kept.evidence_set,
        )
    )
    return kept


def open_cohort(desk: Desk, command: OpenCohort) -> KeptCohort:
    """Return the cohort, new or with another capacity; more seats promote the head of the queue at once.

    Raises:
        NoSuchThing: There is no such course.
        RuleSaysNo: More seats are taken than there would be.
    """
    if desk.courses.find(command.course) is None:
        raise NoSuchThing("no such course")
    kept = desk.courses.cohort(command.course, command.intake)
    if kept is None:
        kept = KeptCohort(command.course, command.intake, seats.Cohort(command.capacity))
        promoted = 0
    elif kept.cohort.capacity == command.capacity:
        return kept
    else:
        cohort, promoted = seats.resize(kept.cohort, command.capacity)
        kept = replace(kept, cohort=cohort)
    kept = desk.courses.save_cohort(kept)
    desk.tell(events.CohortOpened(command.course, command.intake, command.capacity, desk.organisation), kept.version)
    desk.catalogue.put_cohort(CohortOpened(command.course, command.intake, command.capacity, desk.organisation))
    for place in desk.places.heads(command.course, command.intake, promoted) if promoted else ():
        promote(desk, place, in_place_of=None)
    return kept


def close_cohort(desk: Desk, course: str, intake: str) -> KeptCohort:
    """Return the cohort closed to new requests; its queue still moves. Closing twice is closing once."""
    kept = desk.courses.cohort(course, intake)
    if kept is None:
        raise NoSuchThing("no such cohort")
    if kept.cohort.closed:
        return kept
    kept = desk.courses.save_cohort(replace(kept, cohort=replace(kept.cohort, closed=True)))
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


def keep_practitioner(desk: Desk, described: Practitioner, line_manager_ref: str | None) -> Practitioner:
    """Return the person as kept; a first line manager counts from the start of employment."""
    known = desk.people.find(described.practitioner_id)
    person = practitioners.described_again(known, described) if known else described
    told = known.line_managers if known else ()
    if line_manager_ref is not None and not told and person.employment_start is not None:
        manager_id = desk.person_id(line_manager_ref)
        person = practitioners.managed_by(person, LineManager(line_manager_ref, manager_id, person.employment_start))
    return _kept(desk, known, person)


def assign_line_manager(desk: Desk, command: AssignLineManager) -> Practitioner:
    """Return the person with their line manager from that day on.

    Raises:
        NoSuchThing: There is no such practitioner.
        RuleSaysNo: Somebody would manage themselves.
    """
    known = desk.people.find(desk.person_id(command.employee_ref))
    if known is None:
        raise NoSuchThing("no such practitioner")
    if command.line_manager_ref == command.employee_ref:
        raise RuleSaysNo("nobody is their own line manager")
    manager_id = desk.person_id(command.line_manager_ref) if command.line_manager_ref else None
    manager = LineManager(command.line_manager_ref, manager_id, command.from_on)
    return _kept(desk, known, practitioners.managed_by(known, manager))


def _kept(desk: Desk, known: Practitioner | None, person: Practitioner) -> Practitioner:
    if person == known:
        return known
    kept = desk.people.save([person])[0]
    news = [manager for manager in kept.line_managers if known is None or manager not in known.line_managers]
    for manager in news:
        told = events.LineManagerAssigned(kept.practitioner_id, manager.line_manager_id, manager.from_on)
        desk.tell(told, kept.version)
    if not news:
        desk.silent("a person's details stay with their employer")
    return kept


def release_identity(desk: Desk, command: ReleaseIdentity) -> Practitioner:
    """Return the person whose identity is released, after writing down who asked and why.

    Raises:
        NoSuchThing: There is nobody of that id, or the asker awards no credit for a confirmed place of theirs.
    """
    person = desk.people.find(command.practitioner_id)
    if person is None or command.purpose != REGISTRATION:
        raise NoSuchThing("nothing to release")
    courses = desk.catalogue.courses()
    wanted = EnrolmentFilter(practitioner_id=command.practitioner_id, status=enrolments.CONFIRMED)
    held = desk.enrolments.page(None, 200, wanted)
    awarding = {
        course.awarding_hei
        for enrolment in held
        if enrolment.route == ACADEMIC and (course := courses.get(enrolment.course)) is not None
    }
    if command.asking not in awarding:
        raise NoSuchThing("nothing to release")
    desk.silent("the employer's own record of who was told, and why")
    desk.people.log_release(command.practitioner_id, command.asking, command.purpose)
    return person


def _enrolment(desk: Desk, enrolment_id: str) -> Enrolment:
    found = desk.enrolments.find(enrolment_id)
    if found is None:
        raise NoSuchThing("no such enrolment")
    return found
