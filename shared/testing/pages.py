"""Browsers for tests of pages, without a browser: signed in at once, and forms sent as a page would send them."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.web.sessions import FORM_TOKEN, WHO

TOKEN_OF_TESTS = "the-form-token-of-tests"  # noqa: S105 - no secret


def browser_of(
    app: Flask, organisation: str, *roles: str, subject: str = "", name: str = "", now: int | None = None
) -> FlaskClient:
    """Return a browser in which somebody of `organisation` signed in just now, in `roles`.

    What a sign-in provider does is tested where signing in is; here the session is written as it would have been.
    """
    browser = app.test_client()
    at = int(time.time()) if now is None else now  # noqa: TID251 - the browser's own time
    with browser.session_transaction() as session:
        session.permanent = True
        session[FORM_TOKEN] = TOKEN_OF_TESTS
        session[WHO] = {
            "organisation": organisation,
            "subject": subject or f"{roles[0] if roles else 'nobody'}-desk",
            "roles": sorted(roles),
            "name": name or "Made-up person",
            "since": at,
            "seen": at,
        }
    return browser


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's last form that carries a key, as they would be sent."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in fields}


def send_form(browser: FlaskClient, page: str, fields: dict[str, Any], action: str | None = None) -> TestResponse:
    """Open `page`, fill in `fields` and send its form to `action`, the page itself without one."""
    shown = browser.get(page)
    given = hidden_fields(shown.get_data(as_text=True))
    return browser.post(action or page, data={**given, **fields})
