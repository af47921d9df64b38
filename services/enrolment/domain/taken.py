"""What stands under a nomination: its record's fingerprint, its enrolment, and what stood there before. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Before:
    """What stood under a nomination before somebody asked again: its record is still a duplicate when it comes."""

    fingerprint: str
    enrolment_id: str
    manager_approved_on: date | None = None
    prerequisite_on: date | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands under a nomination for ever; its two days are kept so that it can be written out again.

    `earlier` is what stood there before it was asked again, oldest first.
    """

    key: str
    fingerprint: str
    enrolment_id: str
    manager_approved_on: date | None = None
    prerequisite_on: date | None = None
    earlier: tuple[Before, ...] = ()

    def of(self, enrolment_id: str) -> Taken:
        """Return what was taken as that enrolment; the latest where that is none of these."""
        found = next((each for each in self.earlier if each.enrolment_id == enrolment_id), None)
        if found is None:
            return self
        days = (found.manager_approved_on, found.prerequisite_on)
        return Taken(self.key, found.fingerprint, enrolment_id, *days)

    def mark_for(self, told: str) -> str:
        """Return the fingerprint that a record is held against: its own, where it was taken before."""
        return told if told in {each.fingerprint for each in self.earlier} else self.fingerprint

    def following(self, before: Taken) -> Taken:
        """Return this after `before`, which is remembered."""
        days = (before.manager_approved_on, before.prerequisite_on)
        last = Before(before.fingerprint, before.enrolment_id, *days)
        return replace(self, earlier=(*before.earlier, last))
