"""A piece of evidence: what it shows, who made it and when. What is enough is `sufficiency`'s."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece in a portfolio. `ref` is the portfolio's own name for it; `author_id` is opaque.

    `level` is recorded, never checked; `author_role` says how the author signed and decides nothing.
    Source: partnership data rules; BR-2 (evidence at the level of the course or the next one).
    """

    evidence_id: str
    ref: str
    kind: str
    domains: tuple[str, ...]
    author_role: str
    author_id: str | None
    made_on: date
    level: str
    invalidated_on: date | None = None
    invalidation_reason: str | None = None

    def counts_on(self, day: date) -> bool:
        """Tell whether it was made until `day` and not invalidated until `day`; both include the day.

        Source: BR-6 (consent may be withdrawn at any point), partnership data rules.
        """
        withdrawn = self.invalidated_on is not None and self.invalidated_on <= day
        return self.made_on <= day and not withdrawn

    def invalidated(self, reason: str, on: date) -> Evidence:
        """Return this piece as it is once it no longer counts from `on`."""
        return replace(self, invalidated_on=on, invalidation_reason=reason)
