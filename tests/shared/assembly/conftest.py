"""A production instance of one employer with nothing to say against it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import shared
from services.assessment import bootstrap as assessment
from services.enrolment import bootstrap as enrolment
from services.enrolment.settings import EnrolmentSettings
from shared.identifiers import new_identifier
from shared.process.settings import CommonSettings, load

ROOT = Path(shared.__file__).parent.parent
EMPLOYER = "vale"
ISSUER = "https://tokens.internal/vale"


@pytest.fixture
def place(tmp_path) -> SimpleNamespace:
    """The files of a real instance: its own issuer, keys, session secret and way to Kafka."""
    made = SimpleNamespace(
        issuers=tmp_path / "issuers.json",
        keys=tmp_path / "keys",
        session=tmp_path / "session-secret",
        kafka=tmp_path / "kafka.json",
    )
    made.keys.mkdir()
    made.issuers.write_text(json.dumps({ISSUER: {"organisation": EMPLOYER, "jwks": {"keys": []}}}))
    keys = {"pseudonym_key": base64.b64encode(secrets.token_bytes(32)).decode(), "signing_jwk": {}, "issuer": ISSUER}
    (made.keys / f"{EMPLOYER}.json").write_text(json.dumps(keys))
    made.session.write_bytes(secrets.token_bytes(48))
    made.kafka.write_text(json.dumps({"security_protocol": "SASL_SSL"}))
    return made


@pytest.fixture
def environment(place, mongodb_uri) -> dict[str, str]:
    """A production instance of one employer with nothing to say against it, but for what a test puts in."""
    return {
        "PARTNERSHIP_FILE": str(ROOT / "scenarios" / "marchland" / "partnership.yaml"),
        "HOSTED_ORGANISATIONS": EMPLOYER,
        "MONGODB_URI": mongodb_uri,
        "DATABASE_PREFIX": f"t{new_identifier()[-8:]}_",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "KAFKA_CONFIG_FILE": str(place.kafka),
        "REPLICATION_FACTOR": "3",
        "TRUSTED_ISSUERS_FILE": str(place.issuers),
        "ORGANISATION_KEYS_DIR": str(place.keys),
        "SESSION_SECRET_FILE": str(place.session),
        "PROFILE": "production",
    }


@pytest.fixture
def settings(environment, monkeypatch) -> Callable[..., CommonSettings]:
    """The settings of that instance, with some variables changed."""

    def made(read: Callable = CommonSettings.read, **changed: str) -> CommonSettings:
        for name, value in {**environment, **changed}.items():
            monkeypatch.setenv(name, value)
        return load(read)

    return made


@pytest.fixture
def prepared(settings) -> Callable[..., CommonSettings]:
    """The same, with the databases of assessment and enrolment prepared."""
    assessment.prepare(settings())
    enrolment.prepare(settings(EnrolmentSettings.read))
    return settings
