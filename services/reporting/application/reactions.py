"""How what was heard moves the roll-ups: facts before and after, and the difference into the buckets.

Nothing here depends on the order in which feeds are read, and hearing the same thing twice moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.reporting.application.commands import (
    ConfirmedHeard,
    CourseHeard,
    CreditHeard,
    FactHeard,
    NominationHeard,
    SelfAssessmentHeard,
)
from services.reporting.application.ports import Projections
from services.reporting.domain.facts import Answers, EnrolmentFacts
from services.reporting.domain.rollups import NOTHING, Bucket, ChangeBucket


@dataclass(frozen=True, slots=True)
class Reactions:
    """The reactions of one transaction of the board's database."""

    projections: Projections

    def when_course_published(self, heard: CourseHeard) -> None:
        """Keep the course; published again, it keeps its place among the courses."""
        known = self.projections.course(heard.course.code)
        course = heard.course if known is None else replace(heard.course, position=known.position)
        if course != known:
            self.projections.keep_course(course)

    def when_nominated(self, heard: NominationHeard) -> None:
        """Open the enrolment's bucket and count all that was already known of it."""
        bucket = Bucket(heard.employer, heard.course, heard.route, heard.level, heard.requested_on.isoformat()[:7])
        self._change(heard.employer, heard.enrolment_id, lambda facts: facts.requested(bucket))

    def when_fact(self, heard: FactHeard) -> None:
        """Keep one more fact of an enrolment, whether or not its nomination was heard of yet."""
        self._change(heard.employer, heard.enrolment_id, lambda facts: facts.with_fact(heard.fact))

    def when_confirmed(self, heard: ConfirmedHeard) -> None:
        """Count the enrolment on the route on which it was confirmed."""
        self._change(heard.employer, heard.enrolment_id, lambda facts: facts.confirmed(heard.route))

    def when_credit_awarded(self, heard: CreditHeard) -> None:
        """Keep the credit once, however often its award is sent."""
        self._change(heard.employer, heard.enrolment_id, lambda facts: facts.awarded(heard.credit_id, heard.credits))

    def when_self_assessed(self, heard: SelfAssessmentHeard) -> None:
        """Keep a wave's answers; a pair of waves moves the course's change."""
        before = self.projections.evaluation(heard.employer, heard.evaluation_id)
        after = before.answered(heard.wave, Answers(heard.framework, heard.ratings))
        if after == before:
            return
        self.projections.keep_evaluation(heard.employer, heard.evaluation_id, after)
        by = after.adds().minus(before.adds())
        if not by.is_nothing:
            self.projections.move_change(ChangeBucket(heard.employer, heard.course), by)

    def _change(self, employer: str, enrolment_id: str, change: Callable[[EnrolmentFacts], EnrolmentFacts]) -> None:
        before = self.projections.enrolment(employer, enrolment_id)
        after = change(before)
        if after == before:
            return
        self.projections.keep_enrolment(employer, enrolment_id, after)
        old, new = before.counted_in, after.counted_in
        if old is not None and old != new and not before.adds().is_nothing:
            self.projections.move(old, NOTHING.minus(before.adds()))
        by = after.adds() if old != new else after.adds().minus(before.adds())
        if new is not None and not by.is_nothing:
            self.projections.move(new, by)
