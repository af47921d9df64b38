"""The steps of signing in as a browser takes them, and whom an organisation trusts."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import requests

from shared.web.sessions import WHO


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


def trust(issuer, address: str, organisation: str = "brent", **sign_in: object) -> None:
    """Let an issuer's file name one provider."""
    entry = {"organisation": organisation, "jwks": {"keys": []}, "sign_in": {"client_id": "us", **sign_in}}
    trusted = json.loads(issuer.trusted_issuers_file.read_text(encoding="utf-8"))
    kept = {name: each for name, each in trusted.items() if "sign_in" not in each}
    issuer.trusted_issuers_file.write_text(json.dumps({**kept, address: entry}), encoding="utf-8")
