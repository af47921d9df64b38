"""The rules of a made-up enrolment, in one place: the marshmallow schema, the pydantic and the msgspec model say them.

Patterns are for the whole text. `exact` is how Python's `re` is told so, `whole` how Rust's engine (pydantic) is.
"""

from __future__ import annotations

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
EMAIL = r"[^@\s]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,5}"
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
INTAKE = r"[0-9]{4}-[0-9]{2}"
CODE = r"[A-Z]{2}[0-9]{3}"

ROUTES = ("practice_only", "academic_and_practice", "step_up")
LEVELS = ("SW", "ESW", "AP", "SP")

NAME_LENGTH = 100
MOST_SERIAL = 1_000_000_000
MOST_DAYS = 200
MOST_PENCE = 10_000_000
LEAST_HOURS, MOST_HOURS = 0.5, 60.0
LEAST_CREDITS, MOST_CREDITS = 5, 180
MOST_CODES = 5


def exact(pattern: str) -> str:
    """Return a pattern that matches the whole text or nothing, for `re`."""
    return rf"\A(?:{pattern})\Z"


def whole(pattern: str) -> str:
    """Return the same for Rust's engine, where `$` is the end and nothing else."""
    return rf"^(?:{pattern})$"
