"""The board's pages as views. Each asks the session cookie first, and the role table what the session may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, make_response, render_template, request, send_from_directory

from services.reporting.application.desk import Desk
from services.reporting.application.queries import table_of
from services.reporting.domain.errors import NoSuchReport
from services.reporting.domain.publication import TITLES, Publication, PublishedTable
from services.reporting.web import wording
from services.reporting.web.presenting import big_numbers, section
from services.reporting.web.sessions import BOARD_ROLES, NO_SIGN_IN, Sessions, SignIn
from shared.errors import Forbidden
from shared.http.facts import public
from shared.http.service import current_service
from shared.identity import Principal, Resource, may
from shared.storage.unit_of_work import Reading

STATIC: Final = Path(__file__).with_name("static")
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
WHY_PUBLIC: Final = "a page: it asks its own session cookie and sends strangers to the sign-in page"


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages on a desk: how people come in, and how a table is given to a spreadsheet."""

    desk: Desk
    sessions: Sessions
    sign_in: SignIn
    as_csv: Callable[[PublishedTable], bytes]

    def shown(self, view: Callable[[Reading], Response]) -> Response:
        """Return what `view` shows of the board's database to whoever may see it; strangers go to the sign-in page."""
        principal = self.sessions.principal(request)
        if principal is None:
            return see_other("/sign-in")
        if not self._may_read(principal):
            return self.page("refused.html", status=403, sentence="Your roles do not include the board's pages.")
        try:
            return view(current_service().unit_of_work.reading(self.desk.terms.board))
        except NoSuchReport as error:
            return self.page("refused.html", status=404, sentence=error.detail)

    def latest(self, reading: Reading) -> Response:
        """Show the latest publication."""
        publications = self.desk.publications(reading)
        if not publications:
            return self.page("nothing_yet.html")
        return self._publication(publications, publications[0].publication_id)

    def publication(self, reading: Reading, publication_id: str) -> Response:
        """Show one publication."""
        return self._publication(self.desk.publications(reading), publication_id)

    def table(self, reading: Reading, publication_id: str | None, name: str) -> Response:
        """Show one table of a publication, of the latest for None."""
        publication = self.desk.publication(reading, publication_id)
        found = section(publication, table_of(publication, name))
        return self.page(
            "table.html", publication=publication, section=found, titles=TITLES, definitions=wording.DEFINITIONS
        )

    def csv(self, reading: Reading, publication_id: str, name: str) -> Response:
        """Give one table of a publication as CSV."""
        table = table_of(self.desk.publication(reading, publication_id), name)
        response = make_response(self.as_csv(table))
        response.headers["Content-Type"] = "text/csv; charset=utf-8"
        response.headers["Content-Disposition"] = f'attachment; filename="{table.name}.csv"'
        return response

    def begin(self, role: str) -> Response:
        """Begin a session in the role of a button."""
        if role not in BOARD_ROLES or not is_own_form():
            return self.page("refused.html", status=403, sentence="Choose one of the buttons on the sign-in page.")
        try:
            principal = self.sign_in.principal(role)
        except Forbidden as error:
            return self.page("refused.html", status=403, sentence=error.detail)
        response = see_other("/board")
        self.sessions.begin(response, principal)
        return response

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """Return a page that may load nothing but our own style sheet."""
        response = make_response(render_template(template, partnership=self.desk.terms.title, **values), status)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    def _publication(self, publications: tuple[Publication, ...], publication_id: str) -> Response:
        place = next((n for n, each in enumerate(publications) if each.publication_id == publication_id), None)
        if place is None:
            raise NoSuchReport("There is no such publication.")
        shown = publications[place]
        before = publications[place + 1] if place + 1 < len(publications) else None
        return self.page(
            "publication.html",
            publication=shown,
            is_latest=place == 0,
            numbers=big_numbers(shown, before),
            sections=[section(shown, table) for table in shown.tables],
            publications=publications,
            definitions=wording.DEFINITIONS,
        )

    def _may_read(self, principal: Principal) -> bool:
        return may(principal, "publications.read", Resource(self.desk.terms.board), current_service().roles)


def page_routes(pages: Pages) -> Blueprint:
    """Return the pages of publications and tables."""
    routes = Blueprint("board", __name__, template_folder="templates")
    routes.add_app_template_filter(wording.day, "day")
    routes.add_app_template_filter(wording.day_and_time, "day_and_time")

    @routes.get("/board")
    @public(WHY_PUBLIC)
    def latest() -> Response:
        return pages.shown(pages.latest)

    @routes.get("/board/publications/<publication_id>")
    @public(WHY_PUBLIC)
    def publication(publication_id: str) -> Response:
        return pages.shown(lambda reading: pages.publication(reading, publication_id))

    @routes.get("/board/tables/<name>")
    @public(WHY_PUBLIC)
    def table(name: str) -> Response:
        return pages.shown(lambda reading: pages.table(reading, None, name))

    @routes.get("/board/publications/<publication_id>/<name>")
    @public(WHY_PUBLIC)
    def table_of_publication(publication_id: str, name: str) -> Response:
        return pages.shown(lambda reading: pages.table(reading, publication_id, name))

    @routes.get("/board/publications/<publication_id>/<name>.csv")
    @public(WHY_PUBLIC)
    def table_as_csv(publication_id: str, name: str) -> Response:
        return pages.shown(lambda reading: pages.csv(reading, publication_id, name))

    return routes


def sign_in_routes(pages: Pages) -> Blueprint:
    """Return the pages by which people come and go, and the style sheet of all."""
    routes = Blueprint("sign_in", __name__, template_folder="templates")

    @routes.get("/board/style.css")
    @public("the pages' own style")
    def style() -> Response:
        return send_from_directory(STATIC, "style.css")

    @routes.get("/sign-in")
    @public("whoever signs in has no session yet")
    def sign_in_page() -> Response:
        return pages.page("sign_in.html", roles=pages.sign_in.roles, sentence=NO_SIGN_IN)

    @routes.post("/sign-in")
    @public("whoever signs in has no session yet")
    def sign_in() -> Response:
        return pages.begin(request.form.get("role", ""))

    @routes.post("/sign-out")
    @public("whoever signs out may have no session any more")
    def sign_out() -> Response:
        response = see_other("/sign-in")
        pages.sessions.end(response)
        return response

    return routes


def see_other(address: str) -> Response:
    """Return a redirect to one of our own pages."""
    return Response(status=303, headers={"Location": address})


def is_own_form() -> bool:
    """Tell whether the form was sent from our own page: a browser says so, other programs say nothing."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
