"""The few filters and updates that the backbone uses, as MongoDB understands them; anything else is refused loudly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

Document = dict[str, Any]
_MISSING: Final = object()

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$in": lambda value, wanted: any(_equal(value, one) for one in wanted),
    "$ne": lambda value, wanted: not _equal(value, wanted),
    "$gt": lambda value, wanted: value not in (None, _MISSING) and value > wanted,
    "$gte": lambda value, wanted: value not in (None, _MISSING) and value >= wanted,
    "$lt": lambda value, wanted: value not in (None, _MISSING) and value < wanted,
    "$lte": lambda value, wanted: value not in (None, _MISSING) and value <= wanted,
}


_CHANGES: Final[Mapping[str, Callable[[Document, str, Any], object]]] = {
    "$set": lambda doc, name, value: doc.update({name: value}),
    "$setOnInsert": lambda doc, name, value: doc.update({name: value}),
    "$inc": lambda doc, name, value: doc.update({name: doc.get(name, 0) + value}),
    "$push": lambda doc, name, value: doc.update({name: [*doc.get(name, []), value]}),
    "$unset": lambda doc, name, _: doc.pop(name, None),
}


def _equal(value: Any, wanted: Any) -> bool:  # noqa: ANN401 - whatever a document holds
    if value is _MISSING:
        return wanted is None
    if isinstance(value, datetime) and isinstance(wanted, datetime):
        return value.timestamp() * 1000 // 1 == wanted.timestamp() * 1000 // 1
    return bool(value == wanted)


def matches(doc: Document, wanted: Mapping[str, Any]) -> bool:
    """Return whether the document is one that the filter asks for.

    Raises:
        NotImplementedError: The filter uses what this store does not have.
    """
    for name, condition in wanted.items():
        if name.startswith("$") or "." in name:
            raise NotImplementedError(name)
        value = doc.get(name, _MISSING)
        if isinstance(condition, Mapping) and any(key.startswith("$") for key in condition):
            if not all(_operator(operator)(value, operand) for operator, operand in condition.items()):
                return False
        elif not _equal(value, condition):
            return False
    return True


def _operator(name: str) -> Callable[[Any, Any], bool]:
    if name not in _OPERATORS:
        raise NotImplementedError(name)
    return _OPERATORS[name]


def updated(doc: Document, update: Mapping[str, Any], *, is_new: bool) -> Document:
    """Return the document as the update leaves it; the given one stays as it is.

    Raises:
        KeyError: The update uses an operator that this store does not have.
        NotImplementedError: It names a field within a field.
    """
    after = dict(doc)
    for operator, fields in update.items():
        for name, value in fields.items():
            if "." in name:
                raise NotImplementedError(name)
            if operator != "$setOnInsert" or is_new:
                _CHANGES[operator](after, name, value)
    return after


def begun(wanted: Mapping[str, Any]) -> Document:
    """Return the document that an upsert begins with: the filter's equalities."""
    return {name: value for name, value in wanted.items() if not isinstance(value, Mapping)}


def projected(doc: Document, projection: Mapping[str, Any] | None) -> Document:
    """Return the fields that were asked for, all of them without a projection."""
    if projection is None:
        return doc
    if not any(projection.values()):
        return {name: value for name, value in doc.items() if name not in projection}
    return {name: value for name, value in doc.items() if name == "_id" or projection.get(name)}
