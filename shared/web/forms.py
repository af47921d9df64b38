"""Forms: what was typed, what is wrong with it and where, and the two hidden fields that every POST form carries.

`form_token` proves that the form was ours; `form_key` names this one form, so that sending it twice has one effect.
The macro `hidden_fields()` writes both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from flask import request
from marshmallow import Schema, ValidationError

from shared.errors import PlatformError
from shared.http.bodies import faults_of
from shared.identifiers import new_identifier

TOKEN_FIELD: Final = "form_token"  # noqa: S105 - a field's name
KEY_FIELD: Final = "form_key"
OURS: Final = frozenset({TOKEN_FIELD, KEY_FIELD})


@dataclass(frozen=True, slots=True)
class FieldError:
    """One sentence that says what to do, and the field that it is about; "" is the form as a whole."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it was typed (`typed`), as it was read (`values`), and what is wrong with it (`errors`)."""

    typed: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()

    def get(self, name: str) -> str:
        """Return what stands in a field."""
        return self.typed.get(name, "")

    def error(self, name: str) -> str:
        """Return what is wrong with a field, "" for nothing."""
        return " ".join(error.text for error in self.errors if error.field == name)

    def with_error(self, name: str, text: str) -> Self:
        """Return the form with one more thing that is wrong."""
        return replace(self, errors=(*self.errors, FieldError(name, text)))

    def refused(self, error: PlatformError, fields: Mapping[str, str] | None = None) -> Self:
        """Return the form with what a rule said no to, at the fields of its faults.

        `fields` names the field of a pointer's last part where the two differ.
        """
        named = fields or {}
        found = tuple(_field_error(fault.pointer, fault.detail, named) for fault in error.faults)
        return replace(self, errors=(*self.errors, *(found or (FieldError("", error.detail),))))


def blank(**typed: str) -> Form:
    """Return a form that nobody has sent yet, with what stands in its fields."""
    return Form(typed=typed)


def submitted(schema: Schema | None = None, texts: Mapping[str, str] | None = None) -> Form:
    """Return the form of this request, read by `schema`: blank fields are absent, outer blanks are trimmed.

    `texts` are the sentences by field that replace the schema's ("Enter a full name"); where a field has none the
    schema's own stands.
    """
    typed = {name: value for name, value in request.form.items() if name not in OURS}
    if schema is None:
        return Form(typed=typed)
    given = {name: _list_or_text(name, schema) for name in typed if request.form[name].strip()}
    try:
        return Form(typed=typed, values=schema.load(given))
    except ValidationError as error:
        errors = [_field_error(fault.pointer, fault.detail, {}) for fault in faults_of(error)]
        said = tuple(replace(each, text=(texts or {}).get(each.field, each.text)) for each in errors)
        return Form(typed=typed, errors=said)


def new_form_key() -> str:
    """Return the key of one form, for its hidden field."""
    return new_identifier()


def typed_fields() -> list[tuple[str, str]]:
    """Return everything that was typed into the form of this request, in its order, our own fields too."""
    return [(name, value) for name in request.form for value in request.form.getlist(name)]


def _list_or_text(name: str, schema: Schema) -> object:
    sent = [value.strip() for value in request.form.getlist(name)]
    known = schema.fields.get(name)
    return sent if known is not None and hasattr(known, "inner") else sent[0]


def _field_error(pointer: str | None, text: str, named: Mapping[str, str]) -> FieldError:
    last = (pointer or "").split("/")[1] if pointer else ""
    return FieldError(named.get(last, last), text)
