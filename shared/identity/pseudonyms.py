"""Opaque ids for people: the same reference always gives the same id, and nobody without the key can go back.

HMAC-SHA-256 with a key per organisation and purpose (never a bare hash: registration numbers can be enumerated).
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from pathlib import Path

from shared.identity.organisation_keys import read_keys


class Pseudonyms:
    """Derives pseudonyms from the organisations' key files."""

    def __init__(self, keys_dir: Path) -> None:
        self._keys_dir = keys_dir
        self._derived: dict[tuple[str, str], bytes] = {}

    def of(self, organisation: str, purpose: str, reference: str) -> str:
        """Return the UUID-shaped id of `reference` (trimmed, NFC) at `organisation` for `purpose` ("person").

        Raises:
            Malformed: when this instance does not hold the organisation's key.
        """
        text = unicodedata.normalize("NFC", reference.strip())
        digest = hmac.digest(self._key(organisation, purpose), text.encode(), "sha256")
        raw = bytearray(digest[:16])
        raw[6] = raw[6] & 0x0F | 0x80  # version 8: made by the application
        raw[8] = raw[8] & 0x3F | 0x80
        written = raw.hex()
        return f"{written[:8]}-{written[8:12]}-{written[12:16]}-{written[16:20]}-{written[20:]}"

    def _key(self, organisation: str, purpose: str) -> bytes:
        """Return the key of one organisation and purpose, derived once."""
        known = self._derived.get((organisation, purpose))
        if known is None:
            secret = read_keys(self._keys_dir, organisation).pseudonym_secret()
            known = hmac.new(secret, f"pseudonym:{organisation}:{purpose}".encode(), hashlib.sha256).digest()
            self._derived[(organisation, purpose)] = known
        return known
