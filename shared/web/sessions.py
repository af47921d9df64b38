"""Who is looking at a page: Flask's signed cookie with an organisation, roles, a subject and a name for display.

The cookie opens pages only; the API takes bearer tokens. It is HttpOnly, SameSite=Lax (the sign-in provider sends the
browser back from another site) and, outside a local run, Secure with the `__Host-` prefix. Somebody who does nothing
for `IDLE` or signed in `LONGEST` ago signs in again. The forms' token outlives that, so that a form which was filled in
before can still be sent after signing in again. A signed cookie cannot be taken back from a thief before it ends:
that is why it ends soon.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Self

from flask import Flask, g, session

from shared.http.service import current_service
from shared.identity import Principal

IDLE: Final = timedelta(hours=1)
LONGEST: Final = timedelta(hours=10)
COOKIE_LIFE: Final = timedelta(days=1)
TOUCH_AFTER_SECONDS: Final = 60
WHO: Final = "who"
FORM_TOKEN: Final = "form_token"  # noqa: S105 - a name, no secret
BACK: Final = "back"
LONGEST_ADDRESS: Final = 1000


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who signed in. `name` is for display on their own pages and goes nowhere else."""

    principal: Principal
    name: str = field(repr=False)

    @classmethod
    def current(cls) -> Self | None:
        """Return who is looking, None for nobody or for somebody whose time is over."""
        kept = session.get(WHO)
        if kept is None:
            return None
        now = _now()
        if now > kept["seen"] + IDLE.total_seconds() or now > kept["since"] + LONGEST.total_seconds():
            session.pop(WHO)
            return None
        if now > kept["seen"] + TOUCH_AFTER_SECONDS:
            session[WHO] = {**kept, "seen": now}
        principal = Principal(kept["organisation"], kept["subject"], frozenset(kept["roles"]))
        return cls(principal, kept["name"])


def begin(viewer: Viewer) -> None:
    """Begin a session. Whatever stood in the one before is forgotten, except the forms' token."""
    token = form_token()
    session.clear()
    session.permanent = True
    who = viewer.principal
    session[WHO] = {
        "organisation": who.organisation,
        "subject": who.subject,
        "roles": sorted(who.roles),
        "name": viewer.name,
        "since": _now(),
        "seen": _now(),
    }
    session[FORM_TOKEN] = token


def end() -> None:
    """End the session, forms and all."""
    session.clear()


def form_token() -> str:
    """Return what proves that a form was ours: the same for one browser as long as its cookie lives."""
    if FORM_TOKEN not in session:
        session.permanent = True
        session[FORM_TOKEN] = secrets.token_urlsafe(24)
    token: str = session[FORM_TOKEN]
    return token


def is_form_token(sent: str) -> bool:
    """Tell whether `sent` is this browser's token."""
    kept = session.get(FORM_TOKEN)
    return isinstance(kept, str) and secrets.compare_digest(kept.encode(), sent.encode())


def go_back_to(address: str) -> None:
    """Remember which page was asked for, for after signing in; only one of our own, and one that fits a cookie.

    A control character (a decoded line break in the path) would stand in the `Location` header, and a browser drops
    a tab or a line break in an address: what stands on both sides of it would become somebody else's address.
    """
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    if is_ours and len(address) <= LONGEST_ADDRESS:
        session[BACK] = address


def take_back_address(otherwise: str) -> str:
    """Return the page that was asked for before signing in, once."""
    address: str = session.pop(BACK, otherwise)
    return address


def register(app: Flask, service: str, secret: bytes, *, is_local: bool) -> None:
    """Let `app` sign sessions with a key of its own, made of the instance's `secret`."""
    app.secret_key = hashlib.sha256(b"pages of " + service.encode() + b"\0" + secret).digest()
    app.config.update(
        SESSION_COOKIE_NAME=f"{service}-session" if is_local else f"__Host-{service}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not is_local,
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=COOKIE_LIFE,
    )


def _now() -> int:
    if "page_now" not in g:
        g.page_now = int(current_service().clock.now().timestamp())
    now: int = g.page_now
    return now
