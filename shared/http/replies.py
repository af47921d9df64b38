"""What a view gives back, and how it becomes bytes. ETags and their preconditions live here too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from flask import Response, request

from shared.http.errors import PreconditionFailed, PreconditionRequired

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: `body` is anything JSON can hold (dates and instants become ISO texts), None sends nothing.

    For a file give `raw`, its `content_type` and a `filename` (a constant of ours, never a sent one).
    """

    status: int
    body: Any = None
    etag: str | None = None
    location: str | None = None
    raw: bytes | None = None
    content_type: str = JSON
    filename: str | None = None

    def content(self) -> bytes:
        """Return the bytes to send."""
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else msgspec.json.encode(self.body)


def response_of(reply: Reply) -> Response:
    """Return the HTTP response that `reply` describes."""
    content = reply.content()
    response = Response(content, status=reply.status, content_type=reply.content_type)
    if not content:
        response.headers.pop("Content-Type", None)
    if reply.etag:
        response.headers["ETag"] = reply.etag
    if reply.location:
        response.headers["Location"] = reply.location
        response.autocorrect_location_header = False
    if reply.filename:
        response.headers["Content-Disposition"] = f'attachment; filename="{reply.filename}"'
    return response


def etag_of(version: int) -> str:
    """Return the strong ETag of a thing at `version`."""
    return f'"{version}"'


def if_match(current_etag: str | None, *, is_default: bool = False) -> None:
    """Hold the request's `If-Match` against the present state; None = the thing does not exist yet.

    A thing that does not exist may be made without the header; one that exists may not be changed without it. What
    reads as a default until it is set (`is_default`) has an ETag from the start, and may be set first without one.

    Raises:
        PreconditionRequired: the header is missing (428).
        PreconditionFailed: it names another state, or a state where there is none (412).
    """
    if "If-Match" not in request.headers:
        if current_etag is None or is_default:
            return
        raise PreconditionRequired("Send If-Match with the ETag that you last read.")
    wanted = request.if_match
    if current_etag is None or not (wanted.star_tag or wanted.contains(current_etag.strip('"'))):
        raise PreconditionFailed("It has changed since you read it; read it again.")
