"""Verification of bearer tokens (RFC 9068 access tokens). No network, no cache that strangers can fill.

A good signature is not checked again while the trusted issuers are what they were; time, audience and all else are, at
every request. Only what a trusted key has signed is remembered, by its hash.

Compact form only, ES256 or Ed25519 (RFC 9864's name) by the key's own type, keys only from the trusted issuers file
(which is read again when it changes), exactly one audience, `typ: at+jwt`, a life of at most ten minutes. Every other
header parameter (`jku`, `x5u`, `jwk`, `crit`, `b64`, ...) is refused before a key is looked up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import structlog
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, KeySetSerialization, OKPKey

from shared.clock import Clock
from shared.errors import Forbidden, Malformed, Unavailable
from shared.identity.principals import ROLES, Principal

LONGEST_TOKEN_BYTES: Final = 8192
LONGEST_LIFE_SECONDS: Final = 600
LEEWAY_SECONDS: Final = 30
MOST_REMEMBERED: Final = 2000
"""Of how many tokens it is remembered that their signature was good."""
_HEADER_NAMES: Final = frozenset({"alg", "typ", "kid"})
_KNOWN_ROLES: Final = frozenset(ROLES)
_TOKEN_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
log = structlog.get_logger(__name__)


class Refused(Forbidden):
    """The token proves nothing. `reason` is for our own metrics: constant words, nothing that was sent."""

    slug = "unauthenticated"

    def __init__(self, reason: str) -> None:
        super().__init__("A valid bearer token is needed.")
        self.reason = reason


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The only header a token may have."""

    alg: str
    typ: str
    kid: str


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims we read, by their types. Others are ignored, except `cnf`, which we could not honour."""

    iss: str
    aud: str | list[str]
    sub: str
    roles: list[str]
    iat: int
    exp: int
    jti: str
    nbf: int | None = None
    cnf: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """A token issuer that the instance trusts, and the one organisation it speaks for."""

    organisation: str
    keys: Mapping[str, ECKey | OKPKey]


Issuers = Mapping[str, Issuer]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a token says, whose key has signed it, and who was trusted then."""

    trusted: Issuers
    issuer: Issuer
    claims: Claims


