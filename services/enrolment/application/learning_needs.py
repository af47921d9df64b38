"""Self-audits and what HR vouches for, as they are kept. Nobody outside the employer hears of either."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.learning_needs import Background, LearningNeeds
from services.enrolment.domain.practitioners import Practitioner


def person(books: Books, reference: str) -> Practitioner:
    """Return the person of that employee reference or opaque id, whoever they were merged into.

    Raises:
        NoSuchThing: There is nobody.
    """
    found = books.people.find(books.person_id(reference)) or books.people.find(reference)
    if found is not None and found.merged_into is not None:
        found = books.people.find(found.merged_into)
    if found is None:
        raise NoSuchThing("no such practitioner")
    return found


def keep_needs(desk: Desk, wanted: LearningNeeds) -> LearningNeeds:
    """Return the self-audit as kept."""
    known = desk.learning.needs(wanted.practitioner_id)
    if known is not None and replace(wanted, version=known.version) == known:
        return known
    desk.silent("a self-audit stays with the person and their employer")
    return desk.learning.save_needs(replace(wanted, version=known.version if known else 0))


def keep_background(desk: Desk, wanted: Background) -> Background:
    """Return what HR vouches for, as kept."""
    known = desk.learning.background(wanted.practitioner_id)
    if known is not None and replace(wanted, version=known.version) == known:
        return known
    desk.silent("roles and prior courses stay with the employer")
    return desk.learning.save_background(replace(wanted, version=known.version if known else 0))
