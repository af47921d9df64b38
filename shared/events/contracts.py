"""The event contracts: JSON Schemas, examples and catalogue, read from `shared/contracts`.

Here lives what checks data against a contract and what a contract may say. The contracts themselves are data; no
event class is shared between services, each consumer keeps its own tolerant reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml
from jsonschema import Draft202012Validator

from shared.errors import Fault, Malformed
from shared.events.quick_check import NotQuick, Test, quick_check

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
DATASCHEMA_BASE = "urn:teaching-partnership:schema:"

Schema = Mapping[str, Any]


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event type as the catalogue describes it: who emits it, on which feed, for whom."""

    type: str
    feed: str
    key: str
    emitted_by: str
    consumers: tuple[str, ...]
    summary: str
    service: str
    summed: str | None = None
    """The whole-number field of its data that heartbeats and readers add up as `credits`."""


class ContractBook:
    """Every event contract of the platform, loaded once.

    Raises:
        Malformed: from `check`, when data do not conform; pointers name the places, values are never repeated.
    """

    def __init__(self, folder: Path = CONTRACTS) -> None:
        self._folder = folder
        self._schemas: dict[str, Schema] = {
            path.name.removesuffix(".json"): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((folder / "events").glob("*.json"))
        }
        self._validators = {
            name: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
            for name, schema in self._schemas.items()
        }
        self._quick = {name: _quick(schema) for name, schema in self._schemas.items()}

    def types(self) -> tuple[str, ...]:
        """Return every event type with its major version, in alphabetical order."""
        return tuple(self._schemas)

    def schema(self, event_type: str) -> Schema:
        """Return the JSON Schema of the data of `event_type`.

        Raises:
            Malformed: if no contract has that name.
        """
        if event_type not in self._schemas:
            raise Malformed(f"no contract names the event type {event_type}")
        return self._schemas[event_type]

    def examples(self, event_type: str) -> dict[str, bytes]:
        """Return the example data of `event_type` by file name; empty when it has none."""
        folder = self._folder / "examples" / event_type
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.json"))}

    def check(self, event_type: str, data: bytes) -> None:
        """Return if `data` conform to the contract of `event_type`.

        Raises:
            Malformed: with one fault per place that does not conform; the values stay unsaid.
        """
        if event_type not in self._validators:
            raise Malformed(f"no contract names the event type {event_type}")
        try:
            document = msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise Malformed(f"the data of {event_type} are not JSON") from error
        if self._quick[event_type](document):
            return
        faults = tuple(
            Fault(code=str(error.validator), detail=f"does not meet '{error.validator}'", pointer=error.json_path)
            for error in self._validators[event_type].iter_errors(document)
        )
        if faults:
            raise Malformed(f"the data of {event_type} do not meet its contract", faults=faults)

    def catalogue(self) -> tuple[CatalogueEntry, ...]:
        """Return what the catalogue says of each type, service by service, in the catalogue's order."""
        return tuple(self._entries())

    def _entries(self) -> Iterator[CatalogueEntry]:
        for path in sorted((self._folder / "catalogue").glob("*.yaml")):
            for row in yaml.safe_load(path.read_text(encoding="utf-8")):
                known = {name: row[name] for name in CatalogueEntry.__struct_fields__ if name in row}
                yield msgspec.convert({**known, "service": path.stem}, CatalogueEntry)


def _quick(schema: Schema) -> Test:
    """Return what knows most good data at once; jsonschema looks at the rest, and says what is wrong."""
    try:
        return quick_check(schema)
    except NotQuick:
        return lambda _: False


@cache
def contract_book() -> ContractBook:
    """Return the contracts of this distribution, loaded once per process."""
    return ContractBook()


def dataschema(event_type: str) -> str:
    """Return the CloudEvents `dataschema` of an event type: a stable URN, nothing to fetch."""
    return f"{DATASCHEMA_BASE}{event_type}"
