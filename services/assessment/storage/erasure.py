"""What an employer's database lets go of when a person is erased, and which collection holds what of a person.

`PLACES` names every collection of an assessment database; docs/personal-data.md says the same to people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from services.assessment.application.ports import Kept
from services.assessment.domain.portfolio import Portfolio
from services.assessment.storage import documents
from services.assessment.storage.repositories import EVALUATIONS, PEOPLE, PORTFOLIOS, SESSIONS
from shared.storage import erasures
from shared.storage.replies import forget_replies_about
from shared.storage.unit_of_work import Work

PLACES: Final[Mapping[str, str]] = {
    PORTFOLIOS: "opaque ids; names of evidence and exact reasons may be typed: replaced",
    PEOPLE: "opaque ids, and the random id of supervision events: removed",
    EVALUATIONS: "the one tie between a portfolio and its random id, with ratings: removed",
    SESSIONS: "opaque ids and days: removed",
    "courses": "nothing of a person",
}


class StoredErasures:
    """Erasure in one employer's database."""

    def is_news(self, work: Work, practitioner_id: str, number: int) -> bool:
        """Return whether this erasure is still to be answered, and keep that it was."""
        return erasures.is_news(work, work.organisation, practitioner_id, number)

    def portfolios_of(self, work: Work, practitioner_id: str) -> list[Kept[Portfolio]]:
        """Return every portfolio of the person."""
        found = work.rows(PORTFOLIOS).find({"practitioner_id": practitioner_id}, sort=[("_id", 1)])
        return [Kept(documents.portfolio_from(document), document["version"]) for document in found]

    def forget(self, work: Work, practitioner_id: str, portfolio_ids: Sequence[str]) -> bool:
        """Remove the person, their sessions, ratings and stored replies; return whether anything was there."""
        went = work.rows(PEOPLE).delete_one({"_id": practitioner_id})
        went += work.rows(SESSIONS).delete_many({"practitioner_id": practitioner_id})
        for portfolio_id in portfolio_ids:
            went += work.rows(EVALUATIONS).delete_one({"_id": portfolio_id})
            went += forget_replies_about(work, portfolio_id)
        return went > 0
