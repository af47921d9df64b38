"""What carries out erasures and clears out what is too old: one small transaction per step, a few steps per round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import structlog

from services.enrolment.application import erasure, retention
from services.enrolment.application.ports import Desk, OpenBooks, OpenDesk
from services.enrolment.domain.retention import RUNNING
from shared.errors import ConcurrentChange, PlatformError, Unavailable
from shared.storage.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

MOST_STEPS = 50
"""Of one job in one round: files that were sent meanwhile are not kept waiting."""
Expected = Callable[[str], tuple[str, ...]]
Step = Callable[[Desk], bool]


class RightsWorker:
    """Erasures and retention of some employers. `expected(organisation)` names who has to answer its erasures."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        organisations: Sequence[str],
        *,
        open_books: OpenBooks,
        open_desk: OpenDesk,
        expected: Expected,
    ) -> None:
        self._unit = unit_of_work
        self._organisations = tuple(organisations)
        self._open_books = open_books
        self._open_desk = open_desk
        self._expected = expected

    def work_once(self) -> bool:
        """Bring every job some steps forward; return whether one of them can go on at once."""
        found = [
            self._go(organisation, step) for organisation in self._organisations for step in self._jobs(organisation)
        ]
        return any(found)

    def _jobs(self, organisation: str) -> Iterator[Step]:
        books, expected = self._open_books(self._unit.reading(organisation)), self._expected(organisation)
        for run in books.ageing.runs(RUNNING):
            yield lambda desk, run=run: retention.step(desk, run.run_id, expected)  # type: ignore[misc]
        for one in books.erasures.running():
            yield lambda desk, one=one: erasure.step(desk, one.erasure_id)  # type: ignore[misc]

    def _go(self, organisation: str, step: Step) -> bool:
        try:
            for _ in range(MOST_STEPS):
                if not self._unit.run(organisation, lambda work: step(self._open_desk(work))):
                    return False
        except ConcurrentChange:
            return False  # somebody else took this step: the next round goes on
        except Unavailable:
            raise  # nobody's job can go on
        except PlatformError as error:  # of this job only: all others, and everybody's files, go on
            log.exception("a job of erasure or retention cannot go on", organisation=organisation, error=error.slug)
            return False
        return True
