"""Who takes part: in which environment, checked with what, and what each does less or more than the platform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.local.platform import ROOT

MARSHMALLOW, PYDANTIC = "marshmallow", "pydantic"
ENVIRONMENTS = ROOT / ".bench"
SIDES = "tests.bench.peers.sides"
PLATFORM = "platform"
PLATFORM_TITLE = "the platform's Reader, msgspec"
PLATFORM_NOTE = (
    "each event's number, hash and chain checked, gaps seen, effects and position in one transaction, "
    "a bad event parked with its followers"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One side beside the platform. `commits` says whether the broker knows afterwards how far it read."""

    id: str
    title: str
    environment: str
    module: str
    checks_with: str
    packages: tuple[str, ...]
    less: str
    more: str = ""
    arguments: tuple[str, ...] = ()
    commits: bool = True

    @property
    def python(self) -> Path:
        """Return the environment's interpreter."""
        return ENVIRONMENTS / self.environment / "bin" / "python"

    @property
    def note(self) -> str:
        """Return what it does less and more."""
        return f"less: {self.less}" + (f"; more: {self.more}" if self.more else "")


UNCHECKED = (
    "no number, hash or gap check; position committed after the rows and apart from them "
    "(a repeat is harmless only by the rows' keys)"
)


def _faststream(client: str, title: str, checks_with: str) -> Peer:
    return Peer(
        id=f"faststream-{client}-{checks_with}",
        title=f"FastStream, {title}, {checks_with}",
        environment=f"faststream-{client}",
        module=f"{SIDES}.faststream_{client}",
        checks_with=checks_with,
        packages=("faststream", "aiokafka" if client == "aiokafka" else "confluent-kafka", checks_with),
        less=f"{UNCHECKED}; one bad event loses its whole batch, the next commit passes over it",
        more="dependency injection, middlewares, AsyncAPI pages",
        arguments=(checks_with,),
    )


PEERS: tuple[Peer, ...] = (
    _faststream("aiokafka", "aiokafka", MARSHMALLOW),
    _faststream("confluent", "confluent-kafka", MARSHMALLOW),
    _faststream("aiokafka", "aiokafka", PYDANTIC),
    _faststream("confluent", "confluent-kafka", PYDANTIC),
    Peer(
        id="arroyo",
        title="sentry-arroyo, marshmallow",
        environment="arroyo",
        module=f"{SIDES}.arroyo",
        checks_with=MARSHMALLOW,
        packages=("sentry-arroyo", "confluent-kafka", MARSHMALLOW),
        less=f"{UNCHECKED}; one bad event ends it, again and again, unless a dead-letter topic is set up",
        more="writes in a thread beside the checking, back-pressure, metrics per step",
    ),
    Peer(
        id="quixstreams",
        title="Quix Streams, marshmallow",
        environment="quixstreams",
        module=f"{SIDES}.quixstreams",
        checks_with=MARSHMALLOW,
        packages=("quixstreams", "confluent-kafka", MARSHMALLOW),
        less=f"{UNCHECKED}; one bad event ends the application, again and again",
        more="checkpoints that hold sinks, state and offsets together, windows and joins",
    ),
    Peer(
        id="faust",
        title="Faust (faust-streaming), marshmallow",
        environment="faust",
        module=f"{SIDES}.faust",
        checks_with=MARSHMALLOW,
        packages=("faust-streaming", "aiokafka", MARSHMALLOW),
        less=f"{UNCHECKED}, and only every few seconds (here asked for at the end); one bad event loses its batch",
        more="acknowledges event by event, tables and windows",
    ),
    Peer(
        id="bytewax",
        title="Bytewax, marshmallow",
        environment="bytewax",
        module=f"{SIDES}.bytewax",
        checks_with=MARSHMALLOW,
        packages=("bytewax", "confluent-kafka", MARSHMALLOW),
        less="commits nothing: no position anywhere (its recovery store is off, as it is unless set up); "
        "no group, no number, hash or gap check; one bad event ends it",
        more="scales over workers and keeps state where its recovery store is on",
        commits=False,
    ),
)


def chosen(only: str) -> tuple[Peer, ...]:
    """Return the peers whose id holds one of the words in `only`, all of them where it is empty.

    Raises:
        ValueError: a word is in none.
    """
    words = only.split()
    for word in words:
        if not any(word in peer.id for peer in PEERS):
            raise ValueError(f"no peer is called {word}; there are {', '.join(peer.id for peer in PEERS)}")
    return tuple(peer for peer in PEERS if not words or any(word in peer.id for word in words))
