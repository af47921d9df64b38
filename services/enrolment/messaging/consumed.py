"""Which events of other owners enrolment acts upon, for whom, and which are of no interest.

Requests and withdrawals concern the cohort's owner; answers concern the employer; the catalogue concerns every employer
but its owner, who kept it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from services.enrolment.application import facts, reactions, seat_reactions
from services.enrolment.application.ports import Desk, OpenDesk
from shared.events.envelope import Received
from shared.events.subscriptions import Subscription
from shared.partnership import Partnership
from shared.storage.unit_of_work import Work

T = TypeVar("T")

FEEDS = ("enrolment",)
IGNORED = frozenset(
    {
        "enrolment.line-manager-assigned.v1",
        "enrolment.confirmed.v1",
        "enrolment.completed.v1",
    }
)
_EMPLOYER = "employer"
_LEAD = "programme_lead"


def subscriptions(open_desk: OpenDesk) -> tuple[Subscription[Any], ...]:
    """Return the table; each reaction gets the desk of the organisation that takes the effect."""

    def row(
        name: str,
        struct: type[T],
        concerns: Callable[[Received[T], Partnership], Collection[str]],
        reaction: Callable[[Desk, Received[T]], None],
    ) -> Subscription[T]:
        def on_desk(work: Work, event: Received[T]) -> None:
            reaction(open_desk(work), event)

        return Subscription(type=f"enrolment.{name}.v1", struct=struct, concerns=concerns, reaction=on_desk)

    return (
        row("course-published", facts.CoursePublished, _told_by_owner, reactions.when_course_published),
        row("cohort-opened", facts.CohortOpened, _told_by_owner, reactions.when_cohort_opened),
        row("cohort-closed", facts.CohortClosed, _told_by_owner, reactions.when_cohort_closed),
        row("requested", facts.Requested, _asked_of, seat_reactions.when_requested),
        row("withdrawn", facts.Withdrawn, _asked_of, seat_reactions.when_withdrawn),
        row("seat-confirmed", facts.Answered, _answer_to, reactions.when_seat_given),
        row("seat-promoted", facts.Answered, _answer_to, reactions.when_seat_given),
        row("wait-listed", facts.Answered, _answer_to, reactions.when_wait_listed),
        row("seat-declined", facts.Answered, _answer_to, reactions.when_seat_declined),
    )


def _told_by_owner(
    event: Received[facts.CoursePublished] | Received[facts.CohortOpened] | Received[facts.CohortClosed],
    partnership: Partnership,
) -> Collection[str]:
    """Return every employer but the owner; nobody, when somebody tells of what is not theirs."""
    owner = event.data.owner
    if owner != event.organisation or not partnership.has_role(owner, _LEAD):
        return ()
    return [employer for employer in partnership.with_role(_EMPLOYER) if employer != owner]


def _asked_of(
    event: Received[facts.Requested] | Received[facts.Withdrawn], partnership: Partnership
) -> Collection[str]:
    owner = event.data.cohort_owner
    return (owner,) if partnership.has_role(owner, _LEAD) else ()


def _answer_to(event: Received[facts.Answered], partnership: Partnership) -> Collection[str]:
    employer = event.data.employer
    return (employer,) if partnership.has_role(employer, _EMPLOYER) else ()
