"""Every schema of every service reads by the strict fields of `shared.http`: what holds for the toy holds there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from marshmallow import RAISE, Schema, fields

from shared.http import Items, Part, StrictSchema, Table
from shared.http.fields import StrictField

SERVICES = ("enrolment", "assessment", "accreditation", "reporting")
ROOT = Path(__file__).resolve().parents[2]
COMPOUND = (Items, Part, Table)


def _schemas(service: str) -> list[Schema]:
    """Return those of `api/schemas.py` and of every `api/<feature>_schemas.py`."""
    home = ROOT / "services" / service / "api"
    modules = [import_module(f"services.{service}.api.{path.stem}") for path in sorted(home.glob("*schemas.py"))]
    values = [value for module in modules for value in vars(module).values()]
    kinds = [value for value in values if isinstance(value, type) and issubclass(value, Schema)]
    made = [value for value in values if isinstance(value, Schema)]
    return [*made, *(kind() for kind in kinds if kind is not StrictSchema)]


def _fields(schema: Schema) -> Iterator[fields.Field]:
    todo = list(schema.fields.values())
    while todo:
        field = todo.pop()
        yield field
        if isinstance(field, Items):
            todo.append(field.inner)
        elif isinstance(field, Part):
            todo += field.schema.fields.values()
        elif isinstance(field, Table):
            todo += [inner for inner in (field.key_field, field.value_field) if inner is not None]


@pytest.mark.parametrize("service", SERVICES)
def test_h10_every_schema_refuses_unknown_fields(service):
    """Also those inside others."""
    found = _schemas(service)
    assert found
    for schema in found:
        assert isinstance(schema, StrictSchema)
        assert schema.unknown == RAISE
        parts = [field.schema for field in _fields(schema) if isinstance(field, Part)]
        assert all(isinstance(part, StrictSchema) and part.unknown == RAISE for part in parts)


@pytest.mark.parametrize("service", SERVICES)
def test_h4_h7_h8_h9_every_field_is_a_strict_one(service):
    """No field of marshmallow's own, which takes other types, numbers without end and half characters."""
    for schema in _schemas(service):
        loose = [field for field in _fields(schema) if not isinstance(field, (StrictField, *COMPOUND))]
        assert loose == []
