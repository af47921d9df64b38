"""Settings that would start and should not: secrets from an example, clients that verify nobody, letters in the clear.

Pure but for the files that settings name. Each function returns one sentence per fault that says what to do; no secret
is ever part of one. Who asks is `shared/assembly/start_checks.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from shared.errors import Malformed
from shared.process.settings import CommonSettings, PagesSettings

LOCAL_SECRET: Final = b"made-up-people-only."
"""What the local issuer's session secrets begin with."""
RESERVED: Final = (".example", ".test", ".invalid", ".localhost")
"""Names that are nobody's. Source: RFC 2606 and RFC 6761."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
FEWEST_DIFFERENT_BYTES: Final = 12
SAMPLE_WORDS: Final = (b"changeme", b"change-me", b"change_me", b"example", b"password", b"secret", b"default")
_OFF: Final = frozenset({"false", "0", "no"})


def weak_kafka(given: CommonSettings) -> list[str]:
    """Return what is wrong with KAFKA_CONFIG_FILE: it may say how to connect, and must let nobody else answer."""
    try:
        config = given.kafka_config()
    except Malformed as error:
        return [error.detail]
    checks = config.get("ssl_check_hostname", True)
    if checks is False or str(checks).lower() in _OFF:
        return ["KAFKA_CONFIG_FILE sets ssl_check_hostname to false: any server could pass as the broker; take it out"]
    return []


def weak_session_secret(given: CommonSettings) -> list[str]:
    """Return what is wrong with SESSION_SECRET_FILE, where the service has pages and the file is named."""
    if not isinstance(given, PagesSettings):
        return []
    try:
        secret = given.session_secret()
    except Malformed as error:
        return [error.detail]
    if secret is None or not is_sample(secret):
        return []
    return [
        "SESSION_SECRET_FILE holds a secret of the local profile or of an example: write 32 random bytes into it "
        "(head -c 32 /dev/urandom | base64)"
    ]


def sample_issuers(given: CommonSettings) -> list[str]:
    """Return what is wrong with the issuers that are trusted: those of the local profile, or of an example."""
    try:
        trusted = json.loads(given.trusted_issuers_file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [f"TRUSTED_ISSUERS_FILE {given.trusted_issuers_file} cannot be read as JSON ({type(error).__name__})"]
    if not isinstance(trusted, Mapping):
        return [f"TRUSTED_ISSUERS_FILE {given.trusted_issuers_file} must hold a JSON object"]
    found = sorted(issuer for issuer in trusted if is_nobodys(issuer))
    if not found:
        return []
    return [
        f"TRUSTED_ISSUERS_FILE trusts {_named(found)}: made for the local profile or copied from an example, so "
        "anybody could speak for these organisations; name their own token issuers"
    ]


def is_sample(secret: bytes) -> bool:
    """Return whether a secret is the local profile's, from an example, or of too few different bytes to be random."""
    small = secret.lower()
    is_worded = any(word in small for word in SAMPLE_WORDS)
    return secret.startswith(LOCAL_SECRET) or is_worded or len(set(secret)) < FEWEST_DIFFERENT_BYTES


def is_nobodys(address: str) -> bool:
    """Return whether an address can belong to nobody: a reserved name, or this machine."""
    host = urlsplit(address).hostname or ""
    return host in LOOPBACK or host.endswith(RESERVED)


def _named(found: list[str], most: int = 3) -> str:
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest
