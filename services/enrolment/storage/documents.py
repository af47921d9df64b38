"""How values become documents and back: every field under its own name, dates and decimals as text. No query here."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from shared.storage.mongo import Document

T = TypeVar("T")


def document_of(value: object, identity: str, **more: object) -> Document:
    """Return the document of a value: `_id`, all its fields, and what is there only to be found by."""
    fields: Document = msgspec.to_builtins(value)
    return {"_id": identity, **fields, **more}


def value_of(document: Document, kind: type[T]) -> T:
    """Return the value that a document holds; what is there only to be found by is ignored."""
    return msgspec.convert(document, kind)
