"""Files of nominations over HTTP: sent, checked, confirmed; their rows, errors and templates; the column mapping."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from services.enrolment.api import downloads
from services.enrolment.api import upload_representations as show
from services.enrolment.api.rooms import books, desk, rooms
from services.enrolment.api.schemas import NOTHING_IN
from services.enrolment.api.upload_schemas import (
    FIELD_GUIDE_OUT,
    MAPPING,
    PREVIEW_ASKED,
    PREVIEW_OUT,
    ROWS_ASKED,
    UPLOAD_ASKED,
    UPLOAD_OUT,
    UPLOAD_ROW_OUT,
    UPLOAD_WITHDRAWAL_OUT,
)
from services.enrolment.application import field_guide, queries, upload_handlers
from services.enrolment.application.column_mappings import document_of, mapping_for, mapping_from
from services.enrolment.application.column_preview import preview
from services.enrolment.application.uploads import DELTA, Upload
from services.enrolment.domain.decisions import REFUSED
from services.enrolment.domain.errors import FileTooLarge, NoSuchThing, WrongFileType
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.text_files import MOST_BYTES, MOST_ROWS
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    conditional,
    current_principal,
    etag_of,
    if_match,
    keep_content,
    load,
    page_of,
    paged,
    query,
    read,
    refuses,
    returns,
    scope,
    transact,
    uploaded,
    uploads,
)
from shared.http.errors import HttpRefusal, WrongMediaType
from shared.storage.unit_of_work import Reading, Work

upload_routes = Routes("enrolment-uploads", description="Files of nominations: send, look, confirm.")

_UPLOADS = "/v1/organisations/<org>/enrolment-uploads"
_UPLOAD = f"{_UPLOADS}/<upload_id>"
_TYPES = (
    "application/octet-stream",
    "text/csv",
    "text/tab-separated-values",
    "text/plain",
    "application/x-ndjson",
    "application/ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/zip",
)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TooLarge(HttpRefusal):
    """The file is larger than one upload may be."""

    slug = "upload-too-large"
    status = 413


@upload_routes.post(_UPLOADS)
@scope("uploads.create")
@uploads(*_TYPES, most_bytes=MOST_BYTES)
@asks(UPLOAD_ASKED)
@returns(200, UPLOAD_OUT, description="this very file is being worked on already")
@returns(202, UPLOAD_OUT)
@refuses(413, f"more than {MOST_BYTES // 2**20} MiB or {MOST_ROWS:,} rows")
@refuses(415, "not a file of the expected type")
def send(org: str) -> Reply:
    """Send a file; its rows are checked by and by, and nothing is taken before it is confirmed."""
    asked = query(UPLOAD_ASKED)
    file = uploaded()
    filename = asked.get("filename") or file.filename or "upload.csv"
    read_file = rooms().read_file
    sending = upload_handlers.declared(
        asked.get("mode", DELTA),
        course=asked.get("course"),
        intake=asked.get("intake"),
        reason=asked.get("withdrawal_reason"),
        by=current_principal().subject,
    )
    content_id = keep_content(org, file.content)

    def change(work: Work) -> Reply:
        at = desk(work)
        try:
            mapping = mapping_for(_declared(at.organisation, work), filename, asked.get("charset"))
            upload_handlers.refuse_at_the_door(file.content, mapping, read_file)
            upload_handlers.refuse_half_a_snapshot(file.content, mapping, sending, rooms().says_delta)
            upload, is_new = upload_handlers.receive(at, file.content, content_id, filename, mapping, sending)
        except FileTooLarge as error:
            raise TooLarge(error.detail, faults=error.faults) from error
        except WrongFileType as error:
            raise WrongMediaType(error.detail, faults=error.faults) from error
        where = f"/v1/organisations/{org}/enrolment-uploads/{upload.upload_id}"
        return Reply(202 if is_new else 200, show.upload(upload, is_new=is_new), location=where)

    return transact(org, change)


@upload_routes.get(_UPLOADS)
@scope("uploads.read")
@paged
@returns(200, UPLOAD_OUT)
def list_uploads(org: str) -> Reply:
    """Read every file that was sent, oldest first."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).uploads.page(page.after, page.fetch), lambda upload: upload.upload_id, show.upload
        ),
    )


