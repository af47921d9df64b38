"""Pages: who may look, forms that are sent once, what was typed is not lost, and errors that people can read."""

from __future__ import annotations

import io
import time

import pytest

from shared.testing.pages import browser_of, hidden_fields, send_form
from shared.web.sessions import WHO, go_back_to, take_back_address

HTML = {"Accept": "text/html,application/xhtml+xml"}


def text_of(answer) -> str:
    """Return a page's text."""
    return answer.get_data(as_text=True)


def test_stranger_is_sent_to_sign_in_and_the_page_is_remembered(toys):
    """After signing in the page that was asked for is shown."""
    browser = toys.test_client()
    answer = browser.get("/things?q=a")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    with browser.session_transaction() as session:
        assert session["back"] == "/things?q=a"


def test_an_address_that_is_too_long_or_elsewhere_is_not_gone_back_to(toys):
    """Signing in leads to our own pages only, and the cookie stays small."""
    browser = toys.test_client()
    browser.get("/things?q=" + "a" * 2000)
    with browser.session_transaction() as session:
        assert "back" not in session
    with toys.test_request_context("/"):
        for address in ("//evil.example/", "/\\evil.example", "https://evil.example/"):
            go_back_to(address)
            assert take_back_address("/things") == "/things"


@pytest.mark.parametrize("wrong", ["\r", "\n", "\r\n", "\t", "\0", "\x7f", "\x85", "\u2028"], ids=ascii)
def test_an_address_with_a_control_character_is_not_gone_back_to(toys, wrong):
    """What a path spells as %0D%0A arrives decoded, and would break the header that leads back."""
    with toys.test_request_context("/"):
        go_back_to(f"/things{wrong}Set-Cookie: a=b")
        assert take_back_address("/") == "/"
        go_back_to(f"/{wrong}/evil.example")
        assert take_back_address("/") == "/"
        go_back_to("/things?q=café")
        assert take_back_address("/") == "/things?q=café"


def test_role_table_decides_and_the_refusal_is_a_page(toys):
    """An auditor reads, and does not keep; the practitioner sees neither."""
    auditor = browser_of(toys, "brent", "auditor")
    assert auditor.get("/things").status_code == 200
    refused = auditor.get("/things/new", headers=HTML)
    assert refused.status_code == 403
    assert "You cannot see this page" in text_of(refused)
    assert browser_of(toys, "brent", "practitioner").get("/things").status_code == 403
    assert browser_of(toys, "brent").get("/things").status_code == 403


def test_organisation_that_is_not_hosted_finds_nothing(toys):
    """As through the API."""
    assert browser_of(toys, "harrow", "hr").get("/things").status_code == 404


def test_session_opens_no_api_and_a_token_no_page(toys, toy_issuer):
    """Two doors with a key each."""
    browser = browser_of(toys, "brent", "hr")
    assert browser.get("/v1/organisations/brent/things").status_code == 401
    token = {"Authorization": f"Bearer {toy_issuer.mint('brent', ['hr'], 'x', 'toys')}"}
    assert toys.test_client().get("/v1/organisations/brent/things", headers=token).status_code == 200
    assert toys.test_client().get("/things", headers=token).status_code == 303


def test_every_page_says_who_is_signed_in_and_loads_only_our_style(toys):
    """Organisation and role stand at the bottom; the policy lets nothing in."""
    answer = browser_of(toys, "brent", "hr", name="<b>Ola</b>").get("/things")
    assert "London Borough of Brent" in text_of(answer)
    assert "HR officer" in text_of(answer)
    assert "&lt;b&gt;Ola&lt;/b&gt;" in text_of(answer)
    assert "Showing 0 of 312 things" in text_of(answer)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in policy
    assert "<script" not in text_of(answer)
    assert answer.headers["Cache-Control"] == "no-store"


