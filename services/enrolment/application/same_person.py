"""Nominations of one person under several references: whoever was merged is nominated under each of their names.

A nomination keeps the reference under which it was told. What was taken under one of a person's references is found
under all of them; an employer without merges pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.enrolment.application.ports import Books
from services.enrolment.domain.records import ReadRow, Record, nomination_key


class References:
    """The references that lead to one person, for the people of some records."""

    def __init__(self, books: Books, records: Sequence[Record]) -> None:
        self._others: dict[str, tuple[str, ...]] = {}
        survivors = books.people.survivors()
        for reference in {record.employee_ref for record in records if record.employee_ref} if survivors else ():
            survivor = books.person_id(reference)
            if survivor in survivors:
                first = books.people.find(survivor)
                everybody = [*([first] if first else []), *books.people.merged_into(survivor)]
                names = [one.employee_ref for one in everybody]
                self._others[reference] = tuple(name for name in names if name != reference)

    def names(self, reference: str) -> list[str]:
        """Return the references that lead to whom this one leads to, itself first."""
        return [reference, *self._others.get(reference, ())]

    def keys(self, record: Record) -> list[str]:
        """Return the keys under which this nomination may have been taken, its own first."""
        return [nomination_key(each) for each in self._as_told(record)]

    def as_taken(self, row: ReadRow, taken: Mapping[str, object]) -> tuple[ReadRow, str]:
        """Return the row as it stands among the taken ones, and its key there; unchanged where none stands."""
        own = nomination_key(row.record)
        if own in taken:
            return row, own
        for record in self._as_told(row.record)[1:]:
            key = nomination_key(record)
            if key in taken:
                return replace(row, record=record), key
        return row, own

    def _as_told(self, record: Record) -> list[Record]:
        others = self._others.get(record.employee_ref or "", ())
        return [record, *(replace(record, employee_ref=other) for other in others)]
