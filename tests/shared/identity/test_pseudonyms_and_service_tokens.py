"""What is made with an organisation's own keys."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey

from shared.errors import Malformed
from shared.identifiers import new_identifier
from shared.identity import Pseudonyms, ServiceTokens, TokenVerifier
from shared.identity.organisation_keys import read_keys


@pytest.fixture
def keys_dir(tmp_path):
    """Key files of Brent and Camden."""
    for organisation in ("brent", "camden"):
        entry = {
            "pseudonym_key": base64.b64encode(organisation.encode() * 8).decode(),
            "signing_jwk": {**ECKey.generate_key("P-256").as_dict(private=True), "kid": f"{organisation}-1"},
            "issuer": f"https://id.{organisation}.example",
        }
        (tmp_path / f"{organisation}.json").write_text(json.dumps(entry))
    return tmp_path


def test_a_pseudonym_is_stable_and_shaped_like_a_uuid(keys_dir):
    """The same reference, trimmed and in any normal form, gives the same id in every process."""
    one, two = Pseudonyms(keys_dir), Pseudonyms(keys_dir)
    made = one.of("brent", "person", "Zo\u00eb-1")
    assert made == two.of("brent", "person", " Zoe\u0308-1 ")
    assert str(uuid.UUID(made)) == made
    assert uuid.UUID(made).version == 8


def test_a_pseudonym_is_for_ever_what_it_was(keys_dir):
    """Ids stand in databases and on the bus: one of them, as the first version made it."""
    assert Pseudonyms(keys_dir).of("brent", "person", "4711") == "491a2333-eb10-8d9a-8889-1655ce6b0ad6"


def test_pseudonyms_of_others_and_for_other_purposes_differ(keys_dir):
    """Nobody joins two organisations' or two purposes' ids."""
    pseudonyms = Pseudonyms(keys_dir)
    made = {pseudonyms.of(o, p, r) for o in ("brent", "camden") for p in ("person", "x") for r in ("1", "2")}
    assert len(made) == 8


def test_a_pseudonym_cannot_be_made_without_the_key(keys_dir):
    """An instance that does not hold the file says so, without a word of what is in others."""
    with pytest.raises(Malformed):
        Pseudonyms(keys_dir).of("ealing", "person", "1")


@pytest.mark.parametrize("secret", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_a_weak_key_is_refused(keys_dir, secret):
    """A short key could be guessed, and with it everybody."""
    entry = json.loads((keys_dir / "brent.json").read_text()) | {"pseudonym_key": secret}
    (keys_dir / "brent.json").write_text(json.dumps(entry))
    with pytest.raises(Malformed):
        Pseudonyms(keys_dir).of("brent", "person", "1")


def test_keys_do_not_show_themselves(keys_dir):
    """`repr` of the keys holds no key."""
    keys = read_keys(keys_dir, "brent")
    assert keys.pseudonym_key not in repr(keys)
    assert str(keys.signing_jwk["d"]) not in repr(keys)


@pytest.fixture
def service_tokens(keys_dir, clock) -> ServiceTokens:
    """Brent's instance."""
    return ServiceTokens(keys_dir, clock, new_identifier)


def test_a_service_token_speaks_for_its_own_organisation(keys_dir, clock, service_tokens, tmp_path):
    """A partner that trusts Brent's key takes it, for the one service it was made for."""
    signing = ECKey.import_key(read_keys(keys_dir, "brent").signing_jwk)
    jwks = {"keys": [{**signing.as_dict(private=False), "kid": "brent-1"}]}
    issuers = tmp_path / "issuers"
    issuers.write_text(json.dumps({"https://id.brent.example": {"organisation": "brent", "jwks": jwks}}))
    token = service_tokens.token("brent", "assessment")
    principal = TokenVerifier(issuers, "assessment", clock).verify(token)
    assert (principal.organisation, principal.roles) == ("brent", frozenset({"service"}))


def test_a_service_token_is_kept_until_a_minute_before_its_end(service_tokens, clock):
    """Not one signature per request, and never a token that ends on the way."""
    first = service_tokens.token("brent", "assessment")
    clock.moment += timedelta(seconds=239)
    assert service_tokens.token("brent", "assessment") == first
    clock.moment += timedelta(seconds=1)
    assert service_tokens.token("brent", "assessment") != first
    assert service_tokens.token("brent", "enrolment") != service_tokens.token("brent", "assessment")
