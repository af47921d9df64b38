"""How an employer tells others of its enrolments: one enrolment and what changed, as an event of the contract."""

from __future__ import annotations

from services.enrolment.application.ports import Desk
from services.enrolment.domain import events
from services.enrolment.domain.enrolment_parts import RouteChange, bus_reason
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.records import ACADEMIC
from shared.clock import london_date


def tell_requested(desk: Desk, enrolment: Enrolment) -> None:
    """Ask the cohort's owner for a place."""
    asked = events.Requested(
        enrolment_id=enrolment.enrolment_id,
        practitioner_id=enrolment.practitioner_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        requested_on=enrolment.requested_on,
    )
    desk.tell(asked, enrolment.version)


def tell_confirmed(desk: Desk, enrolment: Enrolment) -> None:
    """Say that the place is certain; portfolio and registration follow."""
    course = desk.catalogue.course(enrolment.course)
    academic = course if enrolment.route == ACADEMIC else None
    told = events.Confirmed(
        enrolment_id=enrolment.enrolment_id,
        practitioner_id=enrolment.practitioner_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        evidence_set=course.evidence_set if course else None,
        awarding_hei=academic.awarding_hei if academic else None,
        module=academic.module if academic else None,
        credits=academic.credits if academic else 0,
        confirmed_on=enrolment.confirmed_on or london_date(desk.now),
    )
    desk.tell(told, enrolment.version)


def tell_route_changed(desk: Desk, enrolment: Enrolment, change: RouteChange) -> None:
    """Say which route counts from a day on; the university of the academic element is named either way."""
    course = desk.catalogue.course(enrolment.course)
    told = events.RouteChanged(
        enrolment_id=enrolment.enrolment_id,
        practitioner_id=enrolment.practitioner_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        previous_route=change.from_route,
        change_number=len(enrolment.route_changes),
        evidence_set=course.evidence_set if course else None,
        awarding_hei=course.awarding_hei if course else None,
        module=course.module if course else None,
        credits=course.credits if course else 0,
        effective_on=change.effective_on,
    )
    desk.tell(told, enrolment.version)


def tell_withdrawn(desk: Desk, enrolment: Enrolment, *, held_seat: bool) -> None:
    """Say that a place, or the wait for one, was given up; others learn the coarse reason only."""
    told = events.Withdrawn(
        enrolment_id=enrolment.enrolment_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        held_seat=held_seat,
        reason=bus_reason(enrolment.reason or ""),
        withdrawn_on=enrolment.ended_on or london_date(desk.now),
    )
    desk.tell(told, enrolment.version)


def tell_started(desk: Desk, enrolment: Enrolment) -> None:
    """Say that somebody has started."""
    told = events.Started(
        enrolment_id=enrolment.enrolment_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        started_on=enrolment.started_on or london_date(desk.now),
    )
    desk.tell(told, enrolment.version)


def tell_deferred(desk: Desk, enrolment: Enrolment) -> None:
    """Say that a place is paused and kept; why stays with the employer."""
    deferral = enrolment.deferrals[-1]
    told = events.Deferred(
        enrolment_id=enrolment.enrolment_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        deferred_from=deferral.from_on,
        deferred_until=deferral.until_on,
    )
    desk.tell(told, enrolment.version)


def tell_resumed(desk: Desk, enrolment: Enrolment) -> None:
    """Say that a pause has ended."""
    told = events.Resumed(
        enrolment_id=enrolment.enrolment_id,
        cohort_owner=enrolment.cohort_owner,
        course=enrolment.course,
        intake=enrolment.intake,
        route=enrolment.route,
        pcf_level=enrolment.pcf_level,
        resumed_on=enrolment.deferrals[-1].resumed_on or london_date(desk.now),
    )
    desk.tell(told, enrolment.version)
