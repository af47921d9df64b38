"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.accreditation.application.releasing import Registrar
from services.accreditation.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.accreditation.messaging.identity_release import EmployersDoor
from services.accreditation.messaging.published import outgoing
from services.accreditation.processes import IdentityWorker
from services.accreditation.settings import SERVICE, AccreditationSettings, settings
from services.accreditation.storage.books import desk_opener, open_books
from services.accreditation.storage.indexes import ensure_indexes
from shared import assembly
from shared.clock import Clock, SystemClock
from shared.identifiers import new_identifier
from shared.identity import ServiceTokens
from shared.partnership import Partnership
from shared.process.doors import Doors
from shared.process.run import Parts
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from flask import Flask

    from shared.events.reader import Reader

open_desk = desk_opener(outgoing)
CREDIT_AWARDED = "accreditation.credit-awarded.v1"


def unit_of_work(given: AccreditationSettings, client: Client) -> UnitOfWork:
    """Return the transactions of this service."""
    return assembly.unit_of_work(SERVICE, given, client)


def web_app() -> Flask:
    """Return the HTTP application. Called in each worker process, after the fork."""
    given = settings()
    return build_web_app(given, connect(given.mongodb_uri, appname=f"{SERVICE}-api"))


def build_web_app(given: AccreditationSettings, client: Client) -> Flask:
    """Return the HTTP application on a client that the caller made."""
    from services.accreditation.api import board_routes, registration_routes, routes
    from services.accreditation.api.rooms import Rooms, furnish

    blueprints = (routes.routes, registration_routes.routes, board_routes.routes)
    app = assembly.make_app(SERVICE, given, client, title="Accreditation", blueprints=blueprints)
    return furnish(app, Rooms(open_books, open_desk))


def prepare(given: AccreditationSettings) -> None:
    """Make the indexes of every hosted university's database; again changes nothing."""
    assembly.prepare_databases(SERVICE, given, ensure_indexes)


def relay(given: AccreditationSettings) -> assembly.RelayPart:
    """Return the process that sends the hosted universities' feeds."""
    return assembly.RelayPart(SERVICE, given, summed={CREDIT_AWARDED: "credits"})


def reader(given: AccreditationSettings) -> Reader:
    """Return the process that reads the employers' feeds. Called in the process that runs it."""
    return assembly.make_reader(SERVICE, given, subscriptions(open_desk), IGNORED, FEEDS)


def worker(given: AccreditationSettings) -> IdentityWorker:
    """Return the worker that fetches identities. Called in the process that runs it."""
    partnership, clock = given.partnership(), SystemClock()
    client = connect(given.mongodb_uri, appname=f"{SERVICE}-worker")
    return IdentityWorker(
        registrar_of(given, partnership, unit_of_work(given, client), clock),
        assembly.hosted_owners(SERVICE, given, partnership),
        client,
        given.identity_poll_seconds,
    )


def registrar_of(given: AccreditationSettings, partnership: Partnership, unit: UnitOfWork, clock: Clock) -> Registrar:
    """Return what completes registrations, with the employers' doors that this instance knows."""
    tokens = ServiceTokens(given.organisation_keys_dir, clock, new_identifier)
    doors = Doors(given, partnership)
    door = EmployersDoor(lambda employer: doors.base_of(employer, "enrolment"), tokens.token)
    return Registrar(unit, open_books, open_desk, door)


def check(given: AccreditationSettings, part: str) -> None:
    """Refuse to start a part on settings or a database that would not keep what people rely on."""
    assembly.check_start(SERVICE, given, part, ensure_indexes)


PARTS = Parts(
    settings=settings,
    web_app="services.accreditation.bootstrap:web_app",
    prepare=prepare,
    relay=relay,
    consume=reader,
    worker=worker,
    check=check,
)
