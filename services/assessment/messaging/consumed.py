"""What assessment reads of enrolment's feeds: tolerant structs (unknown fields ignored) and who is concerned.

An employer's own feed tells of its enrolments and line managers; a programme lead's feed of courses.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import partial
from typing import Any

import msgspec

from services.assessment.application import erasure, reactions
from services.assessment.application.ports import Course, Ports
from services.assessment.domain.line_managers import Assignment
from services.assessment.domain.portfolio import Candidacy
from services.assessment.domain.supervision import Absence, Employment
from shared.events.envelope import Received
from shared.events.subscriptions import Subscription
from shared.partnership import Partnership
from shared.storage.unit_of_work import Work

EMPLOYER = "employer"
FEEDS = ("enrolment",)
IGNORED = frozenset(
    {
        "enrolment.requested.v1",
        "enrolment.seat-confirmed.v1",
        "enrolment.wait-listed.v1",
        "enrolment.seat-declined.v1",
        "enrolment.seat-promoted.v1",
        "enrolment.completed.v1",
        "enrolment.started.v1",  # evidence counts from confirmation on, whether somebody has started
        "enrolment.deferred.v1",  # a pause closes nothing: evidence may be finished during it
        "enrolment.resumed.v1",
        "enrolment.transfer-offered.v1",
        "enrolment.transfer-accepted.v1",  # the confirmation that follows opens a portfolio
        "enrolment.transfer-refused.v1",
        "enrolment.transfer-closed.v1",
        "enrolment.practitioner-merged.v1",  # work stays under its id; line managers are told under both
        "enrolment.practitioner-split.v1",
        "enrolment.course-described.v1",
        "enrolment.programme-described.v1",
        "enrolment.cohort-opened.v1",
        "enrolment.cohort-terms-set.v1",
        "enrolment.place-explained.v1",
        "enrolment.attendance-recorded.v1",
        "enrolment.cohort-closed.v1",
    }
)
"""Known and of no interest. Anything else is parked, so that nothing new passes unnoticed."""


class EnrolmentConfirmed(msgspec.Struct, frozen=True):
    """A place is certain; `evidence_set` None means a course without a portfolio."""

    enrolment_id: str
    practitioner_id: str
    course: str
    intake: str
    route: str
    pcf_level: str
    evidence_set: str | None = None


class EnrolmentWithdrawn(msgspec.Struct, frozen=True):
    """A place, or the wait for one, was given up."""

    enrolment_id: str
    withdrawn_on: date


class RouteChanged(msgspec.Struct, frozen=True):
    """Employer and worker have chosen another route."""

    enrolment_id: str
    route: str
    change_number: int


class EnrolmentTransferred(msgspec.Struct, frozen=True):
    """The person goes to another employer, which opens a portfolio of its own."""

    enrolment_id: str
    transferred_on: date


class LineManagerAssigned(msgspec.Struct, frozen=True):
    """From `from_on`, that day included, this is the person's line manager."""

    practitioner_id: str
    line_manager_id: str | None
    from_on: date


class AbsentDays(msgspec.Struct, frozen=True):
    """Days of an employment that do not count; None: until further notice."""

    from_on: date
    until_on: date | None


class EmploymentDated(msgspec.Struct, frozen=True):
    """When a person's latest employment began, and which days of it do not count."""

    practitioner_id: str
    started_on: date
    absences: tuple[AbsentDays, ...] = ()


class CoursePublished(msgspec.Struct, frozen=True):
    """A programme lead offers a course."""

    course: str
    title: str


class PractitionerErased(msgspec.Struct, frozen=True):
    """The employer erased who this was."""

    practitioner_id: str


def _of_employer(event: Received[Any], partnership: Partnership) -> Collection[str]:
    """Return the employer that tells of its own people; nobody when the feed is no employer's."""
    return (event.organisation,) if partnership.has_role(event.organisation, EMPLOYER) else ()


def _of_every_employer(_event: Received[CoursePublished], partnership: Partnership) -> Collection[str]:
    return partnership.with_role(EMPLOYER)


def _confirmed(ports: Ports, work: Work, event: Received[EnrolmentConfirmed]) -> None:
    said = event.data
    if said.evidence_set is None:
        return
    candidacy = Candidacy(
        enrolment_id=said.enrolment_id,
        practitioner_id=said.practitioner_id,
        course=said.course,
        intake=said.intake,
        route=said.route,
        pcf_level=said.pcf_level,
        evidence_set=said.evidence_set,
    )
    reactions.when_enrolment_confirmed(ports, work, candidacy)


def _withdrawn(ports: Ports, work: Work, event: Received[EnrolmentWithdrawn]) -> None:
    reactions.when_enrolment_withdrawn(ports, work, event.data.enrolment_id, event.data.withdrawn_on)


def _rerouted(ports: Ports, work: Work, event: Received[RouteChanged]) -> None:
    reactions.when_route_changed(ports, work, event.data.enrolment_id, event.data.route, event.data.change_number)


def _transferred(ports: Ports, work: Work, event: Received[EnrolmentTransferred]) -> None:
    reactions.when_enrolment_withdrawn(ports, work, event.data.enrolment_id, event.data.transferred_on)


def _managed(ports: Ports, work: Work, event: Received[LineManagerAssigned]) -> None:
    assignment = Assignment(event.data.from_on, event.data.line_manager_id)
    reactions.when_line_manager_assigned(ports, work, event.data.practitioner_id, assignment)


def _dated(ports: Ports, work: Work, event: Received[EmploymentDated]) -> None:
    said = event.data
    absences = tuple(Absence(one.from_on, one.until_on) for one in said.absences)
    reactions.when_employment_dated(ports, work, said.practitioner_id, Employment(said.started_on, absences))


def _published(ports: Ports, work: Work, event: Received[CoursePublished]) -> None:
    reactions.when_course_published(ports, work, Course(event.data.course, event.data.title))


def _erased(ports: Ports, work: Work, event: Received[PractitionerErased]) -> None:
    erasure.when_practitioner_erased(ports, work, event.data.practitioner_id, event.number)


def subscriptions(ports: Ports) -> tuple[Subscription[Any], ...]:
    """Return the table of what is acted upon, with reactions bound to `ports`."""
    return (
        Subscription("enrolment.confirmed.v1", EnrolmentConfirmed, _of_employer, partial(_confirmed, ports)),
        Subscription("enrolment.withdrawn.v1", EnrolmentWithdrawn, _of_employer, partial(_withdrawn, ports)),
        Subscription("enrolment.route-changed.v1", RouteChanged, _of_employer, partial(_rerouted, ports)),
        Subscription("enrolment.transferred.v1", EnrolmentTransferred, _of_employer, partial(_transferred, ports)),
        Subscription("enrolment.line-manager-assigned.v1", LineManagerAssigned, _of_employer, partial(_managed, ports)),
        Subscription("enrolment.employment-dated.v1", EmploymentDated, _of_employer, partial(_dated, ports)),
        Subscription("enrolment.course-published.v1", CoursePublished, _of_every_employer, partial(_published, ports)),
        Subscription("enrolment.practitioner-erased.v1", PractitionerErased, _of_employer, partial(_erased, ports)),
    )
