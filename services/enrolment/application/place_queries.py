"""What an employer may look at of its people's places, as cohorts' owners told it. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.enrolment.application.ports import Books
from services.enrolment.domain import explanations, seats
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.lifecycle import DECLINED, HOLDS_SEAT, WAITING

_EXPLAINS = {seats.SEAT: HOLDS_SEAT, seats.WAITING: frozenset({WAITING}), seats.DECLINED: frozenset({DECLINED})}
"""Which statuses a decision explains: an enrolment that went on to another has its own history."""
_EXPLAINED = frozenset().union(*_EXPLAINS.values())


def explanations_of(books: Books, found: Sequence[Enrolment], names: Mapping[str, str]) -> dict[str, str]:
    """Return why enrolments have a seat, wait or have neither, by enrolment, with the numbers of the decision.

    Args:
        books: The employer's.
        found: The enrolments.
        names: What employers are called, by slug.
    """
    statuses = {each.enrolment_id: each.status for each in found if each.status in _EXPLAINED}
    return {
        enrolment_id: explanations.sentence(standing, names.get(standing.employer), as_decided=True)
        for enrolment_id, standing in books.news.standings(list(statuses)).items()
        if statuses[enrolment_id] in _EXPLAINS[standing.state]
    }
