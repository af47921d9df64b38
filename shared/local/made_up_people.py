"""A sign-in provider with made-up people, for every organisation of a local run. Refused in every other profile.

Real enough to prove the pages' sign-in: one issuer per organisation, authorization code once and for a minute, PKCE
required, ES256. Who signs in is chosen with a click, because nobody is real. Two people for each role that the
organisation may give (some things need a second person), and a form for somebody with a reference of one's choice.

    PROFILE=local python -m shared.local.made_up_people PARTNERSHIP_FILE PORT
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from environs import Env
from flask import Flask, Response, abort, jsonify, render_template_string, request
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.serving import make_server

from shared.clock import Clock, SystemClock
from shared.errors import Forbidden
from shared.identity import ROLES
from shared.local.issuer import CLIENT_ID
from shared.local.ports import LOOPBACK
from shared.partnership import Partnership, load
from shared.process.settings import LOCAL, PRODUCTION
from shared.web.roles_given import may_give
from shared.web.wording import ROLE_WORDS

CODE_SECONDS: Final = 60
TOKEN_SECONDS: Final = 300
LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost"})

PAGE: Final = """<!doctype html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Made-up people of {{ name }}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head>
<body><main><h1>{{ name }}</h1>
<p>This stands in for the organisation’s own sign-in on a local run. Nobody here is real: choose who you want to be.</p>
<form method="post"><ul>{% for subject, person in people.items() %}
<li><button name="subject" value="{{ subject }}">{{ person.name }}</button></li>{% endfor %}</ul></form>
<h2>Somebody else</h2>
<form method="post"><p><label for="reference">Reference at {{ name }}</label>
<input id="reference" name="subject" required maxlength="200"></p>
<p><label for="role">Role</label> <select id="role" name="role">{% for role, words in roles %}
<option value="{{ role }}">{{ words }}</option>{% endfor %}</select></p>
<p><button>Sign in</button></p></form></main></body></html>"""
STYLE: Final = """body{font:1.1rem/1.5 Arial,sans-serif;margin:0;color:#0b0c0c}
main{max-width:40rem;margin:0 auto;padding:1rem}
ul{list-style:none;padding:0}li{margin:0 0 .6rem}button,input,select{font:inherit;padding:.5rem .8rem}
button{background:#12436d;color:#fff;border:2px solid #12436d;cursor:pointer}
button:focus,input:focus,select:focus{outline:3px solid #fd0;box-shadow:0 0 0 6px #0b0c0c}"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up."""

    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A code that was given out, and what it stands for."""

    organisation: str
    subject: str
    person: Person
    redirect_uri: str
    challenge: str
    nonce: str
    until: float


@dataclass(slots=True)
class Provider:
    """The providers of all organisations of a partnership, in one process."""

    partnership: Partnership
    clock: Clock
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    codes: dict[str, Attempt] = field(default_factory=dict)

    def roles(self, organisation: str) -> list[str]:
        """Return the roles that an organisation may give."""
        given = may_give(self.partnership.organisations[organisation])
        return [role for role in ROLES if role in given]

    def people(self, organisation: str) -> Mapping[str, Person]:
        """Return the made-up people of an organisation by their reference there."""
        found = {}
        for role in self.roles(organisation):
            found[f"{role}-desk"] = Person(f"Made-up {ROLE_WORDS[role]}", (role,))
            found[f"second-{role}-desk"] = Person(f"Second made-up {ROLE_WORDS[role]}", (role,))
        return found

    def metadata(self, organisation: str) -> Response:
        """Say where everything is."""
        issuer = _issuer(organisation)
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            jwks_uri=f"{issuer}/jwks",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["ES256"],
            code_challenge_methods_supported=["S256"],
            token_endpoint_auth_methods_supported=["none"],
        )

    def jwks(self, organisation: str) -> Response:
        """Give the public key."""
        _issuer(organisation)
        return jsonify(keys=[self.key.as_dict(private=False)])

    def authorize(self, organisation: str) -> Response | str:
        """Let somebody be chosen, and send the browser back with a code."""
        asked = _asked(organisation)
        people = self.people(organisation)
        if request.method == "GET":
            name = self.partnership.organisations[organisation].name
            roles = [(role, ROLE_WORDS[role]) for role in self.roles(organisation)]
            return render_template_string(PAGE, name=name, people=people, roles=roles)
        subject, role = request.form.get("subject", ""), request.form.get("role", "")
        person = people.get(subject) or Person(f"Made-up {ROLE_WORDS.get(role, 'person')} {subject}", (role,))
        code = secrets.token_urlsafe(24)
        self.codes[code] = Attempt(
            organisation,
            subject,
            person,
            asked["redirect_uri"],
            asked["code_challenge"],
            asked.get("nonce", ""),
            self.clock.monotonic() + CODE_SECONDS,
        )
        back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        return Response(status=303, headers={"Location": back})

    def token(self, organisation: str) -> Response:
        """Give the ID token for a code, once, to whoever holds the verifier of its challenge."""
        form = request.form
        attempt = self.codes.pop(form.get("code", ""), None)
        held = (
            organisation,
            form.get("redirect_uri"),
            _challenge(form.get("code_verifier", "")),
            form.get("client_id"),
        )
        if (
            attempt is None
            or held != (attempt.organisation, attempt.redirect_uri, attempt.challenge, CLIENT_ID)
            or self.clock.monotonic() > attempt.until
        ):
            refused = jsonify(error="invalid_grant")
            refused.status_code = 400
            return refused
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": _issuer(organisation),
            "aud": CLIENT_ID,
            "sub": attempt.subject,
            "name": attempt.person.name,
            "roles": list(attempt.person.roles),
            "nonce": attempt.nonce,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        token = jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key, algorithms=["ES256"])
        access = secrets.token_urlsafe(24)
        return jsonify(access_token=access, token_type="Bearer", expires_in=TOKEN_SECONDS, id_token=token)  # noqa: S106


def provider_app(partnership: Partnership, clock: Clock) -> Flask:
    """Return the provider as an application."""
    provider = Provider(partnership, clock)
    app = Flask(__name__, static_folder=None)

    @app.before_request
    def known() -> None:
        slug = (request.view_args or {}).get("organisation")
        if slug is not None and slug not in partnership.organisations:
            abort(404)

    app.add_url_rule("/<organisation>/.well-known/openid-configuration", "metadata", provider.metadata)
    app.add_url_rule("/<organisation>/jwks", "jwks", provider.jwks)
    app.add_url_rule("/<organisation>/authorize", "authorize", provider.authorize, methods=["GET", "POST"])
    app.add_url_rule("/<organisation>/token", "token", provider.token, methods=["POST"])
    app.add_url_rule("/style.css", "style", lambda: Response(STYLE, content_type="text/css"))
    app.add_url_rule("/readyz", "readyz", lambda: "ready")
    return app


def issuer_address(port: int) -> str:
    """Return what the issuers of a provider on `port` begin with."""
    return f"http://{LOOPBACK}:{port}"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _issuer(organisation: str) -> str:
    return f"{request.host_url.rstrip('/')}/{organisation}"


def _asked(organisation: str) -> Mapping[str, str]:
    """Return the request for a code; whatever is not a local run's own is refused."""
    asked = request.args.to_dict()
    back = urlsplit(asked.get("redirect_uri", ""))
    needed = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
    is_ours = back.scheme == "http" and back.hostname in LOCAL_HOSTS and back.path == f"/sign-in/{organisation}/back"
    is_whole = bool(asked.get("code_challenge")) and bool(asked.get("state"))
    if not (is_ours and is_whole and needed.items() <= asked.items()):
        abort(400)
    return asked


def main(partnership_file: str, port: str) -> None:
    """Serve until ended.

    Raises:
        Forbidden: PROFILE is not local.
        Malformed: the partnership file has faults.
    """
    if Env().str("PROFILE", PRODUCTION) != LOCAL:
        raise Forbidden("made-up people sign in in the local profile only")
    app = provider_app(load(Path(partnership_file)), SystemClock())
    make_server(Env().str("HOST", LOOPBACK), int(port), app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
