"""Readers that come and go or stand still, and one portfolio that everybody writes to at once (P16, P17, P23).

All of it on real processes under load; more events, and the readers' turns in detail, in `tests/faults/surroundings`.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter, defaultdict

import httpx
import msgspec
import pytest

from shared.events.feed import FeedName
from shared.events.ledger import Ledger
from shared.identifiers import new_identifier
from shared.local.play.doors import Doors
from shared.testing.history import Findings, Outcome, Projection, check_effects
from tests.faults.processes.collecting import Collector, label_of
from tests.faults.processes.dying import COMMIT, STOP, Order
from tests.faults.processes.load import Load
from tests.faults.processes.owners import Owner, partnership
from tests.faults.processes.stage import BOARD, CLOCK, until
from tests.faults.processes.test_reader import FEED, position

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
ROUNDS, ROUND_SECONDS = 10, 14.0
"""A program that ends more than five times within a minute is not started again."""
STILL_SECONDS = 45.0
BOARDS = Owner("reporting", BOARD, frozenset())
AT_ONCE, CLIENTS, PIECES = "evidence at once", 8, 25
TRY_AGAIN = frozenset({409, 429, 503})


def test_p16_reader_that_stands_still_in_its_transaction_goes_on_and_its_lag_was_told(stage):
    """Longer than any broker's patience with a member of a group: it is in none, nobody takes over, others read on."""
    with Load(stage, stage.history, per_second=8, gives_up_every=9).running() as load:
        until(lambda: load.acknowledged() > 5, "clients to be served")
        was = stage.platform.pid("reporting-consume")
        stage.dies("reporting-consume", Order(COMMIT, STOP, touches="/positions"))
        try:
            asleep, others = position(stage, "reporting"), position(stage, "assessment")["number"]
            CLOCK.sleep(STILL_SECONDS)
            assert position(stage, "reporting") == asleep
            until(lambda: position(stage, "assessment")["number"] > others, "the other services' readers to read on")
            told = partnership(stage, BOARDS, "freshness", "--late-seconds", "20")
        finally:
            stage.wake(was)
        assert told.exit_code == 1, told.output
        assert FEED in told.output, told.output
        took = until(lambda: position(stage, "reporting")["number"] > asleep["number"], "the reader to go on")
        stage.figure("P16", f"reader that stood still for {STILL_SECONDS:.0f} s: went on after {took:.1f} s")
    stage.quiet()
    assert stage.platform.pid("reporting-consume") == was
    assert position(stage, "reporting")["epoch"] == asleep["epoch"]
    assert partnership(stage, BOARDS, "freshness").exit_code == 0


class Watching(threading.Thread):
    """Somebody who watches the board's reader; `longest` is how many seconds it stood at one number."""

    def __init__(self, stage) -> None:
        super().__init__(daemon=True)
        self.longest = 0.0
        self._stage, self._ending = stage, threading.Event()

    def run(self) -> None:
        """Look twenty times a second."""
        at, since = position(self._stage, "reporting")["number"], CLOCK.monotonic()
        while not self._ending.wait(0.05):
            number, now = position(self._stage, "reporting")["number"], CLOCK.monotonic()
            self.longest = max(self.longest, now - since)
            if number != at:
                at, since = number, now

    def end(self) -> None:
        """Watch no more."""
        self._ending.set()
        self.join()


def test_p17_twenty_readers_that_come_and_go_within_minutes_lose_and_double_nothing(stage):
    """Each newcomer takes the feeds over; the one before it goes, and is back some seconds later; one in two is killed.

    That nothing was skipped or taken twice is what the check after this test looks at, in every row and figure.
    """

    def takes_over(epoch: int) -> None:
        until(lambda: position(stage, "reporting")["epoch"] > epoch, "the next reader to take over", pause=0.02)
        at = position(stage, "reporting")["number"]
        until(lambda: position(stage, "reporting")["number"] > at, "it to read on", pause=0.02)

    before = position(stage, "reporting")["epoch"]
    with Load(stage, stage.history, per_second=10, gives_up_every=9).running() as load:
        until(lambda: load.acknowledged() > 5, "clients to be served")
        watching = Watching(stage)
        watching.start()
        for number in range(ROUNDS):
            began, was = CLOCK.monotonic(), stage.platform.pid("reporting-consume")
            epoch = position(stage, "reporting")["epoch"]
            with stage.another("reporting", "consume") as newcomer:
                takes_over(epoch)
                if number % 2:
                    newcomer.process.send_signal(signal.SIGKILL)
                stage.restarted("reporting-consume", was)
                takes_over(epoch + 1)
                until(lambda newcomer=newcomer: newcomer.process.poll() is not None, "the newcomer to go")
            CLOCK.sleep(max(0.0, began + ROUND_SECONDS - CLOCK.monotonic()))
        watching.end()
    taken_over = position(stage, "reporting")["epoch"] - before
    stage.figure(
        "P17", f"{taken_over} readers one after the other: nothing was taken for {watching.longest:.1f} s at most"
    )
    assert taken_over >= 2 * ROUNDS


