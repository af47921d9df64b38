"""Who is looking at a page: a signed cookie that names an organisation and roles, and how somebody gets one.

The cookie opens pages only; the API takes bearer tokens. Nothing personal stands in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from shared.errors import Forbidden
from shared.identity import Principal

COOKIE: Final = "board_session"
LIFE_SECONDS: Final = 8 * 3600
BOARD_ROLES: Final = ("board", "auditor", "operator")
NO_SIGN_IN: Final = (
    "Signing in to these pages needs the partnership’s own sign-in service, and none is set up here yet. "
    "The buttons for made-up people exist on a local run only."
)


class SignIn(Protocol):
    """How somebody proves who they are."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles that there is a button for; empty where there are no buttons."""

    def principal(self, role: str) -> Principal:
        """Return who signed in, in one of the board's roles.

        Raises:
            Forbidden: when this instance has no such door; the text says so to people.
        """


class NoSignIn:
    """The door of an instance without an identity provider."""

    roles: tuple[str, ...] = ()

    def principal(self, role: str) -> Principal:  # noqa: ARG002 - the port's signature
        """Refuse, saying why."""
        raise Forbidden(NO_SIGN_IN)


class LocalSignIn:
    """The door of a local run: a button instead of an identity provider, for made-up people."""

    roles: tuple[str, ...] = BOARD_ROLES

    def __init__(self, board: str) -> None:
        self._board = board

    def principal(self, role: str) -> Principal:
        """Return the board's made-up person with that role."""
        return Principal(self._board, f"local-{role}", frozenset({role}))


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes and reads the cookie. `secret` signs it; `is_secure` keeps it off plain HTTP."""

    secret: str
    is_secure: bool

    def begin(self, response: Response, principal: Principal) -> None:
        """Give the browser a session."""
        content = self._serializer().dumps([principal.organisation, sorted(principal.roles)])
        response.set_cookie(
            COOKIE,
            str(content),
            max_age=LIFE_SECONDS,
            httponly=True,
            secure=self.is_secure,
            samesite="Strict",
        )

    def end(self, response: Response) -> None:
        """Take the browser's session away."""
        response.delete_cookie(COOKIE, httponly=True, secure=self.is_secure, samesite="Strict")

    def principal(self, request: Request) -> Principal | None:
        """Return who is looking, None for nobody: no cookie, a forged one, one that is too old."""
        try:
            organisation, roles = self._serializer().loads(request.cookies.get(COOKIE, ""), max_age=LIFE_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        return Principal(organisation, "", frozenset(roles))

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt="board-session")
