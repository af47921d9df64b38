"""Made-up enrolments: 22 leaves, nested, about 574 bytes; everything follows from a seed. Nobody in them exists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.bench.peers import rules

SEED = 20251122
BOROUGHS = ("brent", "ealing", "harrow", "hillingdon", "hounslow")


def enrolment(serial: int, dice: Random) -> dict[str, Any]:
    """Return one enrolment; `serial` comes first, so that a sink can add serials up without reading on."""
    person = f"person-{dice.randrange(10**6):06d}"
    month, day = 1 + serial % 12, 1 + serial % 28
    return {
        "serial": serial,
        "enrolment_id": _uuid(dice),
        "requested_at": f"2025-{month:02d}-{day:02d}T{serial % 24:02d}:30:00Z",
        "starts_on": f"2026-{month:02d}-{day:02d}",
        "route": dice.choice(rules.ROUTES),
        "level": dice.choice(rules.LEVELS),
        "part_time": dice.random() < 0.5,
        "candidate": {
            "practitioner_id": _uuid(dice),
            "given_name": "Made-up",
            "family_name": person.title(),
            "email": f"{person}@made-up.example",
            "registered_on": f"2020-{month:02d}-{day:02d}",
        },
        "placement": {
            "agency": f"Agency {dice.randrange(100):02d}",
            "borough": dice.choice(BOROUGHS),
            "days": dice.randrange(20, rules.MOST_DAYS),
            "hours_per_week": dice.randrange(20, 74) / 2,
        },
        "course": {
            "code": f"SW{dice.randrange(1000):03d}",
            "intake": f"2026-{month:02d}",
            "credits": dice.randrange(rules.LEAST_CREDITS, rules.MOST_CREDITS),
            "fee_pence": dice.randrange(rules.MOST_PENCE),
            "modules": [f"MD{dice.randrange(1000):03d}" for _ in range(2)],
        },
    }


def bodies(size: int, seed: int = SEED) -> Iterator[bytes]:
    """Yield the JSON of the enrolments with serials 1 to `size`."""
    dice = Random(seed)  # noqa: S311 - made-up data
    for serial in range(1, size + 1):
        yield json.dumps(enrolment(serial, dice), separators=(",", ":")).encode()


def sum_of_serials(size: int) -> int:
    """Return what the serials of `size` enrolments add up to."""
    return size * (size + 1) // 2


def _uuid(dice: Random) -> str:
    text = f"{dice.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
