"""Keys, a trusted issuer and a verifier, all real."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.identity import TokenVerifier

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())


class FixedClock:
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        """Return the set instant."""
        return self.moment

    def monotonic(self) -> float:
        """Return the set instant in seconds."""
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        """Do not sleep."""


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still."""
    return FixedClock()


@pytest.fixture(scope="session")
def key() -> ECKey:
    """Brent's key pair."""
    return ECKey.generate_key("P-256")


@pytest.fixture
def trusted(tmp_path, key):
    """The trusted issuers file, with Brent in it."""
    path = tmp_path / "issuers.json"
    jwks = {"keys": [{**key.as_dict(private=False), "kid": "k1"}]}
    path.write_text(json.dumps({"https://id.brent.example": {"organisation": "brent", "jwks": jwks}}))
    return path


@pytest.fixture
def verifier(trusted, clock) -> TokenVerifier:
    """The verifier of the service `enrolment`."""
    return TokenVerifier(trusted, "enrolment", clock)


@pytest.fixture
def claims() -> dict[str, object]:
    """Claims that are all right."""
    return {
        "iss": "https://id.brent.example",
        "aud": "enrolment",
        "sub": "E-1",
        "roles": ["hr"],
        "iat": SECONDS,
        "exp": SECONDS + 300,
        "jti": "j-1",
    }


@pytest.fixture
def sign(key, claims) -> Callable[..., str]:
    """Sign the good claims with changes; `...` leaves one out. `header` changes the header."""

    def make(header: dict[str, object] | None = None, **changes: object) -> str:
        body = {name: value for name, value in {**claims, **changes}.items() if value is not ...}
        head = {"alg": "ES256", "typ": "at+jwt", "kid": "k1", **(header or {})}
        return jwt.encode(head, body, key, algorithms=["ES256"])

    return make
