"""What happens before every view, in this order: size, encoding, who, may they, query, Idempotency-Key.

Deny by default: a view that states neither `scope` nor `public` is refused to everybody. The order matters: nobody
learns about parameters or bodies of what is not theirs, and the role matrix can be walked without any effect.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, g, request

from shared.errors import Forbidden, NotFound
from shared.http.bodies import current_facts
from shared.http.errors import UnknownParameter, Unreadable, WrongMediaType
from shared.http.facts import Facts
from shared.http.idempotency import checked_key
from shared.http.service import current_service, must_be_hosted
from shared.identity import Decision, Principal, Refused, Resource, decide
from shared.telemetry import metrics

MULTIPART_OVERHEAD: Final = 64 * 1024
SENTINEL_BYTE: Final = 1
"""Read one byte more than allowed: Werkzeug cuts a chunked body off at the limit without a word."""
PAGE_PARAMETERS: Final = frozenset({"after", "limit"})


def register(app: Flask) -> None:
    """Guard every view of `app`."""
    app.before_request(guard)


def guard() -> None:
    """Refuse what must not reach the view."""
    if request.url_rule is None:
        return
    facts = current_facts()
    request.max_content_length = facts.most_bytes + (MULTIPART_OVERHEAD if facts.upload_types else SENTINEL_BYTE)
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise WrongMediaType("Send the body as it is, without Content-Encoding.")
    if facts.action is not None:
        _authorise(facts.action)
    elif not facts.public_reason:
        raise Forbidden("Nobody may call this.")
    if facts.action is not None:
        _check_query(facts)
        if request.method == "POST":
            checked_key()


def _authorise(action: str) -> None:
    """Let only those pass whom the role table allows."""
    principal = g.principal = _authenticated()
    owner = (request.view_args or {}).get("org", principal.organisation)
    decision = decide(principal, action, Resource(owner), current_service().roles)
    if decision is Decision.NOT_FOUND:
        metrics.FOREIGN_ASKED.labels(current_service().name, principal.organisation).inc()
        raise NotFound("of another organisation")
    if decision is Decision.FORBIDDEN:
        raise Forbidden("Your roles do not include this.")
    if "org" in (request.view_args or {}):
        must_be_hosted(owner)


def _authenticated() -> Principal:
    """Return who asks, by the bearer token."""
    service = current_service()
    try:
        return service.verifier.verify(_bearer_token())
    except Refused as error:
        metrics.TOKENS_REFUSED.labels(service.name, error.reason).inc()
        raise


def _bearer_token() -> str:
    """Return the request's one bearer token, unverified.

    Raises:
        Refused: there is none, or more than one Authorization header.
    """
    headers = request.headers.getlist("Authorization")
    scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise Refused("missing")
    return token.strip()


def _check_query(facts: Facts) -> None:
    """Refuse parameters that the route does not state, and any parameter that comes twice."""
    known = set(facts.asks.fields) if facts.asks is not None else set()
    known |= PAGE_PARAMETERS if facts.is_paged else set()
    for name in request.args:
        if name not in known:
            raise UnknownParameter("The query has a parameter that this route does not take.")
        if len(request.args.getlist(name)) != 1:
            raise Unreadable("A query parameter comes more than once.")
