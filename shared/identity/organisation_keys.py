"""An organisation's own key file, `<directory>/<organisation>.json`. Read here only, never logged, never copied.

{"pseudonym_key": "<base64, at least 32 bytes>", "signing_jwk": {private P-256 JWK}, "issuer": "https://..."}
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import Malformed

SHORTEST_KEY_BYTES: Final = 32


class OrganisationKeys(msgspec.Struct, frozen=True):
    """The secrets of one organisation."""

    pseudonym_key: str
    signing_jwk: dict[str, str]
    issuer: str

    def __repr__(self) -> str:
        return f"OrganisationKeys(issuer={self.issuer!r})"

    def pseudonym_secret(self) -> bytes:
        """Return the key that pseudonyms are derived from.

        Raises:
            Malformed: when it is not base64 or too short to resist enumeration.
        """
        try:
            secret = base64.b64decode(self.pseudonym_key, validate=True)
        except binascii.Error as error:
            raise Malformed("pseudonym_key is not base64.") from error
        if len(secret) < SHORTEST_KEY_BYTES:
            raise Malformed(f"pseudonym_key has fewer than {SHORTEST_KEY_BYTES} bytes.")
        return secret


def read_keys(directory: Path, organisation: str) -> OrganisationKeys:
    """Return the keys of `organisation`.

    Raises:
        Malformed: when there is no such file or it cannot be used; the message holds nothing of it.
    """
    try:
        return msgspec.json.decode((directory / f"{organisation}.json").read_bytes(), type=OrganisationKeys)
    except (OSError, msgspec.MsgspecError) as error:
        raise Malformed(f"The key file of {organisation} cannot be used.") from error
