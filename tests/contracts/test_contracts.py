"""The event contracts keep their promises to partners."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shared.errors import Malformed
from shared.events.compatibility import fingerprint, open_places
from shared.events.contracts import CONTRACTS, ContractBook

BOOK = ContractBook()
SERVICES = ("enrolment", "assessment", "accreditation", "reporting")
RELEASED = json.loads((CONTRACTS / "released.json").read_text(encoding="utf-8"))
NAME = re.compile(r"^(enrolment|assessment|accreditation|reporting)\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*$")
PERSONAL = re.compile(
    r"name|email|birth|employee|swe_number|registration_number|mark$|^mark|note|comment", re.IGNORECASE
)
NOT_PERSONAL = {"name", "table", "columns"}


@pytest.mark.parametrize("event_type", BOOK.types())
def test_schema_is_closed_and_bounds_every_string(event_type):
    """Nothing a contract does not describe can travel on the bus; free text only where it says so."""
    assert list(open_places(BOOK.schema(event_type))) == []


@pytest.mark.parametrize("event_type", BOOK.types())
def test_schema_allows_free_text_only_for_course_titles_and_published_tables(event_type):
    """Free text is for the title of a course or programme and for the board's published tables, and nothing else."""
    text = json.dumps(BOOK.schema(event_type))
    if "free text allowed" in text:
        titled = {"enrolment.course-published.v1", "enrolment.programme-described.v1"}
        assert event_type in {*titled, "reporting.table-published.v1"}


@pytest.mark.parametrize("event_type", [name for name in BOOK.types() if not name.startswith("reporting.")])
def test_schema_names_nothing_personal(event_type):
    """No event has a property whose name speaks of a person's particulars."""
    names = _property_names(BOOK.schema(event_type))
    assert [name for name in names if PERSONAL.search(name)] == []


def _property_names(schema) -> list[str]:
    names = list(schema.get("properties", {}))
    for child in [*schema.get("properties", {}).values(), schema.get("items")]:
        if isinstance(child, dict):
            names += _property_names(child)
    return names


@pytest.mark.parametrize("event_type", BOOK.types())
def test_every_type_has_examples_and_they_conform(event_type):
    """Each type shows at least one example, and each example meets its schema."""
    examples = BOOK.examples(event_type)
    assert examples
    for data in examples.values():
        BOOK.check(event_type, data)


def test_no_example_is_without_a_schema():
    """Every folder of examples belongs to a type."""
    assert {path.name for path in (CONTRACTS / "examples").iterdir()} <= set(BOOK.types())


def test_catalogue_names_every_type_once():
    """The catalogue and the schemas are about the same types."""
    named = [entry.type for entry in BOOK.catalogue()]
    assert sorted(named) == sorted(BOOK.types())
    assert len(set(named)) == len(named)


def test_type_names_follow_the_rule():
    """A type is service, past event and major version."""
    assert [name for name in BOOK.types() if not NAME.match(name)] == []


def test_catalogue_keys_are_properties_or_explained():
    """A catalogue's key is a property of the data, or a text in angle brackets that is built of properties."""
    for entry in BOOK.catalogue():
        words = re.findall(r"[a-z_]+", entry.key)
        properties = BOOK.schema(entry.type)["properties"]
        assert words, entry.type
        assert all(word in properties for word in words), f"{entry.type}: {entry.key}"


@pytest.mark.parametrize("event_type", BOOK.types())
def test_released_schema_has_not_changed(event_type):
    """A released schema's shape never changes; another shape is another version (`make contracts` adds new ones)."""
    assert RELEASED.get(event_type) == fingerprint(BOOK.schema(event_type))


def test_released_schema_never_disappears():
    """What was released once stays readable."""
    assert set(RELEASED) <= set(BOOK.types())


def test_fingerprint_ignores_words_and_nothing_else():
    """A description may be improved; a property may not be added."""
    schema = {"type": "object", "properties": {"title": {"type": "string", "description": "old"}}}
    reworded = {"type": "object", "title": "x", "properties": {"title": {"type": "string", "description": "new"}}}
    grown = {"type": "object", "properties": {"title": {"type": "string"}, "more": {"type": "string"}}}
    assert fingerprint(schema) == fingerprint(reworded)
    assert fingerprint(schema) != fingerprint(grown)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}},
        {"type": "array", "items": {"type": ["string", "null"]}},
        {"type": "object", "additionalProperties": False, "properties": {"a": {}}},
    ],
)
def test_open_places_are_found(schema):
    """The rule about open schemas finds each way of being open."""
    assert list(open_places(schema))


def test_check_names_the_place_and_never_the_value():
    """A contract's fault says where, not what: the value might be somebody's name."""
    event_type = BOOK.types()[0]
    with pytest.raises(Malformed) as caught:
        BOOK.check(event_type, b'{"Canary Person": "canary@somewhere.example"}')
    told = caught.value.detail + "".join(f"{fault.detail}{fault.pointer}" for fault in caught.value.faults)
    assert "anary" not in told


def test_examples_are_made_up():
    """Nobody real stands in an example: organisations are made up or the scenario's, ids plainly invented."""
    for path in Path(CONTRACTS / "examples").rglob("*.json"):
        assert "@" not in path.read_text(encoding="utf-8"), path.name
