"""Sending a file: how it is done, templates and the field guide, the form, and the list of past files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from flask import Response, make_response, request

from services.enrolment.application import field_guide, mapping_drafts, upload_handlers, uploads
from services.enrolment.application.column_mappings import mapping_for
from services.enrolment.application.field_guide import GuideEntry
from services.enrolment.application.uploads import NOTHING_DECLARED, Sending, Upload, UploadRow
from services.enrolment.domain.enrolment_parts import REASONS
from services.enrolment.domain.errors import FileTooLarge, NoSuchThing, UnreadableFile
from services.enrolment.domain.field_list import MANDATORY
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import Record
from services.enrolment.domain.text_files import MOST_BYTES, MOST_ROWS
from services.enrolment.web import upload_wording as wording
from services.enrolment.web.enrolment_wording import REASONS as REASON_WORDS
from services.enrolment.web.rooms import books, declared_mapping, desk, rooms
from shared.http import Choice, StrictSchema, Text, keep_content
from shared.storage.unit_of_work import Reading, Work
from shared.web import FieldError, Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

upload_pages = PageRoutes("upload_pages", __name__)

ACCEPTED_ENDINGS: Final = ".csv,.tsv,.txt,.xlsx,.xls,.ods,.ndjson,.jsonl,.zip"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN_FILES: Final = 25
_TOGETHER: Final = {
    uploads.CHECKING: (uploads.CHECKING, uploads.COMPARING),
    uploads.CONFIRMING: (uploads.CONFIRMING, uploads.WITHDRAWING),
}
"""States that are one to people."""
_TEXTS: Final = {"mode": "Say whether the file is a complete list"}


class UploadForm(StrictSchema):
    """What the sender declares of a file; `cohort` is `course|intake`, absent for all that the file names."""

    mode = Choice(uploads.MODES, required=True)
    cohort = Text(longest=140)
    withdrawal_reason = Choice(REASONS)


UPLOAD_FORM: Final = UploadForm()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file is taken in: read by `mapping`, or kept until somebody says what its columns are."""

    mapping: FileMapping
    is_draft: bool = False


@upload_pages.show("/uploads", "uploads.read")
def uploads_list() -> Page:
    """Show the files that were sent, latest first."""
    state, before = request.args.get("state", ""), request.args.get("before") or None
    states = _TOGETHER.get(state, (state,) if state in uploads.STATES else uploads.STATES)

    def answer(reading: Reading) -> Page:
        found = books(reading).uploads.latest(before, SHOWN_FILES + 1, states)
        shown = found[:SHOWN_FILES]
        more = f"/uploads?state={state}&before={shown[-1].upload_id}" if len(found) > SHOWN_FILES else None
        form = blank(state=state)
        return page("uploads/list.html", files=shown, wording=wording, form=form, more=more, is_first=before is None)

    return page_read(answer)


@upload_pages.show("/uploads/start", "uploads.create")
def start() -> Page:
    """Say how a file is sent, in steps."""

    def answer(reading: Reading) -> Page:
        mapping, guide = _guide(reading)
        needed = [entry for entry in guide if entry.need == MANDATORY]
        return page(
            "uploads/start.html",
            guide=guide,
            needed=needed,
            mapping=mapping,
            most_rows=MOST_ROWS,
            has_csv=mapping.format in (None, "csv", "tsv"),
            has_sheet=mapping.format in (None, "xlsx"),
            has_example=_has_example(mapping),
        )

    return page_read(answer)


@upload_pages.show("/uploads/guide", "uploads.create")
def guide() -> Page:
    """Show what each column may say."""
    return page_read(lambda reading: page("uploads/guide.html", guide=_guide(reading)[1]))


@upload_pages.show("/uploads/template.csv", "uploads.create")
def template_csv() -> Response:
    """Give an empty text file."""
    content = page_read(lambda reading: rooms().downloads.template_csv(_guide(reading)[0]))
    return as_file(content, "text/csv; charset=utf-8", "nominations.csv")


@upload_pages.show("/uploads/template.xlsx", "uploads.create")
def template_xlsx() -> Response:
    """Give an empty sheet with drop-downs."""
    content = page_read(lambda reading: rooms().downloads.template_xlsx(*_guide(reading)))
    return as_file(content, XLSX, "nominations.xlsx")


@upload_pages.show("/uploads/example.csv", "uploads.create")
def example_csv() -> Response:
    """Give a text file with one made-up row."""

    def answer(reading: Reading) -> bytes:
        mapping, entries = _guide(reading)
        if not _has_example(mapping):
            raise NoSuchThing("no example of files like yours")
        cells = {entry.name: entry.example for entry in entries}
        row = UploadRow("", 0, 2, Record(), (), "", (), "", "", cells)
        return rooms().downloads.errors_csv([row], mapping)

    return as_file(page_read(answer), "text/csv; charset=utf-8", "example.csv")


@upload_pages.show("/uploads/new", "uploads.create")
def new() -> Page:
    """Ask for a file."""
    return _form_page(blank())


