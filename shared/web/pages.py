"""Views of pages: who is looking is asked of the session, what they may see of the role table. Deny by default.

See `shared.web` for how a view is written.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from flask import Blueprint, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue

from shared.errors import Forbidden, NotFound
from shared.http.facts import public, uploads
from shared.http.replies import Reply, response_of
from shared.http.service import current_principal, current_service, must_be_hosted, transact_keyed
from shared.http.strict_json import Json, canonical
from shared.identity import Decision, Principal, Resource, decide
from shared.storage.unit_of_work import Reading, Work
from shared.web.forms import KEY_FIELD, OURS, TOKEN_FIELD, FieldError, Form
from shared.web.sessions import Viewer, go_back_to, is_form_token

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
WHY_PUBLIC: Final = "a page: it asks its own session, decides by the role table and sends strangers to the sign-in page"
LONGEST_KEY: Final = 100
ACTION: Final = "__page_action__"

Answer = TypeVar("Answer")
Owner = Callable[[Principal], str]


@dataclass(frozen=True, slots=True)
class Page:
    """A template and what it shows. `form` brings its errors to the top of the page and into its title."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    form: Form | None = None
    status: int = 200

    def response(self) -> Response:
        """Return the page as a response that may load nothing but our own style."""
        errors: tuple[FieldError, ...] = self.form.errors if self.form else ()
        status = 422 if errors and self.status == 200 else self.status
        text = render_template(self.template, form=self.form or Form(), errors=errors, **self.values)
        response = make_response(text, status)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "same-origin"
        return response


View = Callable[..., Page | Response]


def page(template: str, *, form: Form | None = None, status: int = 200, **values: object) -> Page:
    """Return a page: `page("people/list.html", people=people)`."""
    return Page(template, values, form, status)


class PageRoutes(Blueprint):
    """A blueprint of pages. Every view states the action of the role table that it needs.

    `owner` says whose data the pages show; one's own organisation's, where it is not given.
    """

    def __init__(self, name: str, import_name: str, *, owner: Owner | None = None) -> None:
        super().__init__(name, import_name, template_folder="templates")
        self._owner: Owner = owner or (lambda principal: principal.organisation)

    def show(self, rule: str, action: str) -> Callable[[View], View]:
        """Register a view that answers a GET."""
        return self._register(rule, "GET", action, 0)

    def act(self, rule: str, action: str, *, most_bytes: int = 0) -> Callable[[View], View]:
        """Register a view that answers a POST of one of our forms; `most_bytes` of a file, where it takes one."""
        return self._register(rule, "POST", action, most_bytes)

    def _register(self, rule: str, method: str, action: str, most_bytes: int) -> Callable[[View], View]:
        def register(view: View) -> View:
            @functools.wraps(view)
            def asked(**parts: object) -> ResponseReturnValue:
                refusal = self._let_in(action)
                if refusal is not None:
                    return refusal
                return as_response(view(**parts))

            decided = public(WHY_PUBLIC)(asked)
            if most_bytes:
                decided = uploads("multipart/form-data", most_bytes=most_bytes)(decided)
            setattr(decided, ACTION, (action, self._owner))
            self.add_url_rule(rule, f"{view.__name__}_{method.lower()}", decided, methods=[method])
            return view

        return register

    def _let_in(self, action: str) -> Response | None:
        """Let only those pass whom the role table allows; strangers are sent to sign in.

        Raises:
            Forbidden: the viewer's roles do not include this, or the form is not ours.
            NotFound: it is another organisation's, or is not hosted here.
        """
        if request.method == "POST":
            must_be_our_form()
        viewer = Viewer.current()
        if viewer is None:
            return _sign_in_first()
        g.viewer, g.principal = viewer, viewer.principal
        owner = g.page_owner = self._owner(viewer.principal)
        decision = decide(viewer.principal, action, Resource(owner), current_service().roles)
        if decision is Decision.NOT_FOUND:
            raise NotFound("of another organisation")
        if decision is Decision.FORBIDDEN:
            raise Forbidden("Your roles do not include this page.")
        must_be_hosted(owner)
        return None


def current_viewer() -> Viewer:
    """Return who is looking at this page."""
    viewer: Viewer = g.viewer
    return viewer


def page_read(answer: Callable[[Reading], Answer], organisation: str | None = None) -> Answer:
    """Return what `answer` makes of the page's organisation's data (one's own), read outside any transaction."""
    owner = organisation or g.page_owner
    must_be_hosted(owner)
    return answer(current_service().unit_of_work.reading(owner))


def page_transact(change: Callable[[Work], str], organisation: str | None = None) -> Response:
    """Make a change in one transaction, once for one form, and send the browser to the address that it returns.

    The same form sent twice (a second click, a reload) has one effect and leads to the same page. A form that was sent,
    changed and sent again is another one. Everything that `shared.http.transact` says holds here too.

    Raises:
        PlatformError: whatever the change refuses with; nothing is kept then, and the form may be sent again.
    """
    owner = organisation or g.page_owner
    key = request.form.get(KEY_FIELD, "")
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Forbidden("This form is not complete. Open its page again.")
    content = _content_hash()
    reply = transact_keyed(owner, lambda work: Reply(303, location=change(work)), f"form:{key}:{content}", content)
    return response_of(reply)


def see_other(address: str) -> Response:
    """Return a redirect to one of our own pages."""
    return Response(status=303, headers={"Location": address})


def must_be_our_form() -> None:
    """Refuse a POST that none of our own pages sent from this browser.

    Raises:
        Forbidden: the token is missing or another browser's, or the browser says that another site sent it.
    """
    from_elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    if from_elsewhere or not is_form_token(request.form.get(TOKEN_FIELD, "")):
        raise Forbidden("This form did not come from this browser’s page. Open the page again and send it once more.")


def as_response(shown: Page | Response) -> Response:
    """Return a view's answer as a response."""
    return shown.response() if isinstance(shown, Page) else shown


def who_asks() -> Principal:
    """Return the principal of this page, for the application's handlers; the same as the API's."""
    return current_principal()


def _sign_in_first() -> Response:
    """Send a stranger to sign in; what was typed into a form is kept on the page that says so."""
    if request.method == "POST":
        fields = [(name, value) for name in request.form for value in request.form.getlist(name)]
        has_files = any(file.filename for file in request.files.values())
        return page("web/signed_out_form.html", status=401, fields=fields, has_files=has_files).response()
    go_back_to(request.full_path.removesuffix("?"))
    return see_other("/sign-in")


def _content_hash() -> str:
    """Return the hash of everything that was sent except our own two fields."""
    fields: list[Json] = [[name, *request.form.getlist(name)] for name in sorted(request.form) if name not in OURS]
    digest = hashlib.sha256(canonical(fields))
    for name in sorted(request.files):
        for part in request.files.getlist(name):
            part.seek(0)
            digest.update(canonical([name, part.filename]) + hashlib.sha256(part.read()).digest())
            part.seek(0)
    return digest.hexdigest()
