"""D1: how long from a commit's answer to its effect in the reader's database, through relay and broker, at a set pace.

Relay and reader run as in production, on threads of this process instead of processes of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event, Thread

from shared.errors import Unavailable
from shared.events.reading_loop import Reader
from shared.local.bench.following import Effects, following
from shared.local.bench.ratios import percentile
from shared.local.bench.stage import Stage, bodies, event, send_all
from shared.storage.unit_of_work import Work

LAST_SECONDS = 10.0
"""How long the last effects are waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """The row that is no ratio."""

    id: str = "D1"
    events: int
    per_second: float
    p50_seconds: float
    p99_seconds: float
    most_seconds: float
    missing: int


class _Arrivals(Thread):
    """The reader on its thread; notes when the step that committed an effect was over."""

    def __init__(self, stage: Stage, reader: Reader, effects: Effects, stop: Event) -> None:
        super().__init__(name="bench-reader")
        self.at: dict[int, float] = {}
        self._stage, self._reader, self._effects, self._stop_asked = stage, reader, effects, stop

    def run(self) -> None:
        while not self._stop_asked.is_set():
            pause = self._reader.step()
            now = self._stage.clock.monotonic()
            for number in self._effects.written[len(self.at) :]:
                self.at.setdefault(number, now)
            if pause:
                self._stop_asked.wait(pause)


def through(stage: Stage) -> Through:
    """Commit one event at a time at the pace and return how long they took to have their effects.

    Raises:
        Unavailable: none had one.
    """
    feed, effects, stop = stage.new_feed(), Effects(at_commit=True), Event()
    with stage.relay(feed, stop) as relay:
        send_all(relay)
        relaying = Thread(target=relay.run, name="bench-relay")
        relaying.start()
        try:
            with following(stage, feed, effects) as reader:
                arrivals = _Arrivals(stage, reader, effects, stop)
                arrivals.start()
                try:
                    committed = _commit_at_pace(stage, feed.organisation)
                    _wait(stage, arrivals, len(committed))
                finally:
                    stop.set()
                    arrivals.join()
        finally:
            stop.set()
            relaying.join()
    took = [arrivals.at[number] - at for number, at in enumerate(committed, 1) if number in arrivals.at]
    if not took:
        raise Unavailable(f"no event had its effect within {LAST_SECONDS:.0f} seconds of its commit")
    return Through(
        events=len(committed),
        per_second=stage.sizes.through_per_second,
        p50_seconds=percentile(took, 0.5),
        p99_seconds=percentile(took, 0.99),
        most_seconds=max(took),
        missing=len(committed) - len(took),
    )


def _commit_at_pace(stage: Stage, organisation: str) -> list[float]:
    """Return when each commit had answered, in the feed's order: one thread commits, one relay numbers."""
    unit, committed = stage.unit(), []
    pace = 1 / stage.sizes.through_per_second
    incoming = bodies(int(stage.sizes.through_seconds * stage.sizes.through_per_second))
    begun = stage.clock.monotonic()
    for number, body in enumerate(incoming):
        stage.clock.sleep(max(0.0, begun + number * pace - stage.clock.monotonic()))

        def commit(work: Work, body: bytes = body) -> None:
            identifier = work.new_id()
            work.rows("enrolments").insert_one({"_id": identifier})
            work.emit(event(identifier, body))

        unit.run(organisation, commit)
        committed.append(stage.clock.monotonic())
    return committed


def _wait(stage: Stage, arrivals: _Arrivals, count: int) -> None:
    until = stage.clock.monotonic() + LAST_SECONDS
    while len(arrivals.at) < count and stage.clock.monotonic() < until:
        stage.clock.sleep(0.05)
