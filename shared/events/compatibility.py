"""What a released event contract may still change: nothing but its words.

A released schema is known by its fingerprint in `shared/contracts/released.json`. The fingerprint leaves out
titles, descriptions, examples and comments. Another shape is another version, with an upcaster.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

WORDS = frozenset({"title", "description", "examples", "$comment"})
FREE_TEXT = "free text allowed"


def fingerprint(schema: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a schema without its words, as 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(_bare(schema), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _bare(node: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, Mapping):
        kept = {key: value for key, value in node.items() if names or key not in WORDS}
        return {key: _bare(value, names=key == "properties" and not names) for key, value in kept.items()}
    if isinstance(node, list):
        return [_bare(item) for item in node]
    return node


def open_places(schema: Mapping[str, Any], pointer: str = "") -> Iterator[str]:
    """Yield the places where a contract would let anything through, as JSON pointers; nothing for a good one.

    An object must be closed (`additionalProperties` false, or a schema for its values); a string must have an
    enum, a const, a format or a pattern, or the comment that allows free text.
    """
    yield from (f"{pointer} {fault}" for fault in _faults_here(schema))
    for place, child in _children(schema):
        yield from open_places(child, f"{pointer}/{place}")


def _faults_here(schema: Mapping[str, Any]) -> Iterator[str]:
    stated = schema.get("type", ())
    kinds = {stated} if isinstance(stated, str) else set(stated)
    if "object" in kinds and schema.get("additionalProperties", True) is True:
        yield "is an open object"
    if "string" in kinds and not _is_bounded(schema):
        yield "is free text"
    if not kinds and not {"enum", "const", "$ref", "anyOf", "oneOf"} & schema.keys():
        yield "says no type"


def _children(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for word in ("properties", "$defs"):
        yield from ((name, child) for name, child in schema.get(word, {}).items())
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), Mapping):
            yield word, schema[word]
    if isinstance(schema.get("propertyNames"), Mapping):
        yield "propertyNames", {"type": "string", **schema["propertyNames"]}
    for word in ("anyOf", "oneOf", "prefixItems"):
        yield from ((f"{word}/{index}", child) for index, child in enumerate(schema.get(word, ())))


def _is_bounded(schema: Mapping[str, Any]) -> bool:
    says_so = str(schema.get("$comment", "")).startswith(FREE_TEXT)
    return says_so or bool({"enum", "const", "format", "pattern"} & schema.keys())
