"""Signing in: at the made-up people's provider and at somebody else's, and everything that must not open a session."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from shared.clock import SystemClock
from shared.errors import Forbidden, Malformed
from shared.local.made_up_people import main
from shared.local.ports import accepts, any_free
from shared.partnership import load
from shared.web.providers import read_providers
from shared.web.roles_given import may_give
from tests.shared.web.signing_in import chosen, come_back, sent_away, session_of, trust

PARTNERSHIP = Path(__file__).parents[3] / "scenarios" / "north-west-london" / "partnership.yaml"


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
