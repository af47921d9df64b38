"""Tokens with which an instance speaks for its own organisation to a partner's instance (role `service`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.jwk import ECKey

from shared.clock import Clock
from shared.identifiers import NewIdentifier
from shared.identity.organisation_keys import read_keys

LIFE_SECONDS: Final = 300
RENEW_BEFORE_SECONDS: Final = 60


class ServiceTokens:
    """Signs with the organisation's own key; keeps a token until a minute before its end."""

    def __init__(self, keys_dir: Path, clock: Clock, new_identifier: NewIdentifier) -> None:
        self._keys_dir = keys_dir
        self._clock = clock
        self._new_identifier = new_identifier
        self._kept: dict[tuple[str, str], tuple[str, int]] = {}

    def token(self, organisation: str, audience: str) -> str:
        """Return a token of `organisation` for the service `audience`, valid for at least another minute.

        Raises:
            Malformed: when this instance does not hold the organisation's key.
        """
        now = int(self._clock.now().timestamp())
        kept = self._kept.get((organisation, audience))
        if kept and now < kept[1] - RENEW_BEFORE_SECONDS:
            return kept[0]
        keys = read_keys(self._keys_dir, organisation)
        key = ECKey.import_key(dict(keys.signing_jwk))
        claims = {
            "iss": keys.issuer,
            "aud": audience,
            "sub": f"service:{organisation}",
            "roles": ["service"],
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": self._new_identifier(),
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": keys.signing_jwk.get("kid") or key.thumbprint()}
        token = jwt.encode(header, claims, key, algorithms=["ES256"])
        self._kept[(organisation, audience)] = (token, now + LIFE_SECONDS)
        return token
