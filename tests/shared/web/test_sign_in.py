"""Signing in: at the made-up people's provider and at somebody else's, and everything that must not open a session."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from werkzeug.serving import make_server

from shared.clock import SystemClock
from shared.errors import Forbidden, Malformed
from shared.local.made_up_people import main
from shared.local.ports import accepts, any_free
from shared.partnership import load
from shared.web.providers import read_providers
from shared.web.roles_given import may_give
from shared.web.sessions import WHO

PARTNERSHIP = Path(__file__).parents[3] / "scenarios" / "north-west-london" / "partnership.yaml"


def sent_away(browser, organisation: str = "brent") -> str:
    """Begin to sign in and return the provider's address."""
    answer = browser.get(f"/sign-in/{organisation}", base_url="http://127.0.0.1:8001")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def chosen(address: str, **person: str) -> str:
    """Choose somebody on the provider's page and return where the browser is sent back to."""
    back = requests.post(address, data=person, allow_redirects=False, timeout=10)
    assert back.status_code in (302, 303), back.text
    return back.headers["Location"]


def come_back(browser, address: str):
    """Come back to our pages with what the provider gave."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}", base_url="http://127.0.0.1:8001")


def session_of(browser) -> dict:
    """Return who is signed in, {} for nobody."""
    with browser.session_transaction(base_url="http://127.0.0.1:8001") as session:
        return dict(session.get(WHO, {}))


def test_somebody_signs_in_with_a_click_and_sees_the_page_that_was_asked_for(toys):
    """The whole way, through the provider's real pages."""
    browser = toys.test_client()
    browser.get("/things?q=a", base_url="http://127.0.0.1:8001")
    chooser = browser.get("/sign-in", base_url="http://127.0.0.1:8001").get_data(as_text=True)
    assert '<a class="govuk-link" href="/sign-in/brent">London Borough of Brent</a>' in chooser
    assert "/sign-in/harrow" not in chooser  # not hosted here
    address = sent_away(browser)
    assert "Made-up HR officer" in requests.get(address, timeout=10).text
    answer = come_back(browser, chosen(address, subject="hr-desk"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/things?q=a")
    who = session_of(browser)
    assert (who["organisation"], who["subject"], who["roles"], who["name"]) == (
        "brent",
        "hr-desk",
        ["hr"],
        "Made-up HR officer",
    )
    assert "Made-up HR officer" in browser.get("/things", base_url="http://127.0.0.1:8001").get_data(as_text=True)


def test_request_for_a_code_carries_pkce_state_and_nonce(toys):
    """And asks to be sent back to the address that the settings say, whatever the Host header says."""
    asked = parse_qs(urlsplit(sent_away(toys.test_client())).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8001/sign-in/brent/back"]
    assert asked["state"][0] != asked["nonce"][0]


def test_one_machine_with_two_names_signs_in_at_the_one_that_is_sent_back_to(toys):
    """A cookie of localhost is none of 127.0.0.1."""
    answer = toys.test_client().get("/sign-in/brent", base_url="http://localhost:8001")
    assert answer.headers["Location"] == "http://127.0.0.1:8001/sign-in/brent"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda query: query | {"state": "x"},
        lambda query: {"code": query["code"]},
        lambda query: {"state": query["state"]},
        lambda query: query | {"code": "x"},
        lambda query: {"error": "access_denied", "state": query["state"]},
        lambda _query: {},
    ],
)
def test_what_does_not_belong_to_this_attempt_opens_nothing(toys, spoil):
    """Another state, another code, a refusal, nothing at all: a sentence and a way to try again."""
    browser = toys.test_client()
    query = {
        name: values[0] for name, values in parse_qs(urlsplit(chosen(sent_away(browser), subject="a")).query).items()
    }
    answer = browser.get("/sign-in/brent/back", query_string=spoil(query), base_url="http://127.0.0.1:8001")
    assert answer.status_code == 403
    assert "did not confirm who you are" in answer.get_data(as_text=True)
    assert session_of(browser) == {}


def test_code_is_good_for_one_browser_once(toys):
    """Neither again nor in another browser."""
    mine, thief = toys.test_client(), toys.test_client()
    back = chosen(sent_away(mine), subject="hr-desk")
    sent_away(thief)
    assert come_back(thief, back).status_code == 403
    assert come_back(mine, back).status_code == 303
    assert come_back(mine, back).status_code == 403


def test_roles_are_cut_down_to_what_the_organisation_may_give(toys):
    """Brent's directory makes no registrar, and nobody is a service."""
    browser = toys.test_client()
    for role in ("registrar", "service", "board", "nonsense"):
        answer = come_back(browser, chosen(sent_away(browser), subject="x", role=role))
        assert answer.status_code == 403
        assert "no role here" in answer.get_data(as_text=True)
    assert session_of(browser) == {}


def test_each_kind_of_organisation_gives_its_own_roles():
    """An employer's are not the university's, and the lead has one more."""
    given = {slug: may_give(each) for slug, each in load(PARTNERSHIP).organisations.items()}
    assert given["ealing"] == {"hr", "practitioner", "supervisor", "assessor", "moderator", "auditor", "operator"}
    assert given["goldsmiths"] == {"tutor", "registrar", "auditor", "operator"}
    assert given["nwl-board"] == {"board", "auditor", "operator"}
    assert "programme_lead" in given["brent"]
    assert not any("service" in roles for roles in given.values())


def test_organisations_without_provider_or_not_hosted_are_not_there(toys):
    """A guess at an address tells nothing."""
    for organisation in ("harrow", "nobody"):
        assert toys.test_client().get(f"/sign-in/{organisation}").status_code == 404


def test_instance_without_sign_in_says_in_one_sentence_how_to_set_it_up(make_toys, toy_issuer):
    """No address, or no provider."""
    assert "PUBLIC_URL" in make_toys(public_url="").test_client().get("/sign-in").get_data(as_text=True)
    toy_issuer.prepare(("brent",))
    page = make_toys().test_client().get("/sign-in").get_data(as_text=True)
    assert "sign_in" in page
    assert "/sign-in/brent" not in page


def test_provider_that_does_not_answer_is_said_so(make_toys, toy_issuer):
    """A sentence, not a fault."""
    toy_issuer.prepare(("brent",), f"http://127.0.0.1:{any_free()}")
    answer = make_toys().test_client().get("/sign-in/brent", base_url="http://127.0.0.1:8001")
    assert answer.status_code == 503
    assert "does not answer" in answer.get_data(as_text=True)


def trust(issuer, address: str, organisation: str = "brent", **sign_in: object) -> None:
    """Let an issuer's file name one provider."""
    entry = {"organisation": organisation, "jwks": {"keys": []}, "sign_in": {"client_id": "us", **sign_in}}
    trusted = json.loads(issuer.trusted_issuers_file.read_text(encoding="utf-8"))
    kept = {name: each for name, each in trusted.items() if "sign_in" not in each}
    issuer.trusted_issuers_file.write_text(json.dumps({**kept, address: entry}), encoding="utf-8")


@contextmanager
def another_provider(user: dict[str, object]) -> Iterator[int]:
    """Run oidc-provider-mock, an implementation that is not ours, as a program, and yield its port."""
    port = any_free()
    options = ["--port", str(port), "--require-nonce", "true", "--user-claims", json.dumps(user)]
    command = [sys.executable, "-m", "oidc_provider_mock", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        clock = SystemClock()
        until = clock.monotonic() + 30
        while not accepts(port):
            assert process.poll() is None
            assert clock.monotonic() < until
            clock.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_somebody_elses_provider_works_with_a_secret_rs256_and_its_own_words_for_roles(make_toys, toy_issuer, tmp_path):
    """An implementation that is not ours; the organisation is the file's, whatever the claims say."""
    secret = tmp_path / "client-secret"
    secret.write_text("a secret\n", encoding="utf-8")
    claims = {"groups": ["TP-HR", "Everybody"], "organisation": "goldsmiths", "name": "Ola", "staff": "E-77"}
    with another_provider({"sub": "ola@example", **claims}) as port:
        trust(
            toy_issuer,
            f"http://127.0.0.1:{port}",
            client_secret_file=str(secret),
            roles_claim="groups",
            roles={"TP-HR": "hr", "TP-Audit": "auditor"},
            subject_claim="staff",
        )
        browser = make_toys().test_client()
        answer = come_back(browser, chosen(sent_away(browser), sub="ola@example"))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    who = session_of(browser)
    assert (who["organisation"], who["subject"], who["roles"], who["name"]) == ("brent", "E-77", ["hr"], "Ola")


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


def test_issuer_without_https_or_twice_for_one_organisation_is_refused(tmp_path):
    """The file is checked before anybody is sent anywhere."""
    file = tmp_path / "issuers.json"
    entry = {"organisation": "brent", "sign_in": {"client_id": "us"}}
    file.write_text(json.dumps({"http://sign-in.localhost:8005/brent": entry}), encoding="utf-8")
    assert set(read_providers(file)) == {"brent"}
    wrong = ("http://login.example", "http://localhost.example", "http://notlocalhost")
    for trusted in (*({one: entry} for one in wrong), {"https://a.example": entry, "https://b.example": entry}, []):
        file.write_text(json.dumps(trusted), encoding="utf-8")
        with pytest.raises(Malformed):
            read_providers(file)


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://evil.example/sign-in/brent/back"},
        {"redirect_uri": "http://127.0.0.1:8001/elsewhere"},
        {"client_id": "other"},
        {"code_challenge_method": "plain"},
        {"state": ""},
    ],
)
def test_made_up_people_are_sent_back_to_a_local_runs_own_pages_only(toys, changes):
    """And never without PKCE."""
    parts = urlsplit(sent_away(toys.test_client()))
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    answer = requests.post(
        parts._replace(query="").geturl(), params=asked, data={"subject": "x"}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 400


def test_made_up_people_exist_in_the_local_profile_only(monkeypatch):
    """Refused in every other."""
    monkeypatch.setenv("PROFILE", "production")
    with pytest.raises(Forbidden, match="local profile only"):
        main(str(PARTNERSHIP), "0")
