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
        for name in ("PROFILE", "HOSTED_ORGANISATIONS", "PORT", "READER_MODE", *GOOD):
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
