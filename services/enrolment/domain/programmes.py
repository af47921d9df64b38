"""Programmes: courses in combination, as a named, ordered set with strands by level, kept by the programme lead.

A course of a programme can still be taken alone; the programme only says what belongs together and in which order.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.records import LEVELS

ALL_LEVELS = "ALL"
STRAND_LEVELS = (ALL_LEVELS, *LEVELS)
CENTRAL = "central"
LOCAL = "local"
DELIVERIES = (CENTRAL, LOCAL)


@dataclass(frozen=True, slots=True)
class Strand:
    """The courses for people of one level, in the order in which they are taken; ALL: for everybody."""

    level: str
    courses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Programme:
    """A combination of courses. Central: the owner delivers it once for all partners; local: each for its own."""

    code: str
    title: str
    strands: tuple[Strand, ...]
    delivery: str = CENTRAL
    version: int = 0

    def __post_init__(self) -> None:
        levels = [strand.level for strand in self.strands]
        if not levels or len(set(levels)) != len(levels) or not set(levels) <= set(STRAND_LEVELS):
            raise RuleSaysNo("a programme has at least one strand, each for another level")
        if any(not strand.courses or len(set(strand.courses)) != len(strand.courses) for strand in self.strands):
            raise RuleSaysNo("a strand has at least one course, each once")


def strand_of(strands: tuple[Strand, ...], level: str | None) -> Strand | None:
    """Return the strand for people of `level`: their own, else the one for everybody, else None."""
    by_level = {strand.level: strand for strand in strands}
    return by_level.get(level or ALL_LEVELS) or by_level.get(ALL_LEVELS)
