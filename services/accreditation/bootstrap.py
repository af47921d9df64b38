"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from threading import Event

import structlog
from flask import Flask
from pymongo.errors import PyMongoError

from services.accreditation.api import board_routes, registration_routes, routes
from services.accreditation.api.rooms import Rooms, furnish
from services.accreditation.application.releasing import Registrar
from services.accreditation.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.accreditation.messaging.identity_release import EmployersDoor
from services.accreditation.messaging.published import outgoing
from services.accreditation.settings import SERVICE, AccreditationSettings, enrolment_address, settings
from services.accreditation.storage.books import desk_opener, open_books
from services.accreditation.storage.indexes import ensure_indexes
from shared.clock import Clock, SystemClock, wait_for
from shared.errors import ConcurrentChange, Unavailable
from shared.events.contracts import contract_book
from shared.events.feed import FeedName
from shared.events.reader import Reader, build_reader
from shared.events.relay_process import build_relay
from shared.http import ServiceDescription, create_app, idempotency
from shared.identifiers import new_identifier
from shared.identity import RoleTable, ServiceTokens, TokenVerifier
from shared.partnership import Partnership
from shared.partnership.model import AWARDING_HEI
from shared.process.run import Parts
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork

open_desk = desk_opener(outgoing)
BLUEPRINTS = (routes.routes, registration_routes.routes, board_routes.routes)
LONGEST_BACK_OFF_SECONDS = 15.0
CREDIT_AWARDED = "accreditation.credit-awarded.v1"

log = structlog.get_logger(__name__)


def hosted_universities(given: AccreditationSettings, partnership: Partnership) -> tuple[str, ...]:
    """Return the awarding universities that this instance hosts: nobody else has modules."""
    return tuple(slug for slug in given.hosted(partnership) if partnership.has_role(slug, AWARDING_HEI))


def unit_of_work(given: AccreditationSettings, client: Client) -> UnitOfWork:
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


def build_web_app(given: AccreditationSettings, client: Client) -> Flask:
    """Return the HTTP application on a client that the caller made."""
    partnership, clock = given.partnership(), SystemClock()
    app = create_app(
        ServiceDescription(
            name=SERVICE,
            title="Accreditation",
            version=_version(),
            blueprints=BLUEPRINTS,
            unit_of_work=unit_of_work(given, client),
            partnership=partnership,
            roles=RoleTable.of_service(SERVICE),
            verifier=TokenVerifier(given.trusted_issuers_file, SERVICE, clock),
            hosted=hosted_universities(given, partnership),
            clock=clock,
            is_production=given.profile == "production",
        )
    )
    return furnish(app, Rooms(open_books, open_desk))


def prepare(given: AccreditationSettings) -> None:
    """Make the indexes of every hosted university's database; again changes nothing."""
    partnership = given.partnership()
    client = connect(given.mongodb_uri, appname=f"{SERVICE}-prepare")
    try:
        unit = unit_of_work(given, client)
        for university in hosted_universities(given, partnership):
            ensure_indexes(unit.database(university))
            idempotency.prepare(unit.database(university))
    finally:
        client.close()


class RelayPart:
    """The relay of the hosted universities' feeds, as a part that runs until it is told to stop."""

    def __init__(self, given: AccreditationSettings) -> None:
        self._given = given

    def run(self, stop: Event) -> None:
        """Work until `stop` is set."""
        given, partnership = self._given, self._given.partnership()
        build_relay(
            service=SERVICE,
            feeds=[FeedName("org", university, SERVICE) for university in hosted_universities(given, partnership)],
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
            summed={CREDIT_AWARDED: "credits"},
        ).run()

    def ready(self) -> bool:
        """Return True: a feed that cannot be sent shows in the relay's metrics."""
        return True


class IdentityWorker:
    """The process that completes registrations: looks for identities to fetch, and fetches them."""

    def __init__(
        self, registrar: Registrar, universities: tuple[str, ...], client: Client, poll_seconds: float
    ) -> None:
        self._registrar = registrar
        self._universities = universities
        self._client = client
        self._poll_seconds = poll_seconds
        self._failures = 0

    def run(self, stop: Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            asked = self._round(stop)
            if self._failures:
                wait_for(stop, min(LONGEST_BACK_OFF_SECONDS, self._poll_seconds * 2 ** min(self._failures, 6)))
            elif not asked:
                wait_for(stop, self._poll_seconds)
        self._client.close()

    def ready(self) -> bool:
        """Return whether the database answered when it was last asked."""
        return self._failures == 0

    def _round(self, stop: Event) -> int:
        try:
            asked = sum(self._registrar.work_through(university, stop.is_set) for university in self._universities)
        except (Unavailable, ConcurrentChange, PyMongoError) as error:
            self._failures += 1
            log.warning("worker.waiting", reason=type(error).__name__)
            return 0
        self._failures = 0
        return asked


def reader(given: AccreditationSettings) -> Reader:
    """Return the process that reads the employers' feeds. Called in the process that runs it."""
    return build_reader(SERVICE, given, given.partnership(), subscriptions(open_desk), IGNORED, FEEDS)


def worker(given: AccreditationSettings) -> IdentityWorker:
    """Return the worker that fetches identities. Called in the process that runs it."""
    partnership, clock = given.partnership(), SystemClock()
    client = connect(given.mongodb_uri, appname=f"{SERVICE}-worker")
    return IdentityWorker(
        registrar_of(given, partnership, unit_of_work(given, client), clock),
        hosted_universities(given, partnership),
        client,
        given.identity_poll_seconds,
    )


def registrar_of(given: AccreditationSettings, partnership: Partnership, unit: UnitOfWork, clock: Clock) -> Registrar:
    """Return what completes registrations, with the employers' doors that this instance knows."""
    tokens = ServiceTokens(given.organisation_keys_dir, clock, new_identifier)
    door = EmployersDoor(enrolment_address(given, partnership), tokens.token)
    return Registrar(unit, open_books, open_desk, door)


def _version() -> str:
    """Return the distribution's version; a checkout that nobody installed has none."""
    try:
        return version("teaching-partnership")
    except PackageNotFoundError:
        return "0+checkout"


PARTS = Parts(
    settings=settings,
    web_app="services.accreditation.bootstrap:web_app",
    prepare=prepare,
    relay=RelayPart,
    consume=reader,
    worker=worker,
)
