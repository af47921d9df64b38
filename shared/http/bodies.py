"""Reading what came: JSON bodies, query parameters and uploaded files, strictly, by the schema the route states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, g, request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from shared.errors import Fault
from shared.http.errors import Invalid, Unreadable, WrongMediaType
from shared.http.facts import Facts, facts_of
from shared.http.strict_json import Json, parse

MOST_FAULTS: Final = 100
_HARMLESS_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_UTF8: Final = frozenset({"utf-8", "utf8"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sent. `filename` is as sent: for its ending only, never shown or stored unescaped."""

    content: bytes
    content_type: str
    filename: str | None


def current_facts() -> Facts:
    """Return what the matched view says of itself."""
    return facts_of(current_app.view_functions.get(request.endpoint or ""))


def load(schema: Schema) -> dict[str, Any]:
    """Return the request's JSON body, read by `schema` (the one that the route `@accepts`).

    Raises:
        WrongMediaType: it is not JSON in UTF-8 (415).
        Unreadable: it cannot be parsed (400).
        Invalid: it is not what the route takes (422), at most 100 faults with JSON pointers.
    """
    if current_facts().accepts is not schema:
        raise RuntimeError(f"{request.endpoint} loads a schema that it does not accept: use @accepts(...)")
    return loaded(schema, json_body())


def json_body() -> Json:
    """Return the request's body as JSON, parsed once a request."""
    if "json_body" not in g:
        if request.mimetype != "application/json":
            raise WrongMediaType("Send application/json.")
        if request.mimetype_params.get("charset", "utf-8").lower() not in _UTF8:
            raise WrongMediaType("JSON is UTF-8.")
        g.json_body = parse(_within(request.get_data(), current_facts().most_bytes))
    body: Json = g.json_body
    return body


def loaded(schema: Schema, value: Json) -> dict[str, Any]:
    """Return `value` read by `schema`.

    Raises:
        Invalid: with one fault per field; nothing of the values is repeated.
    """
    try:
        result: dict[str, Any] = schema.load(value)  # type: ignore[arg-type]
    except ValidationError as error:
        raise Invalid("The request has faults.", faults=faults_of(error)) from error
    return result


def query(schema: Schema) -> dict[str, Any]:
    """Return the query parameters, read by `schema` (the one that the route `@asks`).

    Raises:
        Unreadable: when a value is not what the route takes (400).
    """
    if current_facts().asks is not schema:
        raise RuntimeError(f"{request.endpoint} reads a query that it does not state: use @asks(...)")
    own = {name: value for name, value in request.args.items() if name in schema.fields}
    try:
        result: dict[str, Any] = schema.load(own)
    except ValidationError as error:
        faults = tuple(Fault(fault.code, fault.detail, pointer=fault.pointer) for fault in faults_of(error))
        raise Unreadable("A query parameter has a fault.", faults=faults) from error
    return result


def uploaded() -> Upload:
    """Return the uploaded file, raw or the part `file` of a form.

    Raises:
        WrongMediaType: it is of a type that the route does not take (415).
        Unreadable: there is no file, or more than one (400).
        Invalid: it is empty (422).
    """
    facts = current_facts()
    if request.mimetype == "multipart/form-data":
        parts = request.files.getlist("file")
        if len(parts) != 1 or len(request.files) != 1:
            raise Unreadable("Send exactly one file, as the part `file`.")
        content = _within(parts[0].read(), facts.most_bytes)
        parts[0].seek(0)
        return _with_content(Upload(content, parts[0].mimetype, parts[0].filename))
    if request.mimetype not in facts.upload_types:
        raise WrongMediaType("Send one of: " + ", ".join((*facts.upload_types, "multipart/form-data")))
    content = _within(request.get_data(cache=True), facts.most_bytes)
    return _with_content(Upload(content, request.mimetype, request.args.get("filename")))


def _with_content(file: Upload) -> Upload:
    """Return `file` unless it is empty."""
    if not file.content:
        raise Invalid("The file is empty.")
    return file


def _within(content: bytes, most_bytes: int) -> bytes:
    """Return `content` if it is not too large."""
    if len(content) > most_bytes:
        raise RequestEntityTooLarge
    return content


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Return the first 100 faults of a validation as JSON pointers; names that we do not know are not repeated."""
    messages = error.messages if isinstance(error.messages, dict) else {"_schema": error.messages}
    found: list[Fault] = []
    for pointer, message in _leaves(messages, ""):
        found.append(Fault(_code_of(message), _text_of(message), pointer=pointer))
        if len(found) == MOST_FAULTS:
            break
    return tuple(found)


def _leaves(messages: object, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield (pointer, message) for every message in marshmallow's nested messages."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _leaves(inner, pointer if name == "_schema" else f"{pointer}/{_safe(name)}")
    elif isinstance(messages, list):
        for message in messages:
            yield from _leaves(message, pointer)
    else:
        yield pointer, str(messages)


def _safe(name: object) -> str:
    """Return a name for a pointer: an index, a name like ours, or a stand-in for whatever was sent."""
    text = str(name)
    return text if isinstance(name, int) or _HARMLESS_NAME.match(text) else "*"


def _code_of(message: str) -> str:
    """Return the stable code of one of marshmallow's or our messages."""
    return {"This field is needed.": "required", "Unknown field.": "unknown-field"}.get(message, "invalid")


def _text_of(message: str) -> str:
    """Return the message for the reader."""
    return "Must be an object." if message == "Invalid input type." else message
