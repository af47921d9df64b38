"""What accreditation takes from the employers' feeds, each type with its own tolerant struct.

Only the fields used are named; unknown ones are ignored. A fact is kept for every awarding university that it may
concern; facts under an enrolment that is not this university's stay without effect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Any

import msgspec

from services.accreditation.application import reactions
from services.accreditation.application.ports import Desk, OpenDesk
from services.accreditation.domain.candidacy import Outcome, Practice
from services.accreditation.domain.modules import Run
from shared.events.envelope import Received
from shared.events.subscriptions import Subscription
from shared.partnership.model import AWARDING_HEI, EMPLOYER, Partnership
from shared.storage.unit_of_work import Work

ACADEMIC = "practice_and_academic"

FEEDS = ("enrolment", "assessment")

IGNORED = frozenset(
    {
        "enrolment.course-published.v1",
        "enrolment.cohort-opened.v1",
        "enrolment.cohort-closed.v1",
        "enrolment.line-manager-assigned.v1",
        "enrolment.requested.v1",
        "enrolment.seat-confirmed.v1",
        "enrolment.wait-listed.v1",
        "enrolment.seat-declined.v1",
        "enrolment.seat-promoted.v1",
        "enrolment.completed.v1",
        "assessment.portfolio-opened.v1",
        "assessment.evidence-added.v1",
        "assessment.evidence-invalidated.v1",
        "assessment.self-assessment-recorded.v1",
        "assessment.supervision-held.v1",
        "assessment.portfolio-submitted.v1",
        "assessment.portfolio-returned.v1",
        "assessment.portfolio-verified.v1",
        "assessment.practice-recommended.v1",
    }
)


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """`enrolment.confirmed.v1`, as far as the university needs it."""

    enrolment_id: str
    practitioner_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    confirmed_on: date
    awarding_hei: str | None = None
    module: str | None = None


class EnrolmentWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """`enrolment.withdrawn.v1`, without the reason, which is not the university's business."""

    enrolment_id: str
    route: str
    withdrawn_on: date


class PracticeConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """`assessment.practice-confirmed.v1`."""

    enrolment_id: str
    route: str
    outcome: Outcome
    confirmed_on: date


def _to_the_named_university(event: Received[Confirmed], partnership: Partnership) -> Collection[str]:
    data = event.data
    if not partnership.has_role(event.organisation, EMPLOYER) or data.route != ACADEMIC:
        return ()
    named = data.awarding_hei
    return (named,) if named is not None and partnership.has_role(named, AWARDING_HEI) else ()


def _to_universities(
    event: Received[EnrolmentWithdrawn] | Received[PracticeConfirmed], partnership: Partnership
) -> Collection[str]:
    if not partnership.has_role(event.organisation, EMPLOYER) or event.data.route != ACADEMIC:
        return ()
    return partnership.with_role(AWARDING_HEI)


def when_confirmed(desk: Desk, event: Received[Confirmed]) -> None:
    """Hand a confirmed enrolment to the university's registrations."""
    data = event.data
    reactions.when_confirmed(
        desk,
        reactions.ConfirmedEnrolment(
            employer=event.organisation,
            enrolment_id=data.enrolment_id,
            practitioner_id=data.practitioner_id,
            run=Run(data.cohort_owner, data.course, data.intake),
            module=data.module,
            confirmed_on=data.confirmed_on,
        ),
    )


def when_withdrawn(desk: Desk, event: Received[EnrolmentWithdrawn]) -> None:
    """Hand a withdrawal to the university's registrations."""
    reactions.when_withdrawn(desk, event.organisation, event.data.enrolment_id, event.data.withdrawn_on)


def when_practice_confirmed(desk: Desk, event: Received[PracticeConfirmed]) -> None:
    """Hand the outcome of practice to the university's registrations."""
    practice = Practice(outcome=event.data.outcome, confirmed_on=event.data.confirmed_on)
    reactions.when_practice_confirmed(desk, event.organisation, event.data.enrolment_id, practice)


def subscriptions(open_desk: OpenDesk) -> tuple[Subscription[Any], ...]:
    """Return the table of what is acted upon, with reactions bound to desks that `open_desk` opens."""

    def on_desk(reaction: Callable[[Desk, Received[Any]], None]) -> Callable[[Work, Received[Any]], None]:
        return lambda work, event: reaction(open_desk(work), event)

    return (
        Subscription("enrolment.confirmed.v1", Confirmed, _to_the_named_university, on_desk(when_confirmed)),
        Subscription("enrolment.withdrawn.v1", EnrolmentWithdrawn, _to_universities, on_desk(when_withdrawn)),
        Subscription(
            "assessment.practice-confirmed.v1", PracticeConfirmed, _to_universities, on_desk(when_practice_confirmed)
        ),
    )