class TokenVerifier:
    """Turns a bearer token into a `Principal`, or refuses it."""

    def __init__(self, issuers_file: Path, audience: str, clock: Clock) -> None:
        self._file = issuers_file
        self._audience = audience
        self._clock = clock
        self._read: tuple[tuple[int, int, int], Issuers] | None = None
        """The file's state and what it said then: one value, so that no thread meets half of a change."""
        self._signed: dict[bytes, Signed] = {}

    def verify(self, token: str) -> Principal:
        """Return who `token` speaks for.

        Raises:
            Refused: for every fault, always with the same text.
            Unavailable: the trusted issuers cannot be read.
        """
        if not token.isascii() or len(token) > LONGEST_TOKEN_BYTES or token.count(".") != 2:
            raise Refused("form")
        raw = token.encode("ascii")
        name = hashlib.sha256(raw).digest()
        signed = self._signed.get(name)
        if signed is None or signed.trusted is not self._trusted():
            signed = self._checked(raw)
            if len(self._signed) >= MOST_REMEMBERED:
                self._signed.clear()
            self._signed[name] = signed
        return self._principal(signed.claims, signed.issuer)

    def _checked(self, raw: bytes) -> Signed:
        """Return what `raw` says, once its signature is found to be that of the pinned key."""
        trusted, issuer, key, algorithm = self._key_for(raw)
        try:
            payload = jws.deserialize_compact(raw, key, algorithms=[algorithm]).payload
        except (JoseError, ValueError) as error:
            raise Refused("signature") from error
        return Signed(trusted, issuer, _claims(payload))

    def _key_for(self, raw: bytes) -> tuple[Issuers, Issuer, ECKey | OKPKey, str]:
        """Return the pinned key that must have signed `raw`, chosen by its unverified issuer and key id."""
        try:
            unverified = jws.extract_compact(raw)
            header = msgspec.convert(dict(unverified.protected), Header)
        except (JoseError, ValueError, msgspec.ValidationError, RecursionError) as error:
            raise Refused("header") from error
        if header.typ.lower() not in _TOKEN_TYPES:
            raise Refused("type")
        claims, trusted = _claims(unverified.payload), self._trusted()
        issuer = trusted.get(claims.iss)
        key = issuer.keys.get(header.kid) if issuer else None
        if issuer is None or key is None:
            raise Refused("issuer")
        algorithm = _algorithm_of(key)
        if header.alg != algorithm:
            raise Refused("algorithm")
        return trusted, issuer, key, algorithm

    def _principal(self, claims: Claims, issuer: Issuer) -> Principal:
        """Apply our own rules to verified claims."""
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if audiences != [self._audience]:
            raise Refused("audience")
        if claims.cnf is not None:
            raise Refused("binding")
        if not 0 < claims.exp - claims.iat <= LONGEST_LIFE_SECONDS:
            raise Refused("life")
        now = self._clock.now().timestamp()
        starts = max(claims.iat, claims.nbf if claims.nbf is not None else claims.iat)
        if not starts - LEEWAY_SECONDS <= now < claims.exp + LEEWAY_SECONDS:
            raise Refused("time")
        if not 0 < len(claims.sub) <= 200 or not claims.jti:
            raise Refused("claims")
        return Principal(issuer.organisation, claims.sub, _KNOWN_ROLES & frozenset(claims.roles))

    def _trusted(self) -> Issuers:
        """Return the trusted issuers, read again when the file is another one than last time.

        Raises:
            Unavailable: when it cannot be used just now. Nobody is trusted on the strength of an older file.
        """
        read = self._read
        try:
            state = self._file.stat()
            seen = (state.st_ino, state.st_mtime_ns, state.st_size)
            if read is None or read[0] != seen:
                self._read = read = (seen, read_issuers(self._file))
        except (OSError, Malformed) as error:
            log.exception("identity.trusted-issuers-unusable")
            self._read = None
            raise Unavailable("Tokens cannot be checked just now; try again.") from error
        return read[1]


def read_issuers(path: Path) -> Issuers:
    """Return the trusted issuers in `path`: `{iss: {"organisation": org, "jwks": {"keys": [...]}}}`.

    Raises:
        Malformed: when the file is not that, or holds a key of another kind than P-256 or Ed25519.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return {iss: Issuer(str(entry["organisation"]), _keys(entry["jwks"])) for iss, entry in raw.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, JoseError) as error:
        raise Malformed(f"The trusted issuers file {path.name} cannot be used.") from error


def _keys(jwks: KeySetSerialization) -> Mapping[str, ECKey | OKPKey]:
    """Return the public keys of `jwks` by key id."""
    keys: dict[str, ECKey | OKPKey] = {}
    if not jwks["keys"]:
        return keys  # its people sign in to pages, its tokens are believed by nobody
    for entry, key in zip(jwks["keys"], KeySet.import_key_set(jwks).keys, strict=True):
        if not isinstance(key, ECKey | OKPKey) or key.curve_name not in ("P-256", "Ed25519"):
            raise Malformed("Only P-256 and Ed25519 keys are trusted.")
        keys[str(entry["kid"])] = key
    return keys


def _algorithm_of(key: ECKey | OKPKey) -> str:
    """Return the one algorithm that `key` signs with."""
    return "ES256" if isinstance(key, ECKey) else "Ed25519"


def _claims(payload: bytes | None) -> Claims:
    """Return the claims in `payload`, typed.

    Raises:
        Refused: when one is missing or of another type (`exp` a text, 1e308, ...).
    """
    try:
        return msgspec.json.decode(payload or b"", type=Claims)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refused("claims") from error
