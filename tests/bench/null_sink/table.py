"""One remembered collection of the NULL sink, with a look-up for the first field of each index that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tests.faults.simulation.matching import Document, matches


class Table:
    """Documents by `_id`, in the order in which they came."""

    def __init__(self) -> None:
        self._documents: dict[Any, Document] = {}
        self._known: dict[str, dict[Any, dict[Any, None]]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._documents

    def index(self, field: str) -> None:
        """Keep a look-up of a field from now on."""
        if field == "_id" or "." in field or field in self._known:
            return
        self._known[field] = {}
        for key, document in self._documents.items():
            self._note(field, key, document)

    def put(self, document: Document) -> None:
        """Put a document in the place of the one with its `_id`."""
        key = document["_id"]
        self.remove(key, is_replaced=True)
        self._documents[key] = document
        for field in self._known:
            self._note(field, key, document)

    def remove(self, key: object, *, is_replaced: bool = False) -> None:
        """Forget a document, if it is there; one that is replaced keeps its place."""
        old = self._documents.get(key)
        if old is None:
            return
        for field, found in self._known.items():
            found.get(_hashable(old.get(field)), {}).pop(key, None)
        if not is_replaced:
            del self._documents[key]

    def matching(self, wanted: Mapping[str, Any]) -> Iterator[Document]:
        """Yield what a filter asks for."""
        for key in list(self._candidates(wanted)):
            document = self._documents.get(key)
            if document is not None and matches(document, wanted):
                yield document

    def _candidates(self, wanted: Mapping[str, Any]) -> Collection[Any]:
        if "_id" in wanted:
            keys = _values(wanted["_id"])
            if keys is not None:
                return keys
        for field, found in self._known.items():
            values = _values(wanted[field]) if field in wanted else None
            if values is not None:
                return [key for value in values for key in found.get(_hashable(value), {})]
        return self._documents

    def _note(self, field: str, key: object, document: Document) -> None:
        self._known[field].setdefault(_hashable(document.get(field)), {})[key] = None


def _values(condition: object) -> list[Any] | None:
    """Return the values that a condition allows, None where it is no list of them."""
    if not isinstance(condition, Mapping):
        return [condition]
    return list(condition["$in"]) if set(condition) == {"$in"} else None


def _hashable(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
