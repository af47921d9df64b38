"""One uploaded file: how far it is, what was found, its errors, who would be withdrawn, confirming and cancelling."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from services.enrolment.application import queries, upload_handlers, uploads
from services.enrolment.application.column_preview import preview
from services.enrolment.application.uploads import NOTHING_DECLARED, Upload
from services.enrolment.domain.decisions import ACCEPTED, REFUSED
from services.enrolment.domain.errors import NoSuchThing, UnreadableFile, WrongState
from services.enrolment.web import upload_wording as wording
from services.enrolment.web.enrolment_wording import REASONS as REASON_WORDS
from services.enrolment.web.rooms import books, declared_mapping, desk, rooms
from services.enrolment.web.upload_pages import as_file, uploaded_before
from services.enrolment.web.upload_showing import error_table, layout_words, row_cells, withdrawal_rows
from shared.http import kept_content
from shared.storage.unit_of_work import Reading, Work
from shared.web import Form, Page, PageRoutes, page, page_read, page_transact, see_other, who_asks

upload_job_pages = PageRoutes("upload_job_pages", __name__)

SHOWN_ERRORS: Final = 100
SHOWN_ROWS: Final = 100
_MOST_DIGITS: Final = 8
_WAITING: Final = {
    uploads.CHECKING: ("is being checked", "rows checked", "Nothing is added before you confirm it."),
    uploads.COMPARING: ("is being compared with your enrolments", "", "Nothing is changed before you confirm it."),
    uploads.CONFIRMING: ("is being added", "rows added", "You can close this page: it goes on by itself."),
    uploads.WITHDRAWING: ("is being added", "withdrawals made", "You can close this page: it goes on by itself."),
}


@upload_job_pages.show("/uploads/<upload_id>", "uploads.read")
def job(upload_id: str) -> Page:
    """Show how far a file is and what is to do next."""

    def answer(reading: Reading) -> Page:
        upload = find(reading, upload_id)
        if upload.state == uploads.MAPPING:
            return _unknown(reading, upload)
        if upload.state in _WAITING:
            words, what, note = _WAITING[upload.state]
            total = upload.to_withdraw if upload.state == uploads.WITHDRAWING else upload.total
            looks_again = request.args.get("refresh") == "on"
            return page(
                "uploads/pending.html",
                upload=upload,
                words=words,
                what=what,
                note=note,
                total=total,
                looks_again=looks_again,
            )
        if upload.state == uploads.FAILED:
            return page("uploads/failed.html", upload=upload, sentence=wording.sentence(upload.fault or ""))
        if upload.state == uploads.COMPLETED:
            return page("uploads/done.html", upload=upload, wording=wording)
        return _summary(reading, upload)

    return page_read(answer)


@upload_job_pages.show("/uploads/<upload_id>/errors", "uploads.read")
def errors(upload_id: str) -> Page:
    """Show the rows with errors, the message in the cell."""

    def answer(reading: Reading) -> Page:
        upload = find(reading, upload_id)
        rows = books(reading).uploads.rows(upload_id, 0, SHOWN_ERRORS, REFUSED)
        total = upload.counts.get(REFUSED, 0)
        kinds = [wording.to_fix(each) for each in upload.fault_counts]
        return page("uploads/errors.html", upload=upload, shown=error_table(rows, upload), total=total, kinds=kinds)

    return page_read(answer)


@upload_job_pages.show("/uploads/<upload_id>/errors.csv", "uploads.read")
def errors_csv(upload_id: str) -> Response:
    """Give the rows with errors under one's own headings."""

    def answer(reading: Reading) -> bytes:
        upload = find(reading, upload_id)
        return rooms().downloads.errors_csv(queries.rows_of(books(reading), upload_id, REFUSED), upload.mapping)

    return as_file(page_read(answer), "text/csv; charset=utf-8", "errors.csv")


@upload_job_pages.show("/uploads/<upload_id>/rows", "uploads.read")
def rows(upload_id: str) -> Page:
    """Show every row and what became of it."""
    first = _after()

    def answer(reading: Reading) -> Page:
        upload = find(reading, upload_id)
        found = books(reading).uploads.rows(upload_id, first, SHOWN_ROWS)
        is_last = not found or found[-1].index + 1 >= upload.total
        more = None if is_last else f"/uploads/{upload_id}/rows?after={found[-1].index}"
        return page("uploads/rows.html", upload=upload, cells=[row_cells(row, upload) for row in found], more=more)

    return page_read(answer)


