"""What looks for records that may be one person, among those that were kept lately: some hundred of them per step."""

from __future__ import annotations

from collections.abc import Sequence

from services.enrolment.application.duplicates import match_some
from services.enrolment.application.ports import OpenBooks, OpenDesk
from shared.errors import ConcurrentChange
from shared.storage.unit_of_work import UnitOfWork

STEPS_PER_ROUND = 5
"""Files that were sent meanwhile are not kept waiting."""


class MatchWorker:
    """Holds people against one another, employer by employer; the same again changes nothing."""

    def __init__(
        self, unit_of_work: UnitOfWork, organisations: Sequence[str], *, open_books: OpenBooks, open_desk: OpenDesk
    ) -> None:
        self._unit = unit_of_work
        self._organisations = tuple(organisations)
        self._open_books = open_books
        self._open_desk = open_desk

    def work_once(self) -> bool:
        """Look at everybody who is due, up to a bound; return whether somebody may be left."""
        found = [self._match(organisation) for organisation in self._organisations]
        return any(found)

    def _match(self, organisation: str) -> bool:
        if not self._open_books(self._unit.reading(organisation)).people.to_match(1).batches:
            return False
        try:
            for _ in range(STEPS_PER_ROUND):
                if not self._unit.run(organisation, lambda work: match_some(self._open_desk(work))):
                    return False
        except ConcurrentChange:
            pass  # somebody is changed at this moment; the next round looks again
        return True
