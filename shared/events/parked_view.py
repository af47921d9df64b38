"""What people are shown of what is parked: counts by reason, and one record with everything personal masked.

A field is shown where the contract of its type names it and its value is what the contract says: words of a list, days,
numbers, codes of a pattern. No contract lets those say who anybody is. Ids are shown by their beginning, titles and
other free text not at all, and of what breaks its contract, or has none, only how much there is. Bytes of a record
that is no event are never shown: its size, its hash and the names of its headers are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from jsonschema import Draft202012Validator

from shared.errors import Malformed
from shared.events.contracts import ContractBook
from shared.events.parking import FOLLOWS, PARKED, Parked, envelope_in, parked_from
from shared.storage.unit_of_work import Reading

MASKED: Final = "(masked)"
SHOWN_OF_AN_ID: Final = 8
_HARMLESS_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
_HARMLESS_TYPE: Final = re.compile(r"[a-z][a-z0-9-]{0,30}\.[a-z][a-z0-9-]{0,60}\.v[0-9]{1,3}\Z")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What is parked for one reason, and what follows it under the same keys."""

    reason: str
    causes: int
    followers: int
    security: bool
    feeds: tuple[str, ...]
    first_seen_at: datetime
    last_seen_at: datetime


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One parked record as a person sees it.

    `fields` are (JSON pointer, value or mask) of what the contract names; `unnamed` counts what it does not name. Of a
    record that is no event `headers` are the names of its headers, those that are nothing but names.
    """

    parked: Parked
    key: str | None
    type: str | None
    time: str | None = None
    correlation_id: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    unnamed: int = 0
    size: int | None = None
    sha256: str | None = None
    headers: tuple[str, ...] = ()
    other_headers: int = 0


def grouped(waiting: Iterable[Parked]) -> tuple[Group, ...]:
    """Return what waits by reason, most first. A follower counts with the reason that its key waits for."""
    rows = sorted(waiting, key=lambda one: (one.feed, one.number is None, one.number or 0))
    reasons: dict[tuple[str, str | None], str] = {}
    groups: dict[str, list[Parked]] = {}
    for one in rows:
        reason = one.reason
        if one.is_cause and one.key is not None:
            reasons.setdefault((one.feed, one.key), one.reason)
        elif not one.is_cause:
            reason = reasons.get((one.feed, one.key), FOLLOWS)
        groups.setdefault(reason, []).append(one)
    found = [_group(reason, members) for reason, members in groups.items()]
    return tuple(sorted(found, key=lambda group: (-(group.causes + group.followers), group.reason)))


def _group(reason: str, members: Sequence[Parked]) -> Group:
    return Group(
        reason=reason,
        causes=sum(one.is_cause for one in members),
        followers=sum(not one.is_cause for one in members),
        security=any(one.security for one in members),
        feeds=tuple(sorted({one.feed for one in members})),
        first_seen_at=min(one.parked_at for one in members),
        last_seen_at=max(one.parked_at for one in members),
    )


def shown(reading: Reading, identifier: str, book: ContractBook) -> Shown | None:
    """Return one parked record for people's eyes, None where there is none of that id."""
    doc = reading.rows(PARKED).find_one({"_id": identifier})
    if doc is None:
        return None
    parked = parked_from(doc)
    if doc["number"] is None:
        names = [str(name) for name, _ in doc.get("raw_headers", ())]
        harmless = tuple(name for name in names if _HARMLESS_NAME.match(name))
        return Shown(
            parked=parked,
            key=None,
            type=None,
            size=doc.get("size"),
            sha256=doc.get("sha256"),
            headers=harmless,
            other_headers=len(names) - len(harmless),
        )
    envelope = envelope_in(doc)
    fields, unnamed = said(envelope.type, envelope.data, book)
    return Shown(
        parked=parked,
        key=masked_key(envelope.subject),
        type=type_shown(envelope.type),
        time=envelope.time,
        correlation_id=masked_key(envelope.correlationid),
        fields=fields,
        unnamed=unnamed,
        size=len(envelope.data),
    )


def masked_key(key: str | None) -> str | None:
    """Return the beginning of an id, enough to tell it from others; of anything else only that it is masked."""
    if key is None:
        return None
    return f"{key[:SHOWN_OF_AN_ID]}…" if _is_id(key) else MASKED


def type_shown(event_type: str | None) -> str | None:
    """Return a type's name where it has the form of one."""
    if event_type is None:
        return None
    return event_type if _HARMLESS_TYPE.match(event_type) else MASKED


def said(event_type: str, data: bytes, book: ContractBook) -> tuple[tuple[tuple[str, str], ...], int]:
    """Return what an event says as (pointer, value or mask), and how many members its contract does not name."""
    try:
        schema = book.schema(event_type)
        body = msgspec.json.decode(data)
    except (Malformed, msgspec.DecodeError, UnicodeDecodeError):
        return (), 0
    count: Counter[str] = Counter()
    return tuple(_members("", schema, body, count)), count["unnamed"]


def _members(pointer: str, schema: Mapping[str, Any], value: object, count: Counter[str]) -> Iterator[tuple[str, str]]:
    named = schema.get("properties")
    if isinstance(value, dict) and isinstance(named, dict):
        count["unnamed"] += len(value.keys() - named.keys())
        for name in sorted(named.keys() & value.keys()):
            yield from _members(f"{pointer}/{name}", named[name], value[name], count)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _members(f"{pointer}/{index}", schema["items"], item, count)
    else:
        yield pointer, _leaf(schema, value)


def _leaf(schema: Mapping[str, Any], value: object) -> str:
    if isinstance(value, dict | list):
        return f"(masked: {len(value)} entries)"
    if not Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(value):
        return "(masked: not what the contract says)"
    if value is None or isinstance(value, bool | int | float):
        return msgspec.json.encode(value).decode()
    if _is_id(str(value)):
        return f"{str(value)[:SHOWN_OF_AN_ID]}…"
    is_closed = any(name in schema for name in ("enum", "const", "pattern")) or schema.get("format") in (
        "date",
        "date-time",
    )
    return str(value) if is_closed else MASKED


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
