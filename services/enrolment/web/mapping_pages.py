"""A file whose headings nobody knows: what each column is, what its words mean, how its first rows are read then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response

from services.enrolment.application import mapping_drafts, uploads
from services.enrolment.application.column_preview import Preview, preview
from services.enrolment.application.ports import Books
from services.enrolment.application.uploads import Upload
from services.enrolment.domain.errors import UnreadableFile
from services.enrolment.domain.field_list import BY_NAME, COURSE, INTAKE
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.web import mapping_forms as forms
from services.enrolment.web import upload_wording as wording
from services.enrolment.web.enrolment_wording import LEVELS, ROUTES
from services.enrolment.web.rooms import books, desk, rooms
from services.enrolment.web.upload_job_pages import find
from services.enrolment.web.upload_pages import read_by
from services.enrolment.web.upload_showing import DELIMITERS, preview_table
from shared.http import kept_content
from shared.storage.unit_of_work import Reading, Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, see_other, submitted, who_asks

mapping_pages = PageRoutes("mapping_pages", __name__)

MOST_HEADING_ROW: Final = 1000
_SHOWN_EXAMPLES: Final = 3
Words = dict[str, list[tuple[str, str]]]


@mapping_pages.show("/uploads/<upload_id>/columns", "column-mapping.set")
def columns(upload_id: str) -> Page | Response:
    """Ask what each column is."""
    return _asked(upload_id, lambda upload, found, _: _columns_page(upload, found, blank(**forms.columns_shown(found))))


@mapping_pages.act("/uploads/<upload_id>/columns", "column-mapping.set")
def choose_columns(upload_id: str) -> Page | Response:
    """Keep what each column is."""
    upload, found, _ = page_read(lambda reading: _looked_at(reading, upload_id))
    form, draft = forms.columns_read(submitted(), found)
    if form.errors:
        return _columns_page(upload, found, form)
    return page_transact(lambda work: _keep(work, upload_id, draft, "values"))


@mapping_pages.act("/uploads/<upload_id>/layout", "column-mapping.set")
def choose_layout(upload_id: str) -> Page | Response:
    """Keep on which sheet and in which row the headings stand."""
    upload, found, _ = page_read(lambda reading: _looked_at(reading, upload_id))
    form = submitted()
    sheet, row = form.get("sheet"), form.get("heading_row").strip()
    is_row = row.isascii() and row.isdigit() and 1 <= int(row[:6]) <= MOST_HEADING_ROW
    shown = blank(**forms.columns_shown(found), sheet=sheet, heading_row=row)
    if not is_row or (sheet and sheet not in found.sheets):
        return _columns_page(upload, found, shown.with_error("heading_row", "Enter the number of a row, for example 3"))
    draft = mapping_drafts.with_layout(found.mapping, sheet=sheet or None, heading_row=int(row))
    try:
        page_read(lambda reading: _preview(books(reading), upload, draft))
    except UnreadableFile as refusal:
        return _columns_page(upload, found, shown.with_error("heading_row", wording.file_refused(refusal)))
    return page_transact(lambda work: _keep(work, upload_id, draft, "columns"))


@mapping_pages.show("/uploads/<upload_id>/values", "column-mapping.set")
def values(upload_id: str) -> Page | Response:
    """Ask what the words and days in the file mean."""
    return _asked(
        upload_id,
        lambda upload, found, words: _values_page(upload, found, words, blank(**forms.meanings_shown(found))),
    )


@mapping_pages.act("/uploads/<upload_id>/values", "column-mapping.set")
def choose_values(upload_id: str) -> Page | Response:
    """Keep what the words and days in the file mean."""
    upload, found, words = page_read(lambda reading: _looked_at(reading, upload_id))
    form, said = forms.meanings_read(submitted(), found, words)
    if form.errors:
        return _values_page(upload, found, words, form)
    draft = mapping_drafts.with_meanings(found.mapping, said)
    return page_transact(lambda work: _keep(work, upload_id, draft, "as-read"))


@mapping_pages.show("/uploads/<upload_id>/as-read", "column-mapping.set")
def as_read(upload_id: str) -> Page | Response:
    """Show the first rows as they are read."""
    return _asked(upload_id, lambda upload, found, _: _as_read_page(upload, found, blank(remember="yes")))


@mapping_pages.act("/uploads/<upload_id>/as-read", "column-mapping.set")
def go_on(upload_id: str) -> Page | Response:
    """Have the file checked, read as it was shown."""
    upload, found, _ = page_read(lambda reading: _looked_at(reading, upload_id))
    form = submitted()
    remember = form.get("remember")
    if remember not in ("yes", "no"):
        form = form.with_error("remember", "Say whether the next files are read like this too")
    else:
        try:
            read_by(kept_content(who_asks().organisation, upload.content_id), found.mapping)
        except UnreadableFile as refusal:
            form = form.with_error("", wording.file_refused(refusal))
    if form.errors:
        return _as_read_page(upload, found, form)

    def change(work: Work) -> str:
        mapping_drafts.start(desk(work), upload_id, found.mapping, remember=remember == "yes")
        return f"/uploads/{upload_id}"

    return page_transact(change)


def _keep(work: Work, upload_id: str, draft: FileMapping, next_page: str) -> str:
    mapping_drafts.keep_draft(desk(work), upload_id, draft)
    return f"/uploads/{upload_id}/{next_page}"


def _asked(upload_id: str, show: Callable[[Upload, Preview, Words], Page]) -> Page | Response:
    """Return a step of mapping, or lead to the file when its mapping is finished."""
    upload = page_read(lambda reading: find(reading, upload_id))
    if upload.state != uploads.MAPPING:
        return see_other(f"/uploads/{upload_id}")
    return show(*page_read(lambda reading: _looked_at(reading, upload_id)))


def _looked_at(reading: Reading, upload_id: str) -> tuple[Upload, Preview, Words]:
    upload, at = mapping_drafts.unmapped(find(reading, upload_id)), books(reading)
    return upload, _preview(at, upload, upload.mapping), _words(at)


def _preview(at: Books, upload: Upload, draft: FileMapping) -> Preview:
    content = kept_content(who_asks().organisation, upload.content_id)
    return preview(at, content, upload.filename, rooms().open_table, draft)


def _words(at: Books) -> Words:
    """Return our words by field, as they may be chosen."""
    catalogue, titles = at.catalogue.courses(), at.catalogue.titles()
    words: Words = {
        "pcf_level": [(word, f"{LEVELS.get(word, word)}") for word in BY_NAME["pcf_level"].words],
        "route": [(word, ROUTES.get(word, word)) for word in BY_NAME["route"].words],
    }
    for name, entry in BY_NAME.items():
        if entry.kind == COURSE:
            words[name] = [(code, f"{code}: {titles[code].title}") for code in sorted(catalogue) if code in titles]
        elif entry.kind == INTAKE:
            words[name] = [(each, each) for each in sorted({i for one in catalogue.values() for i in one.cohorts})]
    return words


def _columns_page(upload: Upload, found: Preview, form: Form) -> Page:
    seen = [
        dict.fromkeys(cells[each.heading] for _, cells in found.rows if cells.get(each.heading))
        for each in found.headings
    ]
    examples = [_quoted(list(texts)[:_SHOWN_EXAMPLES]) for texts in seen]
    layout = {"heading_row": str(found.mapping.heading_row), "sheet": found.mapping.sheet or ""}
    return page(
        "uploads/columns.html",
        form=Form({**layout, **form.typed}, form.values, form.errors),
        upload=upload,
        found=found,
        examples=examples,
        options=forms.column_options(),
        raw_rows=[[str(line), *(cells.get(each.heading, "") for each in found.headings)] for line, cells in found.rows],
        doubts=[wording.sentence(each) for each in found.doubts if not each.startswith(_ASKED_LATER)],
        delimiter=DELIMITERS.get(found.mapping.delimiter or "", ""),
    )


_ASKED_LATER: Final = ("dates such as", "working time looks", "the date columns", "'")
"""Doubts that a later step asks about, or that stand beside their own column."""


def _values_page(upload: Upload, found: Preview, words: Words, form: Form) -> Page:
    return page(
        "uploads/values.html",
        form=form,
        upload=upload,
        found=found,
        words=words,
        asked=forms.values_asked(found),
        wording=wording,
        dates=forms.date_options(found) if found.dates else [],
        date_example=forms.date_example(found),
        is_ambiguous=any(each.reading.is_ambiguous for each in found.dates),
        is_mixed=any("written in different ways" in each for each in found.doubts),
        orders=forms.order_options() if found.mapping.split_name else [],
        shares=list(forms.SHARES.items()) if "fte" in found.mapping.columns else [],
        fte_examples=_examples(found, "fte"),
        padded=[name for name in forms.PADDED if name in found.mapping.columns],
        name_examples=_examples(found, found.mapping.split_name.column) if found.mapping.split_name else "",
    )


def _examples(found: Preview, field: str) -> str:
    heading = found.mapping.columns.get(field, "")
    seen = dict.fromkeys(cells[heading] for _, cells in found.rows if cells.get(heading))
    return _quoted(list(seen)[:_SHOWN_EXAMPLES])


def _quoted(texts: list[str]) -> str:
    return ", ".join(f"‘{text}’" for text in texts)


def _as_read_page(upload: Upload, found: Preview, form: Form) -> Page:
    kinds = [wording.kind_to_fix(code, field, count) for (code, field), count in found.faults.items()]
    return page(
        "uploads/as_read.html",
        form=form,
        upload=upload,
        found=found,
        shown=preview_table(found),
        kinds=kinds,
    )
