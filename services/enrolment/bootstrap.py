"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from flask import Flask

from services.enrolment.api.practitioner_routes import practitioner_routes
from services.enrolment.api.rooms import EXTENSION, Rooms
from services.enrolment.api.routes import course_routes, enrolment_routes
from services.enrolment.api.upload_routes import upload_routes
from services.enrolment.application.upload_worker import UploadWorker
from services.enrolment.domain.mapping import FileMapping, SplitName
from services.enrolment.messaging import consumed
from services.enrolment.messaging.intake import IntakeDoor
from services.enrolment.messaging.published import outgoing
from services.enrolment.processes import RelayPart
from services.enrolment.settings import SERVICE, EnrolmentSettings, settings
from services.enrolment.storage import indexes
from services.enrolment.storage.books import Opener
from services.enrolment.storage.files import read_file
from shared.clock import SystemClock
from shared.events.contracts import contract_book
from shared.events.reader import Reader, build_reader
from shared.http import ServiceDescription, create_app, idempotency
from shared.identifiers import new_identifier
from shared.identity import Pseudonyms, RoleTable, TokenVerifier
from shared.partnership import ColumnMapping, Partnership
from shared.process.run import Parts
from shared.process.settings import LOCAL
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork

EMPLOYER = "employer"


def opener(given: EnrolmentSettings) -> Opener:
    """Return what opens the books, with this instance's keys for opaque ids."""
    pseudonyms = Pseudonyms(given.organisation_keys_dir)
    return Opener(lambda organisation, reference: pseudonyms.of(organisation, "person", reference), outgoing)


def hosted_owners(given: EnrolmentSettings, partnership: Partnership) -> tuple[str, ...]:
    """Return the hosted organisations that own rows of enrolment: employers and programme leads."""
    owners = partnership.owners(SERVICE)
    return tuple(slug for slug in given.hosted(partnership) if slug in owners)


def hosted_employers(given: EnrolmentSettings, partnership: Partnership) -> tuple[str, ...]:
    """Return the hosted employers: they have uploads and an intake topic."""
    return tuple(slug for slug in given.hosted(partnership) if partnership.has_role(slug, EMPLOYER))


def unit_of_work(given: EnrolmentSettings, client: Client) -> UnitOfWork:
    """Return the transactions of this service; every event is held against its contract before it is kept."""
    return UnitOfWork(
        client=client,
        service=SERVICE,
        clock=SystemClock(),
        new_identifier=new_identifier,
        contracts=contract_book(),
        prefix=given.database_prefix,
    )


def file_mappings(partnership: Partnership) -> dict[str, FileMapping]:
    """Return the column mappings of the partnership file, by employer."""
    return {slug: _file_mapping(mapping) for slug, mapping in partnership.column_mappings.items()}


def _file_mapping(mapping: ColumnMapping) -> FileMapping:
    split = mapping.split_name
    return FileMapping(
        format=mapping.format,
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        sheet=mapping.sheet,
        heading_row=mapping.heading_row,
        date_format=mapping.date_format,
        columns=dict(mapping.columns),
        values={name: dict(values) for name, values in mapping.values.items()},
        split_name=SplitName(split.column, split.order) if split else None,
        scale=dict(mapping.scale),
        pad_left=dict(mapping.pad_left),
    )


def web_app() -> Flask:
    """Return the HTTP application. Called in each worker process, after the fork."""
    given = settings()
    return build_web_app(given, connect(given.mongodb_uri, appname=f"{SERVICE}-api"))


def build_web_app(given: EnrolmentSettings, client: Client) -> Flask:
    """Return the HTTP application on a client that the caller made."""
    partnership = given.partnership()
    doors = opener(given)
    clock = SystemClock()
    app = create_app(
        ServiceDescription(
            name=SERVICE,
            title="Enrolment",
            version=_version(),
            blueprints=(course_routes, enrolment_routes, practitioner_routes, upload_routes),
            unit_of_work=unit_of_work(given, client),
            partnership=partnership,
            roles=RoleTable.of_service(SERVICE),
            verifier=TokenVerifier(given.trusted_issuers_file, SERVICE, clock),
            hosted=hosted_owners(given, partnership),
            clock=clock,
            is_production=given.profile != LOCAL,
        )
    )
    app.extensions[EXTENSION] = Rooms(doors.books, doors.desk, read_file, file_mappings(partnership))
    return app


def build_worker(given: EnrolmentSettings) -> UploadWorker:
    """Return the worker that brings uploaded files forward."""
    client = connect(given.mongodb_uri, appname=f"{SERVICE}-worker")
    doors = opener(given)
    return UploadWorker(
        unit_of_work(given, client),
        hosted_employers(given, given.partnership()),
        open_books=doors.books,
        open_desk=doors.desk,
        read_file=read_file,
        close=client.close,
    )


def build_relay_part(given: EnrolmentSettings) -> RelayPart:
    """Return the process that sends the hosted feeds."""
    partnership = given.partnership()
    return RelayPart(given, partnership, hosted_owners(given, partnership), hosted_employers(given, partnership))


def build_reader_part(given: EnrolmentSettings) -> Reader:
    """Return the process that reads everybody's enrolment feeds and the hosted employers' intake topics."""
    doors = opener(given)
    return build_reader(
        SERVICE,
        given,
        given.partnership(),
        consumed.subscriptions(doors.desk),
        consumed.IGNORED,
        consumed.FEEDS,
        IntakeDoor(doors.desk),
    )


def prepare(given: EnrolmentSettings) -> None:
    """Make the indexes of every hosted owner's database; again changes nothing."""
    client = connect(given.mongodb_uri, appname=f"{SERVICE}-prepare")
    try:
        unit = unit_of_work(given, client)
        for owner in hosted_owners(given, given.partnership()):
            database = unit.database(owner)
            indexes.prepare(database)
            idempotency.prepare(database)
    finally:
        client.close()


def _version() -> str:
    """Return the distribution's version; a checkout that nobody installed has none."""
    try:
        return version("teaching-partnership")
    except PackageNotFoundError:
        return "0+checkout"


PARTS = Parts(
    settings=settings,
    web_app="services.enrolment.bootstrap:web_app",
    prepare=prepare,
    relay=build_relay_part,
    consume=build_reader_part,
    worker=build_worker,
)
