"""The field guide: what a file may say, under one employer's own headings. Templates and pages are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.enrolment.application.ports import Books
from services.enrolment.domain.decisions import Catalogue
from services.enrolment.domain.field_list import (
    BY_NAME,
    COURSE,
    DATE,
    FIELD_LIST,
    INTAKE,
    LONGEST_TEXT,
    NUMBER,
    OPTIONAL,
    REGISTRATION,
    WORD,
    Entry,
)
from services.enrolment.domain.mapping import FileMapping, spelled

_KINDS = {
    DATE: "a day as {date_format}",
    NUMBER: "a number with a point, without thousands separators",
    REGISTRATION: "SW and up to six digits",
    WORD: "one of the words below",
    COURSE: "the code of a published course",
    INTAKE: "an intake of the course",
}


@dataclass(frozen=True, slots=True)
class GuideEntry:
    """One column as an employer sees it. `allowed` is empty where anything of the format will do."""

    name: str
    heading: str
    title: str
    description: str
    kind: str
    format: str
    example: str
    need: str
    condition: str | None
    allowed: tuple[str, ...]
    longest: int


def guide(books: Books, mapping: FileMapping) -> list[GuideEntry]:
    """Return every column of this employer's files, in the mapping's order, fields without a column left out."""
    return entries(books.catalogue.courses(), mapping)


def entries(catalogue: Catalogue, mapping: FileMapping) -> list[GuideEntry]:
    """Return every column of files that are read by `mapping`."""
    return [_entry(name, heading, catalogue, mapping) for name, heading in mapping.headings.items()]


def _entry(name: str, heading: str, catalogue: Catalogue, mapping: FileMapping) -> GuideEntry:
    entry = BY_NAME.get(name) or _of_mapping(name, heading, mapping)
    allowed = _allowed(entry, catalogue, mapping)
    date_format = spelled(mapping.date_format)
    form = _KINDS.get(entry.kind, f"text, at most {LONGEST_TEXT} characters").format(date_format=date_format)
    example = entry.example
    if entry.kind == DATE and mapping.date_format:
        example = _example_day(entry.example, mapping.date_format)
    if allowed and example not in allowed:
        example = allowed[0]
    return GuideEntry(
        name=name,
        heading=heading,
        title=entry.title,
        description=entry.description,
        kind=entry.kind,
        format=form,
        example=example,
        need=entry.need,
        condition=entry.condition,
        allowed=allowed,
        longest=LONGEST_TEXT,
    )


def _of_mapping(name: str, heading: str, mapping: FileMapping) -> Entry:
    """Return a column that only this employer has: a combined name, or one that nothing is read from."""
    split = mapping.split_name
    if split is not None and split.column == name:
        given, family = BY_NAME["given_name"], BY_NAME["family_name"]
        example = split.order.replace("given", given.example).replace("family", family.example)
        return Entry(name, heading, f"The whole name, written as {split.order}.", example)
    return Entry(name, heading, "Nothing is read from this column.", "", need=OPTIONAL)


def _allowed(entry: Entry, catalogue: Catalogue, mapping: FileMapping) -> tuple[str, ...]:
    """Return the words that a cell may say: the employer's own where they are mapped, and ours where they are not."""
    theirs = mapping.values.get(entry.name, {})
    ours: Sequence[str] = entry.words
    if entry.kind == COURSE:
        ours = sorted(code for code, course in catalogue.items() if course.cohorts)
    elif entry.kind == INTAKE:
        open_ones = {
            intake for course in catalogue.values() for intake, cohort in course.cohorts.items() if not cohort.closed
        }
        ours = sorted(open_ones)
    mapped = set(theirs.values())
    return (*theirs, *(word for word in ours if word not in mapped))


def _example_day(example: str, date_format: str) -> str:
    return date.fromisoformat(example).strftime(date_format)


def canonical(catalogue: Catalogue) -> list[GuideEntry]:
    """Return the guide of the canonical file: every field under its own name."""
    return entries(catalogue, FileMapping(columns={entry.name: entry.name for entry in FIELD_LIST}))
