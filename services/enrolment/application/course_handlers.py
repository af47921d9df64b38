"""What a programme lead does with courses, and how their accreditation follows the universities' decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import msgspec

from services.enrolment.application.facts import CourseDescribed, CoursePublished
from services.enrolment.application.ports import Desk
from services.enrolment.domain import courses, events
from services.enrolment.domain.courses import Course, ModuleDecision

T = TypeVar("T")


def as_accredited(desk: Desk, course: Course) -> Course:
    """Return the course with the accreditation that its awarding university has decided, if it has."""
    return courses.accredited(course, desk.module_decisions.of(course.code))


def publish_course(desk: Desk, wanted: Course) -> Course:
    """Return the course as kept; everybody is told when anything changed, and only of what changed."""
    known = desk.courses.find(wanted.code)
    course = as_accredited(desk, wanted)
    if known is not None and replace(course, version=known.version) == known:
        return known
    return _keep(desk, known, course)


def heed(desk: Desk, decision: ModuleDecision) -> None:
    """Keep what a university decided, also about a course that is not published yet, and let the course follow it."""
    desk.module_decisions.put(decision)
    known = desk.courses.find(decision.course)
    if known is None:
        return
    course = as_accredited(desk, known)
    if course != known:
        _keep(desk, known, course)


def _keep(desk: Desk, known: Course | None, course: Course) -> Course:
    kept = desk.courses.save(replace(course, version=known.version if known else 0))
    published, described = _published(kept, desk.organisation), _described(kept, desk.organisation)
    told_before = _described(known if known else _undescribed(kept), desk.organisation)
    if described != told_before:
        desk.tell(described, kept.version)
        desk.catalogue.put_description(_as_heard(described, CourseDescribed))
    if described == told_before or known is None or published != _published(known, desk.organisation):
        desk.tell(published, kept.version)
        desk.catalogue.put_course(_as_heard(published, CoursePublished))
    return kept


def _undescribed(course: Course) -> Course:
    """Return the course as it would be if its owner said nothing of it but its terms."""
    return Course(course.code, course.title, course.level, course.routes)


def _as_heard(told: events.CoursePublished | events.CourseDescribed, kind: type[T]) -> T:
    """Return what others will hear, for one's own catalogue."""
    return msgspec.convert(msgspec.to_builtins(told), kind)


def _published(course: Course, owner: str) -> events.CoursePublished:
    return events.CoursePublished(
        course=course.code,
        title=course.title,
        level=course.level,
        routes=course.routes,
        credits=course.credits,
        accreditation=course.accreditation,
        awarding_hei=course.awarding_hei,
        module=course.module,
        prerequisite_routes=course.prerequisite_routes,
        evidence_set=course.evidence_set,
        owner=owner,
    )


def _described(course: Course, owner: str) -> events.CourseDescribed:
    asked, description = course.eligibility, course.description
    return events.CourseDescribed(
        course=course.code,
        owner=owner,
        kind=description.kind,
        minutes=description.length,
        cpd_pieces=description.cpd_pieces,
        cpd_pieces_with_peers=description.cpd_pieces_with_peers,
        micro_credential_by=description.micro_credential_by,
        accredited_from=course.accredited_from,
        develops=description.develops,
        handbooks=description.handbooks,
        after=asked.after,
        courses_first=asked.courses_first,
        in_house_within_months=asked.in_house_within_months,
        roles=asked.roles,
        open_to=asked.open_to,
        elements=asked.elements,
        rated_domains=asked.rated_domains,
    )
