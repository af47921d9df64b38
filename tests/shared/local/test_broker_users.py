"""Who connects to the broker as whom: files that are kept, processes that get their own and no other, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailedError, TopicAuthorizationFailedError

from shared.errors import Malformed, Unavailable
from shared.events.refusals import RefusedByBroker, unavailable
from shared.local import backbone as backbones
from shared.local.cli import Asked
from shared.local.platform import _broker_user
from shared.local.provisioning import credentials_file, how_to_connect, keep_passwords
from shared.process.settings import CommonSettings, load, read_kafka_config

OPERATOR = {
    "security_protocol": "SASL_SSL",
    "ssl_cafile": "ca.pem",
    "sasl_mechanism": "PLAIN",
    "sasl_plain_password": "x",
}


def test_passwords_are_made_once_and_kept(tmp_path):
    """A user's file is what their process connects with; made again it is the same, and the operator's is not in it."""
    made = keep_passwords(tmp_path, ["relay.brent", "hr.brent"], how_to_connect(OPERATOR))
    assert keep_passwords(tmp_path, ["hr.brent"], how_to_connect({})) == {"hr.brent": made["hr.brent"]}
    assert made["hr.brent"] != made["relay.brent"]
    assert read_kafka_config(credentials_file(tmp_path, "hr.brent")) == {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": "ca.pem",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "hr.brent",
        "sasl_plain_password": made["hr.brent"],
    }


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"sasl_plain_username": "hr.ealing"})])
def test_a_file_of_something_else_is_not_taken_for_a_users(content, tmp_path):
    """Another user's file, or none at all, is said and left as it is."""
    file = credentials_file(tmp_path, "hr.brent")
    file.write_text(content)
    with pytest.raises(Malformed):
        keep_passwords(tmp_path, ["hr.brent"], {})
    assert file.read_text() == content


def test_relay_and_reader_are_users_of_their_own_and_the_others_nobody(tmp_path, monkeypatch):
    """A process that does not speak to the broker gets no password, and reads an empty setting as none."""
    assert _broker_user(None, "enrolment", "relay") == {}
    found = {part: _broker_user(tmp_path, "enrolment", part) for part in ("relay", "consume", "api", "worker")}
    assert [Path(one["KAFKA_CONFIG_FILE"]).name for one in found.values()] == [
        "relay.local.json",
        "enrolment.local.json",
        "",
        "",
    ]
    needed = ("PARTNERSHIP_FILE", "TRUSTED_ISSUERS_FILE", "ORGANISATION_KEYS_DIR", "KAFKA_BOOTSTRAP_SERVERS")
    for name, value in {**dict.fromkeys(needed, "x"), "MONGODB_URI": "mongodb://x", **found["api"]}.items():
        monkeypatch.setenv(name, value)
    assert load(CommonSettings.read).kafka_config() == {}


def test_users_are_for_a_broker_that_has_some(tmp_path):
    """The local broker knows no users: naming some is a mistake, said before anything starts."""
    with pytest.raises(Malformed, match="--kafka-users"):
        Asked(backbones.LOCAL, tmp_path).backbone(tmp_path, 48_500)


@pytest.mark.parametrize(
    ("error", "is_refusal"),
    [
        (TopicAuthorizationFailedError("org.brent.enrolment.v1"), True),
        (SaslAuthenticationFailedError("who?"), True),
        (KafkaError("Unexpected error in InitProducerIdResponse: [Error 31] ClusterAuthorizationFailedError"), True),
        (KafkaConnectionError("gone"), False),
        (OSError("gone"), False),
    ],
)
def test_a_no_is_told_from_no_answer(error, is_refusal):
    """A refusal waits like an absence, and is another thing to whoever looks after the platform."""
    found = unavailable(error, "the broker does not answer")
    assert isinstance(found, Unavailable)
    assert isinstance(found, RefusedByBroker) is is_refusal
    assert type(error).__name__ in found.detail or is_refusal
