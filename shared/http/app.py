"""`create_app`: one Flask application out of a `ServiceDescription`. The same for every service."""

from __future__ import annotations

import hashlib

import msgspec
import structlog
from flask import Blueprint, Flask, Response, g, request
from flask_smorest import Blueprint as DocumentedBlueprint

from shared.http import documentation, feed, guard, health, parked, problems, security_headers
from shared.http.replies import Reply, response_of
from shared.http.service import EXTENSION, ServiceDescription, current_service
from shared.telemetry import correlation, metrics

log = structlog.get_logger(__name__)


class ServiceApp(Flask):
    """A Flask application whose views may return a `Reply`."""

    def make_response(self, rv: object) -> Response:
        """Return the response of whatever a view returned."""
        return response_of(rv) if isinstance(rv, Reply) else super().make_response(rv)  # type: ignore[arg-type]

    def make_default_options_response(self) -> Response:
        """Return what this very address allows, not what a rule with a parameter in the same place would."""
        asked = request.url_rule.rule if request.url_rule else None
        response = self.response_class()
        for rule in self.url_map.iter_rules():
            if rule.rule == asked:
                response.allow.update(rule.methods or ())
        return response


def create_app(description: ServiceDescription) -> Flask:
    """Return the application of one service: guarded, documented, measured.

    Call it in the worker process, after fork. Blueprints made by `Routes` are documented in `/openapi.json`;
    plain Flask blueprints (pages) are guarded all the same.
    """
    app = ServiceApp(description.name, static_folder=None)
    app.extensions[EXTENSION] = description
    fallback = hashlib.sha256(f"cursors of {description.name}".encode()).digest()
    app.extensions["cursor_key"] = description.cursor_key or fallback
    app.config.update(MAX_CONTENT_LENGTH=2**20, MAX_FORM_MEMORY_SIZE=2**16, MAX_FORM_PARTS=20)
    app.before_request(_begin)
    guard.register(app)
    security_headers.register(app, is_production=description.is_production)
    app.after_request(_end)
    api = documentation.documented(app, description.title, description.version)
    blueprints: list[Blueprint] = [health.blueprint, feed.routes, parked.routes, *description.blueprints]
    for blueprint in blueprints:
        _add(app, api, blueprint)
    problems.register(app)
    _check_owners(app)
    app.extensions["openapi"] = msgspec.json.encode(api.spec.to_dict())
    return app


def _add(app: Flask, api: documentation.Documented, blueprint: Blueprint) -> None:
    """Register one blueprint, documented if it can be."""
    if isinstance(blueprint, DocumentedBlueprint):
        documentation.register(api, blueprint)
    else:
        app.register_blueprint(blueprint)


def _check_owners(app: Flask) -> None:
    """Refuse to start with a route whose owner the guard would not see: it decides by the parameter `org`."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/organisations/<") and not rule.rule.startswith("/v1/organisations/<org>"):
            raise ValueError(f"{rule.rule}: the organisation's parameter is called <org>")


def _begin() -> None:
    """Start the request's correlation and clock."""
    description = current_service()
    correlation.begin(request.headers.get("X-Correlation-Id"), request.headers.get("traceparent"))
    g.started = description.clock.monotonic()


def _end(response: Response) -> Response:
    """Measure and log the request: its route and status, never its path, query or body."""
    description = current_service()
    route = request.url_rule.rule if request.url_rule else "none"
    seconds = description.clock.monotonic() - g.started if "started" in g else 0.0
    metrics.HTTP_REQUESTS.labels(description.name, request.method, route, str(response.status_code)).inc()
    metrics.HTTP_SECONDS.labels(description.name, request.method, route).observe(seconds)
    if route not in ("/livez", "/readyz", "/metrics"):
        log.info(
            "http.request",
            method=request.method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
        )
    response.headers["X-Correlation-Id"] = correlation.current().correlation_id
    return response
