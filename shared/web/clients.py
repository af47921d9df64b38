"""One OpenID client per provider: authorization code with PKCE, state and nonce, by Authlib.

What comes back is believed when the ID token is signed by the provider's own key with an asymmetric algorithm, names
exactly the issuer that our file names, is meant for our client, and carries the nonce of this browser's attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from flask import Response, session
from joserfc.errors import JoseError

from shared.errors import Forbidden, Unavailable
from shared.identity import ROLES, Principal
from shared.partnership import Partnership
from shared.web.providers import Provider, read_providers
from shared.web.roles_given import may_give
from shared.web.sessions import Viewer

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
TIMEOUT_SECONDS: Final = 10
LONGEST_SUBJECT: Final = 200
LONGEST_NAME: Final = 100
NOT_PROVED: Final = "Your organisation’s sign-in did not confirm who you are. Try again."
NOT_REACHED: Final = "Your organisation’s sign-in does not answer just now. Try again in a few minutes."
NO_ROLE: Final = (
    "Your organisation’s sign-in knows you, but gave you no role here. Ask the people who look after accounts there."
)
log = structlog.get_logger(__name__)


class Clients:
    """The clients of all providers in the trusted issuers file."""

    def __init__(self, issuers_file: Path, partnership: Partnership) -> None:
        self._file = issuers_file
        self._partnership = partnership
        self._known: dict[str, tuple[Provider, FlaskOAuth2App]] = {}

    def providers(self) -> Mapping[str, Provider]:
        """Return the providers of the partnership's organisations, by organisation.

        Raises:
            Malformed: the file cannot be used.
        """
        found = read_providers(self._file)
        return {slug: found[slug] for slug in self._partnership.organisations if slug in found}

    def send_away(self, provider: Provider, back: str) -> Response:
        """Return the redirect to the provider, which sends the browser to `back`.

        Raises:
            Unavailable: the provider does not answer.
        """
        for name in [name for name in session if name.startswith("_state_")]:
            session.pop(name)
        try:
            response: Response = self._client(provider).authorize_redirect(back)
        except (requests.RequestException, ValueError, RuntimeError) as error:
            raise _unreachable(provider, error) from error
        return response

    def take_back(self, provider: Provider) -> Viewer:
        """Return who came back from the provider.

        Raises:
            Forbidden: nothing was proved, or the organisation gave no role that it may give.
            Unavailable: the provider does not answer.
        """
        client = self._client(provider)
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.entry.client_id},
        }
        try:
            token = client.authorize_access_token(claims_options=options)
        except requests.RequestException as error:
            raise _unreachable(provider, error) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("sign-in.refused", organisation=provider.organisation, kind=type(error).__name__)
            raise Forbidden(NOT_PROVED) from error
        claims = token.get("userinfo")
        if not claims:
            log.warning("sign-in.refused", organisation=provider.organisation, kind="no ID token")
            raise Forbidden(NOT_PROVED)
        return self._viewer(provider, claims)

    def _viewer(self, provider: Provider, claims: Mapping[str, Any]) -> Viewer:
        """Return who `claims` are about; the organisation is the provider's, whatever they say."""
        subject = claims.get(provider.entry.subject_claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise Forbidden(NOT_PROVED)
        roles = _roles(provider, claims) & may_give(self._partnership.organisations[provider.organisation])
        if not roles:
            raise Forbidden(NO_ROLE)
        name = claims.get(provider.entry.name_claim)
        shown = name[:LONGEST_NAME] if isinstance(name, str) else ""
        return Viewer(Principal(provider.organisation, subject, roles), shown)

    def _client(self, provider: Provider) -> FlaskOAuth2App:
        """Return the client of one provider, made once; its metadata is fetched with its first use."""
        known = self._known.get(provider.organisation)
        if known is None or known[0] != provider:
            known = self._known[provider.organisation] = (provider, _made(provider))
        return known[1]


def _made(provider: Provider) -> FlaskOAuth2App:
    return _Client(
        FlaskIntegration(provider.organisation),
        name=provider.organisation,
        client_id=provider.entry.client_id,
        client_secret=provider.secret(),
        server_metadata_url=provider.metadata_address,
        client_kwargs={
            "scope": provider.entry.scope,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
            **({} if provider.entry.client_secret_file else {"token_endpoint_auth_method": "none"}),
        },
        issuer=provider.issuer,
    )


class _Client(FlaskOAuth2App):  # type: ignore[misc] # Authlib has no types
    """Authlib's client, which does not take the provider's word for its own name or for weak algorithms."""

    def __init__(self, framework: FlaskIntegration, *, issuer: str, **given: Any) -> None:  # noqa: ANN401
        super().__init__(framework, **given)
        self._issuer = issuer

    def load_server_metadata(self) -> dict[str, Any]:
        """Return the provider's metadata.

        Raises:
            ValueError: it is another issuer's, or signs with nothing that we trust.
        """
        metadata: dict[str, Any] = super().load_server_metadata()
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        trusted = [algorithm for algorithm in ALGORITHMS if algorithm in offered]
        if metadata.get("issuer") != self._issuer or not trusted:
            self.server_metadata: dict[str, Any] = {}
            raise ValueError("the metadata are not this provider's, or it signs with nothing that we trust")
        metadata["id_token_signing_alg_values_supported"] = trusted
        return metadata


def _roles(provider: Provider, claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the roles that the claim gives, in our words."""
    said = claims.get(provider.entry.roles_claim)
    words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    ours = provider.entry.roles
    given = {ours.get(word, "") if ours is not None else word for word in words if isinstance(word, str)}
    return frozenset(given) & frozenset(ROLES)


def _unreachable(provider: Provider, error: Exception) -> Unavailable:
    log.error("sign-in.unreachable", organisation=provider.organisation, kind=type(error).__name__)
    return Unavailable(NOT_REACHED)
