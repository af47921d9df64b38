"""The local issuer: keys that stay, tokens that services believe, refused outside the local profile."""

import pytest

from shared.clock import SystemClock
from shared.errors import Forbidden, Malformed
from shared.identifiers import new_identifier
from shared.identity.pseudonyms import Pseudonyms
from shared.identity.tokens import TokenVerifier
from shared.local.issuer import LocalIssuer, main

CLOCK = SystemClock()


@pytest.fixture
def issuer(tmp_path) -> LocalIssuer:
    """An issuer for two organisations."""
    made = LocalIssuer(tmp_path / "keys", "local", CLOCK, new_identifier)
    made.prepare(("brent", "ealing"))
    return made


def test_a_token_is_believed_by_the_service_it_names(issuer):
    """Organisation, roles and subject arrive as they were asked for."""
    verifier = TokenVerifier(issuer.trusted_issuers_file, "enrolment", CLOCK)
    principal = verifier.verify(issuer.mint("brent", ("hr", "supervisor"), "90001", "enrolment"))
    assert (principal.organisation, principal.subject, principal.roles) == ("brent", "90001", {"hr", "supervisor"})


def test_a_token_is_not_believed_by_another_service(issuer):
    """One audience, exactly."""
    verifier = TokenVerifier(issuer.trusted_issuers_file, "assessment", CLOCK)
    with pytest.raises(Forbidden):
        verifier.verify(issuer.mint("brent", ("hr",), "hr-desk", "enrolment"))


def test_keys_stay_from_one_run_to_the_next(issuer):
    """The same person has the same pseudonym tomorrow."""
    before = Pseudonyms(issuer.keys_dir).of("brent", "person", "1001")
    issuer.prepare(("brent", "ealing", "harrow"))
    assert Pseudonyms(issuer.keys_dir).of("brent", "person", "1001") == before
    assert Pseudonyms(issuer.keys_dir).of("harrow", "person", "1001") != before


def test_keys_can_be_read_by_their_owner_only(issuer):
    """Nobody else on the machine reads them."""
    assert (issuer.keys_dir / "brent.json").stat().st_mode & 0o077 == 0


def test_an_unknown_organisation_gets_no_token(issuer):
    """Only the partners of the file have keys."""
    with pytest.raises(Malformed):
        issuer.mint("camden", ("hr",), "hr-desk", "enrolment")


def test_the_issuer_is_refused_in_production(tmp_path, monkeypatch):
    """Outside the local profile there is no local issuer, whoever asks."""
    with pytest.raises(Forbidden, match="local profile only"):
        LocalIssuer(tmp_path, "production", CLOCK, new_identifier)
    monkeypatch.delenv("PROFILE", raising=False)
    with pytest.raises(Forbidden, match="local profile only"):
        main("partnership.yaml", str(tmp_path), "http://{service}:8000")
