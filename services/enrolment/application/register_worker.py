"""What finishes register checks whose request died, and lets go of what was read of files that were checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from services.enrolment.application import register_checks
from services.enrolment.application.entitlement_ports import RegisterCheck
from services.enrolment.application.ports import Desk, OpenBooks, OpenDesk
from services.enrolment.domain.registrations import RegisterRow, rows_written
from shared.errors import ConcurrentChange
from shared.storage.contents import Contents
from shared.storage.unit_of_work import UnitOfWork

T = TypeVar("T")


class RegisterWorker:
    """Brings the register checks of some employers to their end; the same again changes nothing."""

    def __init__(
        self, unit_of_work: UnitOfWork, organisations: Sequence[str], *, open_books: OpenBooks, open_desk: OpenDesk
    ) -> None:
        self._unit = unit_of_work
        self._organisations = tuple(organisations)
        self._open_books = open_books
        self._open_desk = open_desk

    def work_once(self) -> int:
        """Finish every check that nobody else is at work on; return how many were let go of."""
        return sum(
            self._finish(organisation, check)
            for organisation in self._organisations
            for check in self._open_books(self._unit.reading(organisation)).registrations.checks_at_work()
        )

    def _finish(self, organisation: str, check: RegisterCheck) -> bool:
        contents, content_id = Contents(self._unit, organisation), check.content_id or ""
        try:
            if not check.is_done:
                if self._commit(organisation, lambda desk: register_checks.lease(desk, check.check_id)) is None:
                    return False
                if content := contents.read(content_id):  # without it the check stays undone, and is sent again
                    self._check(organisation, check.check_id, rows_written(content))
            contents.drop(content_id)
            self._commit(organisation, lambda desk: register_checks.let_go(desk, check.check_id))
        except ConcurrentChange:
            return False  # somebody else took this step: the next round looks again
        return True

    def _check(self, organisation: str, check_id: str, rows: Mapping[str, RegisterRow]) -> None:
        while self._commit(organisation, lambda desk: register_checks.check_some(desk, rows, check_id)):
            pass

    def _commit(self, organisation: str, step: Callable[[Desk], T]) -> T:
        return self._unit.run(organisation, lambda work: step(self._open_desk(work)))
