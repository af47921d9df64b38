"""A bounded load of writes in an open model: each is due at its own moment, whether or not earlier ones have ended.

Nine of ten nominate somebody, one of ten withdraws somebody whose nomination was acknowledged. With `pieces_each` that
many pieces of evidence go into people's portfolios after each of these. Whatever has no answer, or one that asks to try
again, is asked again with the same key; every `gives_up_every`-th request is not, and stays unknown for ever. Every
twentieth nomination is for a cohort that nobody offers, and has to be refused and to leave nothing behind. With
`awards` a few people go all the way to their credit meanwhile. All of it is in the `history`.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import httpx

from shared.identifiers import new_identifier
from shared.local.play.doors import Doors
from shared.testing.history import History, Operation, Outcome
from tests.courses import COMMUNITY_CAPACITY
from tests.faults.processes.awarding import Awarding, approve_module
from tests.faults.processes.collecting import EVIDENCE, Collector, Collectors
from tests.faults.processes.stage import CLOCK, EMPLOYERS, LEAD, Stage, until

COURSE, INTAKES, SMALL = "CCB", ("2025-10", "2026-01"), 5
OFFERED_BY_NOBODY, HOPELESS_EVERY = "2031-10", 20
NOMINATE, WITHDRAW = "nominate", "withdraw"
TEAM = "the canary's"
WORDS_OF_PAYLOADS = (TEAM, "load.example", "1982-07-07", "work_product", "critical_reflection", "practice_only")
"""What stands in requests, rows or events of this load: no process may write any of it to its log."""
WORKERS = 12
PATIENCE_SECONDS = 90.0
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
WITHDRAW_EVERY = 10
MAY_LEAVE_EVERY = 4
"""Who fills a portfolio is not withdrawn, so that what is known of a piece does not depend on who was quicker."""
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
        "team": TEAM,
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


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks, and whom: one desk of a role for each employer."""

    service: str
    role: str
    subject: str


