"""The error kinds that only HTTP has, each with its status. A service's own errors derive from `shared.errors`."""

from __future__ import annotations

from shared.errors import Conflict, Fault, Malformed, PlatformError, RuleBroken


class Unreadable(Malformed):
    """The request cannot be parsed, or its parameters are not what the route takes. HTTP 400."""

    slug = "unreadable-request"


class Invalid(Malformed):
    """The body is readable, but not what the route takes. HTTP 422, one fault per field."""

    slug = "invalid-request"


class UnknownParameter(Unreadable):
    """A query parameter that the route does not have. HTTP 400."""

    slug = "unknown-parameter"


class ForgedCursor(Unreadable):
    """`after` is no cursor of this list. HTTP 400."""

    slug = "forged-cursor"


class KeyMissing(Unreadable):
    """A POST without a usable Idempotency-Key. HTTP 400."""

    slug = "idempotency-key-missing"


class KeyReused(RuleBroken):
    """The same Idempotency-Key came with another request. HTTP 422."""

    slug = "idempotency-key-reused"


class KeyInFlight(Conflict):
    """The same Idempotency-Key is being worked on just now. HTTP 409."""

    slug = "idempotency-key-in-flight"


class HttpRefusal(PlatformError):
    """A refusal that only HTTP knows, with its status."""

    status = 400


class WrongMediaType(HttpRefusal):
    """The body is of a type, charset or encoding that the route does not take."""

    slug = "unsupported-media-type"
    status = 415


class PreconditionFailed(HttpRefusal):
    """`If-Match` names another state than the present one."""

    slug = "precondition-failed"
    status = 412


class PreconditionRequired(HttpRefusal):
    """A change to a thing that others may change too needs `If-Match`."""

    slug = "precondition-required"
    status = 428


def invalid(code: str, detail: str, pointer: str) -> Invalid:
    """Return an `Invalid` with one fault at `pointer`."""
    return Invalid("The request has a fault.", faults=(Fault(code, detail, pointer=pointer),))