def test_form_sent_twice_has_one_effect(toys):
    """A second click, a reload, a proxy that tries again."""
    browser = browser_of(toys, "brent", "hr")
    fields = {**hidden_fields(text_of(browser.get("/things/new"))), "name": "kite"}
    answers = [browser.post("/things/new", data=fields) for _ in range(3)]
    assert [(each.status_code, each.headers["Location"]) for each in answers] == [(303, "/things")] * 3
    assert text_of(browser.get("/things")).count("kite") == 1


def test_form_sent_changed_and_sent_again_is_another_one(toys):
    """Whoever goes back, corrects and sends is not told that this was sent already."""
    browser = browser_of(toys, "brent", "hr")
    fields = hidden_fields(text_of(browser.get("/things/new")))
    for name in ("kite", "ball"):
        assert browser.post("/things/new", data={**fields, "name": name}).status_code == 303
    assert "ball" in text_of(browser.get("/things"))


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        ({"form_token": "x"}, {}),
        ({"form_token": ""}, {}),
        ({"form_token": "é"}, {}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
        ({"form_key": ""}, {}),
        ({"form_key": "k" * 101}, {}),
    ],
)
def test_form_that_is_not_ours_changes_nothing(toys, changes, headers):
    """Another site's form, or half of one."""
    browser = browser_of(toys, "brent", "hr")
    fields = {**hidden_fields(text_of(browser.get("/things/new"))), "name": "kite", **changes}
    assert browser.post("/things/new", data=fields, headers={**HTML, **headers}).status_code == 403
    assert "kite" not in text_of(browser.get("/things"))


def test_token_of_another_browser_is_none(toys):
    """A form belongs to the browser that it was shown to."""
    mine, other = toys.test_client(), toys.test_client()
    for browser in (mine, other):
        with browser_of(toys, "brent", "hr").session_transaction() as made, browser.session_transaction() as session:
            session[WHO] = made[WHO]
    fields = {**hidden_fields(text_of(other.get("/things/new"))), "name": "kite"}
    mine.get("/things/new")
    assert mine.post("/things/new", data=fields).status_code == 403


def test_what_is_wrong_stands_on_top_and_at_the_field_in_the_same_words(toys):
    """The title says so first, the summary links to the field, what was typed stays."""
    answer = send_form(browser_of(toys, "brent", "hr"), "/things/new", {"name": "   "})
    shown = text_of(answer)
    assert answer.status_code == 422
    assert "<title>Error: Name a thing" in shown
    assert '<a href="#name">Enter a name</a>' in shown
    assert shown.count("Enter a name") == 2
    assert 'aria-describedby="name-hint name-error"' in shown


def test_a_rule_that_says_no_is_shown_at_its_field(toys):
    """What was typed is still there, and nothing was kept."""
    browser = browser_of(toys, "brent", "hr")
    answer = send_form(browser, "/things/new", {"name": "taken"})
    assert answer.status_code == 422
    assert text_of(answer).count("Enter a name that nobody has") == 2
    assert 'value="taken"' in text_of(answer)
    assert "taken" not in text_of(browser.get("/things"))


def test_what_was_typed_survives_the_end_of_the_session(toys):
    """The page that says so keeps it; after signing in again it can be sent as it is."""
    browser = browser_of(toys, "brent", "hr")
    fields = {**hidden_fields(text_of(browser.get("/things/new"))), "name": "kite & <string>"}
    with browser.session_transaction() as session:
        kept = session.pop(WHO)
    answer = browser.post("/things/new", data=fields)
    assert answer.status_code == 401
    assert "You were signed out" in text_of(answer)
    with browser.session_transaction() as session:
        session[WHO] = kept
    again = browser.post("/things/new", data=hidden_fields(text_of(answer)))
    assert again.status_code == 303
    assert "kite &amp; &lt;string&gt;" in text_of(browser.get("/things"))


