"""The routes that need no token: is it alive, is it ready, what does it measure, which version, how is it used."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from flask import Blueprint, Response, current_app

from shared.errors import NotFound
from shared.events.asyncapi import asyncapi_document
from shared.events.contracts import contract_book
from shared.http.facts import public
from shared.http.security_headers import OWN_PAGES
from shared.http.service import ServiceDescription, current_service
from shared.storage.mongo import answers
from shared.telemetry.metrics import exposition

STATIC: Final = Path(__file__).resolve().parent / "static"
PAGE_FILES: Final = {
    "docs.html": (STATIC / "docs" / "docs.html", "text/html; charset=utf-8"),
    "start.js": (STATIC / "docs" / "start.js", "text/javascript; charset=utf-8"),
    "swagger-ui-bundle.js": (STATIC / "swagger-ui" / "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": (STATIC / "swagger-ui" / "swagger-ui.css", "text/css; charset=utf-8"),
}
blueprint = Blueprint("health", __name__)


def _json(status: int, body: dict[str, str]) -> Response:
    """Return `body` as JSON."""
    return Response(msgspec.json.encode(body), status=status, content_type="application/json")


def _is_ready(service: ServiceDescription) -> bool:
    """Return whether the database answers within a second, and whatever else the service looks at."""
    return answers(service.unit_of_work.client) and (service.ready is None or service.ready())


@blueprint.get("/livez")
@public("probes have no token")
def livez() -> Response:
    """Say that the process runs."""
    return _json(200, {"status": "live"})


@blueprint.get("/readyz")
@public("probes have no token")
def readyz() -> Response:
    """Say whether requests can be served: readiness is about the database, Kafka shows in metrics."""
    is_ready = _is_ready(current_service())
    return _json(200 if is_ready else 503, {"status": "ready" if is_ready else "not-ready"})


@blueprint.get("/metrics")
@public("scrapers have no token; labels hold no personal data")
def metrics() -> Response:
    """Give the metrics in Prometheus' text format."""
    content, content_type = exposition()
    return Response(content, content_type=content_type)


@blueprint.get("/version")
@public("the version is no secret")
def version() -> Response:
    """Give the service's name and version."""
    service = current_service()
    return _json(200, {"service": service.name, "version": service.version})


@blueprint.get("/openapi.json")
@public("the document is no secret")
def openapi() -> Response:
    """Give the OpenAPI 3.1 document."""
    content: bytes = current_app.extensions["openapi"]
    return Response(content, content_type="application/json")


@blueprint.get("/asyncapi.json")
@public("the document is no secret")
def asyncapi() -> Response:
    """Give the AsyncAPI 3 document of all feeds of the partnership."""
    document = asyncapi_document(contract_book(), current_service().version)
    return Response(msgspec.json.encode(document), content_type="application/json")


@blueprint.get("/docs")
@public("the document is no secret")
def docs() -> Response:
    """Show the document to people, without a request to anybody else."""
    return _page("docs.html")


@blueprint.get("/docs/<name>")
@public("the page's own files")
def docs_file(name: str) -> Response:
    """Give one of the page's own files."""
    return _page(name)


def _page(name: str) -> Response:
    """Return a file of the page, with a policy that lets it run nothing but itself."""
    if name not in PAGE_FILES:
        raise NotFound("no such file")
    path, content_type = PAGE_FILES[name]
    response = Response(path.read_bytes(), content_type=content_type)
    response.headers["Content-Security-Policy"] = OWN_PAGES
    return response
