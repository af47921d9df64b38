"""How reporting reads the others' events: tolerant structs, and which reaction each event leads to.

Every effect is the board's. What only a programme lead or an awarding university may say is heard from them alone.
Unknown fields are ignored; what becomes part of a key or a path here is held to a pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from services.reporting.application.commands import (
    ConfirmedHeard,
    CourseHeard,
    CreditHeard,
    FactHeard,
    NominationHeard,
    SelfAssessmentHeard,
)
from services.reporting.application.ports import KnownCourse, Projections
from services.reporting.application.reactions import Reactions
from services.reporting.domain.events import ErasureAcknowledged
from services.reporting.domain.facts import Fact
from services.reporting.messaging.published import outgoing
from shared.errors import Forbidden
from shared.events.envelope import Received
from shared.events.subscriptions import Subscription
from shared.partnership import Partnership
from shared.storage.unit_of_work import Work

Opaque = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^|\x00-\x1f]+$")]
Domain = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]
Wave = Annotated[str, Meta(pattern=r"^T[0-9]$")]
Whole = Annotated[int, Meta(ge=0, le=1000)]
Rating = Annotated[int, Meta(ge=-100, le=100)]

FEEDS = ("enrolment", "assessment", "accreditation", "reporting")


class CoursePublished(msgspec.Struct, frozen=True):
    """enrolment.course-published.v1."""

    course: Code
    title: str
    level: str
    routes: tuple[str, ...]
    credits: Whole
    accreditation: str
    owner: Slug
    evidence_set: str | None = None


class Requested(msgspec.Struct, frozen=True):
    """enrolment.requested|transfer-accepted.v1."""

    enrolment_id: Opaque
    course: Code
    route: Code
    pcf_level: Code
    requested_on: date


class SeatAnswered(msgspec.Struct, frozen=True):
    """enrolment.seat-confirmed|wait-listed|seat-declined|seat-promoted.v1."""

    enrolment_id: Opaque
    employer: Slug


class EnrolmentNamed(msgspec.Struct, frozen=True):
    """enrolment.withdrawn.v1."""

    enrolment_id: Opaque


class Confirmed(msgspec.Struct, frozen=True):
    """enrolment.confirmed.v1."""

    enrolment_id: Opaque
    route: Code


class TransferClosed(msgspec.Struct, frozen=True):
    """enrolment.transfer-closed.v1."""

    enrolment_id: Opaque
    employer: Slug
    outcome: str


class Completed(msgspec.Struct, frozen=True):
    """enrolment.completed.v1."""

    enrolment_id: Opaque
    outcome: str


class SelfAssessmentRecorded(msgspec.Struct, frozen=True):
    """assessment.self-assessment-recorded.v1."""

    evaluation_id: Opaque
    course: Code
    wave: Wave
    framework: str
    ratings: dict[Domain, Rating]


class PortfolioNamed(msgspec.Struct, frozen=True):
    """assessment.portfolio-submitted|portfolio-returned.v1; a portfolio's id is its enrolment's."""

    portfolio_id: Opaque


class PracticeConfirmed(msgspec.Struct, frozen=True):
    """assessment.practice-confirmed.v1."""

    enrolment_id: Opaque
    outcome: str


class CreditAwarded(msgspec.Struct, frozen=True):
    """accreditation.credit-awarded.v1."""

    credit_id: Opaque
    enrolment_id: Opaque
    employer: Slug
    credits: Whole


class PractitionerErased(msgspec.Struct, frozen=True):
    """enrolment.practitioner-erased.v1."""

    practitioner_id: Opaque


Open = Callable[[Work], Projections]
"""Opens the board's projections in a transaction; the storage room knows how."""


class _NamesEnrolment(Protocol):
    @property
    def enrolment_id(self) -> str: ...


class _NamesEmployer(_NamesEnrolment, Protocol):
    @property
    def employer(self) -> str: ...


