"""One person's data, for the person: all that the employer's enrolment service holds of them, and what it does not.

Source: domain, section 7 (UK GDPR Article 15; DPA 2018, Schedule 2, paragraph 25).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.enrolment.application.erasure_ports import Held
from services.enrolment.application.ports import Books
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.traces import traces_of

NOTES = (
    "This is what the enrolment service of this employer holds. The employer's assessment service and each university "
    "that was given an identity (see identity_releases) answer for what they hold.",
    "What a candidate wrote or recorded during an assessment is exempt, and marks may be given later: by 5 months from "
    "the request or 40 days after the results, whichever is earlier (DPA 2018, Schedule 2, paragraph 25). None of it "
    "is kept here.",
    "Comments of markers and assessors are not exempt; they are kept by assessment and by the university.",
    "Events on the shared feeds carry the practitioner_id and no particulars.",
    "The employer's intake topic keeps what its HR system sent for 7 days.",
)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything held of one person."""

    practitioner_id: str
    made_at: datetime
    held: tuple[Held, ...]
    notes: tuple[str, ...] = NOTES


def access_report(books: Books, practitioner_id: str) -> Report:
    """Return all that is held of a person.

    Raises:
        NoSuchThing: There is nobody of that id.
    """
    people = books.everywhere.people(practitioner_id)
    if not people:
        raise NoSuchThing("no such practitioner")
    found = books.everywhere.report(traces_of(people))
    return Report(practitioner_id, books.now, tuple(found))
