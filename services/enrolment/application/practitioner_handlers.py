"""What an employer does with its practitioners: details, line managers, the release of an identity."""

from __future__ import annotations

from services.enrolment.application.commands import (
    AssignLineManager,
    ReleaseIdentity,
)
from services.enrolment.application.ports import Desk, EnrolmentFilter
from services.enrolment.domain import enrolments, events, practitioners
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo
from services.enrolment.domain.practitioners import LineManager, Practitioner
from services.enrolment.domain.records import ACADEMIC

REGISTRATION = "registration"


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
