"""What was told of a person, each with two times: from which day it holds, and when it was recorded here.

A statement describes the person as a whole from its day until the next statement's day. Nothing told is ever
overwritten: a correction of a day stands beside what it corrects, and counts because it was said later.
Source: domain report, traps for event handling (HR feeds repeat and back-date: keep both times).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

MOST_STATEMENTS = 400
"""More than a year of a feed that speaks every day; older repetitions are let go then, never a change."""


@dataclass(frozen=True, slots=True)
class Details:
    """What may change about a person of one employer."""

    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    date_of_birth: date | None = None
    swe_number: str | None = None
    pcf_level: str | None = None
    job_title: str | None = None
    team: str | None = None
    fte: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The details from `effective_on`, that day included, as told at `said_at` and recorded at `recorded_at`.

    `said_at` is the sender's own time where it gave one, else when it was recorded; `source_ref` is its own name for
    the message. `told_as` is the reference under which it was told, where that is not the person's own.
    """

    effective_on: date
    recorded_at: datetime
    said_at: datetime
    details: Details
    source_ref: str | None = None
    told_as: str | None = None


def parted(known: Sequence[Statement], names: Collection[str]) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Return what was told under none of these references, and what was told under one of them."""
    theirs = tuple(one for one in known if one.told_as in names)
    return tuple(one for one in known if one.told_as not in names), theirs


def together(own: Sequence[Statement], back: Sequence[Statement], name: str) -> tuple[Statement, ...]:
    """Return a person's own statements with those that come back, told under the reference `name` or one behind it."""
    told = [replace(one, told_as=None) if one.told_as == name else one for one in back]
    return tuple(sorted([*own, *told], key=lambda one: (one.effective_on, one.said_at)))


def added(known: Sequence[Statement], new: Statement, *, is_dated: bool) -> tuple[Statement, ...]:
    """Return the statements with `new` in its place; the same ones when it is no news.

    No news is: the same message again (its reference, its day, its content), the content that its day has already, and,
    for one that names no day itself (`is_dated` false), the content that stands on that day anyhow. A message of its
    own that says of a day what was said before only moves the time at which that was said: whatever was said between
    both, and comes later, does not stand.
    """
    same_day = [one for one in known if one.effective_on == new.effective_on]
    earlier = [one for one in same_day if one.said_at <= new.said_at]
    next_said = next((one for one in same_day if one.said_at > new.said_at), None)
    if is_repeat(known, new) or (next_said is not None and next_said.details == new.details):
        return tuple(known)
    if earlier and earlier[-1].details == new.details:
        last = earlier[-1]
        if new.source_ref is None or last.said_at == new.said_at:
            return tuple(known)
        return tuple(replace(one, said_at=new.said_at) if one is last else one for one in known)
    standing = standing_on(known, new.effective_on)
    if not is_dated and standing is not None and standing.details == new.details:
        return tuple(known)
    found = sorted([*known, new], key=lambda one: (one.effective_on, one.said_at))
    return tuple(found) if len(found) <= MOST_STATEMENTS else _thinned(found)


def is_repeat(known: Sequence[Statement], new: Statement) -> bool:
    """Return whether this very message was told before: the sender's reference, the day and the content are known."""
    told = (new.source_ref, new.effective_on, new.details)
    return new.source_ref is not None and any((one.source_ref, one.effective_on, one.details) == told for one in known)


def is_newest(known: Sequence[Statement], new: Statement) -> bool:
    """Return whether `new` speaks of the last day told of, or of a later one, and is not an old message again."""
    if not known:
        return True
    last = known[-1]
    return not is_repeat(known, new) and (new.effective_on, new.said_at) >= (last.effective_on, last.said_at)


def standing_on(known: Sequence[Statement], day: date, known_at: datetime | None = None) -> Statement | None:
    """Return what holds on `day`, as it was known at `known_at` (now); None: nothing does."""
    found = None
    for one in known:
        if one.effective_on <= day and (known_at is None or one.recorded_at <= known_at):
            found = one
    return found


def _thinned(found: list[Statement]) -> tuple[Statement, ...]:
    """Return them without the first that only repeats the one before it and is repeated by the next."""
    for place in range(1, len(found) - 1):
        if found[place - 1].details == found[place].details == found[place + 1].details:
            return (*found[:place], *found[place + 1 :])
    return tuple(found)
