"""Bad tokens (faults I1 to I6, I9): every one refused with the same words, and no key ever fetched."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shared.errors import Unavailable
from shared.identity import Refused, TokenVerifier
from shared.identity.tokens import LONGEST_TOKEN_BYTES

SECONDS = 1769860800  # 2026-01-31T12:00:00Z, where the clock stands


def b64(value: object) -> str:
    """Return unpadded base64url of JSON (or bytes)."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(verifier: TokenVerifier, token: str) -> str:
    """Return why `token` is refused, for our metrics; its text is always the same."""
    with pytest.raises(Refused) as caught:
        verifier.verify(token)
    assert caught.value.detail == "A valid bearer token is needed."
    return caught.value.reason


def test_a_good_token_gives_the_organisation_of_its_issuer(verifier, sign):
    """The organisation comes from the trusted issuers, the roles from the claims."""
    principal = verifier.verify(sign(organisation="camden", org="camden"))
    assert (principal.organisation, principal.subject, principal.roles) == ("brent", "E-1", frozenset({"hr"}))
    assert "E-1" not in repr(principal)


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d", "..", "\u00e9.a.b", "Ünïcode"])
def test_i1_garbage_is_refused(verifier, token):
    """Nothing that looks like nothing gets near a key."""
    assert refused(verifier, token) in {"form", "header"}


def test_i1_a_huge_token_is_refused_unread(verifier, sign):
    """A megabyte is not decoded."""
    assert refused(verifier, "a" * 2**20 + ".b.c") == "form"
    assert refused(verifier, sign(padding="x" * LONGEST_TOKEN_BYTES)) == "form"


@pytest.mark.parametrize("algorithm", ["none", "NoNe", "NONE", ""])
def test_i2_no_algorithm_is_refused(verifier, claims, algorithm):
    """An unsigned token proves nothing."""
    head = {"alg": algorithm, "typ": "at+jwt", "kid": "k1"}
    assert refused(verifier, f"{b64(head)}.{b64(claims)}.") in {"algorithm", "header"}


def test_i2_the_public_key_used_as_a_secret_is_refused(verifier, claims, key):
    """HS256 with what everybody may read."""
    head = f"{b64({'alg': 'HS256', 'typ': 'at+jwt', 'kid': 'k1'})}.{b64(claims)}"
    forged = hmac.new(key.as_pem(private=False), head.encode(), hashlib.sha256).digest()
    token = f"{head}.{b64(forged)}"
    assert refused(verifier, token) == "algorithm"


def test_i2_another_algorithm_than_the_keys_is_refused(verifier, claims):
    """RS256 where the key is P-256."""
    rsa = RSAKey.generate_key(2048)
    token = jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}, claims, rsa, algorithms=["RS256"])
    assert refused(verifier, token) == "algorithm"


def test_i2_another_key_under_the_right_id_is_refused(verifier, claims):
    """The signature is checked with the pinned key."""
    forger = ECKey.generate_key("P-256")
    token = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, forger, algorithms=["ES256"])
    assert refused(verifier, token) == "signature"


def test_i2_unknown_key_ids_cost_nothing(verifier, sign, trusted):
    """A thousand random key ids: refused, and the file is not even opened again."""
    verifier.verify(sign())
    trusted.chmod(0)
    try:
        assert {refused(verifier, sign(header={"kid": os.urandom(4).hex()})) for _ in range(200)} == {"issuer"}
    finally:
        trusted.chmod(0o600)


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "EC"}},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"cty": "JWT"},
        {"zip": "DEF"},
    ],
)
def test_i3_a_header_that_brings_its_own_rules_is_refused(verifier, claims, header):
    """Keys and rules are ours."""
    head = {"alg": "ES256", "typ": "at+jwt", "kid": "k1", **header}
    assert refused(verifier, f"{b64(head)}.{b64(claims)}.{b64(b'x' * 64)}") == "header"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iat": SECONDS - 400, "exp": SECONDS - 31}, "time"),
        ({"iat": SECONDS + 60, "exp": SECONDS + 300}, "time"),
        ({"nbf": SECONDS + 60}, "time"),
        ({"exp": "tomorrow"}, "claims"),
        ({"exp": str(SECONDS + 300)}, "claims"),
        ({"exp": 1e308}, "claims"),
        ({"exp": 2**70}, "life"),
        ({"exp": True}, "claims"),
        ({"exp": ...}, "claims"),
        ({"iat": ...}, "claims"),
        ({"exp": SECONDS + 601}, "life"),
        ({"exp": SECONDS}, "life"),
        ({"exp": SECONDS + 10**9}, "life"),
        ({"iat": SECONDS - 10**9}, "life"),
        ({"iat": -(2**62), "exp": 2**62}, "life"),
    ],
)
def test_i4_a_token_out_of_its_time_is_refused(verifier, sign, changes, reason):
    """Ten minutes at most, thirty seconds of leeway."""
    assert refused(verifier, sign(**changes)) == reason


def test_i4_the_leeway_is_thirty_seconds(verifier, sign, clock):
    """Clocks of partners differ a little."""
    token = sign()
    clock.moment += timedelta(seconds=329)
    verifier.verify(token)
    clock.moment += timedelta(seconds=1)
    assert refused(verifier, token) == "time"


