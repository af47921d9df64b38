"""What is kept of two records that may be one person: their opaque ids, and whether somebody said that they are not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two people who are alike in something; `kept_apart`: somebody said they are two."""

    pair: str
    one_id: str
    other_id: str
    kept_apart: bool = False

    @classmethod
    def of(cls, one_id: str, other_id: str) -> Candidate:
        """Return the pair of two ids, whichever comes first."""
        first, second = sorted((one_id, other_id))
        return cls(f"{first}_{second}", first, second)


@dataclass(frozen=True, slots=True)
class ToMatch:
    """People who were kept and not held against the others since, in the batches in which they were kept."""

    batches: tuple[str, ...]
    ids: tuple[str, ...]
