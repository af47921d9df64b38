"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.reporting.application.desk import Desk
from services.reporting.application.ports import Terms
from services.reporting.messaging.published import outgoing
from services.reporting.processes import ReaderPart
from services.reporting.settings import SERVICE, ReportingSettings, settings
from services.reporting.storage import indexes
from services.reporting.storage.feeds import feed_states
from services.reporting.storage.repositories import MongoRooms
from shared import assembly
from shared.partnership import Partnership
from shared.process.run import Parts
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from flask import Flask


def terms_of(partnership: Partnership) -> Terms:
    """Return what reporting takes from the partnership file."""
    return Terms(
        title=partnership.title,
        board=partnership.board,
        employers=partnership.with_role("employer"),
        names={slug: organisation.name for slug, organisation in partnership.organisations.items()},
        domains={
            name: partnership.frameworks[evidence_set.framework].domains
            for name, evidence_set in partnership.evidence_sets.items()
        },
    )


def desk_of(partnership: Partnership) -> Desk:
    """Return the board's desk on the storage and messaging rooms."""
    return Desk(rooms=MongoRooms(feed_states), terms=terms_of(partnership), publish=outgoing)


def unit_of_work(given: ReportingSettings, client: Client) -> UnitOfWork:
    """Return the transactions of this service."""
    return assembly.unit_of_work(SERVICE, given, client)


def web_app() -> Flask:
    """Return the HTTP application. Called in each worker process, after the fork."""
    given = settings()
    return build_web_app(given, connect(given.mongodb_uri, appname=f"{SERVICE}-api"))


def build_web_app(given: ReportingSettings, client: Client) -> Flask:
    """Return the HTTP application on a client that the caller made."""
    from services.reporting.api.bodies import report_csv
    from services.reporting.api.routes import operator_routes, publication_routes, report_routes
    from services.reporting.web.views import LOOK, Pages, page_routes, style_routes
    from shared.web import WebRoom

    desk = desk_of(given.partnership())
    blueprints = (publication_routes(desk), report_routes(desk), operator_routes(desk))
    app = assembly.make_app(SERVICE, given, client, title="Board reporting", blueprints=blueprints)
    WebRoom(LOOK, (page_routes(Pages(desk, report_csv)), style_routes())).install(app, given)
    return app


def prepare(given: ReportingSettings) -> None:
    """Make the board's database ready; again changes nothing."""
    assembly.prepare_databases(SERVICE, given, indexes.prepare)


def relay(given: ReportingSettings) -> assembly.RelayPart:
    """Return the process that sends the board's feed."""
    return assembly.RelayPart(SERVICE, given)


def check(given: ReportingSettings, part: str) -> None:
    """Refuse to start a part on settings or a database that would not keep what people rely on."""
    assembly.check_start(SERVICE, given, part, indexes.prepare)


PARTS = Parts(
    settings=settings,
    web_app="services.reporting.bootstrap:web_app",
    prepare=prepare,
    relay=relay,
    consume=ReaderPart,
    check=check,
)
