"""What a local instance of a service is told by its environment: the tests' own database, and nobody on Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from shared.local.issuer import LocalIssuer

PARTNERSHIP: Final = Path(__file__).parents[1] / "scenarios" / "north-west-london" / "partnership.yaml"
NO_BROKER: Final = "localhost:9"


def tell_environment(
    monkeypatch: pytest.MonkeyPatch, issuer: LocalIssuer, mongodb_uri: str, database_prefix: str, **more: str
) -> None:
    """Set the environment of this process for the rest of a test; `more` are further settings by name."""
    given = {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(PARTNERSHIP),
        "MONGODB_URI": mongodb_uri,
        "KAFKA_BOOTSTRAP_SERVERS": NO_BROKER,
        "DATABASE_PREFIX": database_prefix[-10:],
        "TRUSTED_ISSUERS_FILE": str(issuer.trusted_issuers_file),
        "ORGANISATION_KEYS_DIR": str(issuer.keys_dir),
        **more,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
