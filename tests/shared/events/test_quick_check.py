"""The quick check of an event and jsonschema, held against each other over every contract."""

from __future__ import annotations

import copy

import msgspec
import pytest
from jsonschema import Draft202012Validator

from shared.errors import Malformed
from shared.events.contracts import ContractBook
from shared.events.quick_check import NotQuick, quick_check

BOOK = ContractBook()
UUID = "0199aaaa-0000-7000-8000-000000000001"
ODD = (
    None,
    True,
    False,
    0,
    1,
    -1,
    10**30,
    1.0,
    0.5,
    "",
    " ",
    "a",
    "A-1",
    "ä",
    "a\n",
    "x" * 63,
    "x" * 64,
    "x" * 65,
    "x" * 600,
    UUID,
    UUID.upper(),
    UUID.replace("-", ""),
    f"{{{UUID}}}",
    f"urn:uuid:{UUID}",
    f"{UUID}\n",
    UUID.replace("0199aaaa-", "0199aaa-a"),
    "٠" * 8 + UUID[8:],
    "2025-02-28",
    "2025-02-30",
    "0000-01-01",
    "20250228",
    "2025-W09-5",
    "2025-02-28\n",
    "٢٠٢٥-02-28",
    "2025-02-28T10:00:00Z",
    "2025-02-28 10:00",
    "f" * 64,
    "https://example.example/",
    "org.brent.enrolment.v1",
    [],
    [None],
    ["a"],
    ["a", "a"],
    [1, True],
    [1, 1.0],
    [{"a": 1}, {"a": True}],
    [[], []],
    ["a"] * 6000,
    {},
    {"a": 1},
    {"A!": 1},
    {"a": "a"},
)


def _judges(event_type):
    validator = Draft202012Validator(BOOK.schema(event_type), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return quick_check(BOOK.schema(event_type)), validator.is_valid


def _changed(document):
    """Yield the document with each of its places, in turn, replaced, doubled or gone, and with one place more."""
    yield from copy.deepcopy(ODD)
    for path in _places(document):
        for odd in ODD:
            yield _with(document, path, lambda holder, name, odd=odd: holder.__setitem__(name, odd))
        yield _with(document, path, lambda holder, name: holder.__delitem__(name))
        yield _with(document, path, lambda holder, name: _one_more(holder, name))


def _one_more(holder, name):
    if isinstance(holder, dict):
        holder[f"{name}_too"] = holder[name]
    else:
        holder.append(copy.deepcopy(holder[name]))


def _places(value, path=()):
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = list(enumerate(value))[:2]
    else:
        return
    for name, each in inner:
        yield (*path, name)
        yield from _places(each, (*path, name))


def _with(document, path, change):
    changed = copy.deepcopy(document)
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    change(holder, path[-1])
    return changed


@pytest.mark.parametrize("event_type", BOOK.types())
def test_what_is_quickly_taken_conforms_whatever_is_changed_in_an_example(event_type):
    """Every place of every example is replaced by odd values, left out and doubled: no wrong datum is ever taken."""
    quick, conforms = _judges(event_type)
    wrong, taken = [], 0
    for data in BOOK.examples(event_type).values():
        for document in _changed(msgspec.json.decode(data)):
            if quick(document):
                taken += 1
                wrong += [] if conforms(document) else [document]
    assert wrong == []
    assert taken


@pytest.mark.parametrize("event_type", BOOK.types())
def test_no_example_is_left_to_the_slow_check(event_type):
    """A contract whose good data had to be looked at twice would cost every commit ten times as much."""
    quick, conforms = _judges(event_type)
    for data in BOOK.examples(event_type).values():
        document = msgspec.json.decode(data)
        assert conforms(document)
        assert quick(document)


def test_what_is_quickly_doubted_is_for_jsonschema_to_say():
    """An integer may be spelled as 1.0: the quick check does not know that, and the contract takes it all the same."""
    event_type = "enrolment.cohort-opened.v1"
    data = msgspec.json.decode(next(iter(BOOK.examples(event_type).values())))
    spelled = {**data, "capacity": float(data["capacity"])}
    assert not quick_check(BOOK.schema(event_type))(spelled)
    BOOK.check(event_type, msgspec.json.encode(spelled))
    with pytest.raises(Malformed) as refused:
        BOOK.check(event_type, msgspec.json.encode({**data, "capacity": "many"}))
    assert [(fault.code, fault.pointer) for fault in refused.value.faults] == [("type", "$.capacity")]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "date"},
        {"type": "string", "const": "a"},
        {"type": "string", "format": "iban"},
        {"type": "string", "minimum": 1},
        {"type": "integer", "enum": [1]},
        {"type": "integer", "multipleOf": 2},
        {"type": "boolean", "enum": [True]},
        {"type": "array", "contains": {"type": "string"}},
        {"type": "array", "enum": [["a"]]},
        {"type": "object"},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": False, "patternProperties": {"a": {"type": "string"}}},
        {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string", "not": {}}}},
        {"type": "object", "additionalProperties": False, "propertyNames": {"const": "a"}},
        {"type": "object", "additionalProperties": False, "allOf": []},
        {"anyOf": [{"type": "string"}], "type": "string"},
        {"anyOf": [{"type": "string"}], "pattern": "a"},
        {"type": "object", "additionalProperties": False, "propertyNames": {"type": "integer"}},
        {"type": "object", "additionalProperties": False, "propertyNames": {"type": ["string", "null"], "not": {}}},
        {"type": "object", "additionalProperties": False, "propertyNames": False},
        {"type": "object", "additionalProperties": False, "properties": {"a": True}},
        {"type": "array", "items": True},
        {"anyOf": [True]},
        {"$ref": "#"},
    ],
)
def test_a_schema_that_says_more_has_no_quick_check(schema):
    """A keyword that is not known here is never passed over."""
    with pytest.raises(NotQuick):
        quick_check(schema)