@upload_pages.act("/uploads/new", "uploads.create", most_bytes=MOST_BYTES)
def send() -> Page | Response:
    """Take a file in: to be checked, or to be mapped where nobody knows its headings."""
    form, filename, content = _sent()
    if form.errors:
        return _form_page(form)
    sending = _sending(form)
    try:
        plan = page_read(lambda reading: _plan(reading, content, filename))
        if not plan.is_draft:
            upload_handlers.refuse_half_a_snapshot(content, plan.mapping, sending, rooms().says_delta)
    except UnreadableFile as refusal:
        return _form_page(_first(form, wording.file_refused(refusal)), filename)
    content_id = keep_content(who_asks().organisation, content)

    def change(work: Work) -> str:
        at = desk(work)
        if plan.is_draft:
            kept = mapping_drafts.keep_unmapped(at, content, content_id, filename, plan.mapping, sending)
            return f"/uploads/{kept.upload_id}"
        upload, is_new = upload_handlers.receive(at, content, content_id, filename, plan.mapping, sending)
        return f"/uploads/{upload.upload_id}" if is_new else f"/uploads/{upload.upload_id}?again=yes"

    try:
        return page_transact(change)
    except NoSuchThing as refusal:
        return _form_page(form.with_error("cohort", wording.sentence(refusal.detail)))


def _sent() -> tuple[Form, str, bytes]:
    """Return the form, and the name and content of its file; without one the form says so first."""
    form = submitted(UPLOAD_FORM, _TEXTS)
    file = request.files.get("file")
    content = file.read() if file is not None else b""
    filename = (file.filename if file is not None else None) or ""
    if not filename:
        form = _first(form, "Select a file")
    elif not content.strip():
        form = _first(form, "The selected file is empty. Select a file with headings and rows")
    return form, filename, content


def as_file(content: bytes, content_type: str, filename: str) -> Response:
    """Return a file to take away."""
    response = make_response(content)
    response.headers["Content-Type"] = content_type
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def read_by(content: bytes, mapping: FileMapping) -> None:
    """Read the beginning of a file, all of it where it is small.

    Raises:
        UnreadableFile: It is not what the mapping says.
    """
    next(iter(rooms().read_file(content, mapping)), None)
    upload_handlers.refuse_at_the_door(content, mapping, rooms().read_file)


def uploaded_before(reading: Reading, upload: Upload) -> Upload | None:
    """Return the same file as it was sent before."""
    return books(reading).uploads.find(upload.same_as) if upload.same_as else None


def _plan(reading: Reading, content: bytes, filename: str) -> Plan:
    """Return how a file is to be read.

    Raises:
        UnreadableFile: It cannot be, whatever its columns mean.
    """
    declared = declared_mapping(who_asks().organisation, reading)
    mapping: FileMapping | None = None
    try:
        mapping = mapping_for(declared, filename)
        read_by(content, mapping)
    except FileTooLarge:
        raise
    except UnreadableFile:
        at, expected = books(reading), mapping or FileMapping()
        draft = mapping_drafts.draft_of(at, content, filename, rooms().open_table, declared, expected)
        if draft is None:
            raise
        return Plan(draft, is_draft=True)
    return Plan(mapping)


def _sending(form: Form) -> Sending:
    is_snapshot = form.values["mode"] == uploads.SNAPSHOT
    course, _, intake = form.values.get("cohort", "").partition("|")
    has_cohort = is_snapshot and bool(course and intake)
    return upload_handlers.declared(
        form.values["mode"],
        course=course if has_cohort else None,
        intake=intake if has_cohort else None,
        reason=form.values.get("withdrawal_reason") if is_snapshot else None,
        by=who_asks().subject,
    )


def _form_page(form: Form, filename: str = "") -> Page:
    def answer(reading: Reading) -> Page:
        courses = books(reading).catalogue.courses()
        cohorts = [
            (f"{code}|{intake}", f"{code}, intake {intake}")
            for code, course in sorted(courses.items())
            for intake in sorted(course.cohorts)
        ]
        reasons = [
            (reason, REASON_WORDS.get(reason, reason)) for reason in REASONS if reason != NOTHING_DECLARED.reason
        ]
        return page(
            "uploads/new.html",
            form=form,
            cohorts=cohorts,
            reasons=reasons,
            endings=ACCEPTED_ENDINGS,
            most_rows=MOST_ROWS,
            most_megabytes=MOST_BYTES // 2**20,
            filename=filename,
        )

    return page_read(answer)


def _first(form: Form, text: str) -> Form:
    return replace(form, errors=(FieldError("file", text), *form.errors))


def _guide(reading: Reading) -> tuple[FileMapping, list[GuideEntry]]:
    mapping = declared_mapping(who_asks().organisation, reading) or FileMapping()
    return mapping, field_guide.guide(books(reading), mapping)


def _has_example(mapping: FileMapping) -> bool:
    return mapping.format in (None, "csv", "tsv") and mapping.heading_row == 1
