"""One effect per Idempotency-Key: the reply is stored in the transaction that made the effect, for 400 days.

Only committed outcomes are stored; a refusal may be tried again with the same key. The document's id is a hash of
(method and path, organisation, asking organisation, key), so keys of different organisations never meet. The path
is the concrete one: the same key on another resource is another request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from flask import request

from shared.errors import ConcurrentChange
from shared.events.envelope import Cause
from shared.http.bodies import current_facts, json_body
from shared.http.errors import KeyMissing, KeyReused
from shared.http.replies import Reply
from shared.http.strict_json import canonical
from shared.storage.replies import KEPT, REPLIES, about
from shared.storage.unit_of_work import Reading, UnitOfWork, Work

COLLECTION: Final = REPLIES
HEADER: Final = "Idempotency-Key"
LONGEST_KEY: Final = 255


def checked_key() -> str:
    """Return the request's Idempotency-Key.

    Raises:
        KeyMissing: there is none, or it is longer than 255 characters or not printable ASCII (400).
    """
    keys = request.headers.getlist(HEADER)
    if len(keys) != 1 or not 0 < len(keys[0]) <= LONGEST_KEY or not (keys[0].isascii() and keys[0].isprintable()):
        raise KeyMissing(f"A POST needs one {HEADER} of 1 to {LONGEST_KEY} printable characters.")
    return keys[0]


def request_hash() -> str:
    """Return the hash of what was asked: the same for the same JSON in another spelling, or the same file."""
    digest = hashlib.sha256(canonical(dict(request.args)))
    if current_facts().accepts is not None:
        digest.update(canonical(json_body()))
    elif request.mimetype == "multipart/form-data":
        for name, part in sorted(request.files.items(), key=itemgetter(0)):
            part.seek(0)
            digest.update(canonical([name, part.filename]) + hashlib.sha256(part.read()).digest())
            part.seek(0)
        digest.update(canonical(dict(request.form)))
    else:
        digest.update(request.get_data(cache=True))
    return digest.hexdigest()


class Idempotency:
    """Runs the callback of one POST at most once for its key."""

    def __init__(
        self, unit_of_work: UnitOfWork, organisation: str, asking: str, *, key: str = "", content_hash: str = ""
    ) -> None:
        """Take the request's own header and content, or the `key` and `content_hash` of a page's form."""
        self._unit_of_work = unit_of_work
        self._organisation = organisation
        place = canonical([request.method, request.path, organisation, asking, key or checked_key()])
        self._id = hashlib.sha256(place).hexdigest()
        self._hash = content_hash or request_hash()

    def run(self, callback: Callable[[Work], Reply], cause: Cause) -> Reply:
        """Return the stored reply, or the one that `callback` makes and this transaction stores."""

        def once(work: Work) -> Reply:
            stored = self._stored(work)
            if stored is not None:
                return stored
            reply = callback(work)
            work.rows(COLLECTION).insert_one(self._document(work, reply))
            return reply

        try:
            return self._unit_of_work.run(self._organisation, once, cause=cause, together=True)
        except ConcurrentChange:
            stored = self._stored(self._unit_of_work.reading(self._organisation))
            if stored is None:
                raise
            return stored

    def _stored(self, reading: Reading) -> Reply | None:
        """Return the reply stored under the key.

        Raises:
            KeyReused: it was stored for another request.
        """
        found = reading.rows(COLLECTION).find_one({"_id": self._id})
        if found is None:
            return None
        if found["request_hash"] != self._hash:
            raise KeyReused(f"This {HEADER} came before with another request; take a new one.")
        return Reply(
            status=found["status"],
            raw=bytes(found["content"]),
            etag=found["etag"],
            location=found["location"],
            content_type=found["content_type"],
            filename=found["filename"],
        )

    def _document(self, work: Work, reply: Reply) -> dict[str, Any]:
        """Return what is kept of a committed outcome."""
        return {
            "_id": self._id,
            "request_hash": self._hash,
            "status": reply.status,
            "content": reply.content(),
            "etag": reply.etag,
            "location": reply.location,
            "content_type": reply.content_type,
            "filename": reply.filename,
            "about": [about(part) for part in request.path.split("/")[4:] if part],
            "expires_at": work.now + KEPT,
        }
