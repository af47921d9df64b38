"""What promotes the rest of a queue that was too long for one transaction: a hundred per step, in the same order."""

from __future__ import annotations

from collections.abc import Sequence

from services.enrolment.application.cohort_handlers import go_on
from services.enrolment.application.ports import OpenBooks, OpenDesk
from shared.errors import ConcurrentChange
from shared.storage.unit_of_work import UnitOfWork

QUEUE_SECONDS = 1.0


class QueueWorker:
    """The queues of some programme leads."""

    def __init__(
        self, unit_of_work: UnitOfWork, organisations: Sequence[str], *, open_books: OpenBooks, open_desk: OpenDesk
    ) -> None:
        self._unit = unit_of_work
        self._organisations = tuple(organisations)
        self._open_books = open_books
        self._open_desk = open_desk

    def work_once(self) -> bool:
        """Promote everybody who is in turn; return whether anybody was."""
        found = [
            self._go(organisation, kept.course, kept.intake)
            for organisation in self._organisations
            for kept in self._open_books(self._unit.reading(organisation)).cohorts.unsettled()
        ]
        return any(found)

    def _go(self, organisation: str, course: str, intake: str) -> bool:
        did_something = False
        try:
            while self._unit.run(organisation, lambda work: go_on(self._open_desk(work), course, intake)):
                did_something = True
        except ConcurrentChange:
            return did_something  # somebody else's change promotes them, or the next round does
        return did_something
