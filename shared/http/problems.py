"""Every refusal as RFC 9457 problem+json. The one place that maps kinds of error to HTTP.

`type` is stable: `urn:problem:<slug>`. Faults carry a JSON pointer, or row and column. Nothing that was sent is
repeated; an unexpected error shows its correlation id and nothing else. Whatever is not there, or is not the asker's to
see, has one and the same body.
"""

from __future__ import annotations

import errno
import http
import re
from typing import Any, Final

import msgspec
import structlog
from flask import Flask, Response
from pymongo.errors import PyMongoError
from werkzeug.exceptions import HTTPException

from shared.errors import ConcurrentChange, Conflict, Fault, Forbidden, Malformed, NotFound, PlatformError, RuleBroken
from shared.errors import Unavailable as UnavailableError
from shared.http.errors import HttpRefusal, Unreadable
from shared.http.service import current_service
from shared.identity import Refused
from shared.storage.mongo import server_is_broken, server_is_gone
from shared.telemetry import correlation

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 5
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
NOT_THERE: Final = "There is no such thing here, or it is not yours to see."

_STATUS: Final[tuple[tuple[type[PlatformError], int], ...]] = (
    (Refused, 401),
    (Unreadable, 400),
    (Malformed, 422),
    (Forbidden, 403),
    (NotFound, 404),
    (RuleBroken, 422),
    (Conflict, 409),
    (ConcurrentChange, 409),
    (UnavailableError, 503),
)
log = structlog.get_logger(__name__)


def status_of(error: PlatformError) -> int:
    """Return the HTTP status of an error's kind."""
    if isinstance(error, HttpRefusal):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem(
    status: int, slug: str, detail: str, faults: tuple[Fault, ...] = (), extra: dict[str, str] | None = None
) -> Response:
    """Return a problem response."""
    body: dict[str, Any] = {
        "type": f"urn:problem:{slug}",
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        **(extra or {}),
    }
    if faults:
        body["errors"] = [_shown(fault) for fault in faults]
    return Response(msgspec.json.encode(body), status=status, content_type=PROBLEM_JSON)


def _shown(fault: Fault) -> dict[str, str | int]:
    """Return what is shown of one fault."""
    members = {
        "code": fault.code,
        "detail": fault.detail,
        "pointer": fault.pointer,
        "row": fault.row,
        "column": fault.column,
    }
    return {name: value for name, value in members.items() if value is not None}


def problem_of(error: PlatformError) -> Response:
    """Return the problem response of one of our own errors."""
    status = status_of(error)
    if isinstance(error, NotFound):
        return problem(404, NotFound.slug, NOT_THERE)
    response = problem(status, error.slug, error.detail, error.faults)
    if status == http.HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def register(app: Flask) -> None:
    """Make every error of `app` a problem."""
    app.register_error_handler(PlatformError, problem_of)
    app.register_error_handler(PyMongoError, _database_says_no)
    app.register_error_handler(OSError, _machine_says_no)
    app.register_error_handler(HTTPException, _refused_by_framework)
    app.register_error_handler(Exception, _unexpected)


def _database_says_no(error: PyMongoError) -> Response:
    """Answer when the database does not, or is broken, as when its disk is full. Any other word of it is our fault."""
    if server_is_gone(error) or server_is_broken(error, current_service().unit_of_work.client):
        log.warning("http.database-gone", error=type(error).__name__, code=getattr(error, "code", None))
        return problem_of(UnavailableError("The database does not answer; try again."))
    return _unexpected(error)


def _machine_says_no(error: OSError) -> Response:
    """Answer when there is no room for what came, as for a large file on its way in; nothing of it was kept."""
    if error.errno in NO_ROOM:
        return problem_of(UnavailableError("There is no room on this machine just now; try again."))
    return _unexpected(error)


def _refused_by_framework(error: HTTPException) -> Response:
    """Answer what Flask and Werkzeug refuse by themselves: unknown path, wrong method, too large."""
    status = error.code or 500
    if status == http.HTTPStatus.NOT_FOUND:
        return problem(404, NotFound.slug, NOT_THERE)
    phrase = http.HTTPStatus(status).phrase
    response = problem(status, re.sub(r"[^a-z]+", "-", phrase.lower()), f"{phrase}.")
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    """Answer a fault of ours: logged by class and place, shown by its correlation id alone."""
    log.error("http.unexpected-error", exc_info=error)
    extra = {"correlation_id": correlation.current().correlation_id}
    return problem(500, "internal-error", "Something went wrong on our side.", extra=extra)
