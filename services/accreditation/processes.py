"""The worker of accreditation as a part that runs until it is told to stop. A piece of the composition root."""

from __future__ import annotations

from threading import Event

import structlog
from pymongo.errors import PyMongoError

from services.accreditation.application.releasing import Registrar
from shared.clock import wait_for
from shared.errors import ConcurrentChange, Unavailable
from shared.storage.mongo import Client, answers

LONGEST_BACK_OFF_SECONDS = 15.0

log = structlog.get_logger(__name__)


class IdentityWorker:
    """The process that completes registrations: looks for identities to fetch, and fetches them."""

    def __init__(
        self, registrar: Registrar, universities: tuple[str, ...], client: Client, poll_seconds: float
    ) -> None:
        self._registrar = registrar
        self._universities = universities
        self._client = client
        self._poll_seconds = poll_seconds
        self._failures = 0

    def run(self, stop: Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            asked = self._round(stop)
            if self._failures:
                wait_for(stop, min(LONGEST_BACK_OFF_SECONDS, self._poll_seconds * 2 ** min(self._failures, 6)))
            elif not asked:
                wait_for(stop, self._poll_seconds)
        self._client.close()

    def ready(self) -> bool:
        """Return whether the database answered when it was last asked, and does so now."""
        return self._failures == 0 and answers(self._client)

    def _round(self, stop: Event) -> int:
        try:
            asked = sum(self._registrar.work_through(university, stop.is_set) for university in self._universities)
        except (Unavailable, ConcurrentChange, PyMongoError) as error:
            self._failures += 1
            log.warning("worker.waiting", reason=type(error).__name__)
            return 0
        self._failures = 0
        return asked
