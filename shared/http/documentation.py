"""The OpenAPI 3.1 document, made from the views' facts and nothing else."""

from __future__ import annotations

import http
import inspect
from collections.abc import Callable
from typing import Any, Final

from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import Schema

from shared.http import fields
from shared.http.facts import Facts, Result, facts_of

Node = dict[str, Any]

OPENAPI_VERSION: Final = "3.1.0"
PROBLEM_REF: Final[Node] = {"$ref": "#/components/schemas/Problem"}
PROBLEM: Final[Node] = {
    "type": "object",
    "description": "RFC 9457 problem. `type` is stable for ever.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:problem:[a-z0-9-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "correlation_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the request's body."},
                    "row": {"type": "integer", "description": "Row of a file, as a person counts."},
                    "column": {"type": "string", "description": "Heading of a file's column."},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
IDEMPOTENCY_KEY: Final[Node] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Your own id of this request: sent again with the same body it gets the same reply, one effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
IF_MATCH: Final[Node] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag you last read; needed once the thing exists.",
    "schema": {"type": "string"},
}
CORRELATION: Final[Node] = {
    "name": "X-Correlation-Id",
    "in": "header",
    "required": False,
    "description": "Your own id (a UUID) of the work this belongs to; noted in logs, never in events.",
    "schema": {"type": "string"},
}
PAGE: Final[list[Node]] = [
    {
        "name": "after",
        "in": "query",
        "description": "The `next` of the page before; opaque, and refused where it was not given for this list.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{17,600}$"},
    },
    {
        "name": "limit",
        "in": "query",
        "description": (
            "How many at most; more than 200 are shown as 200. A page may hold fewer, even none, and not be the last:"
            " only `next` of null ends a list."
        ),
        "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999, "default": 50},
    },
]
_USUAL: Final = {
    400: "The request cannot be read, or a parameter or the Idempotency-Key is not what the route takes.",
    401: "A valid bearer token is needed.",
    403: "Your roles do not include this.",
    404: "There is no such thing here, or it is not yours to see.",
    409: "The present state does not allow it, or somebody else changed it first.",
    412: "It has changed since you read it.",
    413: "The body is too large.",
    415: "The body is of a type, charset or encoding that the route does not take.",
    422: "The body has faults, a rule says no, or the Idempotency-Key came with another request.",
    428: "If-Match is needed.",
    500: "Something went wrong on our side; quote the correlation id.",
    503: "The database does not answer; try again.",
}


class Documented(Api):  # type: ignore[misc]
    """flask-smorest's API without its own error bodies and pages: problems and `/docs` are ours."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors to `problems`."""


def documented(app: Flask, title: str, version: str) -> Documented:
    """Return the API document of `app`, still without paths."""
    app.config.update(API_TITLE=title, API_VERSION=version, OPENAPI_VERSION=OPENAPI_VERSION)
    api = Documented(app)
    for kind, name, form in (
        (fields.Text, "string", None),
        (fields.Identifier, "string", "uuid"),
        (fields.Choice, "string", None),
        (fields.Whole, "integer", None),
        (fields.Exact, "string", None),
        (fields.Flag, "boolean", None),
        (fields.CivilDate, "string", "date"),
        (fields.Instant, "string", "date-time"),
    ):
        api.register_field(kind, name, form)
    api.ma_plugin.converter.add_attribute_function(_of_field)
    api.spec.components.schema("Problem", PROBLEM)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    return api


def _of_field(converter: Any, field: Any, **_: Any) -> Node:  # noqa: ANN401 - apispec's signature
    """Return what one of our fields says of itself."""
    if isinstance(field, fields.Table) and field.key_field is not None:
        return {"propertyNames": converter.field2property(field.key_field)}
    return field.documented() if isinstance(field, fields.StrictField) else {}


def register(api: Documented, blueprint: Blueprint) -> None:
    """Register `blueprint` with its documentation."""
    api.register_blueprint(blueprint)


def describe(view: Callable[..., Any], method: str, operation_id: str) -> None:
    """Give `view` the documentation that its facts amount to, where flask-smorest looks for it."""
    facts = facts_of(view)
    operation: Node = {
        "operationId": operation_id,
        "summary": (inspect.getdoc(view) or "").partition("\n")[0],
        "parameters": _parameters(facts, method),
        "responses": {**_successes(facts), **_refusals(facts, method)},
        "security": [{"bearer": []}] if facts.action else [],
    }
    if facts.action:
        operation["x-action"] = facts.action
    if facts.accepts is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": facts.accepts}}}
    elif facts.upload_types:
        operation["requestBody"] = {"required": True, "content": _upload(facts)}
    view._apidoc = {"manual_doc": operation}  # type: ignore[attr-defined]  # noqa: SLF001 - smorest's place


def _parameters(facts: Facts, method: str) -> list[Node]:
    """Return header and query parameters; flask-smorest adds those of the path."""
    found: list[Node] = [CORRELATION] if facts.action else []
    if method == "POST" and facts.action:
        found.append(IDEMPOTENCY_KEY)
    if facts.is_conditional:
        found.append(IF_MATCH)
    if facts.asks is not None:
        found.append({"in": "query", "schema": facts.asks})
    return found + (PAGE if facts.is_paged else [])


def _upload(facts: Facts) -> Node:
    """Return the request body of an upload."""
    raw: Node = {
        kind: {"schema": {"type": "string", "format": "binary", "minLength": 1}} for kind in facts.upload_types
    }
    form = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    return {**raw, "multipart/form-data": {"schema": form}}


def _successes(facts: Facts) -> Node:
    """Return the stated replies."""
    return {str(status): _success(status, result, facts) for status, result in sorted(facts.results.items())}


def _success(status: int, result: Result, facts: Facts) -> Node:
    """Return one stated reply."""
    found: Node = {"description": result.description or http.HTTPStatus(status).phrase}
    if result.schema is not None:
        schema: Any = _page_of(result.schema) if facts.is_paged else result.schema
        found["content"] = {result.content_type: {"schema": schema}}
    elif result.content_type != "application/json":
        found["content"] = {result.content_type: {"schema": {"type": "string"}}}
    if result.has_etag:
        found["headers"] = {"ETag": {"description": "Strong; for If-Match.", "schema": {"type": "string"}}}
    return found


def _page_of(schema: Schema) -> Node:
    """Return the schema of one page of `schema`."""
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {"items": {"type": "array", "items": schema}, "next": {"type": ["string", "null"]}},
        "additionalProperties": False,
    }


def _refusals(facts: Facts, method: str) -> Node:
    """Return the problems that a caller must expect."""
    expected = {500, 503}
    if facts.action:
        expected |= {400, 401, 403, 404}
    if facts.accepts is not None or facts.upload_types:
        expected |= {400, 413, 415, 422}
    if method != "GET" and facts.action:
        expected |= {409, 422}
    if facts.is_conditional:
        expected |= {412, 428}
    texts = {status: _USUAL[status] for status in expected} | dict(facts.refusals)
    content = {"application/problem+json": {"schema": PROBLEM_REF}}
    return {str(status): {"description": text, "content": content} for status, text in sorted(texts.items())}
