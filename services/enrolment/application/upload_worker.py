"""The worker that brings uploaded files forward, one leased job at a time, one transaction per step.

What a step does is in `upload_handlers`; when the next one is due, and what happens after a fault, is here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

from services.enrolment.application import mapping_drafts, upload_handlers, upload_leases, uploads
from services.enrolment.application.ports import Desk, OpenBooks, OpenDesk, ReadFile
from services.enrolment.application.timers import Timer
from services.enrolment.application.upload_handlers import CheckedRow
from services.enrolment.application.uploads import Upload
from services.enrolment.domain.errors import UnreadableFile
from shared.clock import wait_for
from shared.errors import ConcurrentChange, Unavailable
from shared.storage.contents import Contents
from shared.storage.unit_of_work import UnitOfWork

T = TypeVar("T")

BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.3
AWAY_SECONDS = 2.0
SWEEP_SECONDS = 600.0
MOST_LEASES = 10
MOST_UNREAD_LEASES = 3
"""How often a file is begun of which no row was checked yet: what stops a reader does so before the first."""
MOST_UNMAPPED = 1000
_STEPS: dict[str, Callable[[Desk, Upload], Upload]] = {
    uploads.COMPARING: upload_handlers.compare_step,
    uploads.CONFIRMING: upload_handlers.import_step,
    uploads.WITHDRAWING: upload_handlers.withdraw_step,
}


class UploadWorker:
    """Brings the uploads of some organisations forward until it is stopped."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        organisations: Sequence[str],
        *,
        open_books: OpenBooks,
        open_desk: OpenDesk,
        read_file: ReadFile,
        close: Callable[[], None] = lambda: None,
        answers: Callable[[], bool] = lambda: True,
        timers: Sequence[Timer] = (),
    ) -> None:
        self._unit = unit_of_work
        self._organisations = tuple(organisations)
        self._open_books = open_books
        self._open_desk = open_desk
        self._read_file = read_file
        self._close = close
        self._answers = answers
        self._reachable = True
        self._timers = (Timer(SWEEP_SECONDS, self.sweep), *timers)

    def ready(self) -> bool:
        """Return whether the database answered last, and does so now."""
        return self._reachable and self._answers()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then return after the step at hand."""
        try:
            while not stop.is_set():
                try:
                    for timer in self._timers:
                        timer.tick(self._unit.clock)
                    did_something = self.work_once(stop)
                    self._reachable = True
                except Unavailable:
                    self._reachable = False
                    wait_for(stop, AWAY_SECONDS)
                    continue
                wait_for(stop, BUSY_SECONDS if did_something else IDLE_SECONDS)
        finally:
            self._close()

    def work_once(self, stop: threading.Event | None = None) -> bool:
        """Bring every job that waits as far as it goes; return whether there was any."""
        did_something = False
        for organisation in self._organisations:
            for job in self._open_books(self._unit.reading(organisation)).uploads.waiting():
                did_something = self._bring_forward(organisation, job.upload_id, stop) or did_something
        return did_something

    def _bring_forward(self, organisation: str, upload_id: str, stop: threading.Event | None) -> bool:
        try:
            held = self._commit(organisation, lambda desk: upload_handlers.lease(desk, upload_id))
            if held is None:
                return False
            if held.state == uploads.CHECKING:
                self._check(organisation, held, stop)
            elif held.state == uploads.REMOVING:
                self._remove(organisation, held, stop)
            else:
                self._step_by_step(organisation, held, stop)
            if stop is not None and stop.is_set():
                self._commit(organisation, lambda desk: upload_leases.give_back(desk, held))
        except ConcurrentChange:
            return False
        return True

    def _check(self, organisation: str, held: Upload, stop: threading.Event | None) -> None:
        """Go through the file twice: once to know that all of it can be read, once to check its rows."""
        try:
            content = self._content(organisation, held)
            total = sum(1 for _ in self._read_file(content, held.mapping))
        except UnreadableFile as fault:
            failure = fault
            self._commit(organisation, lambda desk: upload_handlers.fail(desk, held, failure))
            self._contents(organisation).drop(held.content_id)
            return
        rows = islice(self._read_file(content, held.mapping), held.done, None)
        earlier: set[str] | None = None if held.done else set()  # who begins in the middle has not seen the rest
        while held.state == uploads.CHECKING and not (stop and stop.is_set()):
            part = upload_handlers.read_part(islice(rows, uploads.CHECKED_PER_STEP), held.mapping)
            held = self._check_step(organisation, held, part, total, earlier)
            if earlier is not None:
                earlier.update(row.key for row in part)
        if held.state != uploads.CHECKING:  # every row is known by now
            self._contents(organisation).drop(held.content_id)
        self._step_by_step(organisation, held, stop)

    def _content(self, organisation: str, held: Upload) -> bytes:
        if held.epoch > (MOST_LEASES if held.done else MOST_UNREAD_LEASES):
            raise UnreadableFile("this file stopped its reader again and again; send it in another format")
        return self._contents(organisation).read(held.content_id)

    def _contents(self, organisation: str) -> Contents:
        return Contents(self._unit, organisation)

    def _check_step(
        self, organisation: str, held: Upload, part: list[CheckedRow], total: int, earlier: set[str] | None
    ) -> Upload:
        return self._commit(organisation, lambda desk: upload_handlers.check_step(desk, held, part, total, earlier))

    def _step_by_step(self, organisation: str, held: Upload, stop: threading.Event | None) -> None:
        """Go on with a job whose rows are known, until it waits for a person or is completed."""
        while held.state in _STEPS and not (stop and stop.is_set()):
            held = self._step(organisation, held)

    def _step(self, organisation: str, held: Upload) -> Upload:
        step = _STEPS[held.state]
        return self._commit(organisation, lambda desk: step(desk, held))

    def _remove(self, organisation: str, held: Upload, stop: threading.Event | None) -> None:
        self._contents(organisation).drop(held.content_id)
        left: Upload | None = held
        while left is not None and not (stop and stop.is_set()):
            left = self._remove_step(organisation, left)

    def _remove_step(self, organisation: str, held: Upload) -> Upload | None:
        return self._commit(organisation, lambda desk: upload_handlers.remove_step(desk, held))

    def sweep(self) -> None:
        """Forget files that no job names: of requests that were repeated or never ended, of a worker that died."""
        for organisation in self._organisations:
            books = self._open_books(self._unit.reading(organisation))
            jobs = books.uploads
            unmapped = jobs.latest(None, MOST_UNMAPPED, (uploads.MAPPING,))
            for job in unmapped:
                if mapping_drafts.is_forgotten(job, self._unit.clock.now()):
                    self._forget(organisation, job)
            named = [job for job in unmapped if not mapping_drafts.is_forgotten(job, self._unit.clock.now())]
            checks = [check.content_id for check in books.registrations.checks_at_work() if check.content_id]
            self._contents(organisation).sweep([*(job.content_id for job in (*jobs.waiting(), *named)), *checks])

    def _forget(self, organisation: str, job: Upload) -> None:
        self._commit(organisation, lambda desk: mapping_drafts.forget(desk, job.upload_id))

    def _commit(self, organisation: str, step: Callable[[Desk], T]) -> T:
        return self._unit.run(organisation, lambda work: step(self._open_desk(work)))
