"""Which events of other owners enrolment acts upon, for whom, and which are of no interest.

Requests and withdrawals concern the cohort's owner; answers concern the employer; the catalogue concerns every employer
but its owner, who kept it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from services.enrolment.application import (
    course_reactions,
    erasure_reactions,
    facts,
    place_reactions,
    reactions,
    seat_reactions,
    transfer_reactions,
)
from services.enrolment.application.ports import Desk, OpenDesk
from shared.events.envelope import Received
from shared.events.subscriptions import Subscription
from shared.partnership import Partnership
from shared.storage.unit_of_work import Work

T = TypeVar("T")
D = TypeVar("D", facts.ModuleApproved, facts.ModuleRefused)

FEEDS = ("enrolment", "assessment", "accreditation", "reporting")
IGNORED = frozenset(
    {
        "enrolment.line-manager-assigned.v1",
        "enrolment.employment-dated.v1",
        "enrolment.practitioner-merged.v1",  # whoever keeps a seat knows an enrolment, which stays what it was
        "enrolment.practitioner-split.v1",
        "enrolment.confirmed.v1",
        "enrolment.completed.v1",
        "enrolment.started.v1",  # a seat is held from confirmation on, whether somebody has started or pauses
        "enrolment.deferred.v1",
        "enrolment.resumed.v1",
        "enrolment.route-changed.v1",  # a cohort's seats are of both routes
        "enrolment.practitioner-erased.v1",  # whoever keeps a seat knows an opaque enrolment, nobody's identity
        "assessment.portfolio-opened.v1",  # of these three services the acknowledgements of an erasure are read
        "assessment.evidence-added.v1",
        "assessment.evidence-invalidated.v1",
        "assessment.self-assessment-recorded.v1",
        "assessment.supervision-held.v1",
        "assessment.portfolio-submitted.v1",
        "assessment.portfolio-returned.v1",
        "assessment.portfolio-verified.v1",
        "assessment.practice-recommended.v1",
        "accreditation.module-proposed.v1",
        "accreditation.candidate-registered.v1",
        "accreditation.work-submitted.v1",
        "accreditation.board-ratified.v1",
        "accreditation.credit-awarded.v1",
        "reporting.table-published.v1",
    }
)
_EMPLOYER = "employer"
_LEAD = "programme_lead"
_AWARDING_HEI = "awarding_hei"


def subscriptions(open_desk: OpenDesk) -> tuple[Subscription[Any], ...]:
    """Return the table; each reaction gets the desk of the organisation that takes the effect."""

    def row(
        name: str,
        struct: type[T],
        concerns: Callable[[Received[T], Partnership], Collection[str]],
        reaction: Callable[[Desk, Received[T]], None],
        service: str = "enrolment",
    ) -> Subscription[T]:
        def on_desk(work: Work, event: Received[T]) -> None:
            reaction(open_desk(work), event)

        return Subscription(type=f"{service}.{name}.v1", struct=struct, concerns=concerns, reaction=on_desk)

    def acknowledgement(service: str) -> Subscription[facts.ErasureAcknowledged]:
        def on_desk(work: Work, event: Received[facts.ErasureAcknowledged]) -> None:
            erasure_reactions.when_acknowledged(open_desk(work), event)

        name = f"{service}.erasure-acknowledged.v1"
        return Subscription(type=name, struct=facts.ErasureAcknowledged, concerns=_acknowledged, reaction=on_desk)

    return (
        row(
            "practice-confirmed",
            facts.PracticeConfirmed,
            _own_people,
            reactions.when_practice_confirmed,
            service="assessment",
        ),
        row("transferred", facts.Transferred, _asked_of, transfer_reactions.when_transferred),
        row("transfer-offered", facts.TransferOffered, _offered_to, transfer_reactions.when_offered),
        row("transfer-accepted", facts.TransferAccepted, _asked_of, transfer_reactions.when_accepted),
        row("transfer-refused", facts.TransferRefused, _asked_of, transfer_reactions.when_refused),
        row("transfer-closed", facts.TransferClosed, _both_employers, transfer_reactions.when_closed),
        *(acknowledgement(service) for service in ("assessment", "accreditation", "reporting")),
        row("course-published", facts.CoursePublished, _told_by_owner, reactions.when_course_published),
        row("course-described", facts.CourseDescribed, _told_by_owner, course_reactions.when_course_described),
        row("programme-described", facts.ProgrammeDescribed, _told_by_owner, course_reactions.when_programme_described),
        row(
            "module-approved",
            facts.ModuleApproved,
            _course_owner,
            course_reactions.when_module_approved,
            service="accreditation",
        ),
        row(
            "module-refused",
            facts.ModuleRefused,
            _course_owner,
            course_reactions.when_module_refused,
            service="accreditation",
        ),
        row("cohort-opened", facts.CohortOpened, _told_by_owner, reactions.when_cohort_opened),
        row("cohort-closed", facts.CohortClosed, _told_by_owner, reactions.when_cohort_closed),
        row("requested", facts.Requested, _asked_of, seat_reactions.when_requested),
        row("withdrawn", facts.Withdrawn, _asked_of, seat_reactions.when_withdrawn),
        row("seat-confirmed", facts.Answered, _answer_to, reactions.when_seat_given),
        row("seat-promoted", facts.Answered, _answer_to, reactions.when_seat_given),
        row("wait-listed", facts.Answered, _answer_to, reactions.when_wait_listed),
        row("cohort-terms-set", facts.CohortTermsSet, _told_to_all, place_reactions.when_terms_set),
        row("place-explained", facts.PlaceExplained, _told_to_employer, place_reactions.when_place_explained),
        row(
            "attendance-recorded", facts.AttendanceRecorded, _told_to_employer, place_reactions.when_attendance_recorded
        ),
        row("seat-declined", facts.Answered, _answer_to, reactions.when_seat_declined),
    )


def _acknowledged(event: Received[facts.ErasureAcknowledged], partnership: Partnership) -> Collection[str]:
    """Return the employer that is answered; assessment answers its own employer and nobody else."""
    employer = event.data.employer
    if event.service == "assessment" and event.organisation != employer:
        return ()
    return (employer,) if partnership.has_role(employer, _EMPLOYER) else ()


def _course_owner(
    event: Received[facts.ModuleApproved] | Received[facts.ModuleRefused], partnership: Partnership
) -> Collection[str]:
    """Return the programme lead whose course it is; nobody, when no awarding university says so."""
    owner = event.data.course_owner
    decides = partnership.has_role(event.organisation, _AWARDING_HEI)
    return (owner,) if decides and partnership.has_role(owner, _LEAD) else ()


def _told_by_owner(
    event: Received[facts.CoursePublished]
    | Received[facts.CourseDescribed]
    | Received[facts.ProgrammeDescribed]
    | Received[facts.CohortOpened]
    | Received[facts.CohortClosed],
    partnership: Partnership,
) -> Collection[str]:
    """Return every employer but the owner; nobody, when somebody tells of what is not theirs."""
    owner = event.data.owner
    if owner != event.organisation or not partnership.has_role(owner, _LEAD):
        return ()
    return [employer for employer in partnership.with_role(_EMPLOYER) if employer != owner]


def _asked_of(
    event: Received[facts.Requested]
    | Received[facts.Withdrawn]
    | Received[facts.Transferred]
    | Received[facts.TransferAccepted]
    | Received[facts.TransferRefused],
    partnership: Partnership,
) -> Collection[str]:
    owner = event.data.cohort_owner
    return (owner,) if partnership.has_role(owner, _LEAD) else ()


def _answer_to(event: Received[facts.Answered], partnership: Partnership) -> Collection[str]:
    employer = event.data.employer
    return (employer,) if partnership.has_role(employer, _EMPLOYER) else ()


def _own_people(event: Received[facts.PracticeConfirmed], partnership: Partnership) -> Collection[str]:
    """Return the employer whose assessors confirmed: nobody finishes another's enrolment."""
    return (event.organisation,) if partnership.has_role(event.organisation, _EMPLOYER) else ()