class _Heard:
    """Each event in the application's words."""

    def __init__(self, open_projections: Open) -> None:
        self._open = open_projections

    def named_by_employer(self, work: Work, events: Sequence[Received[_NamesEnrolment]]) -> None:
        """Read at once the enrolments that their own employers speak of."""
        named = {(event.organisation, event.data.enrolment_id) for event in events}
        self._open(work).expect_enrolments(named)

    def named_to_employer(self, work: Work, events: Sequence[Received[_NamesEmployer]]) -> None:
        """Read at once the enrolments that others speak of to their employers."""
        named = {(event.data.employer, event.data.enrolment_id) for event in events}
        self._open(work).expect_enrolments(named)

    def portfolios(self, work: Work, events: Sequence[Received[PortfolioNamed]]) -> None:
        """Read at once the enrolments of portfolios."""
        self._open(work).expect_enrolments({(event.organisation, event.data.portfolio_id) for event in events})

    def evaluations(self, work: Work, events: Sequence[Received[SelfAssessmentRecorded]]) -> None:
        """Read at once the self-evaluations."""
        self._open(work).expect_evaluations({(event.organisation, event.data.evaluation_id) for event in events})

    def course_published(self, work: Work, event: Received[CoursePublished]) -> None:
        """Hear of a course."""
        data = event.data
        course = KnownCourse(
            code=data.course,
            title=data.title,
            level=data.level,
            routes=data.routes,
            credits_per_award=data.credits,
            accreditation=data.accreditation,
            evidence_set=data.evidence_set,
            owner=event.organisation,
            position=event.number,
        )
        Reactions(self._open(work)).when_course_published(CourseHeard(course))

    def requested(self, work: Work, event: Received[Requested]) -> None:
        """Hear of a nomination."""
        data = event.data
        heard = NominationHeard(
            employer=event.organisation,
            enrolment_id=data.enrolment_id,
            course=data.course,
            route=data.route,
            level=data.pcf_level,
            requested_on=data.requested_on,
        )
        Reactions(self._open(work)).when_nominated(heard)

    def seat(self, fact: Fact) -> Callable[[Work, Received[SeatAnswered]], None]:
        """Return how the owner of the cohort's answer is heard."""

        def heard(work: Work, event: Received[SeatAnswered]) -> None:
            self._fact(work, event.data.employer, event.data.enrolment_id, fact)

        return heard

    def own(self, fact: Fact) -> Callable[[Work, Received[EnrolmentNamed]], None]:
        """Return how an employer's word on its own enrolment is heard."""

        def heard(work: Work, event: Received[EnrolmentNamed]) -> None:
            self._fact(work, event.organisation, event.data.enrolment_id, fact)

        return heard

    def completed(self, work: Work, event: Received[Completed]) -> None:
        """Hear of a course's end; only its completion counts."""
        if event.data.outcome == "completed":
            self._fact(work, event.organisation, event.data.enrolment_id, Fact.PASSED)

    def confirmed(self, work: Work, event: Received[Confirmed]) -> None:
        """Hear of a confirmation, and of the route that counts from then on."""
        heard = ConfirmedHeard(event.organisation, event.data.enrolment_id, event.data.route)
        Reactions(self._open(work)).when_confirmed(heard)

    def transfer_closed(self, work: Work, event: Received[TransferClosed]) -> None:
        """Hear what became of a place that was given over: counted at the new employer, or given back."""
        fact = Fact.MOVED if event.data.outcome == "moved" else Fact.GIVEN_BACK
        self._fact(work, event.data.employer, event.data.enrolment_id, fact)

    def submitted(self, work: Work, event: Received[PortfolioNamed]) -> None:
        """Hear of a submission, returned ones included."""
        self._fact(work, event.organisation, event.data.portfolio_id, Fact.SUBMITTED)

    def practice_confirmed(self, work: Work, event: Received[PracticeConfirmed]) -> None:
        """Hear of an outcome of practice; only a pass counts."""
        if event.data.outcome == "pass":
            self._fact(work, event.organisation, event.data.enrolment_id, Fact.PASSED)

    def self_assessed(self, work: Work, event: Received[SelfAssessmentRecorded]) -> None:
        """Hear of a wave of a self-assessment."""
        data = event.data
        heard = SelfAssessmentHeard(
            employer=event.organisation,
            evaluation_id=data.evaluation_id,
            course=data.course,
            wave=data.wave,
            framework=data.framework,
            ratings=data.ratings,
        )
        Reactions(self._open(work)).when_self_assessed(heard)

    def credit_awarded(self, work: Work, event: Received[CreditAwarded]) -> None:
        """Hear of a credit. Its university's name is part of its id: two of them never share one."""
        data = event.data
        heard = CreditHeard(data.employer, data.enrolment_id, f"{event.organisation}:{data.credit_id}", data.credits)
        Reactions(self._open(work)).when_credit_awarded(heard)

    def erased(self, work: Work, event: Received[PractitionerErased]) -> None:
        """Hear that an employer erased somebody, and answer once: nobody's identity is held here."""
        practitioner_id = event.data.practitioner_id
        if self._open(work).answers_erasure(event.organisation, practitioner_id, event.number):
            answer = ErasureAcknowledged(practitioner_id, event.organisation, "nothing_held", None, event.number)
            work.emit(outgoing(answer))

    def _fact(self, work: Work, employer: str, enrolment_id: str, fact: Fact) -> None:
        Reactions(self._open(work)).when_fact(FactHeard(employer, enrolment_id, fact))


