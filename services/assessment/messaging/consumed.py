"""What assessment reads of enrolment's feeds: tolerant structs (unknown fields ignored) and who is concerned.

An employer's own feed tells of its enrolments and line managers; a programme lead's feed of courses.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import partial
from typing import Any

import msgspec

from services.assessment.application import reactions
from services.assessment.application.ports import Course, Ports
from services.assessment.domain.line_managers import Assignment
from services.assessment.domain.portfolio import Candidacy
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
        "enrolment.cohort-opened.v1",
        "enrolment.cohort-closed.v1",
    }
)
"""Known and of no interest. Anything else is parked: a route change or a transfer must not pass unnoticed."""


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


class LineManagerAssigned(msgspec.Struct, frozen=True):
    """From `from_on`, that day included, this is the person's line manager."""

    practitioner_id: str
    line_manager_id: str | None
    from_on: date


class CoursePublished(msgspec.Struct, frozen=True):
    """A programme lead offers a course."""

    course: str
    title: str


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


def _managed(ports: Ports, work: Work, event: Received[LineManagerAssigned]) -> None:
    assignment = Assignment(event.data.from_on, event.data.line_manager_id)
    reactions.when_line_manager_assigned(ports, work, event.data.practitioner_id, assignment)


def _published(ports: Ports, work: Work, event: Received[CoursePublished]) -> None:
    reactions.when_course_published(ports, work, Course(event.data.course, event.data.title))


def subscriptions(ports: Ports) -> tuple[Subscription[Any], ...]:
    """Return the table of what is acted upon, with reactions bound to `ports`."""
    return (
        Subscription("enrolment.confirmed.v1", EnrolmentConfirmed, _of_employer, partial(_confirmed, ports)),
        Subscription("enrolment.withdrawn.v1", EnrolmentWithdrawn, _of_employer, partial(_withdrawn, ports)),
        Subscription("enrolment.line-manager-assigned.v1", LineManagerAssigned, _of_employer, partial(_managed, ports)),
        Subscription("enrolment.course-published.v1", CoursePublished, _of_every_employer, partial(_published, ports)),
    )
