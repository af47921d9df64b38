"""The board's pages as views: closed publications and their tables. The shared web room decides who may look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, make_response, send_from_directory

from services.reporting.application.desk import Desk
from services.reporting.application.queries import table_of
from services.reporting.domain.errors import NoSuchReport
from services.reporting.domain.publication import TITLES, Publication, PublishedTable
from services.reporting.web import wording
from services.reporting.web.presenting import big_numbers, section
from shared.http.facts import public
from shared.storage.unit_of_work import Reading
from shared.web import Look, Page, PageRoutes, page, page_read

STATIC: Final = Path(__file__).with_name("static")
ACTION: Final = "publications.read"
LOOK: Final = Look(
    service="Board report",
    home="/board",
    sheets=("/board/style.css",),
    footer=(
        "Figures about people are rounded and small groups are not shown, so that nobody can be recognised. Everything "
        "on these pages comes from a closed publication and never changes."
    ),
)


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages on a desk, and how a table is given to a spreadsheet."""

    desk: Desk
    as_csv: Callable[[PublishedTable], bytes]

    def shown(self, view: Callable[[Reading], Page | Response]) -> Page | Response:
        """Return what `view` shows, or the page that says that there is no such thing."""
        try:
            return page_read(view)
        except NoSuchReport as error:
            return page("not_there.html", status=404, sentence=error.detail)

    def latest(self, reading: Reading) -> Page:
        """Show the latest publication."""
        publications = self.desk.publications(reading)
        if not publications:
            return page("nothing_yet.html")
        return self._publication(publications, publications[0].publication_id)

    def publication(self, reading: Reading, publication_id: str) -> Page:
        """Show one publication."""
        return self._publication(self.desk.publications(reading), publication_id)

    def table(self, reading: Reading, publication_id: str | None, name: str) -> Page:
        """Show one table of a publication, of the latest for None."""
        publication = self.desk.publication(reading, publication_id)
        found = section(publication, table_of(publication, name))
        return page(
            "table.html", publication=publication, section=found, titles=TITLES, definitions=wording.DEFINITIONS
        )

    def csv(self, reading: Reading, publication_id: str, name: str) -> Response:
        """Give one table of a publication as CSV."""
        table = table_of(self.desk.publication(reading, publication_id), name)
        response = make_response(self.as_csv(table))
        response.headers["Content-Type"] = "text/csv; charset=utf-8"
        response.headers["Content-Disposition"] = f'attachment; filename="{table.name}.csv"'
        return response

    def _publication(self, publications: tuple[Publication, ...], publication_id: str) -> Page:
        place = next((n for n, each in enumerate(publications) if each.publication_id == publication_id), None)
        if place is None:
            raise NoSuchReport("There is no such publication.")
        shown = publications[place]
        before = publications[place + 1] if place + 1 < len(publications) else None
        return page(
            "publication.html",
            publication=shown,
            is_latest=place == 0,
            numbers=big_numbers(shown, before),
            sections=[section(shown, table) for table in shown.tables],
            publications=publications,
            definitions=wording.DEFINITIONS,
        )


def page_routes(pages: Pages) -> Blueprint:
    """Return the pages of publications and tables: the board's own, whoever looks."""
    board = pages.desk.terms.board
    routes = PageRoutes("board", __name__, owner=lambda _viewer: board)

    @routes.show("/board", ACTION)
    def latest() -> Page | Response:
        return pages.shown(pages.latest)

    @routes.show("/board/publications/<publication_id>", ACTION)
    def publication(publication_id: str) -> Page | Response:
        return pages.shown(lambda reading: pages.publication(reading, publication_id))

    @routes.show("/board/tables/<name>", ACTION)
    def table(name: str) -> Page | Response:
        return pages.shown(lambda reading: pages.table(reading, None, name))

    @routes.show("/board/publications/<publication_id>/<name>", ACTION)
    def table_of_publication(publication_id: str, name: str) -> Page | Response:
        return pages.shown(lambda reading: pages.table(reading, publication_id, name))

    @routes.show("/board/publications/<publication_id>/<name>.csv", ACTION)
    def table_as_csv(publication_id: str, name: str) -> Page | Response:
        return pages.shown(lambda reading: pages.csv(reading, publication_id, name))

    return routes


def style_routes() -> Blueprint:
    """Return the style of what only these pages have: numbers, charts, sections."""
    routes = Blueprint("board_style", __name__)

    @routes.get("/board/style.css")
    @public("the pages' own style")
    def style() -> Response:
        return send_from_directory(STATIC, "style.css")

    return routes