def _to_the_board(role: str) -> Callable[[Received[Any], Partnership], Collection[str]]:
    """Return who is concerned: always the board, and the speaker must hold `role`, else the event is parked."""

    def concerns(event: Received[Any], partnership: Partnership) -> Collection[str]:
        if not partnership.has_role(event.organisation, role):
            raise Forbidden(f"only an organisation with the role {role} may say this")
        return (partnership.board,)

    return concerns


def subscriptions(open_projections: Open) -> tuple[Subscription[Any], ...]:
    """Return the table of what is heard, bound to a storage room."""
    heard = _Heard(open_projections)
    lead, employer, university = (_to_the_board(role) for role in ("programme_lead", "employer", "awarding_hei"))
    by_employer, to_employer = heard.named_by_employer, heard.named_to_employer
    return (
        Subscription("enrolment.course-published.v1", CoursePublished, lead, heard.course_published),
        Subscription("enrolment.requested.v1", Requested, employer, heard.requested, by_employer),
        Subscription("enrolment.seat-confirmed.v1", SeatAnswered, lead, heard.seat(Fact.SEATED), to_employer),
        Subscription("enrolment.seat-promoted.v1", SeatAnswered, lead, heard.seat(Fact.SEATED), to_employer),
        Subscription("enrolment.wait-listed.v1", SeatAnswered, lead, heard.seat(Fact.QUEUED), to_employer),
        Subscription("enrolment.seat-declined.v1", SeatAnswered, lead, heard.seat(Fact.DECLINED), to_employer),
        Subscription("enrolment.confirmed.v1", Confirmed, employer, heard.confirmed, by_employer),
        Subscription("enrolment.transfer-accepted.v1", Requested, employer, heard.requested, by_employer),
        Subscription("enrolment.transfer-closed.v1", TransferClosed, lead, heard.transfer_closed, to_employer),
        Subscription("enrolment.withdrawn.v1", EnrolmentNamed, employer, heard.own(Fact.WITHDRAWN), by_employer),
        Subscription("enrolment.completed.v1", Completed, employer, heard.completed, by_employer),
        Subscription("enrolment.practitioner-erased.v1", PractitionerErased, employer, heard.erased),
        Subscription("assessment.portfolio-submitted.v1", PortfolioNamed, employer, heard.submitted, heard.portfolios),
        Subscription("assessment.portfolio-returned.v1", PortfolioNamed, employer, heard.submitted, heard.portfolios),
        Subscription(
            "assessment.practice-confirmed.v1", PracticeConfirmed, employer, heard.practice_confirmed, by_employer
        ),
        Subscription(
            "assessment.self-assessment-recorded.v1",
            SelfAssessmentRecorded,
            employer,
            heard.self_assessed,
            heard.evaluations,
        ),
        Subscription("accreditation.credit-awarded.v1", CreditAwarded, university, heard.credit_awarded, to_employer),
    )


IGNORED = frozenset(
    {
        "enrolment.course-described.v1",
        "enrolment.programme-described.v1",
        "enrolment.cohort-opened.v1",
        "enrolment.cohort-terms-set.v1",
        "enrolment.place-explained.v1",
        "enrolment.attendance-recorded.v1",
        "enrolment.cohort-closed.v1",
        "enrolment.line-manager-assigned.v1",
        "enrolment.started.v1",  # the five tables count places and outcomes, not who is on the course just now
        "enrolment.deferred.v1",  # a pause is no outcome (BR-9)
        "enrolment.resumed.v1",
        "enrolment.route-changed.v1",  # people are compared on the route at confirmation (BR-28)
        "enrolment.transferred.v1",  # counted where it was until the cohort's owner has decided
        "enrolment.transfer-offered.v1",
        "enrolment.transfer-refused.v1",
        "enrolment.employment-dated.v1",
        "enrolment.practitioner-merged.v1",  # the tables count enrolments, and those stay what they were
        "enrolment.practitioner-split.v1",
        "assessment.portfolio-opened.v1",
        "assessment.evidence-added.v1",
        "assessment.evidence-invalidated.v1",
        "assessment.supervision-held.v1",
        "assessment.portfolio-verified.v1",
        "assessment.practice-recommended.v1",
        "accreditation.module-proposed.v1",
        "accreditation.module-approved.v1",
        "accreditation.module-refused.v1",
        "accreditation.candidate-registered.v1",
        "accreditation.work-submitted.v1",
        "accreditation.board-ratified.v1",
        "reporting.table-published.v1",
        "assessment.erasure-acknowledged.v1",  # between each employer and who answers it
        "accreditation.erasure-acknowledged.v1",
        "reporting.erasure-acknowledged.v1",
    }
)
"""Known, and of no interest to the board's five tables."""
