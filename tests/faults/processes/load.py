"""A bounded load of writes in an open model: each is due at its own moment, whether or not earlier ones have ended.

Nine of ten nominate somebody, one of ten withdraws somebody whose nomination was acknowledged. Whatever has no answer,
or one that asks to try again, is asked again with the same key; every `gives_up_every`-th request is not, and stays
unknown for ever. With `awards` a few people go all the way to their credit meanwhile. All of it is in the `history`.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import count

import httpx

from shared.identifiers import new_identifier
from shared.local.play.doors import Doors
from shared.testing.history import History, Operation, Outcome
from tests.courses import COMMUNITY_CAPACITY
from tests.faults.processes.awarding import Awarding, approve_module
from tests.faults.processes.stage import CLOCK, EMPLOYERS, LEAD, Stage, until

COURSE, INTAKES, SMALL = "CCB", ("2025-10", "2026-01"), 5
NOMINATE, WITHDRAW = "nominate", "withdraw"
WORKERS = 12
PATIENCE_SECONDS = 90.0
TRY_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
WITHDRAW_EVERY = 10
_REFS = count(1)
_SPELLED = str.maketrans("0123456789", "abcdefghij")
"""A name counts by its letters: with digits in them, everybody would be held for one and the same person."""


def open_cohorts(stage: Stage) -> None:
    """Publish the course with its module, a cohort with seats for everybody and a small one; wait until all know."""
    doors = Doors(stage.platform, CLOCK)
    approve_module(doors, COURSE, INTAKES[0])
    lead = doors.as_("enrolment", LEAD, "programme_lead")
    lead.put(lead.path(f"courses/{COURSE}"), COMMUNITY_CAPACITY)
    for intake, capacity in zip(INTAKES, (9999, SMALL), strict=True):
        lead.put(lead.path(f"courses/{COURSE}/cohorts/{intake}"), {"capacity": capacity})
    for employer in EMPLOYERS:
        hr = doors.as_("enrolment", employer, "hr")
        until(lambda hr=hr: _cohorts(hr) == len(INTAKES), "the catalogue")
    doors.close()


def _cohorts(hr) -> int:
    return sum(len(item["cohorts"]) for item in hr.get("/v1/catalogue")["items"])


def a_record(ref: str, number: int, intake: str) -> dict[str, object]:
    """Return a nomination of somebody made up."""
    return {
        "employee_ref": ref,
        "given_name": f"Given{number}".translate(_SPELLED),
        "family_name": f"Family{number}".translate(_SPELLED),
        "email": f"person{number}@load.example",
        "date_of_birth": "1982-07-07",
        "swe_number": f"SW{number:06d}",
        "job_title": "Social Worker",
        "team": "North",
        "pcf_level": "SW",
        "line_manager_ref": "M-1",
        "employment_start": "2012-03-03",
        "fte": 1.0,
        "course": COURSE,
        "intake": intake,
        "route": "practice_only",
        "manager_approved_on": "2025-07-03",
        "prerequisite_on": None,
    }


def _somebody(ref: str) -> dict[str, object]:
    return a_record(ref, next(_REFS), INTAKES[0])


class Load:
    """The clients. `answers` counts statuses and transport errors by name, over all attempts."""

    def __init__(
        self,
        stage: Stage,
        history: History,
        *,
        per_second: float,
        gives_up_every: int = 0,
        urls: Sequence[str] = (),
        workers: int = WORKERS,
        small_every: int = 12,
        awards: bool = False,
    ) -> None:
        self.history = history
        self.answers: Counter[str] = Counter()
        self.seconds: deque[float] = deque(maxlen=5000)
        self._doors = Doors(stage.platform, CLOCK)
        self._urls = tuple(urls) or (stage.platform.url("enrolment"),)
        self._per_second = per_second
        self._gives_up_every = gives_up_every
        self._small_every = small_every
        self._due: queue.Queue[int | None] = queue.Queue()
        self._made: deque[tuple[str, str]] = deque()
        self._workers = workers
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.late = 0
        self.awarding = Awarding(stage, history, _somebody) if awards else None

    @contextlib.contextmanager
    def running(self) -> Iterator[Load]:
        """Write until the block ends, then wait for what is under way."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def start(self) -> None:
        """Begin to write."""
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._workers)]
        self._threads.append(threading.Thread(target=self._schedule, daemon=True))
        for thread in self._threads:
            thread.start()
        if self.awarding is not None:
            self.awarding.start()
            one = self.awarding
            until(lambda: one.awarded or not one.is_alive(), "the first credit, before anything goes wrong")

    def stop(self) -> None:
        """Ask for nothing new, finish what was begun."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS * 2)
        self._doors.close()
        if self.awarding is not None:
            self.awarding.end()

    def acknowledged(self) -> int:
        """Return how many operations are known to have been done."""
        return self.history.counts()["ok"]

    def _schedule(self) -> None:
        began, number = CLOCK.monotonic(), 0
        while not self._stop.is_set():
            number += 1
            due = began + number / self._per_second
            self._stop.wait(max(0.0, due - CLOCK.monotonic()))
            self.late = max(self.late, self._due.qsize())
            self._due.put(number)
        for _ in range(self._workers):
            self._due.put(None)

    def _work(self) -> None:
        with httpx.Client(timeout=20.0, limits=httpx.Limits(max_keepalive_connections=0)) as client:
            while (number := self._due.get()) is not None:
                if self._stop.is_set():
                    continue
                withdrawn = self._made.popleft() if number % WITHDRAW_EVERY == 0 and len(self._made) > 20 else None
                patient = not (self._gives_up_every and number % self._gives_up_every == 0)
                if withdrawn:
                    self._withdraw(client, *withdrawn, patient=patient)
                else:
                    self._nominate(client, number, patient=patient)

    def _nominate(self, client: httpx.Client, number: int, *, patient: bool) -> None:
        employer = EMPLOYERS[number % len(EMPLOYERS)]
        unique = next(_REFS)
        intake = INTAKES[1] if number % self._small_every == 0 else INTAKES[0]
        operation = self.history.invoke(kind=NOMINATE, label=f"R{unique}", key=new_identifier())
        body = a_record(operation.label, unique, intake)
        reply = self._ask(client, operation, employer, "enrolments", body, patient=patient)
        if reply is not None:
            made = reply.json()["enrolment_id"]
            self.history.ended(operation, Outcome.OK, made)
            self._made.append((employer, made))

    def _withdraw(self, client: httpx.Client, employer: str, enrolment_id: str, *, patient: bool) -> None:
        operation = self.history.invoke(kind=WITHDRAW, label=enrolment_id, key=new_identifier())
        body = {"reason": "workload", "withdrawn_on": f"{CLOCK.now():%Y-%m-%d}"}
        if self._ask(client, operation, employer, f"enrolments/{enrolment_id}/withdraw", body, patient=patient):
            self.history.ended(operation, Outcome.OK, enrolment_id)

    def _ask(
        self, client: httpx.Client, operation: Operation, employer: str, path: str, body: object, *, patient: bool
    ) -> httpx.Response | None:
        """Ask until there is an answer; note a refusal; return a success."""
        began = CLOCK.monotonic()
        uncertain = False
        while True:
            operation.attempts += 1
            at = CLOCK.monotonic()
            reply = self._once(client, operation, employer, path, body)
            if reply is not None and reply.is_success:
                self.seconds.append(CLOCK.monotonic() - at)
                return reply
            if reply is not None and reply.status_code not in TRY_AGAIN:
                self._count(f"refused {reply.status_code}: {reply.text[:200]}")
                if not uncertain:
                    self.history.ended(operation, Outcome.FAILED)
                return None
            uncertain = uncertain or reply is None or reply.status_code >= 500
            if not patient or CLOCK.monotonic() - began > PATIENCE_SECONDS:
                return None
            CLOCK.sleep(0.2)

    def _once(
        self, client: httpx.Client, operation: Operation, employer: str, path: str, body: object
    ) -> httpx.Response | None:
        """Return one answer, None where there is none. Refused, it goes to the next address, as a balancer does."""
        token = self._doors.token("enrolment", employer, "hr", "hr-desk")
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": operation.key}
        first = operation.attempts
        for turn in range(len(self._urls)):
            url = self._urls[(first + turn) % len(self._urls)]
            try:
                reply = client.post(f"{url}/v1/organisations/{employer}/{path}", headers=headers, json=body)
            except httpx.ConnectError:
                self._count("connection refused")
                continue
            except httpx.TransportError as error:
                self._count(type(error).__name__)
                return None
            self._count(str(reply.status_code))
            return reply
        return None

    def _count(self, what: str) -> None:
        with self._lock:
            self.answers[what] += 1