@upload_job_pages.show("/uploads/<upload_id>/withdrawals", "uploads.read")
def withdrawals(upload_id: str) -> Page:
    """Show who is withdrawn when the file is confirmed."""
    first = _after()

    def answer(reading: Reading) -> Page:
        upload, at = find(reading, upload_id), books(reading)
        listed = at.uploads.withdrawals(upload_id, first, SHOWN_ROWS)
        cells = withdrawal_rows(at, listed)
        is_last = not listed or listed[-1].index + 1 >= upload.to_withdraw
        more = None if is_last else f"/uploads/{upload_id}/withdrawals?after={listed[-1].index}"
        return page("uploads/withdrawals.html", upload=upload, cells=cells, more=more)

    return page_read(answer)


@upload_job_pages.show("/uploads/<upload_id>/confirm", "uploads.confirm")
def check_answers(upload_id: str) -> Page | Response:
    """Show once more what will happen."""

    def answer(reading: Reading) -> Page | Response:
        upload = find(reading, upload_id)
        if upload.state not in (uploads.CHECKED, uploads.HELD) or not can_confirm(upload):
            return see_other(f"/uploads/{upload_id}")
        return _confirm_page(upload)

    return page_read(answer)


@upload_job_pages.act("/uploads/<upload_id>/confirm", "uploads.confirm")
def confirm(upload_id: str) -> Page | Response:
    """Have the good rows taken."""

    def change(work: Work) -> str:
        upload_handlers.confirm(desk(work), upload_id, who_asks().subject)
        return f"/uploads/{upload_id}"

    try:
        return page_transact(change)
    except WrongState as refusal:
        form = Form().with_error("", wording.sentence(refusal.detail))
        return page_read(lambda reading: _confirm_page(find(reading, upload_id), form))


@upload_job_pages.show("/uploads/<upload_id>/cancel", "uploads.remove")
def ask_to_cancel(upload_id: str) -> Page | Response:
    """Ask whether the file is to be forgotten."""

    def answer(reading: Reading) -> Page | Response:
        upload = find(reading, upload_id)
        if upload.state in uploads.CONFIRMED_STATES:
            return see_other(f"/uploads/{upload_id}")
        return page("uploads/cancel.html", upload=upload)

    return page_read(answer)


@upload_job_pages.act("/uploads/<upload_id>/cancel", "uploads.remove")
def cancel(upload_id: str) -> Response:
    """Have a file forgotten."""

    def change(work: Work) -> str:
        upload_handlers.remove(desk(work), upload_id)
        return "/uploads"

    return page_transact(change)


def find(reading: Reading, upload_id: str) -> Upload:
    """Return a file's job.

    Raises:
        NoSuchThing: There is none of that id in this organisation.
    """
    found = books(reading).uploads.find(upload_id)
    if found is None:
        raise NoSuchThing("We do not have this file. It may have been cancelled.")
    return found


def needs_second_person(upload: Upload) -> bool:
    """Return whether the viewer is the one who cannot confirm this file."""
    return upload.state == uploads.HELD and who_asks().subject == upload.sending.by


def can_confirm(upload: Upload) -> bool:
    """Return whether there is anything to confirm, and the viewer may."""
    has_something = bool(upload.counts.get(ACCEPTED) or upload.to_withdraw)
    return has_something and not needs_second_person(upload)


def _after() -> int:
    """Return the index of the first row that is asked for."""
    asked = request.args.get("after", "")
    return int(asked) + 1 if asked.isascii() and asked.isdigit() and len(asked) <= _MOST_DIGITS else 0


def _summary(reading: Reading, upload: Upload) -> Page:
    before = uploaded_before(reading, upload)
    return page(
        "uploads/summary.html",
        upload=upload,
        wording=wording,
        kinds=[wording.to_fix(each) for each in upload.fault_counts],
        before=before,
        is_again="again" in request.args,
        waits_for_second=needs_second_person(upload),
        is_held=upload.state == uploads.HELD,
        can_confirm=can_confirm(upload),
    )


def _confirm_page(upload: Upload, form: Form | None = None) -> Page:
    is_stated = upload.sending.reason != NOTHING_DECLARED.reason
    reason = REASON_WORDS.get(upload.sending.reason, upload.sending.reason) if is_stated else "Not stated"
    return page("uploads/confirm.html", upload=upload, wording=wording, reason=reason, form=form)


def _unknown(reading: Reading, upload: Upload) -> Page:
    """Show that the headings of a file are not known, and the two ways on."""
    organisation = who_asks().organisation
    expected = declared_mapping(organisation, reading)
    content = kept_content(organisation, upload.content_id)
    try:
        found = preview(books(reading), content, upload.filename, rooms().open_table, upload.mapping)
    except UnreadableFile as refusal:
        return page("uploads/failed.html", upload=upload, sentence=wording.file_refused(refusal))
    headings = [each.heading for each in found.headings]
    sentence = layout_words(found, expected)
    return page("uploads/unknown.html", upload=upload, sentence=sentence, headings=headings)
