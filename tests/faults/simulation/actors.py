"""What the processes of a run do: web servers asked by clients, relays and readers; people are `operator.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from pymongo.errors import PyMongoError

from shared.errors import ConcurrentChange, PlatformError, RuleBroken, Unavailable
from shared.events.envelope import Cause
from shared.events.feed import FeedName
from shared.events.reading_loop import TakenOver
from shared.http.idempotency import Idempotency
from shared.http.replies import Reply
from shared.storage.replies import KEPT
from shared.storage.unit_of_work import UnitOfWork, Work
from tests.faults.simulation.history import Told
from tests.faults.simulation.operator import operate
from tests.faults.simulation.played import ALPHA, BETA, GAMMA, Request, handle
from tests.faults.simulation.scheduler import Crashed, Process
from tests.faults.simulation.world import POLL_SECONDS, World

WEB = ("web-1", "web-2")
MOST_TRIES = 25


class OnceByKey(Idempotency):
    """The production idempotency, told by hand what it otherwise reads from the request."""

    def __init__(self, unit: UnitOfWork, request: Request) -> None:
        self._unit_of_work = unit
        self._organisation = request.owner
        self._id = hashlib.sha256(request.key.encode()).hexdigest()
        self._hash = hashlib.sha256(repr(request).encode()).hexdigest()

    def _document(self, work: Work, reply: Reply) -> dict[str, Any]:
        kept = {name: getattr(reply, name) for name in ("etag", "location", "content_type", "filename")}
        return {
            "_id": self._id,
            "request_hash": self._hash,
            "status": reply.status,
            "content": reply.content(),
            "expires_at": work.now + KEPT,
            **kept,
        }


def people(world: World) -> None:
    """Let the clients and the operator begin."""
    for number, wanted in enumerate(world.plan.clients):
        client = Process(world.scheduler, f"client-{number}")
        client.mortal = False
        world.scheduler.spawn(client, client.name, _asking(world, client, wanted))
    world.scheduler.spawn(world.operator, "operator", lambda: operate(world))


def machines(world: World) -> None:
    """Start the web servers, relays and readers."""
    plan = world.plan
    relays = {"relay-a1": (ALPHA, BETA), "relay-g1": (GAMMA,)}
    readers = {"reader-g1": "board", "reader-n1": "notice"}
    if plan.rival_relays:
        relays["relay-a2"] = (ALPHA, BETA)
    if plan.rival_readers:
        readers["reader-g2"] = "board"
    for name in WEB:
        world.mains[name] = lambda _: None
    for name, feeds in relays.items():
        world.mains[name] = _relaying(world, feeds)
    for name, service in readers.items():
        world.mains[name] = _reading(world, service)
    for name in world.mains:
        world.start(name)


def _asking(world: World, client: Process, wanted: list[Request]) -> Callable[[], None]:
    def ask_all() -> None:
        random = world.scheduler.random
        for request in wanted:
            client.sleep(random.uniform(0.0, 6.0))
            told = world.history.told[request.key] = Told(request)
            while told.outcome == "unknown" and told.tries < MOST_TRIES:
                told.tries += 1
                told.outcome = _ask(world, client, request)
                world.scheduler.note(f"{request.kind} {request.owner} {request.subject} {request.key}: {told.outcome}")
                if told.outcome == "unknown" and random.random() < world.plan.gives_up_rate:
                    break
                client.sleep(random.uniform(0.1, 2.0))
        world.history.clients_done += 1

    return ask_all


def _ask(world: World, client: Process, request: Request) -> str:
    """Ask one web server once; whatever is not a plain answer leaves the client in the dark."""
    web = world.processes[world.scheduler.random.choice(WEB)]
    thread = world.scheduler.current
    if thread is None or not web.alive:
        return "unknown"
    thread.process = web
    try:
        unit = world.unit(web, "work", make=world.writer_unit)
        answer = handle(request)
        if world.has_idempotency:
            OnceByKey(unit, request).run(lambda work: Reply(201, {"version": answer(work)}), Cause(request.key))
        else:
            unit.run(request.owner, answer, cause=Cause(request.key))
        world.scheduler.pause(web)
    except (Crashed, Unavailable, ConcurrentChange):
        outcome = "unknown"
    except RuleBroken:
        outcome = "failed"
    else:
        lost = world.faults.lost_reply_rate and world.scheduler.random.random() < 0.1
        outcome = "unknown" if lost else "ok"
    finally:
        thread.process = client
    return outcome


def _relaying(world: World, feeds: tuple[FeedName, ...]) -> Callable[[Process], None]:
    def main(process: Process) -> None:
        for topic, lane in world.relay(process, feeds).items():
            world.scheduler.spawn(process, f"{process.name}/{topic.split('.')[1]}", _lane(world, process, topic, lane))

    return main


def _lane(world: World, process: Process, topic: str, lane: Any) -> Callable[[], None]:  # noqa: ANN401
    def work() -> None:
        try:
            while not process.stopping:
                lane.wake.clear()
                pause = lane.step(POLL_SECONDS)
                if pause:
                    _nap(world, process, topic, pause, is_wakeable=not lane.failures)
            lane.relay.release()
        except (PlatformError, PyMongoError):
            world.scheduler.note("could not be given back")
        except Exception as error:  # noqa: BLE001 - any other error is a bug of the platform: the run shows it
            world.history.bug(process.name, error)
        world.scheduler.end(process)

    return work


def _nap(world: World, process: Process, topic: str, seconds: float, *, is_wakeable: bool) -> None:
    thread = world.scheduler.current
    if thread is not None and is_wakeable:
        world.naps[thread] = topic
    try:
        process.sleep(seconds)
    finally:
        world.naps.pop(thread, None)


def _reading(world: World, service: str) -> Callable[[Process], None]:
    def main(process: Process) -> None:
        reader = world.reader(process, service)

        def read() -> None:
            try:
                while not process.stopping:
                    pause = reader.step()
                    if pause:
                        process.sleep(pause)
                reader.close()
            except TakenOver:
                world.scheduler.note("taken over; this reader ends")
            except PyMongoError as error:
                world.scheduler.counts["reader ended by an error of the store"] += 1
                world.scheduler.note(f"ends: {error!r}")
            except Exception as error:  # noqa: BLE001 - any other error is a bug of the platform: the run shows it
                world.history.bug(process.name, error)
            world.scheduler.end(process)

        world.scheduler.spawn(process, process.name, read)

    return main
