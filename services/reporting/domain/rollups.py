"""What is counted, and by what it is cut: buckets and the counts in them.

A bucket is one employer's nominations for one course and route, at one level, made in one month; whatever becomes of
those nominations later is counted in the same bucket, so that a withdrawal moves a figure and never splits it.
No person or enrolment is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from operator import add, attrgetter, sub


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """One cut of the roll-ups. `month` is the month of nomination, as `2025-09`."""

    organisation: str
    course: str
    route: str
    level: str
    month: str


@dataclass(frozen=True, slots=True)
class Counts:
    """People of a bucket by what became of them, and the credits awarded to them. Raw figures.

    `nominated` accepted rows; `confirmed` and `waiting` after the withdrawals; `submitted` everyone with at least one
    submission; `passed` practice passed or course completed, of those with a seat; `awarded` people with credit.
    Source: partnership data rules, "How reports are counted".
    """

    nominated: int = 0
    confirmed: int = 0
    waiting: int = 0
    withdrawn: int = 0
    submitted: int = 0
    passed: int = 0
    awarded: int = 0
    credits: int = 0

    def plus(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(*map(add, _figures(self), _figures(other)))

    def minus(self, other: Counts) -> Counts:
        """Return what must be added to `other` to make this."""
        return Counts(*map(sub, _figures(self), _figures(other)))

    @property
    def is_nothing(self) -> bool:
        """Tell whether adding this changes nothing."""
        return self == NOTHING


NOTHING = Counts()
_figures = attrgetter(*(each.name for each in fields(Counts)))


@dataclass(frozen=True, slots=True, order=True)
class ChangeBucket:
    """One cut of the self-assessments: an employer's people on a course. Route and level are not known of them."""

    organisation: str
    course: str


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    """Paired answers of a bucket: how many people, and per domain the sum of T1 minus T0 and how many rated it twice.

    Source: BR-27.
    """

    paired: int = 0
    sums: Mapping[str, int] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)

    def plus(self, other: ChangeCounts) -> ChangeCounts:
        """Return both together."""
        return ChangeCounts(
            self.paired + other.paired, _added(self.sums, other.sums), _added(self.people, other.people)
        )

    def minus(self, other: ChangeCounts) -> ChangeCounts:
        """Return what must be added to `other` to make this."""
        return self.plus(ChangeCounts(-other.paired, _negative(other.sums), _negative(other.people)))

    @property
    def is_nothing(self) -> bool:
        """Tell whether adding this changes nothing."""
        return not (self.paired or any(self.sums.values()) or any(self.people.values()))


@dataclass(frozen=True, slots=True)
class Course:
    """What the tables need of a published course.

    `domains` are those of its evidence set's framework, in order; None for a course without an evidence set.
    """

    code: str
    title: str
    routes: tuple[str, ...]
    credits_per_award: int
    domains: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class RollUps:
    """Everything the five tables are made from: courses in order of publication, employers in order of the file."""

    courses: tuple[Course, ...]
    employers: tuple[str, ...]
    counts: Mapping[Bucket, Counts]
    changes: Mapping[ChangeBucket, ChangeCounts]

    def counted(self, course: str, *, organisation: str | None = None, route: str | None = None) -> Counts:
        """Return the counts of a course, of one employer or route where given."""
        return total(
            counts
            for bucket, counts in self.counts.items()
            if bucket.course == course and organisation in (None, bucket.organisation) and route in (None, bucket.route)
        )

    def changed(self, course: str) -> ChangeCounts:
        """Return the paired self-assessments of a course."""
        found = ChangeCounts()
        for bucket, counts in self.changes.items():
            if bucket.course == course:
                found = found.plus(counts)
        return found


def total(counts: Iterable[Counts]) -> Counts:
    """Return all of `counts` together, nothing for none."""
    found = NOTHING
    for each in counts:
        found = found.plus(each)
    return found


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


def _negative(numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: -number for name, number in numbers.items()}
