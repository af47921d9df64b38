"""The AsyncAPI 3 document, made from the catalogue and the schemas. Nothing in it is written by hand.

Source: AsyncAPI 3.0.0 specification; CloudEvents 1.0.2 Kafka binding, binary content mode.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.events.contracts import CatalogueEntry, ContractBook, dataschema

_TEXT = {"type": "string", "minLength": 1}
_HEADERS: Mapping[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_organisation", "ce_correlationid"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid"},
        "ce_type": _TEXT,
        "ce_source": _TEXT,
        "ce_subject": {**_TEXT, "description": "aggregate id, equal to the record's key"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_dataschema": _TEXT,
        "ce_organisation": {**_TEXT, "description": "the owner; equal to the topic's"},
        "ce_feedseq": {"type": "string", "pattern": "^[0-9]+$", "description": "dense number in this feed"},
        "ce_prevhash": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "hash of the number before"},
        "ce_correlationid": _TEXT,
        "ce_causationid": _TEXT,
        "ce_traceparent": _TEXT,
    },
}


def asyncapi_document(book: ContractBook, version: str) -> dict[str, Any]:
    """Return the AsyncAPI 3.0.0 document of every feed: one channel per service and kind, parametrised by owner."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for entry in book.catalogue():
        messages[entry.type] = _message(book, entry)
        channel = channels.setdefault(f"{entry.feed}.{entry.service}", _channel(entry))
        channel["messages"][entry.type] = {"$ref": f"#/components/messages/{entry.type}"}
        _add_operation(operations, f"{entry.service}.sends.{entry.feed}", "send", entry)
        for consumer in entry.consumers:
            _add_operation(operations, f"{consumer}.receives.{entry.feed}.{entry.service}", "receive", entry)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Teaching partnership feeds",
            "version": version,
            "description": "One feed per owner and service: one partition, kept for ever, dense numbers, a hash chain.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _channel(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "address": f"{entry.feed}.{{organisation}}.{entry.service}.v1",
        "parameters": {"organisation": {"description": "slug of the owner in the partnership file"}},
        "messages": {},
        "bindings": {"kafka": {"partitions": 1, "topicConfiguration": {"retention.ms": -1}}},
    }


def _message(book: ContractBook, entry: CatalogueEntry) -> dict[str, Any]:
    examples = [
        {"name": name.removesuffix(".json"), "payload": json.loads(data)}
        for name, data in book.examples(entry.type).items()
    ]
    return {
        "name": entry.type,
        "summary": entry.summary,
        "contentType": "application/json",
        "headers": {**_HEADERS, "properties": {**_HEADERS["properties"], "ce_type": {"const": entry.type}}},
        "payload": {**book.schema(entry.type), "$id": dataschema(entry.type)},
        "bindings": {"kafka": {"key": {"type": "string", "description": entry.key}}},
        "examples": examples,
    }


def _add_operation(operations: dict[str, Any], name: str, action: str, entry: CatalogueEntry) -> None:
    channel = f"#/channels/{entry.feed}.{entry.service}"
    operation = operations.setdefault(name, {"action": action, "channel": {"$ref": channel}, "messages": []})
    messages: Sequence[dict[str, str]] = operation["messages"]
    operation["messages"] = [*messages, {"$ref": f"{channel}/messages/{entry.type}"}]
