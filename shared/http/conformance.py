"""Holds the OpenAPI document against what really happens, in tests.

    faults = watch(app)      # before the first request
    ...                      # requests
    assert faults == []

Every reply must be one that the document states, with a body that its schema allows; every JSON request that
succeeded must be one that the document allows.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from flask import Flask, Response, request
from jsonschema import Draft202012Validator

Node = dict[str, Any]
_PARAMETER: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def watch(app: Flask) -> list[str]:
    """Return a list to which every disagreement between the document and a reply of `app` is added from now on."""
    document: Node = json.loads(app.extensions["openapi"])
    found: list[str] = []

    def hold(response: Response) -> Response:
        path = _PARAMETER.sub(r"{\1}", request.url_rule.rule) if request.url_rule else ""
        operation = document["paths"].get(path, {}).get(request.method.lower())
        if operation is not None:
            found.extend(f"{request.method} {path}: {fault}" for fault in _faults(document, operation, response))
        return response

    app.after_request(hold)
    return found


def _faults(document: Node, operation: Node, response: Response) -> list[str]:
    """Return how one exchange disagrees with its operation."""
    stated = operation["responses"].get(str(response.status_code))
    if stated is None:
        return [f"status {response.status_code} is not stated"]
    faults = _body_faults(document, stated.get("content"), response)
    has_body = response.status_code < 400 and request.is_json and "requestBody" in operation
    if has_body and (sent := operation["requestBody"]["content"].get("application/json")):
        faults += [f"request {fault}" for fault in _validate(document, sent["schema"], request.get_data())]
    return faults


def _body_faults(document: Node, content: Node | None, response: Response) -> list[str]:
    """Return how the reply's body disagrees with what is stated."""
    if content is None:
        return ["a body that is not stated"] if response.get_data() else []
    media = content.get(response.mimetype or "")
    if media is None:
        return [f"content type {response.mimetype} is not stated"]
    is_json = (response.mimetype or "").endswith("json")
    return _validate(document, media["schema"], response.get_data()) if is_json else []


def _validate(document: Node, schema: Node, body: bytes) -> list[str]:
    """Return the faults of `body`, by place and rule."""
    rooted = {**schema, "components": document["components"]}
    validator = Draft202012Validator(rooted, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path} {error.validator}" for error in validator.iter_errors(json.loads(body))]