HR = Desk("enrolment", "hr", "hr-desk")
SUPERVISOR = Desk("assessment", "supervisor", "M-1")


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
        pieces_each: int = 0,
    ) -> None:
        self.history = history
        self.answers: Counter[str] = Counter()
        self.contradicted: list[str] = []
        """What was refused when it was asked again: under its own key it would have had its first answer."""
        self.seconds: deque[float] = deque(maxlen=5000)
        self.refused: list[str] = []
        """What was refused though it should have been done."""
        self.turned_away = 0
        """How many were refused who had to be."""
        self._doors = Doors(stage.platform, CLOCK)
        self._urls = {
            "enrolment": tuple(urls) or (stage.platform.url("enrolment"),),
            "assessment": (stage.platform.url("assessment"),),
        }
        self._turns = {service: count() for service in self._urls}
        self._writes_each = pieces_each + 1
        self.collectors = Collectors(CLOCK.monotonic)
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
        assert not self.contradicted, self.contradicted[:5]
        assert not self.refused, self.refused[:5]

    def open_portfolios(self, people: int) -> None:
        """Nominate that many, one after the other, and wait until most of them have a portfolio to fill."""
        with self._client() as client:
            for number in range(1, people + 1):
                self._nominate(client, number, patient=True)
            wanted = self.collectors.count() * 3 // 4
            assert wanted, "nobody was nominated"

            def are_open() -> bool:
                who = self.collectors.take()
                if who is not None:
                    self._look(client, who)
                    self.collectors.give_back(who)
                return self.collectors.count_open() >= wanted

            until(are_open, "portfolios to fill", pause=0.01)

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
        with self._client() as client:
            while (number := self._due.get()) is not None:
                if self._stop.is_set():
                    continue
                patient = not (self._gives_up_every and number % self._gives_up_every == 0)
                turn, is_piece = divmod(number, self._writes_each)
                if is_piece:
                    self._collect(client, patient=patient)
                    continue
                withdrawn = self._made.popleft() if turn % WITHDRAW_EVERY == 0 and len(self._made) > 20 else None
                if withdrawn:
                    self._withdraw(client, *withdrawn, patient=patient)
                elif turn % HOPELESS_EVERY == HOPELESS_EVERY - 1:
                    self._nominate_for_nothing(client, turn, patient=patient)
                else:
                    self._nominate(client, turn, patient=patient)

    def _client(self) -> httpx.Client:
        return httpx.Client(timeout=20.0, limits=httpx.Limits(max_keepalive_connections=0))

    def _nominate(self, client: httpx.Client, number: int, *, patient: bool) -> None:
        employer = EMPLOYERS[number % len(EMPLOYERS)]
        unique = next(_REFS)
        intake = INTAKES[1] if number % self._small_every == 0 else INTAKES[0]
        operation = self.history.invoke(kind=NOMINATE, label=f"R{unique}", key=new_identifier())
        body = a_record(operation.label, unique, intake)
        reply = self._ask(client, HR, operation, employer, "enrolments", body, patient=patient)
        if reply is None:
            return
        made = reply.json()["enrolment_id"]
        self.history.ended(operation, Outcome.OK, made)
        if self._writes_each == 1 or number % MAY_LEAVE_EVERY == 0:
            self._made.append((employer, made))
        elif intake == INTAKES[0]:
            self.collectors.add(employer, made)

    def _nominate_for_nothing(self, client: httpx.Client, number: int, *, patient: bool) -> None:
        """Nominate somebody for what nobody offers."""
        employer, unique = EMPLOYERS[number % len(EMPLOYERS)], next(_REFS)
        operation = self.history.invoke(kind=NOMINATE, label=f"R{unique}", key=new_identifier())
        body = a_record(operation.label, unique, OFFERED_BY_NOBODY)
        if self._ask(client, HR, operation, employer, "enrolments", body, patient=patient, is_hopeless=True):
            self.contradicted.append(f"{operation.label} was accepted for what nobody offers")

    def _collect(self, client: httpx.Client, *, patient: bool) -> None:
        """Add one piece to somebody's portfolio; where there is nobody, or it is not open yet, nothing is asked for."""
        who = self.collectors.take()
        if who is None:
            self._count("nobody's portfolio is open")
            return
        try:
            if not who.is_open:
                self._look(client, who)
            if who.is_open:
                self._add_piece(client, who, patient=patient)
        finally:
            self.collectors.give_back(who)

    def _look(self, client: httpx.Client, who: Collector) -> None:
        """See whether the portfolio is there by now."""
        token = self._doors.token(SUPERVISOR.service, who.employer, SUPERVISOR.role, SUPERVISOR.subject)
        url = f"{self._urls['assessment'][0]}/v1/organisations/{who.employer}/portfolios/{who.enrolment_id}"
        with contextlib.suppress(httpx.TransportError):
            who.is_open = client.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200

    def _add_piece(self, client: httpx.Client, who: Collector, *, patient: bool) -> None:
        who.pieces += 1
        operation = self.history.invoke(kind=EVIDENCE, label=who.label(), key=new_identifier())
        path = f"portfolios/{who.enrolment_id}/evidence"
        reply = self._ask(client, SUPERVISOR, operation, who.employer, path, who.piece(), patient=patient)
        if reply is not None:
            self.history.ended(operation, Outcome.OK, reply.json()["items"][0]["evidence_id"])

    def _withdraw(self, client: httpx.Client, employer: str, enrolment_id: str, *, patient: bool) -> None:
        operation = self.history.invoke(kind=WITHDRAW, label=enrolment_id, key=new_identifier())
        body = {"reason": "workload", "withdrawn_on": f"{CLOCK.now():%Y-%m-%d}"}
        if self._ask(client, HR, operation, employer, f"enrolments/{enrolment_id}/withdraw", body, patient=patient):
            self.history.ended(operation, Outcome.OK, enrolment_id)

    def _ask(
        self,
        client: httpx.Client,
        desk: Desk,
        operation: Operation,
        employer: str,
        path: str,
        body: object,
        *,
        patient: bool,
        is_hopeless: bool = False,
    ) -> httpx.Response | None:
        """Ask until there is an answer; note a refusal; return a success."""
        began = CLOCK.monotonic()
        uncertain = False
        while True:
            operation.attempts += 1
            at = CLOCK.monotonic()
            reply = self._once(client, desk, operation, employer, path, body)
            if reply is not None and reply.is_success:
                self._count(str(reply.status_code))
                self.seconds.append(CLOCK.monotonic() - at)
                return reply
            if reply is not None and is_hopeless and _turns_away(reply):
                with self._lock:
                    self.turned_away += 1
                self.history.ended(operation, Outcome.FAILED)
                return None
            if reply is not None:
                self._count(str(reply.status_code))
            if reply is not None and not _asks_again(reply):
                self._count(f"refused {reply.status_code}: {reply.text[:200]}")
                self.history.ended(operation, Outcome.UNKNOWN if uncertain else Outcome.FAILED)
                those = self.contradicted if uncertain else self.refused
                those.append(f"{operation.kind} {operation.label}: {reply.text[:200]}")
                return None
            uncertain = uncertain or reply is None or reply.status_code >= 500
            if not patient or CLOCK.monotonic() - began > PATIENCE_SECONDS:
                return None
            CLOCK.sleep(0.2)

    def _once(
        self, client: httpx.Client, desk: Desk, operation: Operation, employer: str, path: str, body: object
    ) -> httpx.Response | None:
        """Return one answer, None where there is none. Addresses take turns; refused, it goes to the next at once."""
        token = self._doors.token(desk.service, employer, desk.role, desk.subject)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": operation.key}
        first, urls = next(self._turns[desk.service]), self._urls[desk.service]
        for turn in range(len(urls)):
            url = urls[(first + turn) % len(urls)]
            try:
                reply = client.post(f"{url}/v1/organisations/{employer}/{path}", headers=headers, json=body)
            except httpx.ConnectError:
                self._count("connection refused")
                continue
            except httpx.TransportError as error:
                self._count(type(error).__name__)
                return None
            return reply
        return None

    def _count(self, what: str) -> None:
        with self._lock:
            self.answers[what] += 1


def _turns_away(reply: httpx.Response) -> bool:
    """Say whether a nomination was refused because nobody offers what it is for."""
    return reply.status_code == 422 and "unknown_cohort" in reply.text


def _asks_again(reply: httpx.Response) -> bool:
    """Say whether the service itself says that the same may be asked once more."""
    if reply.status_code == 409:
        return "concurrent-change" in reply.text
    return reply.status_code in TRY_AGAIN