@pytest.mark.parametrize(
    ("audience", "reason"),
    [
        ("assessment", "audience"),
        (["enrolment", "assessment"], "audience"),
        (["enrolment", "enrolment"], "audience"),
        ([], "audience"),
        ("", "audience"),
        (None, "claims"),
        (1, "claims"),
        (..., "claims"),
    ],
)
def test_i5_any_other_audience_than_exactly_us_is_refused(verifier, sign, audience, reason):
    """A token for two services is a token for neither."""
    assert refused(verifier, sign(aud=audience)) == reason
    assert verifier.verify(sign(aud=["enrolment"]))


@pytest.mark.parametrize("issuer", ["https://evil.example", ["https://id.brent.example"], "", ..., None])
def test_i5_another_issuer_is_refused(verifier, sign, issuer):
    """Only those in the file, by their exact name."""
    assert refused(verifier, sign(iss=issuer)) in {"issuer", "claims"}


@pytest.mark.parametrize("kind", ["JWT", "jwt", "id+jwt", "logout+jwt", "", ...])
def test_i6_another_type_of_token_is_refused(verifier, claims, key, kind):
    """An ID token is no access token."""
    head = {"alg": "ES256", "kid": "k1"} if kind is ... else {"alg": "ES256", "kid": "k1", "typ": kind}
    token = jwt.encode(head, claims, key, algorithms=["ES256"], default_type=None)
    assert refused(verifier, token) in {"type", "header"}


def test_i8_a_role_that_was_taken_away_ends_with_its_token_within_ten_minutes(verifier, sign, clock):
    """No token lives longer, so that whoever was revoked holds nothing after ten minutes and the leeway."""
    token = sign(exp=SECONDS + 600)
    assert verifier.verify(token).roles == {"hr"}
    clock.moment += timedelta(minutes=10, seconds=30)
    assert refused(verifier, token) == "time"
    assert verifier.verify(sign(roles=[], iat=SECONDS + 630, exp=SECONDS + 900)).roles == frozenset()


def test_i6_json_serialisation_is_refused(verifier, claims):
    """Compact form only."""
    payload = b64(claims)
    assert refused(verifier, json.dumps({"payload": payload, "signatures": []})) in {"form", "header"}
    assert refused(verifier, json.dumps({"payload": payload + "..", "signatures": []})) in {"form", "header"}


@pytest.mark.parametrize(
    "changes",
    [{"sub": ...}, {"sub": ""}, {"sub": 1}, {"sub": "x" * 201}, {"roles": "hr"}, {"roles": [1]}, {"roles": ...},
     {"jti": ...}, {"jti": ""}],
)  # fmt: skip
def test_claims_of_another_type_are_refused(verifier, sign, changes):
    """Every claim that we read has its type."""
    assert refused(verifier, sign(**changes)) == "claims"


def test_roles_that_we_do_not_know_give_nothing(verifier, sign):
    """A word that is no role is no role."""
    assert verifier.verify(sign(roles=["admin", "hr", "superuser"])).roles == {"hr"}
    assert verifier.verify(sign(roles=[])).roles == frozenset()


def test_i9_a_token_bound_to_a_certificate_is_refused(verifier, sign):
    """Whoever binds a token expects the binding to be checked; until we do, such a token is none."""
    assert refused(verifier, sign(cnf={"x5t#S256": "abc"})) == "binding"


def test_ed25519_is_taken(tmp_path, clock, claims):
    """The other algorithm that is allowed, by the key's own type."""
    key = OKPKey.generate_key("Ed25519")
    jwks = {"keys": [{**key.as_dict(private=False), "kid": "k1"}]}
    path = tmp_path / "issuers.json"
    path.write_text(json.dumps({"https://id.brent.example": {"organisation": "brent", "jwks": jwks}}))
    token = jwt.encode({"alg": "Ed25519", "typ": "at+jwt", "kid": "k1"}, claims, key, algorithms=["Ed25519"])
    assert TokenVerifier(path, "enrolment", clock).verify(token).organisation == "brent"


def test_the_file_is_read_again_when_it_changes(verifier, sign, trusted):
    """An issuer that is taken out is no longer trusted, without a restart."""
    token = sign()
    verifier.verify(token)
    trusted.write_text("{}")
    assert refused(verifier, token) == "issuer"


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"organisation": "brent"}}'])
def test_a_trusted_issuers_file_that_is_none_trusts_nobody(tmp_path, clock, sign, text):
    """The instance says that it cannot check, instead of falling back on anything."""
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(Unavailable):
        TokenVerifier(path, "enrolment", clock).verify(sign())


def test_a_weak_key_is_never_trusted(tmp_path, clock, sign):
    """Only P-256 and Ed25519."""
    path = tmp_path / "weak.json"
    jwks = {"keys": [{**RSAKey.generate_key(2048).as_dict(private=False), "kid": "k1"}]}
    path.write_text(json.dumps({"https://id.brent.example": {"organisation": "brent", "jwks": jwks}}))
    with pytest.raises(Unavailable):
        TokenVerifier(path, "enrolment", clock).verify(sign())


def test_a_file_that_breaks_or_goes_trusts_nobody_until_it_is_back(verifier, sign, trusted):
    """Closed while it is being written, open again afterwards."""
    token, good = sign(), trusted.read_text()
    verifier.verify(token)
    trusted.write_text(good[:-5])
    with pytest.raises(Unavailable):
        verifier.verify(token)
    trusted.unlink()
    with pytest.raises(Unavailable):
        verifier.verify(token)
    trusted.write_text(good)
    assert verifier.verify(token).organisation == "brent"
