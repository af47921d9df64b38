"""What is known of one enrolment or one self-evaluation, and what that adds to the roll-ups.

Facts only ever accumulate and none depends on the order in which they came to be known: an owner's seat may be read
before the request that it answers, a practice outcome before the seat. What a set of facts adds is a pure function of
the set, so that the difference between two sets is exactly what a roll-up has to move by. Names nobody; the ids are
their owners' opaque ones and never leave the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from services.reporting.domain.rollups import NOTHING, Bucket, ChangeCounts, Counts


class Fact(StrEnum):
    """One thing that has happened to an enrolment. Once true, true for ever."""

    SEATED = "seated"
    QUEUED = "queued"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    SUBMITTED = "submitted"
    PASSED = "passed"
    MOVED = "moved"
    GIVEN_BACK = "given_back"

    __hash__ = str.__hash__  # as they compare; an enumeration's own hash is a call of Python, eight times an event


@dataclass(frozen=True, slots=True)
class EnrolmentFacts:
    """All that reporting knows of one enrolment: its bucket (once its request was read), facts, credits by award."""

    bucket: Bucket | None = None
    facts: frozenset[Fact] = frozenset()
    credits: Mapping[str, int] = field(default_factory=dict)
    confirmed_route: str | None = None

    @property
    def counted_in(self) -> Bucket | None:
        """Return the bucket that this enrolment is counted in: on the route at confirmation, once there is one.

        A route that changes later moves nothing: what is compared is what people set out on (intention to treat).
        Source: BR-28.
        """
        if self.bucket is None or self.confirmed_route is None:
            return self.bucket
        return replace(self.bucket, route=self.confirmed_route)

    def confirmed(self, route: str) -> EnrolmentFacts:
        """Return these facts with a seat and the route at confirmation; the first that was read stays."""
        seated = self.with_fact(Fact.SEATED)
        return seated if seated.confirmed_route is not None else replace(seated, confirmed_route=route)

    def requested(self, bucket: Bucket) -> EnrolmentFacts:
        """Return these facts with the nomination's bucket; the first that was read stays."""
        return self if self.bucket is not None else replace(self, bucket=bucket)

    def with_fact(self, fact: Fact) -> EnrolmentFacts:
        """Return these facts and one more."""
        return self if fact in self.facts else replace(self, facts=self.facts | {fact})

    def awarded(self, credit_id: str, credits_awarded: int) -> EnrolmentFacts:
        """Return these facts and a credit; the same credit again changes nothing."""
        if credit_id in self.credits:
            return self
        return replace(self, credits={**self.credits, credit_id: credits_awarded})

    def adds(self) -> Counts:
        """Return what this enrolment adds to its bucket; nothing until its request was read.

        A withdrawal ends the seat or the place in the queue, whatever else is known. Who withdrew and had submitted
        before stays submitted; who withdrew is not counted as passed, so that `passed` is always of `confirmed`.
        Who went to another employer with their place is counted there; a place that nobody took on is withdrawn.

        Source: partnership data rules, "How reports are counted".
        """
        if self.bucket is None or (Fact.MOVED in self.facts and not self.credits):
            return NOTHING
        is_withdrawn = bool(self.facts & {Fact.WITHDRAWN, Fact.GIVEN_BACK})
        is_seated = Fact.SEATED in self.facts and not is_withdrawn
        is_waiting = Fact.QUEUED in self.facts and not (is_seated or is_withdrawn or Fact.DECLINED in self.facts)
        return Counts(
            nominated=1,
            confirmed=int(is_seated),
            waiting=int(is_waiting),
            withdrawn=int(is_withdrawn),
            submitted=int(Fact.SUBMITTED in self.facts),
            passed=int(is_seated and Fact.PASSED in self.facts),
            awarded=int(any(self.credits.values())),
            credits=sum(self.credits.values()),
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """One wave of a self-assessment: the framework it rates and a rating per domain."""

    framework: str
    ratings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class EvaluationFacts:
    """The waves of one person's self-evaluation on one course. Who it is nobody here can tell."""

    waves: Mapping[str, Answers] = field(default_factory=dict)

    def answered(self, wave: str, answers: Answers) -> EvaluationFacts:
        """Return these facts with a wave's answers; the owner's latest answers to a wave count."""
        return EvaluationFacts({**self.waves, wave: answers})

    def adds(self) -> ChangeCounts:
        """Return what this person adds: a change only where T0 and T1 rate the same framework.

        Source: BR-27.
        """
        before, after = self.waves.get("T0"), self.waves.get("T1")
        if before is None or after is None or before.framework != after.framework:
            return ChangeCounts()
        rated = sorted(before.ratings.keys() & after.ratings.keys())
        return ChangeCounts(
            paired=1,
            sums={domain: after.ratings[domain] - before.ratings[domain] for domain in rated},
            people=dict.fromkeys(rated, 1),
        )
