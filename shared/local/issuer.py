"""Keys and tokens for made-up people on one machine. Refused in every other profile.

One ES256 key and one pseudonym key per organisation, kept under the state directory so that ids stay the same from
one run to the next. The formats are those of `shared.identity`: `<organisation>.json` and `trusted-issuers.json`.

    PROFILE=local python -m shared.local.issuer PARTNERSHIP_FILE KEYS_DIRECTORY ADDRESS

makes the keys, and the doors file for services at ADDRESS (`http://{service}-api:8000`), for `docker-compose.yml`.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
from collections.abc import Collection
from pathlib import Path

from environs import Env
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.clock import Clock, SystemClock
from shared.errors import Forbidden
from shared.identifiers import NewIdentifier, new_identifier
from shared.identity.organisation_keys import read_keys
from shared.partnership import load
from shared.partnership.model import SERVICES
from shared.process.settings import LOCAL, PRODUCTION
from shared.process.weak_settings import LOCAL_SECRET

LIFE_SECONDS = 600
PSEUDONYM_KEY_BYTES = 32
TRUSTED_ISSUERS = "trusted-issuers.json"
SESSION_SECRET = "session-secret"  # noqa: S105 - a file's name
CLIENT_ID = "teaching-partnership"
"""As what the pages are known to the sign-in of made-up people."""


class LocalIssuer:
    """Speaks for every organisation of a local run."""

    def __init__(self, keys_dir: Path, profile: str, clock: Clock, new_identifier: NewIdentifier) -> None:
        if profile != LOCAL:
            raise Forbidden(f"the local issuer makes tokens in the local profile only (PROFILE is {profile})")
        self.keys_dir = keys_dir
        self._clock = clock
        self._new_identifier = new_identifier

    @property
    def trusted_issuers_file(self) -> Path:
        """Where the public keys stand that services believe."""
        return self.keys_dir / TRUSTED_ISSUERS

    def prepare(self, organisations: Collection[str], sign_in_address: str | None = None) -> None:
        """Make the key files that are missing and let the services trust exactly `organisations`.

        `sign_in_address` is where the made-up people sign in, if they do.
        """
        self.keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        trusted: dict[str, object] = {}
        for organisation in organisations:
            self._make_key(organisation)
            keys = read_keys(self.keys_dir, organisation)
            public = ECKey.import_key(dict(keys.signing_jwk)).as_dict(private=False)
            jwk = {**public, "kid": keys.signing_jwk["kid"]}
            trusted[keys.issuer] = {"organisation": organisation, "jwks": {"keys": [jwk]}}
            if sign_in_address is not None:
                trusted[f"{sign_in_address}/{organisation}"] = {
                    "organisation": organisation,
                    "jwks": {"keys": []},
                    "sign_in": {"client_id": CLIENT_ID},
                }
        self._make_session_secret()
        _write(self.trusted_issuers_file, trusted)

    def mint(self, organisation: str, roles: Collection[str], subject: str, audience: str) -> str:
        """Return a token that lets `subject` of `organisation` act in `roles` at the service `audience` for 10 minutes.

        Raises:
            Malformed: the organisation has no key here.
        """
        keys = read_keys(self.keys_dir, organisation)
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": keys.issuer,
            "aud": audience,
            "sub": subject,
            "roles": list(roles),
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": self._new_identifier(),
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": keys.signing_jwk["kid"]}
        return jwt.encode(header, claims, ECKey.import_key(dict(keys.signing_jwk)), algorithms=["ES256"])

    @property
    def session_secret_file(self) -> Path:
        """Where the secret stands that signs the pages' sessions; kept, so that a restart signs nobody out."""
        return self.keys_dir / SESSION_SECRET

    def _make_session_secret(self) -> None:
        if not self.session_secret_file.exists():
            self.session_secret_file.touch(mode=0o600)
            marked = LOCAL_SECRET.decode() + secrets.token_urlsafe(32)
            self.session_secret_file.write_text(marked, encoding="utf-8")

    def _make_key(self, organisation: str) -> None:
        path = self.keys_dir / f"{organisation}.json"
        if path.exists():
            return
        key = ECKey.generate_key("P-256")
        _write(
            path,
            {
                "pseudonym_key": base64.b64encode(secrets.token_bytes(PSEUDONYM_KEY_BYTES)).decode(),
                "signing_jwk": {**key.as_dict(private=True), "kid": key.thumbprint()},
                "issuer": f"https://issuer.{organisation}.example",
            },
        )


def _write(path: Path, content: dict[str, object]) -> None:
    """Replace `path` at once, readable by this user only."""
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(path)


def main(partnership_file: str, keys_dir: str, address: str, sign_in_address: str | None = None) -> None:
    """Make the keys of all organisations of a partnership, and the file that says where the services are.

    `sign_in_address` is where the made-up people sign in, if they do.

    Raises:
        Forbidden: PROFILE is not local.
        Malformed: the partnership file has faults.
    """
    issuer = LocalIssuer(Path(keys_dir), Env().str("PROFILE", PRODUCTION), SystemClock(), new_identifier)
    issuer.prepare(tuple(load(Path(partnership_file)).organisations), sign_in_address)
    _write(issuer.keys_dir / "doors.json", {service: address.format(service=service) for service in SERVICES})


if __name__ == "__main__":
    main(*sys.argv[1:])
