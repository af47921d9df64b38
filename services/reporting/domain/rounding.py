"""Disclosure control of single figures, by HESA's method. No table, no course, no person is known here.

Everything is computed from raw figures and rounded last, in exact arithmetic: no float takes part.
Source: BR-29 and the partnership data rules, "How reports are counted" (HESA rounding methodology).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

SUPPRESSED: Final = ".."
"""What stands where a figure may not be shown."""

Suppressed = Literal[".."]

_BASE: Final = 5
_SMALLEST_GROUP_FOR_A_PERCENTAGE_DOUBLED: Final = 45
"""22.5 people, doubled so that it is whole."""
_LARGEST_GROUP_WITHOUT_A_MEAN: Final = 7


def rounded_people(people: int) -> int:
    """Return a count of people to the nearest 5, halves up; 0, 1 and 2 give 0.

    Raises:
        ValueError: when `people` is negative.
    """
    if people < 0:
        raise ValueError("a count of people is never negative")
    return (people + _BASE // 2) // _BASE * _BASE


def percentage(part: int, group: int) -> int | Suppressed:
    """Return `part` of `group` as a whole percentage, halves up; `..` where the group has fewer than 22.5 people."""
    if 2 * group < _SMALLEST_GROUP_FOR_A_PERCENTAGE_DOUBLED:
        return SUPPRESSED
    return (200 * part + group) // (2 * group)


def mean(total: int, people: int) -> Decimal | Suppressed:
    """Return `total` divided by `people` to one decimal, halves towards the larger number; `..` for 7 or fewer."""
    if people <= _LARGEST_GROUP_WITHOUT_A_MEAN:
        return SUPPRESSED
    tenths = (20 * total + people) // (2 * people)
    return Decimal(tenths) / 10
