"""Settings: all faults in one message, hosted organisations checked against the partnership file."""

from pathlib import Path

import pytest

import shared
from shared.errors import Malformed
from shared.process.settings import CommonSettings, load

FILE = Path(shared.__file__).parent.parent / "scenarios" / "north-west-london" / "partnership.yaml"
GOOD = {
    "PARTNERSHIP_FILE": str(FILE),
    "MONGODB_URI": "mongodb://127.0.0.1:27017",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "TRUSTED_ISSUERS_FILE": "/run/trusted-issuers.json",
    "ORGANISATION_KEYS_DIR": "/run/keys",
}


@pytest.fixture
def environment(monkeypatch):
    """A setter of the whole environment that settings see."""

    def use(**variables: str) -> None:
        for name in ("PROFILE", "HOSTED_ORGANISATIONS", "PORT", "READER_MODE", "KAFKA_CONFIG_FILE", *GOOD):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return use


def test_settings_are_read_with_their_defaults(environment):
    """Five variables are enough; the rest has defaults, those of production where nothing is said."""
    environment(**GOOD)
    settings = load(CommonSettings.read)
    assert (settings.profile, settings.reader_mode, settings.port) == ("production", "group", 8000)
    assert settings.hosted(settings.partnership())[0] == "brent"


def test_every_wrong_setting_is_in_one_message(environment):
    """What is missing and what is wrong is reported together, by name."""
    environment(PROFILE="holiday", PORT="many", READER_MODE="alone", MONGODB_URI="postgres://127.0.0.1")
    with pytest.raises(Malformed) as caught:
        load(CommonSettings.read)
    named = {fault.pointer for fault in caught.value.faults}
    missing = {"PARTNERSHIP_FILE", "KAFKA_BOOTSTRAP_SERVERS", "TRUSTED_ISSUERS_FILE", "ORGANISATION_KEYS_DIR"}
    assert named == {"PROFILE", "PORT", "READER_MODE", "MONGODB_URI"} | missing
    assert all(name in caught.value.detail for name in named)
    assert "postgres" not in caught.value.detail


def test_hosted_organisations_must_be_partners(environment):
    """Hosting somebody who is no partner is a fault of the settings."""
    environment(**GOOD, HOSTED_ORGANISATIONS="ealing,camden")
    with pytest.raises(Malformed, match="camden"):
        load(CommonSettings.read).partnership()


def test_hosted_organisations_stand_in_the_order_of_the_file(environment):
    """However they were written."""
    environment(**GOOD, HOSTED_ORGANISATIONS="goldsmiths,brent")
    settings = load(CommonSettings.read)
    assert settings.hosted(settings.partnership()) == ("brent", "goldsmiths")


def test_the_kafka_config_file_says_how_every_client_connects(environment, tmp_path):
    """The secrets are in the file, and without one there is nothing to say."""
    environment(**GOOD)
    assert load(CommonSettings.read).kafka_config() == {}
    file = tmp_path / "kafka.json"
    file.write_text('{"security_protocol": "SASL_SSL", "sasl_plain_password": "s3cret"}')
    environment(**GOOD, KAFKA_CONFIG_FILE=str(file))
    assert load(CommonSettings.read).kafka_config() == {
        "security_protocol": "SASL_SSL",
        "sasl_plain_password": "s3cret",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"acks": 0, "sasl_plain_password": "s3cret"}', "may set security_protocol, ssl_... and sasl_..., not acks"),
        ('["security_protocol"]', "must hold a JSON object"),
        ('{"sasl_plain_password": s3cret}', "cannot be read as JSON"),
        (None, "cannot be read as JSON"),
    ],
)
def test_a_wrong_kafka_config_file_is_said_without_its_secrets(environment, tmp_path, text, said):
    """How records are written is not for a file to change, and a message holds no secret."""
    file = tmp_path / "kafka.json"
    if text is not None:
        file.write_text(text)
    environment(**GOOD, KAFKA_CONFIG_FILE=str(file))
    with pytest.raises(Malformed) as caught:
        load(CommonSettings.read).kafka_config()
    assert said in caught.value.detail
    assert "s3cret" not in caught.value.detail
