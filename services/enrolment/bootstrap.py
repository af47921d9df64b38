"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.enrolment.application.deadlines import DeadlineWorker
from services.enrolment.application.erasure import who_answers
from services.enrolment.application.match_worker import MatchWorker
from services.enrolment.application.notices import NoticeWorker
from services.enrolment.application.queue_worker import QUEUE_SECONDS, QueueWorker
from services.enrolment.application.register_worker import RegisterWorker
from services.enrolment.application.rights_worker import RightsWorker
from services.enrolment.application.timers import Timer
from services.enrolment.application.upload_worker import UploadWorker
from services.enrolment.domain.mapping import FileMapping, SplitName
from services.enrolment.messaging import consumed
from services.enrolment.messaging.intake import IntakeDoor
from services.enrolment.messaging.published import outgoing
from services.enrolment.settings import SERVICE, EnrolmentSettings, settings
from services.enrolment.storage import indexes
from services.enrolment.storage.books import Opener
from shared import assembly
from shared.identity import Pseudonyms
from shared.mail import SmtpPost
from shared.partnership import ColumnMapping, Partnership
from shared.process.run import Parts
from shared.storage.mongo import Client, answers, connect
from shared.storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from flask import Flask

    from shared.events.reader import Reader

EMPLOYER = "employer"
DEADLINE_SECONDS = 60.0
NOTICE_SECONDS = 60.0
RIGHTS_SECONDS = 1.0
REGISTER_SECONDS = 5.0
MATCH_SECONDS = 2.0


def opener(given: EnrolmentSettings) -> Opener:
    """Return what opens the books, with this instance's keys for opaque ids."""
    pseudonyms = Pseudonyms(given.organisation_keys_dir)
    kinds = {slug: organisation.kind for slug, organisation in given.partnership().organisations.items()}
    return Opener(lambda organisation, reference: pseudonyms.of(organisation, "person", reference), outgoing, kinds)


def hosted_employers(given: EnrolmentSettings, partnership: Partnership) -> tuple[str, ...]:
    """Return the hosted employers: they have uploads and an intake topic."""
    return tuple(slug for slug in given.hosted(partnership) if partnership.has_role(slug, EMPLOYER))


def unit_of_work(given: EnrolmentSettings, client: Client) -> UnitOfWork:
    """Return the transactions of this service."""
    return assembly.unit_of_work(SERVICE, given, client)


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
    from services.enrolment.api import downloads, nomination_files
    from services.enrolment.api.advice_routes import advice_routes
    from services.enrolment.api.cohort_routes import cohort_routes
    from services.enrolment.api.course_routes import course_routes
    from services.enrolment.api.duplicate_routes import duplicate_routes
    from services.enrolment.api.entitlement_routes import entitlement_routes
    from services.enrolment.api.lifecycle_routes import lifecycle_routes
    from services.enrolment.api.practitioner_routes import practitioner_routes
    from services.enrolment.api.programme_routes import programme_routes
    from services.enrolment.api.register_routes import register_routes
    from services.enrolment.api.rights_routes import rights_routes
    from services.enrolment.api.rooms import EXTENSION, Rooms
    from services.enrolment.api.routes import enrolment_routes
    from services.enrolment.api.session_routes import session_routes
    from services.enrolment.api.task_routes import task_routes
    from services.enrolment.api.transfer_routes import transfer_routes
    from services.enrolment.api.upload_routes import upload_routes
    from services.enrolment.storage.files import open_table, read_file, says_delta
    from services.enrolment.web import rooms as pages_rooms
    from services.enrolment.web.all_pages import ALL_PAGES
    from services.enrolment.web.look import LOOK
    from shared.web import WebRoom

    doors = opener(given)
    blueprints = (
        advice_routes,
        cohort_routes,
        course_routes,
        duplicate_routes,
        enrolment_routes,
        entitlement_routes,
        lifecycle_routes,
        practitioner_routes,
        register_routes,
        programme_routes,
        rights_routes,
        session_routes,
        task_routes,
        transfer_routes,
        upload_routes,
    )
    app = assembly.make_app(SERVICE, given, client, title="Enrolment", blueprints=blueprints)
    mappings = file_mappings(given.partnership())
    app.extensions[EXTENSION] = Rooms(doors.books, doors.desk, read_file, mappings, open_table, says_delta)
    app.extensions[pages_rooms.EXTENSION] = pages_rooms.PageRooms(
        doors.books, doors.desk, read_file, mappings, open_table, says_delta, downloads, nomination_files
    )
    WebRoom(LOOK, ALL_PAGES).install(app, given)
    return app


