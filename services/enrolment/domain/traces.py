"""What gives a person away in whatever was kept: references, addresses, numbers and names, past ones too.

A trace is looked for in values, never in a shape: a row, a stored reply or a file's name says somebody's name in its
own way. What is found is replaced as a whole by `ERASED`; half a sentence about somebody still tells of them. Where
only addresses, or what files say for a value, may stand, it is taken out: the word would be sent to, or read by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.enrolment.domain.practitioners import Practitioner

ERASED = "erased"
ADDRESSES = "addresses"
VALUES = "values"
_FILE_NAME = re.compile(r'"filename"\s*:\s*"((?:[^"\\]|\\.)*)"')
REFERENCE_KEYS = ("_ref", "_by", "key", "value")
REFERENCE_NAMES = frozenset({"by", "subject", "actor", "asked_by", "employee_ref"})
PARTICULARS = (
    "given_name",
    "family_name",
    "email",
    "date_of_birth",
    "swe_number",
    "job_title",
    "team",
    "line_manager_ref",
    "employment_start",
    "fte",
)
EXACT_REASONS = frozenset({"health", "leave", "sickness", "bereavement", "parental_leave", "dismissed", "died"})
"""Reasons that say more of a person than that something ended."""


@dataclass(frozen=True, slots=True)
class Traces:
    """All by which one person can be found, folded to lower case."""

    ids: frozenset[str]
    references: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    """Addresses and registration numbers: each says who it is wherever it stands."""
    names: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def is_text(self, text: str) -> bool:
        """Return whether a text holds an address, a number, or both names of the person."""
        folded = text.casefold()
        if any(known in folded for known in self.texts):
            return True
        return any(_word(given, folded) and _word(family, folded) for given, family in self.names)

    def is_address(self, text: str) -> bool:
        """Return whether an e-mail address is the person's: as a whole, or by both names in it."""
        folded = text.strip().casefold()
        return folded in self.texts or any(
            _word(given, folded) and _word(family, folded) for given, family in self.names
        )

    def is_reference(self, text: str) -> bool:
        """Return whether a text is the person's employee reference."""
        return text.strip().casefold() in self.references

    def is_file_name(self, text: str) -> bool:
        """Return whether a file's name tells of the person: there one name is enough, or the reference."""
        folded = text.casefold()
        words = [*(word for both in self.names for word in both), *self.references]
        return self.is_text(text) or any(_word(word, folded) for word in words)

    def is_bytes(self, content: bytes) -> bool:
        """Return whether stored JSON tells of the person: by id, by text, or by the reference as a whole value."""
        text = content.decode("utf-8", "replace")
        folded = text.casefold()
        if any(f'"{reference}"' in folded for reference in self.references) or any(one in folded for one in self.ids):
            return True
        return self.is_text(text) or any(map(self.is_file_name, _FILE_NAME.findall(text)))

    def is_row(self, record: Mapping[str, Any], cells: Mapping[str, Any]) -> bool:
        """Return whether a row of a file is about the person: by what was read of it, or by how it was sent."""
        read = {name: str(value).casefold() for name, value in record.items() if value is not None}
        if read.get("employee_ref") in self.references or read.get("email") in self.texts:
            return True
        if read.get("swe_number") in self.texts or (read.get("given_name"), read.get("family_name")) in self.names:
            return True
        sent = [str(cell) for name, cell in cells.items() if "manager" not in name.casefold()]
        return self.is_text(" ".join(sent)) or (not read.get("employee_ref") and any(map(self.is_reference, sent)))


