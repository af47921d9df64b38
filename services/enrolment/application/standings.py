"""What an employer knows of people before they are nominated or advised: put together from what it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.enrolment.application.learning_ports import Known
from services.enrolment.application.ports import Books
from services.enrolment.domain.decisions import OfferedCourse
from services.enrolment.domain.eligibility import Standing
from services.enrolment.domain.learning_needs import LearningNeeds
from services.enrolment.domain.records import Record


def of_nominated(
    books: Books, records: Iterable[Record], catalogue: Mapping[str, OfferedCourse]
) -> dict[str | None, Standing]:
    """Return the standing of everybody nominated for a course that asks for one, by employee reference.

    Courses that ask for nothing cost nothing: without any that does, nothing is read.
    """
    asking = {code for code, course in catalogue.items() if course.asked.needs_standing}
    refs = {record.employee_ref for record in records if record.course in asking and record.employee_ref}
    by_ref = {ref: books.person_id(ref) for ref in sorted(refs)}
    found = of_people(books, list(by_ref.values()))
    return {ref: found[practitioner_id] for ref, practitioner_id in by_ref.items()}


def of_person(books: Books, practitioner_id: str) -> tuple[Standing, LearningNeeds | None]:
    """Return the standing and the latest self-audit of one person."""
    known = books.learning.known([practitioner_id])[practitioner_id]
    return _standing(books.kind, known), known.needs


def of_people(books: Books, ids: Sequence[str]) -> dict[str, Standing]:
    """Return the standing of each of these people, by opaque id."""
    if not ids:
        return {}
    return {each: _standing(books.kind, known) for each, known in books.learning.known(ids).items()}


def _standing(kind: str, known: Known) -> Standing:
    completed = dict(known.completed)
    for prior in known.background.prior_courses if known.background else ():
        completed[prior.course] = max(prior.completed_on, completed.get(prior.course, prior.completed_on))
    return Standing(
        employer_kind=kind,
        roles=frozenset(known.background.roles if known.background else ()),
        completed=completed,
        running=frozenset(known.running),
        rated_domains=known.needs.rated if known.needs else frozenset(),
    )
