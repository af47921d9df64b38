"""The partners' sign-in providers, as the trusted issuers file names them.

The same file that says whose tokens are believed says whose sign-in is: an entry with `sign_in` is an OpenID provider.

    {"https://login.brent.example/v2.0": {
        "organisation": "brent",
        "jwks": {"keys": []},
        "sign_in": {"client_id": "teaching-partnership",
                    "client_secret_file": "/run/secrets/brent-sign-in",    without it: a public client, PKCE alone
                    "scope": "openid profile",
                    "roles_claim": "roles",
                    "roles": {"TP-HR-Officers": "hr"},                     without it: the claim holds our own words
                    "subject_claim": "sub",                                the person's reference at the organisation
                    "name_claim": "name"}}}

Who signs in there belongs to that organisation, whatever a claim says. The file is read again when it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from shared.errors import Malformed

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The `sign_in` part of an entry."""

    client_id: str
    client_secret_file: str | None = None
    scope: str = "openid profile"
    roles_claim: str = "roles"
    roles: dict[str, str] | None = None
    subject_claim: str = "sub"
    name_claim: str = "name"


class Trusted(msgspec.Struct, frozen=True):
    """One entry of the trusted issuers file, as far as signing in goes."""

    organisation: str
    sign_in: Entry | None = None


class Provider(msgspec.Struct, frozen=True):
    """Where the people of one organisation sign in."""

    organisation: str
    issuer: str
    entry: Entry

    @property
    def metadata_address(self) -> str:
        """Return where the provider says where everything is."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"

    def secret(self) -> str | None:
        """Return the client's secret, None for a public client.

        Raises:
            Malformed: the file cannot be read.
        """
        if self.entry.client_secret_file is None:
            return None
        try:
            return Path(self.entry.client_secret_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Malformed(f"The client secret of {self.organisation} cannot be read.") from error


def read_providers(path: Path) -> Mapping[str, Provider]:
    """Return the providers in the trusted issuers file, by organisation.

    Raises:
        Malformed: the file cannot be used, an organisation has two providers, or one is not reached by https.
    """
    try:
        trusted = msgspec.json.decode(path.read_bytes(), type=dict[str, Trusted])
    except (OSError, msgspec.MsgspecError) as error:
        raise Malformed(f"The trusted issuers file {path.name} cannot be used for signing in.") from error
    found: dict[str, Provider] = {}
    for issuer, entry in trusted.items():
        if entry.sign_in is None:
            continue
        _check(issuer)
        if entry.organisation in found:
            raise Malformed(f"{path.name} names two sign-in providers of {entry.organisation}.")
        found[entry.organisation] = Provider(entry.organisation, issuer, entry.sign_in)
    return found


def _check(issuer: str) -> None:
    address = urlsplit(issuer)
    if address.scheme != "https" and not (address.scheme == "http" and _is_this_machine(address.hostname or "")):
        raise Malformed("A sign-in provider's issuer begins with https://.")


def _is_this_machine(host: str) -> bool:
    return host in LOOPBACK or host.endswith(".localhost")  # RFC 6761: no name below it is anybody else's