@upload_routes.get(f"{_UPLOADS}/template.csv")
@scope("uploads.create")
@returns(200, content_type="text/csv")
def template_csv(org: str) -> Reply:
    """Take an empty CSV file under one's own headings."""

    def answer(reading: Reading) -> Reply:
        content = downloads.template_csv(_declared(org, reading) or FileMapping())
        return Reply(200, raw=content, content_type="text/csv", filename="nominations.csv")

    return read(org, answer)


@upload_routes.get(f"{_UPLOADS}/template.xlsx")
@scope("uploads.create")
@returns(200, content_type=_XLSX)
def template_xlsx(org: str) -> Reply:
    """Take an empty sheet under one's own headings."""

    def answer(reading: Reading) -> Reply:
        mapping = _declared(org, reading) or FileMapping()
        content = downloads.template_xlsx(mapping, field_guide.guide(books(reading), mapping))
        return Reply(200, raw=content, content_type=_XLSX, filename="nominations.xlsx")

    return read(org, answer)


@upload_routes.get(f"{_UPLOADS}/field-guide")
@scope("uploads.create")
@returns(200, FIELD_GUIDE_OUT)
def read_field_guide(org: str) -> Reply:
    """Read what each column may say, under one's own headings, with the courses and intakes of today."""

    def answer(reading: Reading) -> Reply:
        found = field_guide.guide(books(reading), _declared(org, reading) or FileMapping())
        return Reply(200, {"columns": [msgspec.to_builtins(entry) for entry in found]})

    return read(org, answer)


@upload_routes.get(_UPLOAD)
@scope("uploads.read")
@returns(200, UPLOAD_OUT)
def read_upload(org: str, upload_id: str) -> Reply:
    """See how far a file is, and what became of its rows."""
    return read(org, lambda reading: Reply(200, show.upload(_upload(reading, upload_id))))


@upload_routes.get(f"{_UPLOAD}/rows")
@scope("uploads.read")
@asks(ROWS_ASKED)
@paged
@returns(200, UPLOAD_ROW_OUT)
def read_rows(org: str, upload_id: str) -> Reply:
    """Read the rows in file order, with what was decided."""
    page = page_of()
    wanted = query(ROWS_ASKED).get("decision")
    first = int(page.after) + 1 if page.after is not None else 0

    def answer(reading: Reading) -> Reply:
        rows = queries.upload_rows(books(reading), _upload(reading, upload_id), first, page.fetch, wanted)
        return page.reply(rows, lambda row: str(row.index), show.upload_row)

    return read(org, answer)


@upload_routes.get(f"{_UPLOAD}/withdrawals")
@scope("uploads.read")
@paged
@returns(200, UPLOAD_WITHDRAWAL_OUT)
def read_withdrawals(org: str, upload_id: str) -> Reply:
    """Read who is withdrawn when the file is confirmed: known before anybody does."""
    page = page_of()
    first = int(page.after) + 1 if page.after is not None else 0

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        _upload(reading, upload_id)
        listed = at.uploads.withdrawals(upload_id, first, page.fetch)
        return page.reply(
            listed,
            lambda each: str(each.index),
            lambda each: show.upload_withdrawal(each, at.enrolments.find(each.enrolment_id)),
        )

    return read(org, answer)


@upload_routes.get(f"{_UPLOAD}/errors.csv")
@scope("uploads.read")
@returns(200, content_type="text/csv")
def errors_csv(org: str, upload_id: str) -> Reply:
    """Take the refused rows only, under one's own headings, with the message in the cell."""

    def answer(reading: Reading) -> Reply:
        upload = _upload(reading, upload_id)
        refused = queries.rows_of(books(reading), upload_id, REFUSED)
        content = downloads.errors_csv(refused, upload.mapping)
        return Reply(200, raw=content, content_type="text/csv", filename="errors.csv")

    return read(org, answer)


