"""What lapses by itself when its last day is over: offered seats, and places that nobody took on.

A sweep looks first and begins a transaction only where something is over; each gives back a few and may run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.enrolment.application.handlers import lapse_offers
from services.enrolment.application.ports import Books, Desk, OpenBooks, OpenDesk
from services.enrolment.application.transfer_reactions import lapse_handovers
from shared.clock import london_date
from shared.errors import ConcurrentChange
from shared.storage.unit_of_work import UnitOfWork

LAPSED_AT_ONCE = 5
"""Few, because each place that goes back may promote many."""
STEPS_PER_SWEEP = 200


class DeadlineWorker:
    """Sweeps the deadlines of some organisations; bounded, and the same again changes nothing."""

    def __init__(
        self, unit_of_work: UnitOfWork, organisations: Sequence[str], *, open_books: OpenBooks, open_desk: OpenDesk
    ) -> None:
        self._unit = unit_of_work
        self._organisations = tuple(organisations)
        self._open_books = open_books
        self._open_desk = open_desk

    def work_once(self) -> int:
        """Give back all that is over, up to a bound; return how many there were."""
        return sum(
            self._sweep(organisation, any_left, step)
            for organisation in self._organisations
            for any_left, step in ((_any_offer_over, lapse_offers), (_any_handover_over, lapse_handovers))
        )

    def _sweep(self, organisation: str, any_left: Callable[[Books], bool], step: Callable[[Desk, int], int]) -> int:
        done = 0
        for _ in range(STEPS_PER_SWEEP):
            if not any_left(self._open_books(self._unit.reading(organisation))):
                break
            try:
                done += self._unit.run(organisation, lambda work: step(self._open_desk(work), LAPSED_AT_ONCE))
            except ConcurrentChange:
                break  # somebody decides about the same at this moment; the next sweep looks again
        return done


def _any_offer_over(books: Books) -> bool:
    return bool(books.enrolments.offers_over(london_date(books.now), 1))


def _any_handover_over(books: Books) -> bool:
    return bool(books.handovers.overdue(london_date(books.now), 1))
