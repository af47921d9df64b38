"""What a seed decides before the run: which faults there are, how often, and what the clients want.

Each seed takes its own few kinds of fault, because all of them at once hide one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.faults.simulation.played import OWNERS, Request

CHAOS = (
    "crash",
    "freeze",
    "stop",
    "broker down",
    "cluster lost",
    "tail lost",
    "store restarted",
    "clock jumped",
    "owner restored",
)


@dataclass
class Plan:
    """One run."""

    seed: int
    chaos: tuple[str, ...] = ()
    chaos_seconds: float = 4.0
    switch_rate: float = 0.5
    crash_rate: float = 0.0
    unknown_commit_rate: float = 0.0
    lost_request_rate: float = 0.0
    lost_reply_rate: float = 0.0
    lost_acknowledgement_rate: float = 0.0
    late_rate: float = 0.0
    refusal_rate: float = 0.0
    rival_relays: bool = False
    rival_readers: bool = False
    shares_topics: bool = False
    has_pull_door: bool = True
    discards: bool = False
    batch_events: int = 5
    gives_up_rate: float = 0.0
    clients: list[list[Request]] = field(default_factory=list)


def plan_for(seed: int) -> Plan:
    """Return the run that a seed stands for."""
    random = Random(f"plan-{seed}")  # noqa: S311 - a game of chance that must come out the same each time
    rate = lambda most: random.uniform(0.0, most) if random.random() < 0.5 else 0.0  # noqa: E731
    hostile = random.random() < 0.6
    chaos = tuple(kind for kind in CHAOS if random.random() < (0.2 if kind == "owner restored" else 0.35))
    return Plan(
        seed=seed,
        chaos=chaos,
        chaos_seconds=random.uniform(1.5, 8.0),
        switch_rate=random.choice((0.1, 0.3, 0.6)),
        crash_rate=rate(0.003),
        unknown_commit_rate=0.15 if hostile else 0.0,
        lost_request_rate=rate(0.01),
        lost_reply_rate=rate(0.01),
        lost_acknowledgement_rate=rate(0.15),
        late_rate=rate(0.08),
        refusal_rate=rate(0.02),
        rival_relays=random.random() < 0.6,
        rival_readers=random.random() < 0.4,
        shares_topics=random.random() < 0.4,
        has_pull_door=random.random() < 0.5,
        discards=random.random() < 0.4,
        batch_events=random.choice((1, 2, 5, 20)),
        gives_up_rate=rate(0.4),
        clients=_clients(random, seed),
    )


def _clients(random: Random, seed: int) -> list[list[Request]]:
    poison_rate = 0.15 if random.random() < 0.4 else 0.0
    clients = []
    for client in range(random.randint(2, 4)):
        wanted = []
        for number in range(random.randint(3, 8)):
            kind = random.choice(("award", "move", "move", "fact"))
            subject = f"{ {'award': 'p', 'move': 'f', 'fact': 's'}[kind] }{random.randint(1, 3)}"
            wanted.append(
                Request(
                    key=f"k{seed}-{client}-{number}",
                    owner=random.choice(OWNERS),
                    kind=kind,
                    subject=subject,
                    amount=random.randint(1, 6),
                    poison=random.random() < poison_rate,
                )
            )
        clients.append(wanted)
    return clients