def test_p23_everybody_writes_to_one_portfolio_and_nobody_waits_for_ever(stage):
    """Eight clients, one row: each piece is there once in the end, and other people are nominated meanwhile."""
    load = Load(stage, stage.history, per_second=8, pieces_each=1)
    load.open_portfolios(4)
    with load.running(), Storm(stage, load.collectors.take()) as storm:
        served = load.acknowledged()
        storm.rage()
        served = load.acknowledged() - served - CLIENTS * PIECES  # the storm's own are in the same history
    stage.figure("P23", f"{CLIENTS} clients on one portfolio: {dict(storm.answers)}; {served} others served meanwhile")
    assert served > 0
    assert set(storm.answers) <= {201, 200, *TRY_AGAIN}, storm.answers
    stage.quiet()
    storm.check()


class Storm:
    """Clients that add pieces to one portfolio at once, each asking again for as long as it is told to."""

    def __init__(self, stage, who: Collector | None) -> None:
        assert who is not None
        self.answers: Counter[int] = Counter()
        self._stage, self._who = stage, who
        self._doors = Doors(stage.platform, CLOCK)
        self._broken: list[BaseException] = []

    def __enter__(self) -> Storm:
        return self

    def __exit__(self, *_: object) -> None:
        self._doors.close()

    def rage(self) -> None:
        """Send everything, and wait until all of it is answered."""
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self._broken, self._broken

    def _work(self, client: int) -> None:
        try:
            with httpx.Client(timeout=60) as asking:
                for piece in range(PIECES):
                    self._add(asking, f"h{client}-{piece}")
        except BaseException as error:  # noqa: BLE001 - told to the test
            self._broken.append(error)

    def _add(self, client: httpx.Client, ref: str) -> None:
        label = label_of(self._who.enrolment_id, ref)
        operation = self._stage.history.invoke(kind=AT_ONCE, label=label, key=new_identifier())
        token = self._doors.token("assessment", self._who.employer, "supervisor", "M-1")
        [item] = self._who.piece()["items"]
        url = f"{self._stage.platform.url('assessment')}/v1/organisations/{self._who.employer}"
        reply = None
        while reply is None or reply.status_code in TRY_AGAIN:
            reply = client.post(
                f"{url}/portfolios/{self._who.enrolment_id}/evidence",
                headers={"Authorization": f"Bearer {token}", "Idempotency-Key": operation.key},
                json={"items": [{**item, "ref": ref}]},
            )
            self.answers[reply.status_code] += 1
        assert reply.is_success, reply.text
        self._stage.history.ended(operation, Outcome.OK, reply.json()["items"][0]["evidence_id"])

    def check(self) -> None:
        """Each piece stands once in the portfolio, and once on its employer's feed."""
        feed = FeedName("org", self._who.employer, "assessment")
        with self._stage.client() as client:
            reading = self._stage.unit(client, feed.service).reading(feed.organisation)
            portfolio = reading.rows("portfolios").find_one({"_id": self._who.enrolment_id})
            ledger = Ledger(reading, feed)
            events = [event for event, _ in ledger.walk(0, ledger.head())]
        refs = {piece["evidence_id"]: piece["ref"] for piece in portfolio["evidence"]}
        there, told = defaultdict(list), defaultdict(list)
        for made, ref in refs.items():
            there[label_of(self._who.enrolment_id, ref)].append(made)
        for event in events:
            if event.type == "assessment.evidence-added.v1" and event.subject == self._who.enrolment_id:
                made = msgspec.json.decode(event.data)["evidence_id"]
                told[label_of(self._who.enrolment_id, refs[made])].append(made)
        operations = self._stage.history.of(AT_ONCE)
        labels = {operation.label for operation in operations}
        places = [
            Projection(name, {label: found[label] for label in found if label in labels}, shows_ids=True)
            for name, found in (("the portfolio", there), ("the employer's feed", told))
        ]
        assert len(operations) == CLIENTS * PIECES
        Findings(check_effects(operations, places)).require_none()