def test_a_file_cannot_be_kept_over_the_end_of_the_session_and_the_page_says_so(toys):
    """Nothing is promised that is not done."""
    browser = browser_of(toys, "brent", "hr")
    fields = hidden_fields(text_of(browser.get("/things/new")))
    with browser.session_transaction() as session:
        session.pop(WHO)
    answer = browser.post("/things/new", data={**fields, "file": (io.BytesIO(b"a,b"), "a.csv")})
    assert answer.status_code == 401
    assert "choose it again" in text_of(answer)


@pytest.mark.parametrize(("since", "seen"), [(0, 3700), (11 * 3600, 10)])
def test_session_ends_after_an_idle_hour_and_after_ten(toys, since, seen):
    """Both ends."""
    browser = browser_of(toys, "brent", "hr")
    now = int(time.time())  # noqa: TID251
    with browser.session_transaction() as session:
        session[WHO] = {**session[WHO], "since": now - since, "seen": now - seen}
    assert browser.get("/things").status_code == 303


def test_whoever_goes_on_stays_signed_in(toys):
    """A page seen is the beginning of another hour."""
    now = int(time.time())  # noqa: TID251
    browser = browser_of(toys, "brent", "hr", now=now - 3000)
    assert browser.get("/things").status_code == 200
    with browser.session_transaction() as session:
        assert session[WHO]["seen"] >= now
        assert session[WHO]["since"] == now - 3000


def test_sign_out_needs_our_form_and_ends_all(toys):
    """Another site cannot sign anybody out."""
    browser = browser_of(toys, "brent", "hr")
    assert browser.post("/sign-out").status_code == 403
    token = hidden_fields(text_of(browser.get("/things")))
    assert browser.post("/sign-out", data=token).headers["Location"] == "/signed-out"
    assert browser.get("/things").status_code == 303


def test_browsers_get_problems_as_pages_and_programs_as_json(toys):
    """Unknown addresses, wrong methods, our own faults."""
    toys.config["PROPAGATE_EXCEPTIONS"] = False
    browser = browser_of(toys, "brent", "hr")
    lost = browser.get("/nowhere", headers=HTML)
    assert (lost.status_code, lost.mimetype) == (404, "text/html")
    assert "Page not found" in text_of(lost)
    assert browser.get("/nowhere").mimetype == "application/problem+json"
    assert browser.get("/v1/nowhere", headers=HTML).mimetype == "application/problem+json"
    fault = browser.get("/broken", headers=HTML)
    assert fault.status_code == 500
    assert fault.headers["X-Correlation-Id"] in text_of(fault)
    assert "ZeroDivisionError" not in text_of(fault)
    assert browser.delete("/things", headers=HTML).status_code == 405


def test_too_large_a_form_is_refused_with_a_page(toys):
    """What is sent is counted."""
    browser = browser_of(toys, "brent", "hr")
    answer = browser.post("/things/new", data={"name": "x" * 200_000}, headers=HTML)
    assert answer.status_code == 413
    assert "too large" in text_of(answer)


@pytest.mark.parametrize("profile", ["local", "production"])
def test_cookie_is_kept_from_scripts_and_other_sites_and_outside_a_local_run_from_plain_http(make_toys, profile):
    """HttpOnly, SameSite, Secure with the __Host- prefix."""
    app = make_toys(profile=profile)
    browser = app.test_client()
    cookie = browser.get("/things", base_url="https://toys.example").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie
    assert cookie.startswith("__Host-toys=") is (profile == "production")
    assert ("Secure" in cookie) is (profile == "production")


def test_navigation_shows_what_the_roles_allow(toys):
    """Nobody is led to a page that refuses them."""
    assert 'href="/things/new"' in text_of(browser_of(toys, "brent", "hr").get("/things"))
    assert 'href="/things/new"' not in text_of(browser_of(toys, "brent", "auditor").get("/things"))


def test_first_address_leads_to_the_first_page(toys):
    """Nobody has to know it."""
    assert toys.test_client().get("/").headers["Location"] == "/things"
