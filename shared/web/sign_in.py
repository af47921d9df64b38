"""The pages by which people come and go: choose an organisation, sign in there, come back; sign out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from shared.errors import Forbidden, NotFound, Unavailable
from shared.http.facts import public
from shared.http.service import current_service
from shared.web import sessions
from shared.web.clients import Clients
from shared.web.pages import must_be_our_form, page, see_other
from shared.web.providers import Provider

NOBODY_YET: Final = "whoever signs in has no session yet"
HOW_TO_SET_UP: Final = (
    "Signing in is not set up on this instance: PUBLIC_URL must say where people reach these pages, and an entry of "
    "the trusted issuers file must name the sign-in provider of an organisation that is hosted here (sign_in)."
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signing in and out. `public_url` is where providers send browsers back to, `home` the first page."""

    clients: Clients
    public_url: str
    home: str

    def choose(self) -> Response:
        """Show the organisations that somebody may belong to."""
        service = current_service()
        there = self.clients.providers() if self.public_url else {}
        names = [(slug, service.partnership.organisations[slug].name) for slug in there if slug in service.hosted]
        return page("web/sign_in.html", organisations=names, how_to_set_up=HOW_TO_SET_UP).response()

    def begin(self, organisation: str) -> Response:
        """Send the browser to its organisation's provider."""
        provider, ours = self._provider(organisation), self.public_url.rstrip("/")
        if {request.host.split(":")[0], urlsplit(ours).hostname} == {"localhost", "127.0.0.1"}:
            return see_other(
                f"{ours}/sign-in/{organisation}"
            )  # one machine, two names: a cookie belongs to one of them
        try:
            return self.clients.send_away(provider, f"{ours}/sign-in/{organisation}/back")
        except Unavailable as error:
            return _not_signed_in(503, error.detail)

    def back(self, organisation: str) -> Response:
        """Begin a session for whoever comes back from the provider, and show the page that they asked for first."""
        try:
            viewer = self.clients.take_back(self._provider(organisation))
        except Forbidden as error:
            return _not_signed_in(403, error.detail)
        except Unavailable as error:
            return _not_signed_in(503, error.detail)
        wanted = sessions.take_back_address(self.home)
        sessions.begin(viewer)
        return see_other(wanted)

    def _provider(self, organisation: str) -> Provider:
        """Return the provider of an organisation that this instance hosts.

        Raises:
            NotFound: there is none.
        """
        found = self.clients.providers().get(organisation)
        if found is None or organisation not in current_service().hosted or not self.public_url:
            raise NotFound("no sign-in provider")
        return found


def sign_in_routes(sign_in: SignIn) -> Blueprint:
    """Return the pages of signing in and out."""
    routes = Blueprint("sign_in", __name__)

    @routes.get("/sign-in")
    @public(NOBODY_YET)
    def choose() -> Response:
        return sign_in.choose()

    @routes.get("/sign-in/<organisation>")
    @public(NOBODY_YET)
    def begin(organisation: str) -> Response:
        return sign_in.begin(organisation)

    @routes.get("/sign-in/<organisation>/back")
    @public(NOBODY_YET)
    def back(organisation: str) -> Response:
        return sign_in.back(organisation)

    @routes.post("/sign-out")
    @public("whoever signs out may have no session any more")
    def sign_out() -> Response:
        must_be_our_form()
        sessions.end()
        return see_other("/signed-out")

    @routes.get("/signed-out")
    @public("whoever signed out has no session any more")
    def signed_out() -> Response:
        return page("web/signed_out.html").response()

    return routes


def _not_signed_in(status: int, sentence: str) -> Response:
    return page("web/not_signed_in.html", status=status, sentence=sentence).response()
