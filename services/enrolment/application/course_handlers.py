"""What a programme lead does with courses."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.facts import CoursePublished
from services.enrolment.application.ports import Desk
from services.enrolment.domain import events
from services.enrolment.domain.courses import Course


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