def traces_of(people: Iterable[Practitioner]) -> Traces:
    """Return the traces of a person, of whom several ids may be known; all that was ever stated counts."""
    ids: set[str] = set()
    references: set[str] = set()
    texts: set[str] = set()
    names: set[tuple[str, str]] = set()
    for person in people:
        ids.add(person.practitioner_id.casefold())
        references |= _folded(person.employee_ref)
        hcpc = [str(getattr(one, "number", "") or "") for one in person.hcpc_numbers]
        texts |= _folded(person.uln, person.husid, person.sid, *hcpc)
        for told in (person, *(statement.details for statement in person.statements)):
            texts |= _folded(getattr(told, "email", None), getattr(told, "swe_number", None))
            given, family = getattr(told, "given_name", None), getattr(told, "family_name", None)
            if given and family:
                names.add((given.casefold(), family.casefold()))
    return Traces(frozenset(ids), frozenset(references), frozenset(texts), frozenset(names))


def cleaned(value: Any, traces: Traces, key: str = "") -> Any:  # noqa: ANN401 - whatever was kept
    """Return `value` without a trace of the person; equal to what was given where there is none."""
    if isinstance(value, Mapping):
        return _cleaned_mapping(value, traces)
    if isinstance(value, list):
        return [cleaned(one, traces, key) for one in value]
    if not isinstance(value, str):
        return value
    if key == "filename" and traces.is_file_name(value):
        return ERASED
    names_a_person = key.endswith(REFERENCE_KEYS) or key in REFERENCE_NAMES
    if (names_a_person and traces.is_reference(value)) or (
        value.casefold() not in traces.ids and traces.is_text(value)
    ):
        return ERASED
    return value


def _cleaned_mapping(value: Mapping[str, Any], traces: Traces) -> dict[str, Any]:
    is_about = _is_about(value, traces)
    found: dict[str, Any] = {}
    for name, one in value.items():
        if is_about and name in PARTICULARS:
            found[name] = None
        elif is_about and name == "employee_ref":
            found[name] = ERASED
        elif name == "reason" and is_about and one in EXACT_REASONS:
            found[name] = "other"
        elif name == ADDRESSES and isinstance(one, Mapping):
            found[name] = {role: _without(sent_to, traces) for role, sent_to in one.items()}
        elif name == VALUES and isinstance(one, Mapping):
            found[name] = {column: _unsaid(column, said, traces) for column, said in one.items()}
        else:
            found[name] = cleaned(one, traces, name)
            if is_about and isinstance(found[name], list):
                found[name] = [_coarse(each) for each in found[name]]
    return found


def _without(addresses: Any, traces: Traces) -> Any:  # noqa: ANN401 - whatever was kept
    """Return a list of addresses without the person's: nothing can be sent to the word that would stand there."""
    if not isinstance(addresses, list):
        return cleaned(addresses, traces)
    return [one for one in addresses if not (isinstance(one, str) and traces.is_address(one))]


def _unsaid(column: str, table: Any, traces: Traces) -> Any:  # noqa: ANN401 - whatever was kept
    """Return what files say for a column's values, without what tells of the person on either side."""
    if not isinstance(table, Mapping):
        return cleaned(table, traces, column)

    def tells(text: object) -> bool:
        if not isinstance(text, str):
            return False
        return traces.is_text(text) or (column.endswith("_ref") and traces.is_reference(text))

    return {said: meant for said, meant in table.items() if not tells(said) and not tells(meant)}


def _coarse(value: Any) -> Any:  # noqa: ANN401 - an entry of a history
    if isinstance(value, dict) and value.get("reason") in EXACT_REASONS:
        return {**value, "reason": "other"}
    return value


def _is_about(value: Mapping[str, Any], traces: Traces) -> bool:
    identity = value.get("practitioner_id")
    reference = value.get("employee_ref")
    by_id = isinstance(identity, str) and identity.casefold() in traces.ids
    return by_id or (isinstance(reference, str) and traces.is_reference(reference))


def _folded(*texts: str | None) -> set[str]:
    return {text.strip().casefold() for text in texts if text and text.strip()}


def _word(name: str, text: str) -> bool:
    """Return whether a name stands in a text by itself: no Ann in Annual."""
    return re.search(rf"(?<![^\W\d_]){re.escape(name)}(?![^\W\d_])", text) is not None
