"""Paging by cursor over an immutable order: `?after=&limit=` in, `{items, next}` out.

A cursor is opaque: the last position that was shown, bound by a MAC to its route and organisation. It opens
nothing, because each query is bound to an organisation anyway; the MAC refuses cursors made up or carried over.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from flask import Request, current_app, request

from shared.http.bodies import current_facts
from shared.http.errors import ForgedCursor, Unreadable
from shared.http.replies import Reply

DEFAULT_LIMIT: Final = 50
MOST_LIMIT: Final = 200
LONGEST_CURSOR: Final = 600
_MAC_BYTES: Final = 12

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: what stands after the position `after` (None = from the start)."""

    after: str | None
    limit: int

    @property
    def fetch(self) -> int:
        """Return how many rows to read: one more than shown tells whether there is a next page."""
        return self.limit + 1

    def reply(
        self,
        rows: Sequence[T],
        position: Callable[[T], str],
        show: Callable[[T], dict[str, Any]],
        *,
        reached: str | None = None,
    ) -> Reply:
        """Return `{items, next}` of up to `fetch` rows in the list's order; `next` is null on the last page.

        A list that was looked through in part says which position it `reached`: the page ends early, and `next` goes
        on from there.
        """
        shown = rows[: self.limit]
        last = position(shown[-1]) if len(rows) > self.limit else reached
        following = cursor_for(last) if last is not None else None
        return Reply(200, {"items": [show(row) for row in shown], "next": following})


def page_of(_request: Request | None = None) -> Page:
    """Return the page that the request asks for; the route states `@paged`.

    Raises:
        Unreadable: a limit that is no number from 1 (400; more than 200 are shown as 200).
        ForgedCursor: `after` is no cursor of this list (400).
    """
    if not current_facts().is_paged:
        raise RuntimeError(f"{request.endpoint} pages without saying so: use @paged")
    after = request.args.get("after")
    return Page(None if after is None else position_of(after), limit_of(request.args.get("limit")))


def limit_of(text: str | None, *, default: int = DEFAULT_LIMIT, most: int = MOST_LIMIT) -> int:
    """Return the page size that `text` spells, at most `most`."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise Unreadable("limit is a whole number from 1.")
    return min(int(text), most)


def cursor_for(position: str) -> str:
    """Return the cursor of `position` in the list being read."""
    return base64.urlsafe_b64encode(_mac(position) + position.encode()).rstrip(b"=").decode()


def position_of(cursor: str) -> str:
    """Return the position in `cursor`.

    Raises:
        ForgedCursor: it was not made for this list.
    """
    refused = ForgedCursor("after is not a cursor of this list.")
    if len(cursor) > LONGEST_CURSOR or not cursor.isascii():
        raise refused
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = raw[_MAC_BYTES:].decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise refused from error
    if not hmac.compare_digest(raw[:_MAC_BYTES], _mac(position)):
        raise refused
    return position


def _mac(position: str) -> bytes:
    """Return the MAC that binds `position` to this route, organisation and service."""
    place = "\0".join((request.endpoint or "", repr(sorted((request.view_args or {}).items())), position))
    key: bytes = current_app.extensions["cursor_key"]
    return hmac.new(key, place.encode(), hashlib.sha256).digest()[:_MAC_BYTES]
