"""What people may look at, of one organisation. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from services.enrolment.application.facts import CoursePublished
from services.enrolment.application.ports import Books
from services.enrolment.application.uploads import CONFIRMED_STATES, Upload, UploadRow
from services.enrolment.domain.courses import Course
from services.enrolment.domain.decisions import ACCEPTED, OfferedCourse
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.mapping import FileMapping

T = TypeVar("T")
ROWS_AT_ONCE = 500


def catalogue(books: Books, show: Callable[[CoursePublished, OfferedCourse], T]) -> list[T]:
    """Return every course that this organisation knows, in order of code."""
    offered = books.catalogue.courses()
    return [show(told, offered[code]) for code, told in books.catalogue.titles().items() if code in offered]


def same_course(one: Course, other: Course) -> bool:
    """Return whether two versions of a course offer the same."""
    return replace(one, version=0) == replace(other, version=0)


def enrolment(books: Books, enrolment_id: str) -> Enrolment:
    """Return one enrolment.

    Raises:
        NoSuchThing: There is none of that id.
    """
    found = books.enrolments.find(enrolment_id)
    if found is None:
        raise NoSuchThing("no such enrolment")
    return found


def upload_rows(books: Books, upload: Upload, first: int, limit: int, decision: str | None = None) -> list[UploadRow]:
    """Return rows of a file in file order, each with the enrolment that it became or repeats.

    An imported row is not written again: its nomination, kept under the same key, knows the enrolment.
    """
    found = books.uploads.rows(upload.upload_id, first, limit, decision)
    if upload.state not in CONFIRMED_STATES:
        return found
    taken = books.nominations.known([row.key for row in found if row.enrolment_id is None and row.decision == ACCEPTED])
    return [
        replace(row, enrolment_id=taken[row.key].enrolment_id)
        if row.enrolment_id is None and row.decision == ACCEPTED and row.key in taken
        else row
        for row in found
    ]


def rows_of(books: Books, upload_id: str, decision: str) -> Iterator[UploadRow]:
    """Yield a file's rows of one decision in file order, without ever holding all of them."""
    first = 0
    while found := books.uploads.rows(upload_id, first, ROWS_AT_ONCE, decision):
        yield from found
        first = found[-1].index + 1


def declared_mapping(books: Books, of_partnership: FileMapping | None) -> FileMapping | None:
    """Return how this employer's files are read: as it has set itself, else as the partnership file says."""
    own = books.mappings.find()
    return own[0] if own else of_partnership
