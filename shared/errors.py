"""The six kinds of error, each with one meaning on both doors (HTTP and Kafka).

Only kinds live here; a service's own errors derive from them in its `domain/errors.py` and set `slug`, which is
the stable last part of the problem's `type`. Texts carry ids, never names of people or values that somebody sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where.

    `pointer` is a JSON pointer (`/items/3/made_on`); files use `row` (1-based, as a person sees it) and `column`.
    """

    code: str
    detail: str
    pointer: str | None = None
    row: int | None = None
    column: str | None = None


class PlatformError(Exception):
    """Any error that the platform explains to whoever asked.

    `slug` is stable for ever; `detail` says what to do about it.
    """

    slug: ClassVar[str] = "error"

    def __init__(self, detail: str, *, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults


class Malformed(PlatformError):
    """What was sent cannot be read and never will be. HTTP 400/422; an event of this kind is parked."""

    slug = "malformed"


class Forbidden(PlatformError):
    """The sender may not do this. HTTP 401/403; an event of this kind is parked."""

    slug = "forbidden"


class NotFound(PlatformError):
    """There is no such thing, or not for this asker. HTTP 404; on Kafka a fact that waits."""

    slug = "not-found"


class RuleBroken(PlatformError):
    """A rule of the domain says no. HTTP 422; on Kafka a recorded refusal, then the reader goes on."""

    slug = "rule-broken"


class Conflict(PlatformError):
    """The state of the thing says no. HTTP 409; on Kafka a recorded refusal, then the reader goes on."""

    slug = "conflict"


class ConcurrentChange(PlatformError):
    """Somebody else changed it first. Tried again 3 times, then HTTP 409."""

    slug = "concurrent-change"


class Unavailable(PlatformError):
    """The database or the broker does not answer. HTTP 503 with Retry-After; a reader backs off in place."""

    slug = "unavailable"
