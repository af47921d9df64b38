"""A service's pages put onto its HTTP application: look, session, sign-in, style, and errors as pages for browsers."""

from __future__ import annotations

import hashlib
import http
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import govuk_frontend_jinja
from flask import Blueprint, Flask, Response, g, request, send_from_directory
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from shared.http.facts import public
from shared.http.problems import NOT_THERE, PROBLEM_JSON
from shared.http.service import current_service
from shared.process.settings import LOCAL, PagesSettings
from shared.telemetry import correlation
from shared.web import wording
from shared.web.clients import Clients
from shared.web.forms import new_form_key
from shared.web.look import Look
from shared.web.pages import page, see_other
from shared.web.sessions import Viewer, form_token, register
from shared.web.sign_in import SignIn, sign_in_routes

STATIC: Final = Path(__file__).with_name("static")
A_YEAR: Final = 365 * 24 * 3600
TITLES: Final = {
    401: "Sign in",
    403: "You cannot see this page",
    404: "Page not found",
    405: "Page not found",
    409: "There is a problem",
    413: "What you sent is too large",
    422: "There is a problem",
    503: "Sorry, the service is not available",
}
OUR_FAULT: Final = "Sorry, there is a problem with the service"


@dataclass(frozen=True, slots=True)
class WebRoom:
    """What a service's bootstrap says of its pages."""

    look: Look
    pages: Sequence[Blueprint]

    def install(self, app: Flask, given: PagesSettings) -> None:
        """Put the pages onto `app`, which `create_app` made. In the worker process, after the fork.

        Raises:
            Malformed: the session secret cannot be read.
        """
        description = current_description(app)
        is_local = given.profile == LOCAL
        secret = given.session_secret() or secrets.token_bytes(32)
        register(app, description.name, secret, is_local=is_local)
        clients = Clients(given.trusted_issuers_file, description.partnership)
        _templates(app)
        wording.register(app)
        app.context_processor(lambda: _on_every_page(self.look))
        app.register_blueprint(_style_routes())
        app.register_blueprint(sign_in_routes(SignIn(clients, given.public_url, self.look.home)))
        for blueprint in self.pages:
            app.register_blueprint(blueprint)
        if self.look.home != "/":
            app.add_url_rule("/", "first_page", public("leads to the first page")(lambda: see_other(self.look.home)))
        app.after_request(_as_page)


def current_description(app: Flask) -> Any:  # noqa: ANN401 - shared.http's ServiceDescription
    """Return the description that `app` was made from."""
    with app.app_context():
        return current_service()


def _templates(app: Flask) -> None:
    """Let templates find the shared ones (`web/...`) and govuk-frontend-jinja's, beside the blueprints' own."""
    govuk = PackageLoader(govuk_frontend_jinja.__name__)
    app.jinja_loader = ChoiceLoader([PackageLoader("shared.web"), PrefixLoader({govuk_frontend_jinja.__name__: govuk})])
    app.jinja_env.globals.update(form_token=form_token, new_form_key=new_form_key)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def _on_every_page(look: Look) -> dict[str, Any]:
    """Return what every template may use."""
    service = current_service()
    viewer: Viewer | None = g.get("viewer") or Viewer.current()
    organisations = service.partnership.organisations
    return {
        "look": look,
        "partnership_title": service.partnership.title,
        "viewer": viewer,
        "viewer_organisation": organisations[viewer.principal.organisation].name if viewer else "",
        "places": look.places_for(viewer.principal if viewer else None, service.roles),
        "style_version": STYLE_VERSION,
        "here": request.path,
    }


def _style_routes() -> Blueprint:
    routes = Blueprint("web_style", __name__)

    @routes.get("/assets/<name>")
    @public("the pages' own style")
    def asset(name: str) -> Response:
        response = send_from_directory(STATIC, name, max_age=A_YEAR)
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}"
        return response

    return routes


def _as_page(response: Response) -> Response:
    """Show a problem as a page where a browser asked for one; the API's own addresses keep their JSON."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    if response.mimetype != PROBLEM_JSON or not wants_page or request.path.startswith("/v1/"):
        return response
    status = response.status_code
    problem = response.get_json(silent=True) or {}
    is_our_fault = status >= http.HTTPStatus.INTERNAL_SERVER_ERROR and status != http.HTTPStatus.SERVICE_UNAVAILABLE
    detail = problem.get("detail", NOT_THERE)
    shown = page(
        "web/problem.html",
        status=status,
        title=TITLES.get(status, OUR_FAULT),
        sentence=NOT_THERE if status == http.HTTPStatus.METHOD_NOT_ALLOWED else detail,
        faults=[fault["detail"] for fault in problem.get("errors", [])],
        reference=correlation.current().correlation_id if is_our_fault else "",
    ).response()
    for name in ("Retry-After", "Allow"):
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown


STYLE_VERSION: Final = hashlib.sha256((STATIC / "pages.css").read_bytes()).hexdigest()[:12]
