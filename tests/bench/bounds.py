"""M1: how much memory a relay takes with a long backlog, and how much its producer ever has under way."""

from __future__ import annotations

from shared.errors import Unavailable
from shared.events.feed import FeedName
from shared.events.outbox import outbox_of
from shared.partnership import load
from tests.bench.apart import RELAYING, carried_out
from tests.bench.enrolling import issuer_of
from tests.bench.feeds import bodies, commit
from tests.bench.figures import Figure, one
from tests.bench.following import GIVE_UP_SECONDS
from tests.bench.machine import MEBIBYTE, peak_mebibytes_of
from tests.bench.measuring import Pace, Row
from tests.bench.processes import relaying
from tests.bench.scaling import errand
from tests.bench.stage import SEC, WRITER, Miscounted, Sink, Stage

OWNER = "hillingdon"
"""An owner whose topic no other row of a shared backbone uses."""


def rows() -> tuple[Row, ...]:
    """Return the row; the reader's memory is measured with S1, the API worker's with D1."""
    return (Row(id="M1", measure=bounded, sinks=(SEC,), weight=0.7),)


def bounded(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """Return the memory of enrolment's own relay process, and what the same code's producer has under way."""
    size = stage.sizes.in_memory
    pace.say(f"M1: a relay process with a backlog of {size} events")
    peak = _relay_process(stage, sink, size)
    feed = stage.new_feed()
    commit(stage.unit(sink), feed, bodies(size))
    [done] = carried_out([errand(stage, sink, [feed.organisation], size, RELAYING)])
    if done.events != size:
        raise Miscounted(f"{done.events} events were sent of {size}")
    title = f"relay process: peak memory, {size} events waiting"
    in_flight = f"relay's producer: most bytes under way, {size} events waiting"
    most = one(done.most_in_flight / MEBIBYTE)
    return [
        Figure(id="M1", part="relay", title=title, bare_title="", unit="MiB", value=one(peak)),
        Figure(id="M1", part="in flight", title=in_flight, bare_title="", unit="MiB", value=most),
    ]


def _relay_process(stage: Stage, sink: Sink, size: int) -> float:
    """Return the peak memory of enrolment's relay after it has sent what waited when it was started.

    Raises:
        Unavailable: it does not send all of it.
    """
    prefix, feed = stage.fresh_prefix(), FeedName("org", OWNER, WRITER)
    unit = stage.unit(sink, prefix=prefix)
    issuer_of(stage, load(stage.partnership_file))
    commit(unit, feed, bodies(size))
    with relaying(stage, sink, prefix, OWNER) as pid:
        until = stage.clock.monotonic() + GIVE_UP_SECONDS
        while outbox_of(unit, feed).events:
            if stage.clock.monotonic() > until:
                raise Unavailable(f"{size} events were not sent within {GIVE_UP_SECONDS:.0f} seconds")
            stage.clock.sleep(0.2)
        return peak_mebibytes_of(pid)
