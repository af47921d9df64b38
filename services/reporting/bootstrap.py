"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import structlog
from flask import Flask
from prometheus_client import Gauge
from pymongo.errors import PyMongoError

from services.reporting.api.bodies import report_csv
from services.reporting.api.routes import operator_routes, publication_routes, report_routes
from services.reporting.application.desk import Desk
from services.reporting.application.ports import FeedState, Terms
from services.reporting.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.reporting.messaging.published import outgoing
from services.reporting.settings import SERVICE, ReportingSettings, settings
from services.reporting.storage.feeds import feed_states, note_states
from services.reporting.storage.repositories import MongoRooms
from services.reporting.web.sessions import LocalSignIn, NoSignIn, Sessions, SignIn
from services.reporting.web.views import Pages, page_routes, sign_in_routes
from shared.clock import SystemClock, wait_for
from shared.events import reading_metrics
from shared.events.contracts import contract_book
from shared.events.feed import FeedName
from shared.events.reader import Reader, build_reader
from shared.events.relay_process import build_relay
from shared.http import ServiceDescription, create_app, idempotency
from shared.identifiers import new_identifier
from shared.identity import RoleTable, TokenVerifier
from shared.partnership import Partnership
from shared.process.run import Parts
from shared.process.settings import LOCAL, PRODUCTION
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork

NOTING_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


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


def hosted_board(given: ReportingSettings, partnership: Partnership) -> tuple[str, ...]:
    """Return the board when this instance hosts it: nobody else has anything here."""
    return tuple(slug for slug in given.hosted(partnership) if slug == partnership.board)


def unit_of_work(given: ReportingSettings, client: Client) -> UnitOfWork:
    """Return the transactions of this service; every event is held against its contract before it is kept."""
    return UnitOfWork(
        client=client,
        service=SERVICE,
        clock=SystemClock(),
        new_identifier=new_identifier,
        contracts=contract_book(),
        prefix=given.database_prefix,
    )


def web_app() -> Flask:
    """Return the HTTP application. Called in each worker process, after the fork."""
    given = settings()
    return build_web_app(given, connect(given.mongodb_uri, appname=f"{SERVICE}-api"))


def build_web_app(given: ReportingSettings, client: Client) -> Flask:
    """Return the HTTP application on a client that the caller made."""
    partnership = given.partnership()
    desk = desk_of(partnership)
    clock = SystemClock()
    verifier = TokenVerifier(given.trusted_issuers_file, SERVICE, clock)
    is_production = given.profile == PRODUCTION
    pages = Pages(
        desk=desk,
        sessions=Sessions(given.board_session_secret or secrets.token_urlsafe(32), is_secure=is_production),
        sign_in=_sign_in(given, partnership.board),
        as_csv=report_csv,
    )
    return create_app(
        ServiceDescription(
            name=SERVICE,
            title="Board reporting",
            version=_version(),
            blueprints=(
                publication_routes(desk),
                report_routes(desk),
                operator_routes(desk),
                page_routes(pages),
                sign_in_routes(pages),
            ),
            unit_of_work=unit_of_work(given, client),
            partnership=partnership,
            roles=RoleTable.of_service(SERVICE),
            verifier=verifier,
            hosted=hosted_board(given, partnership),
            clock=clock,
            is_production=is_production,
        )
    )


def prepare(given: ReportingSettings) -> None:
    """Make the indexes of the board's database; again changes nothing."""
    partnership = given.partnership()
    client = connect(given.mongodb_uri, appname=f"{SERVICE}-prepare")
    try:
        unit = unit_of_work(given, client)
        for board in hosted_board(given, partnership):
            idempotency.prepare(unit.database(board))
    finally:
        client.close()


class RelayPart:
    """The relay of the board's feed."""

    def __init__(self, given: ReportingSettings) -> None:
        self._given = given

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        given = self._given
        partnership = given.partnership()
        build_relay(
            service=SERVICE,
            feeds=[FeedName("org", board, SERVICE) for board in hosted_board(given, partnership)],
            client_factory=lambda: connect(given.mongodb_uri, appname=f"{SERVICE}-relay"),
            bootstrap_servers=given.kafka_bootstrap_servers,
            clock=SystemClock(),
            stop=stop,
            heartbeat_seconds=given.heartbeat_seconds,
            poll_seconds=given.relay_poll_seconds,
            partnership_version=str(partnership.version),
            partnership_hash=partnership.hash,
            instance=given.instance,
            database_prefix=given.database_prefix,
        ).run()

    def ready(self) -> bool:
        """Return True: a feed that cannot be sent shows in the relay's metrics."""
        return True


class ReaderPart:
    """The reader of everybody's feeds into the board's database, and beside it what notes how fresh they are."""

    def __init__(self, given: ReportingSettings) -> None:
        self._given = given
        self._reader: Reader | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        given = self._given
        partnership = given.partnership()
        client = connect(given.mongodb_uri, appname=f"{SERVICE}-reader")
        unit = unit_of_work(given, client)
        rooms = MongoRooms(feed_states)
        self._reader = build_reader(
            SERVICE, given, partnership, subscriptions(rooms.projections), IGNORED, FEEDS, unit_of_work=unit
        )
        noting = threading.Thread(
            target=keep_noting, args=(unit, hosted_board(given, partnership), stop), name="freshness"
        )
        noting.start()
        try:
            self._reader.run(stop)
        finally:
            stop.set()
            noting.join()
            client.close()

    def ready(self) -> bool:
        """Return whether the database takes what is read."""
        return self._reader is not None and self._reader.ready()


def keep_noting(unit: UnitOfWork, boards: tuple[str, ...], stop: threading.Event) -> None:
    """Note every few seconds what the reader in this process knows of the feeds, until `stop` is set."""
    before: tuple[FeedState, ...] = ()
    while not wait_for(stop, NOTING_SECONDS):
        states = heard_states()
        try:
            for board in boards:
                note_states(unit.database(board), [state for state in states if state not in before])
        except PyMongoError as error:
            log.info("freshness.not_noted", reason=type(error).__name__)
            continue
        before = states


def heard_states() -> tuple[FeedState, ...]:
    """Return what the reader in this process knows of each feed that it heard of."""
    taken, announced = _gauge(reading_metrics.NUMBER), _gauge(reading_metrics.ANNOUNCED)
    return tuple(
        FeedState(
            feed=feed,
            number=0,
            head=None,
            taken=int(taken.get(feed, 0)),
            announced=int(announced.get(feed, 0)),
            heard_at=datetime.fromtimestamp(heard, UTC),
        )
        for feed, heard in _gauge(reading_metrics.HEARD).items()
    )


def _gauge(gauge: Gauge) -> dict[str, float]:
    samples = [sample for family in gauge.collect() for sample in family.samples]
    return {sample.labels["feed"]: sample.value for sample in samples if sample.labels["service"] == SERVICE}


def _sign_in(given: ReportingSettings, board: str) -> SignIn:
    """Return how people come in: buttons on a local run, nothing yet elsewhere."""
    return LocalSignIn(board) if given.profile == LOCAL else NoSignIn()


def _version() -> str:
    """Return the distribution's version; a checkout that nobody installed has none."""
    try:
        return version("teaching-partnership")
    except PackageNotFoundError:
        return "0+checkout"


PARTS = Parts(
    settings=settings,
    web_app="services.reporting.bootstrap:web_app",
    prepare=prepare,
    relay=RelayPart,
    consume=ReaderPart,
)
