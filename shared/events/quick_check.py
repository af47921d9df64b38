"""A contract as plain functions: what surely conforms is known in microseconds, anything else is for jsonschema to say.

Made once per contract, from the same JSON Schema. A quick check may doubt data that conform (a number spelled `1.0`
for an integer, say) and never takes data that do not; a schema with a keyword that is not known here has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import NoneType
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator

Test = Callable[[Any], bool]
Kinds: TypeAlias = dict[type, Test]
"""By the kind of a decoded JSON value what it must pass; a kind that is not there does not conform."""

_NOTES: Final = {"$schema", "$id", "$comment", "title", "description", "type"}
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class NotQuick(Exception):
    """The schema says something that only jsonschema understands."""


def quick_check(schema: Mapping[str, Any]) -> Test:
    """Return what is true of a decoded JSON document only if it conforms to the schema.

    Raises:
        NotQuick: The schema says more than is known here.
    """
    kinds = _kinds(schema)
    return lambda document: _passes(kinds, document)


def _passes(kinds: Kinds, value: object) -> bool:
    test = kinds.get(type(value))
    return test is not None and test(value)


def _kinds(schema: object) -> Kinds:
    if not isinstance(schema, Mapping):  # `true` and `false` are schemas, too
        raise NotQuick
    if "anyOf" in schema:
        if "type" in schema:
            raise NotQuick
        _refuse_more(schema, "anyOf")
        return _either([_kinds(each) for each in schema["anyOf"]])
    named = schema.get("type")
    names = [named] if isinstance(named, str) else named
    if not names:
        raise NotQuick
    found: Kinds = {}
    for name in names:
        if name not in _MADE_BY_TYPE:
            raise NotQuick
        found |= _MADE_BY_TYPE[name](schema)
    known = set().union(*(_SAID_OF[name] for name in names))
    _refuse_more(schema, *known)
    return found


def _refuse_more(schema: Mapping[str, Any], *known: str) -> None:
    if set(schema) - _NOTES - set(known):
        raise NotQuick


def _either(alternatives: list[Kinds]) -> Kinds:
    found: Kinds = {}
    for alternative in alternatives:
        for kind, test in alternative.items():
            found[kind] = _one_of(found[kind], test) if kind in found else test
    return found


def _one_of(first: Test, second: Test) -> Test:
    return lambda value: first(value) or second(value)


def _all_of(tests: list[Test]) -> Test:
    if not tests:
        return _always
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _always(_: object) -> bool:
    return True


# -- values ---------------------------------------------------------------------------------------------------------


def _string(schema: Mapping[str, Any]) -> Kinds:
    tests: list[Test] = []
    if "enum" in schema:
        tests.append(frozenset(word for word in schema["enum"] if isinstance(word, str)).__contains__)
    if "pattern" in schema:
        found = re.compile(schema["pattern"]).search
        tests.append(lambda value: found(value) is not None)
    if "format" in schema:
        tests.append(_format(schema["format"]))
    return {str: _all_of([*tests, *_sizes(schema, "minLength", "maxLength")])}


def _format(name: str) -> Test:
    if name == "uuid":
        return lambda value: _UUID.fullmatch(value) is not None
    if name == "date":
        return _is_date
    checker = Draft202012Validator.FORMAT_CHECKER
    if name not in checker.checkers:
        raise NotQuick
    return lambda value: checker.conforms(value, name)


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _number(schema: Mapping[str, Any], *kinds: type) -> Kinds:
    _refuse_words(schema)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and high is None:
        return dict.fromkeys(kinds, _always)
    lowest, highest = float("-inf") if low is None else low, float("inf") if high is None else high
    return dict.fromkeys(kinds, lambda value: lowest <= value <= highest)


def _simple(schema: Mapping[str, Any], kind: type) -> Kinds:
    if kind is bool:
        _refuse_words(schema)
    is_allowed = None in schema.get("enum", [None])
    return {kind: _always} if kind is bool or is_allowed else {}


def _refuse_words(schema: Mapping[str, Any]) -> None:
    """Refuse a list of words where numbers, truth values or lists may stand: those are equal to more than they say."""
    if "enum" in schema:
        raise NotQuick


def _sizes(schema: Mapping[str, Any], least: str, most: str) -> list[Test]:
    """Return the test of how long a value is, none where any length will do."""
    if least not in schema and most not in schema:
        return []
    low, high = schema.get(least, 0), schema.get(most, float("inf"))
    return [lambda value: low <= len(value) <= high]


def _array(schema: Mapping[str, Any]) -> Kinds:
    _refuse_words(schema)
    tests = _sizes(schema, "minItems", "maxItems")
    if "items" in schema:
        kinds = _kinds(schema["items"])
        tests.append(lambda value: all(_passes(kinds, item) for item in value))
    if schema.get("uniqueItems"):
        tests.append(_are_unique)
    return {list: _all_of(tests)}


def _are_unique(items: list[Any]) -> bool:
    """Return whether no two items are equal; Python holds more things equal than JSON Schema does."""
    try:
        return len(set(items)) == len(items)
    except TypeError:
        return all(item not in items[:index] for index, item in enumerate(items))


def _object(schema: Mapping[str, Any]) -> Kinds:
    _refuse_words(schema)
    tests = _sizes(schema, "minProperties", "maxProperties")
    if "propertyNames" in schema:
        names = schema["propertyNames"]
        is_name = _kinds({"type": "string", **names} if isinstance(names, Mapping) else names).get(str)
        if is_name is None:
            raise NotQuick
        tests.append(lambda value: all(is_name(name) for name in value))
    tests.append(_properties(schema))
    return {dict: _all_of(tests)}


def _properties(schema: Mapping[str, Any]) -> Test:
    required = frozenset(schema.get("required", ()))
    properties = {name: _kinds(each) for name, each in schema.get("properties", {}).items()}
    more = schema.get("additionalProperties")
    if more is None or more is True:
        raise NotQuick
    others: Kinds = {} if more is False else _kinds(more)

    def conforms(value: dict[str, Any]) -> bool:
        if not required <= value.keys():
            return False
        for name, each in value.items():
            test = properties.get(name, others).get(type(each))
            if test is None or not test(each):
                return False
        return True

    return conforms


_MADE_BY_TYPE: Final[dict[str, Callable[[Mapping[str, Any]], Kinds]]] = {
    "string": _string,
    "integer": lambda schema: _number(schema, int),
    "number": lambda schema: _number(schema, int, float),
    "boolean": lambda schema: _simple(schema, bool),
    "null": lambda schema: _simple(schema, NoneType),
    "array": _array,
    "object": _object,
}
_SAID_OF: Final[dict[str, set[str]]] = {
    "string": {"enum", "pattern", "format", "minLength", "maxLength"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set(),
    "null": {"enum"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "object": {
        "properties",
        "required",
        "additionalProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
    },
}
