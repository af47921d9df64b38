"""A provider that lies in every way, or answers nonsense, opens no session (fault P24 among them)."""

from __future__ import annotations

import base64
import json
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from werkzeug.serving import make_server

from shared.local.ports import any_free
from tests.shared.web.signing_in import come_back, sent_away, session_of, trust


class Liar:
    """A provider that gives whatever ID token it is told to."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k"})
        self.issuer = f"http://127.0.0.1:{any_free()}"
        self.metadata: dict[str, object] = {}
        self.claims: dict[str, object] = {}
        self.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "k"}, claims, self.key, algorithms=["ES256"])
        self.nonce = ""
        self.nonsense = ""
        app = Flask("liar")
        app.before_request(self._page_instead)
        app.add_url_rule("/.well-known/openid-configuration", "metadata", self._metadata)
        app.add_url_rule("/jwks", "jwks", lambda: jsonify(keys=[self.key.as_dict(private=False)]))
        app.add_url_rule("/token", "token", self._token, methods=["POST"])
        self.server = make_server("127.0.0.1", int(self.issuer.rsplit(":", 1)[1]), app, threaded=True)

    def _page_instead(self):
        if self.nonsense and request.path.endswith(self.nonsense):
            return "<!doctype html><title>Maintenance</title><h1>Back soon</h1>"
        return None

    def _metadata(self):
        ours = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        }
        return jsonify(**(ours | self.metadata))

    def _token(self):
        assert request.form["code_verifier"]
        now = int(time.time())  # noqa: TID251
        claims = {"iss": self.issuer, "aud": "us", "sub": "x", "roles": ["hr"], "nonce": self.nonce}
        token = self.sign(claims | {"iat": now, "exp": now + 60} | self.claims)
        return jsonify(access_token="a", token_type="Bearer", **({"id_token": token} if token else {}))


@pytest.fixture
def liar(toy_issuer):
    """A provider that Brent's file names."""
    made = Liar()
    trust(toy_issuer, made.issuer)
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def part(content: dict[str, object]) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def attempt(app: Flask, liar: Liar):
    """Sign in at the liar's."""
    browser = app.test_client()
    asked = parse_qs(urlsplit(sent_away(browser)).query)
    liar.nonce = liar.claims.get("nonce", asked["nonce"][0])
    answer = come_back(browser, f"/sign-in/brent/back?code=c&state={asked['state'][0]}")
    return answer, session_of(browser)


def test_the_liar_telling_the_truth_is_believed(toys, liar):
    """Or the tests below would prove nothing."""
    answer, who = attempt(toys, liar)
    assert answer.status_code == 303
    assert who["roles"] == ["hr"]


def test_provider_that_changes_its_key_is_believed_at_once(toys, liar):
    """A new key id makes us ask for the keys again."""
    attempt(toys, liar)
    liar.key = ECKey.generate_key("P-256", {"kid": "new"})
    liar.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": "new"}, claims, liar.key, algorithms=["ES256"])
    answer, who = attempt(toys, liar)
    assert (answer.status_code, who["roles"]) == (303, ["hr"])


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://login.ealing.example"},
        {"aud": "somebody-else"},
        {"nonce": "another"},
        {"exp": 1},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 201},
    ],
)
def test_id_token_of_another_issuer_client_attempt_or_time_opens_nothing(toys, liar, claims):
    """Every claim that we rely on."""
    liar.claims = claims
    answer, who = attempt(toys, liar)
    assert (answer.status_code, who) == (403, {})


def test_id_token_that_is_not_signed_by_the_providers_own_key_opens_nothing(toys, liar):
    """Another key, a shared secret, no signature, no token."""
    other = ECKey.generate_key("P-256", {"kid": "k"})
    secret = OctKey.import_key(b"s" * 32)
    forged = (
        lambda claims: jwt.encode({"alg": "ES256", "kid": "k"}, claims, other, algorithms=["ES256"]),
        lambda claims: jwt.encode({"alg": "HS256", "kid": "k"}, claims, secret, algorithms=["HS256"]),
        lambda claims: f"{part({'alg': 'none'})}.{part(claims)}.",
        lambda _claims: "x.y.z",
        lambda _claims: None,
    )
    for sign in forged:
        liar.sign = sign
        answer, who = attempt(toys, liar)
        assert (answer.status_code, who) == (403, {})


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://login.ealing.example"}, {"id_token_signing_alg_values_supported": ["HS256", "none"]}],
)
def test_metadata_of_another_issuer_or_without_a_real_signature_are_not_used(toys, liar, metadata):
    """Nobody is sent there."""
    liar.metadata = metadata
    answer = toys.test_client().get("/sign-in/brent", base_url="http://127.0.0.1:8001")
    assert answer.status_code == 503


@pytest.mark.parametrize("nonsense", ["/openid-configuration", "/jwks", "/token"])
def test_p24_provider_that_answers_200_with_a_page_of_html_opens_nothing_and_may_be_tried_again(toys, liar, nonsense):
    """Wherever the page stands in for an answer: no session and no fault of ours; afterwards signing in works."""
    liar.nonsense = nonsense
    browser = toys.test_client()
    answer = browser.get("/sign-in/brent", base_url="http://127.0.0.1:8001")
    if answer.status_code == 302:
        answer, who = attempt(toys, liar)
        assert who == {}
    assert answer.status_code in (403, 503)
    assert "ry again" in answer.get_data(as_text=True)
    liar.nonsense = ""
    answer, who = attempt(toys, liar)
    assert (answer.status_code, who["roles"]) == (303, ["hr"])