def notice_worker(given: EnrolmentSettings, unit: UnitOfWork) -> NoticeWorker:
    """Return what sends the digests of tasks; without a mail server it does nothing."""
    server, doors = given.smtp_server(), opener(given)
    return NoticeWorker(
        unit,
        assembly.hosted_owners(SERVICE, given, given.partnership()),
        open_books=doors.books,
        open_desk=doors.desk,
        post=SmtpPost(server) if server else None,
        sender=given.mail_from,
        link=lambda _organisation: given.public_url,
    )


def rights_worker(given: EnrolmentSettings, unit: UnitOfWork) -> RightsWorker:
    """Return what carries out erasures and lets go of what is too old."""
    doors, partnership = opener(given), given.partnership()
    return RightsWorker(
        unit,
        hosted_employers(given, partnership),
        open_books=doors.books,
        open_desk=doors.desk,
        expected=lambda employer: who_answers(partnership, employer),
    )


def register_worker(given: EnrolmentSettings, unit: UnitOfWork) -> RegisterWorker:
    """Return what finishes register checks whose request died."""
    doors = opener(given)
    employers = hosted_employers(given, given.partnership())
    return RegisterWorker(unit, employers, open_books=doors.books, open_desk=doors.desk)


def match_worker(given: EnrolmentSettings, unit: UnitOfWork) -> MatchWorker:
    """Return what looks for records that may be one person."""
    doors = opener(given)
    employers = hosted_employers(given, given.partnership())
    return MatchWorker(unit, employers, open_books=doors.books, open_desk=doors.desk)


def deadline_worker(given: EnrolmentSettings, unit: UnitOfWork) -> DeadlineWorker:
    """Return what gives back offered seats and places on their way when their last day is over."""
    doors = opener(given)
    owners = assembly.hosted_owners(SERVICE, given, given.partnership())
    return DeadlineWorker(unit, owners, open_books=doors.books, open_desk=doors.desk)


def queue_worker(given: EnrolmentSettings, unit: UnitOfWork) -> QueueWorker:
    """Return what promotes the rest of a long queue."""
    partnership, doors = given.partnership(), opener(given)
    leads = [slug for slug in given.hosted(partnership) if partnership.has_role(slug, "programme_lead")]
    return QueueWorker(unit, leads, open_books=doors.books, open_desk=doors.desk)


def build_worker(given: EnrolmentSettings) -> UploadWorker:
    """Return the worker that brings uploaded files forward, and sends the day's notices beside it."""
    from services.enrolment.storage.files import read_file

    client = connect(given.mongodb_uri, appname=f"{SERVICE}-worker")
    doors = opener(given)
    unit = unit_of_work(given, client)
    return UploadWorker(
        unit,
        hosted_employers(given, given.partnership()),
        open_books=doors.books,
        open_desk=doors.desk,
        read_file=read_file,
        close=client.close,
        answers=lambda: answers(client),
        timers=[
            Timer(NOTICE_SECONDS, notice_worker(given, unit).work_once),
            Timer(RIGHTS_SECONDS, rights_worker(given, unit).work_once),
            Timer(REGISTER_SECONDS, register_worker(given, unit).work_once),
            Timer(MATCH_SECONDS, match_worker(given, unit).work_once),
            Timer(QUEUE_SECONDS, queue_worker(given, unit).work_once),
            Timer(DEADLINE_SECONDS, deadline_worker(given, unit).work_once),
        ],
    )


def build_relay_part(given: EnrolmentSettings) -> assembly.RelayPart:
    """Return the process that sends the hosted feeds: `org` of every owner, `out` of every employer."""
    return assembly.RelayPart(SERVICE, given, private=hosted_employers(given, given.partnership()))


def build_reader_part(given: EnrolmentSettings) -> Reader:
    """Return the process that reads everybody's enrolment feeds and the hosted employers' intake topics."""
    doors = opener(given)
    subscriptions = consumed.subscriptions(doors.desk)
    intake = IntakeDoor(doors.desk)
    return assembly.make_reader(SERVICE, given, subscriptions, consumed.IGNORED, consumed.FEEDS, intake=intake)


def prepare(given: EnrolmentSettings) -> None:
    """Make the indexes of every hosted owner's database; again changes nothing."""
    assembly.prepare_databases(SERVICE, given, indexes.prepare)


def check(given: EnrolmentSettings, part: str) -> None:
    """Refuse to start a part on settings or a database that would not keep what people rely on."""
    assembly.check_start(SERVICE, given, part, indexes.prepare)


PARTS = Parts(
    settings=settings,
    web_app="services.enrolment.bootstrap:web_app",
    prepare=prepare,
    relay=build_relay_part,
    consume=build_reader_part,
    worker=build_worker,
    check=check,
)
