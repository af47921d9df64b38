"""The whole platform for a test of faults: every part a real process, orders to die, signals, and waiting for quiet.

    with a_stage(folder) as stage:
        stage.die("enrolment-relay", Order(ACKNOWLEDGED))      # the next time that it gets there
        stage.kill("reporting-consume")                        # now, by kill -9
        with stage.stopped("enrolment-relay"): ...             # SIGSTOP until the block ends
        stage.quiet()                                          # every feed numbered, sent and read by everybody

What dies is started again by the platform's own supervisor, as `make up` does.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import httpx
from pymongo import MongoClient
from pymongo.collection import Collection

from shared.clock import SystemClock
from shared.events.feed import FeedName
from shared.events.ledger import Ledger
from shared.identifiers import new_identifier
from shared.local import backbone as backbones
from shared.local import platform as platforms
from shared.local.platform import Place, RunningPlatform, running
from shared.local.ports import any_free
from shared.local.programs import answers_ready
from shared.partnership.model import SERVICES
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork
from shared.testing.history import History
from tests.faults.processes.brokers import backbone_of_stage, begins_empty
from tests.faults.processes.dying import Order, order
from tests.journeys.conftest import SCENARIOS, free_port_base

MARCHLAND = SCENARIOS / "marchland" / "partnership.yaml"
LEAD, EMPLOYERS, BOARD = "marchland", ("marchland", "vale", "hazel-house"), "marchland-board"
PATIENCE_SECONDS = 300.0
READERS = SERVICES
DYING = ("tests.faults.processes.dying",)
CLOCK = SystemClock()
_METRIC = re.compile(r"^(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>\S+)$", re.MULTILINE)


def until(question: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS, pause: float = 0.1) -> float:
    """Wait until the answer is true and return the seconds that it took.

    Raises:
        AssertionError: it did not become true.
    """
    began = CLOCK.monotonic()
    while not question():
        assert CLOCK.monotonic() - began < seconds, f"waited {seconds:.0f} s for {what}"
        CLOCK.sleep(pause)
    return CLOCK.monotonic() - began


@dataclass(frozen=True, slots=True)
class Extra:
    """One more process of a service's part, which nobody starts again."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def said(self) -> str:
        """Return what it wrote to its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass
class Stage:
    """A running platform, and the means to disturb it. `history` is of all that was ever asked of it."""

    platform: RunningPlatform
    orders: Path
    data: Path
    given_up: list[BaseException]
    history: History = field(default_factory=History)
    figures: list[str] = field(default_factory=list)

    def die(self, program: str, what: Order) -> Path:
        """Order a program to die at a point; return the file that stands once it has."""
        return order(self.orders, program, what)

    def dies(self, program: str, what: Order, seconds: float = PATIENCE_SECONDS) -> None:
        """Order it and wait until it has died there."""
        done = self.die(program, what)
        until(done.exists, f"{program} to get to {what.point}", seconds, 0.02)

    def kill(self, program: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a program and return its process number."""
        pid = self.platform.pid(program)
        os.kill(pid, number)
        return pid

    def lose_cluster(self) -> int:
        """Kill the broker and let an empty one take its place; return the process number of the one that is gone."""
        begins_empty(self.data)
        return self.kill("kafka")

    @contextlib.contextmanager
    def stopped(self, *programs: str) -> Iterator[dict[str, int]]:
        """Let programs stand still (SIGSTOP) until the block ends; yields their process numbers."""
        pids = {program: self.kill(program, signal.SIGSTOP) for program in programs}
        try:
            yield pids
        finally:
            for pid in pids.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @staticmethod
    def wake(pid: int) -> None:
        """Let a process that stands still go on."""
        os.kill(pid, signal.SIGCONT)

    def restarted(self, program: str, was: int, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until another process runs in the place of `was` and is ready; return the seconds that it took."""
        return until(lambda: self.platform.pid(program) != was and self.is_ready(program), f"{program} again", seconds)

    def is_ready(self, program: str) -> bool:
        """Return whether a service's part says that it is ready."""
        service, part = program.split("-")
        address = self.platform.metrics_url(service, part).replace("/metrics", "/readyz")
        try:
            return httpx.get(address, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def metrics(self, service: str, part: str, name: str) -> dict[tuple[str, str], float]:
        """Return a metric of a part by (feed, kind); empty while it does not answer."""
        try:
            text = httpx.get(self.platform.metrics_url(service, part), timeout=5).text
        except httpx.TransportError:
            return {}
        found = {}
        for match in _METRIC.finditer(text):
            if match["name"] == name:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', match["labels"]))
                found[labels.get("feed", ""), labels.get("kind", "")] = float(match["value"])
        return found

    def forked(self) -> list[tuple[str, str]]:
        """Return the services whose readers hold feeds up because they forked, each with such a feed."""
        return [
            (service, feed)
            for service in READERS
            for (feed, kind), raised in self.metrics(service, "consume", "feed_alarms").items()
            if kind == "fork" and raised
        ]

    @contextlib.contextmanager
    def client(self) -> Iterator[MongoClient]:
        """Yield a client of the database."""
        patient = f"{self.platform.backbone.mongodb_uri}&timeoutMS=60000"
        with connect(patient, appname="checker") as client:
            yield client

    def unit(self, client: MongoClient, service: str) -> UnitOfWork:
        """Return a service's databases."""
        return UnitOfWork(client=client, service=service, clock=CLOCK, new_identifier=new_identifier)

    def programs(self) -> list[str]:
        """Return the parts of all services, those that have begun earlier first."""
        return [name for name in self.platform.supervisor.pids() if name.split("-")[0] in SERVICES]

    def feeds(self) -> list[FeedName]:
        """Return every shared feed of the partnership."""
        owners = {service: self.platform.partnership.owners(service) for service in SERVICES}
        return [FeedName("org", owner, service) for service, slugs in owners.items() for owner in slugs]

    def unsettled(self, client: MongoClient) -> list[str]:
        """Return what is still to be done: events without number, not sent, or not read by somebody."""
        left, heads = [], {}
        for feed in self.feeds():
            reading = self.unit(client, feed.service).reading(feed.organisation)
            head = Ledger(reading, feed).head()
            mark = reading.rows(feed.state).find_one({"_id": "mark"}) or {"published": 0}
            if reading.rows(feed.pending).count({}) or mark["published"] != head.number:
                left.append(f"{feed.topic} is not sent")
            heads[feed.topic] = head.number
        for service in READERS:
            numbers = read_to(self, client, service)
            left += [f"{service} reads {feed}" for feed, number in numbers.items() if number < heads.get(feed, 0)]
        return left

    def quiet(self, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until nothing is left to do, twice in a row, and return how long that took."""
        began = CLOCK.monotonic()
        with self.client() as client:
            left, calm = ["not looked yet"], 0
            while calm < 2:
                assert not self.given_up, f"the supervisor gave up: {self.given_up}"
                assert CLOCK.monotonic() - began < seconds, f"after {seconds:.0f} s: {left[:8]}"
                with contextlib.suppress(httpx.HTTPError):
                    left = self.unsettled(client)
                    calm = 0 if left else calm + 1
                CLOCK.sleep(0.3)
        return CLOCK.monotonic() - began

    @contextlib.contextmanager
    def another(self, service: str, part: str, **environment: str) -> Iterator[Extra]:
        """Run one more process of a part until the block ends; `environment` differs from the others'."""
        told = json.loads(self.platform.place.running_file.read_text(encoding="utf-8"))["environment"]
        port, name = any_free(), f"another-{service}-{part}-{any_free()}"
        where = {"PORT" if part == "api" else "HEALTH_PORT": str(port)}
        log = self.platform.place.logs / f"{name}.log"
        with log.open("ab") as writing:
            process = subprocess.Popen(
                self.command(name, service, part),
                env={**os.environ, **told, **where, **environment},  # noqa: TID251 - handed on, not read
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        try:
            until(answers_ready(port), f"{name} to be ready: {log.read_text(errors='replace')[-500:]}")
            yield Extra(process, f"http://127.0.0.1:{port}", log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
                process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def command(self, name: str, service: str, part: str) -> tuple[str, ...]:
        """Return how to run a part so that it obeys orders to `name`."""
        return (sys.executable, "-m", *DYING, str(self.orders), name, f"services.{service}", part)

    def figure(self, row: str, text: str) -> None:
        """Keep what was measured, for the report at the end."""
        self.figures.append(f"{row}: {text}")

    def said(self, program: str) -> str:
        """Return all that a program wrote to its log."""
        return (self.platform.place.logs / f"{program}.log").read_text(encoding="utf-8", errors="replace")


def read_to(stage: Stage, client: MongoClient, service: str) -> dict[str, int]:
    """Return how far a service's reader has taken each feed: its own word, or the positions where it has none yet."""
    numbers: dict[str, int] = {}
    for organisation in stage.platform.partnership.owners(service):
        for position in stage.unit(client, service).database(organisation)["positions"].find({}):
            if position["_id"].startswith("org."):
                numbers[position["_id"]] = max(numbers.get(position["_id"], 0), position["number"])
    for (feed, _), number in stage.metrics(service, "consume", "feed_number").items():
        numbers[feed] = max(numbers.get(feed, 0), int(number))
    return numbers


def on_board(client: MongoClient, name: str) -> Collection:
    """Return a collection of the board's projection that is in use: a rebuild fills another one and swaps the two."""
    database = client[f"reporting__{BOARD}"]
    current = database["projection"].find_one({"_id": "current"}) or {"slot": ""}
    return database[f"{name}{current['slot']}"]


def heads_and_readers(stage: Stage) -> tuple[dict[str, int], dict[str, int], dict[str, dict[str, int]]]:
    """Return the owners' numbers and those sent, by feed; by service, how far its reader has taken each feed."""
    heads, published = {}, {}
    with stage.client() as client:
        for feed in stage.feeds():
            rows = stage.unit(client, feed.service).database(feed.organisation)[feed.state]
            found = {doc["_id"]: doc for doc in rows.find({})}
            heads[feed.topic] = found.get("head", {}).get("number", 0)
            published[feed.topic] = found.get("mark", {}).get("published", 0)
        return heads, published, {service: read_to(stage, client, service) for service in READERS}


@contextlib.contextmanager
def a_stage(
    folder: Path,
    *,
    dying: bool = True,
    broker: Callable[[Path, int, int], backbones.Backbone] = backbone_of_stage,
    change: Callable[[backbones.Backbone], backbones.Backbone] = lambda chosen: chosen,
    environment: Mapping[str, str] | None = None,
    through: tuple[str, ...] = DYING,
) -> Iterator[Stage]:
    """Run the platform until the block ends.

    Args:
        folder: Where all of it is kept.
        dying: Whether the parts of services obey orders to die.
        broker: Makes the backbone: the one that this run of the tests is about.
        change: Makes another backbone of it: with test commands, or with a proxy before it.
        environment: What every part's environment has besides.
        through: The module that runs a service's part and obeys orders, and its first arguments.
    """
    base = free_port_base()
    orders = folder / "orders"
    orders.mkdir(parents=True)
    place = Place(directory=folder / "state", partnership_file=MARCHLAND, port_base=base)
    chosen = change(broker(folder / "data", base + 17, base + 92))
    stop = threading.Event()
    command, environment_of = platforms._command, platforms._environment

    def dying_command(service: str, part: str) -> tuple[str, ...]:
        if not dying or part == "prepare":
            return command(service, part)
        name = f"{service}-{part}"
        return (sys.executable, "-m", *through, str(orders), name, f"services.{service}", part)

    with (
        patch.object(platforms, "_command", dying_command),
        patch.object(platforms, "_environment", lambda *given: {**environment_of(*given), **(environment or {})}),
        running(place, chosen, stop, clock=CLOCK, new_identifier=new_identifier, say=lambda _: None) as platform,
    ):
        stage = Stage(platform, orders, folder / "data", [])

        def keep() -> None:
            try:
                platform.supervisor.supervise(stop)
            except BaseException as error:  # noqa: BLE001 - told to the test
                stage.given_up.append(error)

        keeper = threading.Thread(target=keep, daemon=True)
        keeper.start()
        try:
            yield stage
        finally:
            stop.set()
            keeper.join(timeout=30)


def with_test_commands(chosen: backbones.Backbone) -> backbones.Backbone:
    """Return the backbone with a database that takes `configureFailPoint`."""
    database, *others = chosen.programs
    told = replace(database, command=(*database.command, "--enable-test-commands"))
    return replace(chosen, programs=(told, *others))