def _offered_to(event: Received[facts.TransferOffered], partnership: Partnership) -> Collection[str]:
    """Return who may take the person on; nobody, when no programme lead says it."""
    employer = event.data.employer
    is_true = partnership.has_role(event.organisation, _LEAD) and partnership.has_role(employer, _EMPLOYER)
    return (employer,) if is_true else ()


def _both_employers(event: Received[facts.TransferClosed], partnership: Partnership) -> Collection[str]:
    """Return who gave the place over and who was asked to take it; nobody, when no programme lead says it."""
    if not partnership.has_role(event.organisation, _LEAD):
        return ()
    both = dict.fromkeys((event.data.employer, event.data.to_employer))
    return [employer for employer in both if partnership.has_role(employer, _EMPLOYER)]


def _told_to_all(event: Received[facts.CohortTermsSet], partnership: Partnership) -> Collection[str]:
    """Return every employer, the owner too; nobody, when somebody tells of what is not theirs."""
    owner = event.data.owner
    is_true = owner == event.organisation and partnership.has_role(owner, _LEAD)
    return partnership.with_role(_EMPLOYER) if is_true else ()


def _told_to_employer(
    event: Received[facts.PlaceExplained] | Received[facts.AttendanceRecorded], partnership: Partnership
) -> Collection[str]:
    employer = event.data.employer
    return (employer,) if partnership.has_role(employer, _EMPLOYER) else ()