@upload_routes.post(f"{_UPLOAD}/confirm")
@scope("uploads.confirm")
@accepts(NOTHING_IN)
@returns(202, UPLOAD_OUT)
@refuses(409, "the file is still being checked, could not be read, or would withdraw many and needs a second person")
def confirm(org: str, upload_id: str) -> Reply:
    """Have the good rows taken and the listed enrolments withdrawn; confirming twice is confirming once.

    A snapshot that would withdraw more than 10 % or more than 20 of its scope is confirmed by somebody else than the
    one who sent it.
    """
    load(NOTHING_IN)
    by = current_principal().subject
    return transact(org, lambda work: Reply(202, show.upload(upload_handlers.confirm(desk(work), upload_id, by))))


@upload_routes.delete(_UPLOAD)
@scope("uploads.remove")
@returns(204)
@refuses(409, "the file was confirmed")
def remove(org: str, upload_id: str) -> Reply:
    """Forget a file that was not confirmed."""

    def change(work: Work) -> Reply:
        upload_handlers.remove(desk(work), upload_id)
        return Reply(204)

    return transact(org, change)


@upload_routes.get("/v1/organisations/<org>/column-mapping")
@scope("column-mapping.read")
@returns(200, MAPPING, etag=True)
def read_mapping(org: str) -> Reply:
    """Read how one's own files are read: as set here, else as the partnership file says."""

    def answer(reading: Reading) -> Reply:
        own = books(reading).mappings.find()
        declared = _declared(org, reading) or FileMapping(format="csv")
        return Reply(200, document_of(declared), etag=etag_of(own[1] if own else 0))

    return read(org, answer)


@upload_routes.put("/v1/organisations/<org>/column-mapping")
@scope("column-mapping.set")
@accepts(MAPPING)
@conditional
@returns(200, MAPPING, etag=True)
def set_mapping(org: str) -> Reply:
    """Set how one's own files are read, from the next file on."""
    wanted = mapping_from(load(MAPPING))

    def change(work: Work) -> Reply:
        at = desk(work)
        own = at.mappings.find()
        if_match(etag_of(own[1] if own else 0), is_default=own is None)
        work.silent("how an employer's files are read is its own affair")
        version = at.mappings.save(wanted, own[1] if own else 0)
        return Reply(200, document_of(wanted), etag=etag_of(version))

    return transact(org, change)


@upload_routes.post("/v1/organisations/<org>/column-mapping/preview")
@scope("column-mapping.set")
@uploads(*_TYPES, most_bytes=MOST_BYTES)
@asks(PREVIEW_ASKED)
@returns(200, PREVIEW_OUT)
@refuses(415, "not a file of the expected type")
def preview_mapping(org: str) -> Reply:
    """See what a file holds under one's own mapping, and what is suggested for the rest; nothing is kept."""
    asked = query(PREVIEW_ASKED)
    file = uploaded()
    filename = asked.get("filename") or file.filename or "upload.csv"
    open_table = rooms().open_table

    def answer(reading: Reading) -> Reply:
        declared = _declared(org, reading)
        if asked.get("charset"):
            declared = replace(declared or FileMapping(), encoding=asked["charset"])
        try:
            found = preview(books(reading), file.content, filename, open_table, declared)
        except WrongFileType as error:
            raise WrongMediaType(error.detail, faults=error.faults) from error
        return Reply(200, show.preview(found))

    return read(org, answer)


def _upload(reading: Reading, upload_id: str) -> Upload:
    found = books(reading).uploads.find(upload_id)
    if found is None:
        raise NoSuchThing("no such upload")
    return found


def _declared(org: str, reading: Reading) -> FileMapping | None:
    return queries.declared_mapping(books(reading), rooms().mappings.get(org))
