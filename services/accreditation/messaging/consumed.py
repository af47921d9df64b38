"""What accreditation takes from the employers' feeds, each type with its own tolerant struct.

Only the fields used are named; unknown ones are ignored. A fact is kept for every awarding university that it may
concern; facts under an enrolment that is not this university's stay without effect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Any

import msgspec

from services.accreditation.application import erasure, reactions
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
        "enrolment.course-described.v1",
        "enrolment.programme-described.v1",
        "enrolment.cohort-opened.v1",
        "enrolment.cohort-terms-set.v1",
        "enrolment.place-explained.v1",
        "enrolment.attendance-recorded.v1",
        "enrolment.cohort-closed.v1",
        "enrolment.line-manager-assigned.v1",
        "enrolment.employment-dated.v1",
        "enrolment.practitioner-merged.v1",  # a university knows its students itself: it is never told who is whom
        "enrolment.practitioner-split.v1",
        "enrolment.requested.v1",
        "enrolment.seat-confirmed.v1",
        "enrolment.wait-listed.v1",
        "enrolment.seat-declined.v1",
        "enrolment.seat-promoted.v1",
        "enrolment.completed.v1",
        "enrolment.started.v1",
        "enrolment.deferred.v1",  # when academic work is due, the university's own panel decides (BR-21)
        "enrolment.resumed.v1",
        "enrolment.transfer-offered.v1",
        "enrolment.transfer-accepted.v1",  # the confirmation that follows registers
        "enrolment.transfer-refused.v1",
        "enrolment.transfer-closed.v1",
        "assessment.portfolio-opened.v1",
        "assessment.evidence-added.v1",
        "assessment.evidence-invalidated.v1",
        "assessment.self-assessment-recorded.v1",
        "assessment.supervision-held.v1",
        "assessment.portfolio-submitted.v1",
        "assessment.portfolio-returned.v1",
        "assessment.portfolio-verified.v1",
        "assessment.practice-recommended.v1",
        "assessment.erasure-acknowledged.v1",  # between the employer's own services
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


class RouteChanged(msgspec.Struct, frozen=True, kw_only=True):
    """`enrolment.route-changed.v1`: the academic element is taken up or left."""

    enrolment_id: str
    practitioner_id: str
    cohort_owner: str
    course: str
    intake: str
    route: str
    change_number: int
    effective_on: date
    awarding_hei: str | None = None
    module: str | None = None


class EnrolmentTransferred(msgspec.Struct, frozen=True, kw_only=True):
    """`enrolment.transferred.v1`: the person goes to another employer."""

    enrolment_id: str
    transferred_on: date


class PracticeConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """`assessment.practice-confirmed.v1`."""

    enrolment_id: str
    route: str
    outcome: Outcome
    confirmed_on: date


class PractitionerErased(msgspec.Struct, frozen=True, kw_only=True):
    """`enrolment.practitioner-erased.v1`."""

    practitioner_id: str


def _to_every_university(event: Received[PractitionerErased], partnership: Partnership) -> Collection[str]:
    return partnership.with_role(AWARDING_HEI) if partnership.has_role(event.organisation, EMPLOYER) else ()


def when_erased(desk: Desk, event: Received[PractitionerErased]) -> None:
    """Hand an employer's erasure to the university, which decides about its own copy."""
    erasure.when_practitioner_erased(desk, event.organisation, event.data.practitioner_id, event.number)


def _to_the_named_university(event: Received[Confirmed], partnership: Partnership) -> Collection[str]:
    data = event.data
    if not partnership.has_role(event.organisation, EMPLOYER) or data.route != ACADEMIC:
        return ()
    named = data.awarding_hei
    return (named,) if named is not None and partnership.has_role(named, AWARDING_HEI) else ()


