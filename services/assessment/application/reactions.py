"""What follows from enrolment's events. One call per event and employer; repeating one changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.assessment.application.ports import Course, Person, Ports
from services.assessment.domain import portfolio as practice
from services.assessment.domain.line_managers import Assignment, LineManagers
from services.assessment.domain.portfolio import Candidacy
from services.assessment.domain.supervision import Employment
from shared.storage.unit_of_work import Work


def when_enrolment_confirmed(ports: Ports, work: Work, candidacy: Candidacy) -> None:
    """Open the portfolio. A course without an evidence set never gets here.

    Raises:
        Malformed: the partnership file does not have the evidence set (the event is parked until it does).
    """
    ports.rulebook.rules(candidacy.evidence_set)
    if ports.portfolios.find(work, candidacy.enrolment_id) is not None:
        return
    portfolio, events = practice.open_portfolio(candidacy)
    kept = ports.portfolios.keep(work, portfolio, 0)
    _know_person(ports, work, candidacy.practitioner_id)
    work.emit(*(ports.publish(event, kept.version) for event in events))


def when_enrolment_withdrawn(ports: Ports, work: Work, enrolment_id: str, on: date) -> None:
    """Close the portfolio, where the withdrawn enrolment has one; a confirmed outcome stands."""
    kept = ports.portfolios.find(work, enrolment_id)
    if kept is None:
        return
    closed = practice.close(kept.value, on)
    if closed != kept.value:
        ports.portfolios.keep(work, closed, kept.version)


def when_route_changed(ports: Ports, work: Work, enrolment_id: str, route: str, change_number: int) -> None:
    """Put the portfolio on the route that employer and worker have chosen; what practice asks for stays the same.

    The outcome is told with the route, so that a university hears of those who take its academic element. A confirmed
    outcome stays as it was told.
    """
    kept = ports.portfolios.find(work, enrolment_id)
    if kept is None:
        return
    changed = practice.change_route(kept.value, route, change_number)
    if changed != kept.value:
        ports.portfolios.keep(work, changed, kept.version)


def when_line_manager_assigned(ports: Ports, work: Work, practitioner_id: str, assignment: Assignment) -> None:
    """Add to the person's dated history."""
    kept = ports.people.find(work, practitioner_id)
    person = kept.value if kept is not None else Person(practitioner_id, LineManagers())
    managers = person.managers.assigned(assignment)
    if kept is None or managers != person.managers:
        changed = replace(person, managers=managers)
        ports.people.keep(work, changed, kept.version if kept is not None else 0)


def when_employment_dated(ports: Ports, work: Work, practitioner_id: str, employment: Employment) -> None:
    """Know from when the clock of supervision counts, and which days it leaves out."""
    kept = ports.people.find(work, practitioner_id)
    person = kept.value if kept is not None else Person(practitioner_id, LineManagers())
    if person.employment != employment:
        ports.people.keep(work, replace(person, employment=employment), kept.version if kept is not None else 0)


def when_course_published(ports: Ports, work: Work, course: Course) -> None:
    """Know what the course is called."""
    kept = ports.courses.find(work, course.course)
    if kept is None or kept.value != course:
        ports.courses.keep(work, course, kept.version if kept is not None else 0)


def _know_person(ports: Ports, work: Work, practitioner_id: str) -> None:
    if ports.people.find(work, practitioner_id) is None:
        ports.people.keep(work, Person(practitioner_id, LineManagers()), 0)
