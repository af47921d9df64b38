"""The routes of reporting. Each reads from or works in the board's database and nowhere else.

Where a path names no organisation the tables are the board's: whoever is of another organisation finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from services.reporting.api import bodies, schemas
from services.reporting.application.commands import ClosePublication
from services.reporting.application.desk import Desk
from services.reporting.application.queries import table_of
from services.reporting.domain.errors import NoSuchReport
from services.reporting.domain.publication import TITLES, Publication, PublishedTable
from shared.errors import NotFound
from shared.http.bodies import load, query
from shared.http.facts import accepts, asks, refuses, returns, scope
from shared.http.replies import Reply
from shared.http.routes import Routes
from shared.http.service import current_principal, read, transact
from shared.storage.unit_of_work import Reading, Work

PUBLICATION_IN = schemas.PublicationIn()
PUBLICATION_OUT = schemas.PublicationOut()
PUBLICATIONS_OUT = schemas.PublicationsOut()
REPORT_FILTER = schemas.ReportFilter()
REPORT_OUT = schemas.ReportOut()
CATALOGUE_OUT = schemas.CatalogueOut()
PROJECTION_OUT = schemas.ProjectionOut()
FRESHNESS_OUT = schemas.FreshnessOut()


def publication_routes(desk: Desk) -> Routes:
    """Return the routes of closed publications."""
    routes = Routes("publications", description="Closed publications of the board's five fixed tables.")

    @routes.post("/v1/organisations/<org>/publications")
    @scope("publications.close")
    @accepts(PUBLICATION_IN)
    @returns(201, PUBLICATION_OUT)
    @refuses(409, "nothing has been counted yet")
    def close_publication(org: str) -> Reply:
        """Close a publication: freeze the five tables as they stand. Cannot be undone or changed."""
        _must_be_the_board(desk, org)
        command = ClosePublication(title=load(PUBLICATION_IN)["title"])
        at = f"/v1/organisations/{org}/publications/"

        def close(work: Work) -> Reply:
            publication = desk.close(work, command)
            return Reply(201, bodies.publication_body(publication), location=at + publication.publication_id)

        return transact(org, close)

    @routes.get("/v1/organisations/<org>/publications")
    @scope("publications.read")
    @returns(200, PUBLICATIONS_OUT)
    def list_publications(org: str) -> Reply:
        """List all publications, the latest first."""
        _must_be_the_board(desk, org)

        def listed(reading: Reading) -> Reply:
            items = [bodies.publication_body(each) for each in desk.publications(reading)]
            return Reply(200, {"items": items, "next": None})

        return read(org, listed)

    @routes.get("/v1/organisations/<org>/publications/<publication_id>")
    @scope("publications.read")
    @returns(200, PUBLICATION_OUT)
    def get_publication(org: str, publication_id: str) -> Reply:
        """Read one publication without its figures."""
        _must_be_the_board(desk, org)
        return read(org, lambda reading: Reply(200, bodies.publication_body(desk.publication(reading, publication_id))))

    return routes


def report_routes(desk: Desk) -> Routes:
    """Return the routes of the published tables."""
    routes = Routes("reports", description="The five fixed tables, as published.")

    @routes.get("/v1/reports")
    @scope("reports.read")
    @returns(200, CATALOGUE_OUT)
    def list_reports() -> Reply:
        """List the fixed tables."""
        _must_be_the_board(desk, current_principal().organisation)
        return Reply(200, {"items": [{"name": name, "title": title} for name, title in TITLES.items()], "next": None})

    @routes.get("/v1/reports/<name>")
    @scope("reports.read")
    @asks(REPORT_FILTER)
    @returns(200, REPORT_OUT)
    def get_report(name: str) -> Reply:
        """Read a published table, of the latest publication where none is named."""
        return _report(desk, name, lambda publication, table: Reply(200, bodies.report_body(publication, table)))

    @routes.get("/v1/reports/<name>.csv")
    @scope("reports.read")
    @asks(REPORT_FILTER)
    @returns(200, content_type="text/csv")
    def get_report_csv(name: str) -> Reply:
        """Read a published table as CSV."""
        return _report(
            desk,
            name,
            lambda _, table: Reply(
                200,
                raw=bodies.report_csv(table),
                content_type="text/csv; charset=utf-8",
                filename=f"{table.name}.csv",
            ),
        )

    return routes


def operator_routes(desk: Desk) -> Routes:
    """Return the routes of the board's operator."""
    routes = Routes("operation", description="Live projections and freshness. Raw figures are the operator's alone.")

    @routes.get("/v1/projections/<name>")
    @scope("projections.read")
    @returns(200, PROJECTION_OUT)
    def get_projection(name: str) -> Reply:
        """Read a table as it stands now, raw figures included."""
        board = _must_be_the_board(desk, current_principal().organisation)
        if name not in TITLES:
            raise NoSuchReport(f"There is no such table; the tables are {', '.join(TITLES)}.")
        return read(
            board,
            lambda reading: Reply(200, {"name": name, "rows": bodies.projection_rows(desk.projections(reading), name)}),
        )

    @routes.get("/v1/freshness")
    @scope("freshness.read")
    @returns(200, FRESHNESS_OUT)
    def get_freshness() -> Reply:
        """See how far each feed was read, how long ago it was heard of, and how many events are still to come."""
        board = _must_be_the_board(desk, current_principal().organisation)
        return read(board, lambda reading: Reply(200, bodies.freshness_body(desk.freshness(reading))))

    return routes


def _report(desk: Desk, name: str, show: Callable[[Publication, PublishedTable], Reply]) -> Reply:
    board = _must_be_the_board(desk, current_principal().organisation)
    publication_id = query(REPORT_FILTER).get("publication")

    def reported(reading: Reading) -> Reply:
        publication = desk.publication(reading, publication_id)
        return show(publication, table_of(publication, name))

    return read(board, reported)


def _must_be_the_board(desk: Desk, organisation: str) -> str:
    """Return the board's slug when that is who is asked for.

    Raises:
        NotFound: for any other organisation; it has no figures here.
    """
    if organisation != desk.terms.board:
        raise NotFound("Only the board has publications.")
    return organisation