def _to_the_awarding_university(event: Received[RouteChanged], partnership: Partnership) -> Collection[str]:
    """Return the university of the course's academic element, whether it is taken up or left."""
    named = event.data.awarding_hei
    is_told = partnership.has_role(event.organisation, EMPLOYER) and named is not None
    return (named,) if is_told and named is not None and partnership.has_role(named, AWARDING_HEI) else ()


def _to_universities(
    event: Received[EnrolmentWithdrawn] | Received[PracticeConfirmed] | Received[EnrolmentTransferred],
    partnership: Partnership,
) -> Collection[str]:
    """Return all of them, whatever the route is now: it may have changed after somebody was registered."""
    return partnership.with_role(AWARDING_HEI) if partnership.has_role(event.organisation, EMPLOYER) else ()


def _concerns_nobody(desk: Desk, employer: str, enrolment_id: str, route: str) -> bool:
    """Return whether this is about practice alone, of somebody who is not registered here."""
    return route != ACADEMIC and desk.candidacies.find(employer, enrolment_id).enrolment is None


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


def when_route_changed(desk: Desk, event: Received[RouteChanged]) -> None:
    """Register whoever takes the academic element up, and end the registration of whoever leaves it."""
    data = event.data
    if data.route != ACADEMIC:
        reactions.when_academic_dropped(
            desk, event.organisation, data.enrolment_id, data.effective_on, data.change_number
        )
        return
    added = reactions.ConfirmedEnrolment(
        employer=event.organisation,
        enrolment_id=data.enrolment_id,
        practitioner_id=data.practitioner_id,
        run=Run(data.cohort_owner, data.course, data.intake),
        module=data.module,
        confirmed_on=data.effective_on,
    )
    reactions.when_academic_added(desk, added, data.change_number)


def when_transferred(desk: Desk, event: Received[EnrolmentTransferred]) -> None:
    """Hand a transfer to the university's registrations."""
    reactions.when_transferred(desk, event.organisation, event.data.enrolment_id, event.data.transferred_on)


def when_withdrawn(desk: Desk, event: Received[EnrolmentWithdrawn]) -> None:
    """Hand a withdrawal to the university's registrations."""
    if _concerns_nobody(desk, event.organisation, event.data.enrolment_id, event.data.route):
        return
    reactions.when_withdrawn(desk, event.organisation, event.data.enrolment_id, event.data.withdrawn_on)


def when_practice_confirmed(desk: Desk, event: Received[PracticeConfirmed]) -> None:
    """Hand the outcome of practice to the university's registrations."""
    if _concerns_nobody(desk, event.organisation, event.data.enrolment_id, event.data.route):
        return
    practice = Practice(outcome=event.data.outcome, confirmed_on=event.data.confirmed_on)
    reactions.when_practice_confirmed(desk, event.organisation, event.data.enrolment_id, practice)


def subscriptions(open_desk: OpenDesk) -> tuple[Subscription[Any], ...]:
    """Return the table of what is acted upon, with reactions bound to desks that `open_desk` opens."""

    def on_desk(reaction: Callable[[Desk, Received[Any]], None]) -> Callable[[Work, Received[Any]], None]:
        return lambda work, event: reaction(open_desk(work), event)

    return (
        Subscription("enrolment.confirmed.v1", Confirmed, _to_the_named_university, on_desk(when_confirmed)),
        Subscription(
            "enrolment.route-changed.v1", RouteChanged, _to_the_awarding_university, on_desk(when_route_changed)
        ),
        Subscription("enrolment.transferred.v1", EnrolmentTransferred, _to_universities, on_desk(when_transferred)),
        Subscription("enrolment.withdrawn.v1", EnrolmentWithdrawn, _to_universities, on_desk(when_withdrawn)),
        Subscription(
            "enrolment.practitioner-erased.v1", PractitionerErased, _to_every_university, on_desk(when_erased)
        ),
        Subscription(
            "assessment.practice-confirmed.v1", PracticeConfirmed, _to_universities, on_desk(when_practice_confirmed)
        ),
    )
