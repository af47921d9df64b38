"""Register files: sent, held against the employer's people, and what each came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Response, request

from services.enrolment.application import register_checks
from services.enrolment.application.entitlement_ports import RegisterCheck
from services.enrolment.application.ports import Books
from services.enrolment.domain.errors import NoSuchThing, UnreadableFile
from services.enrolment.domain.registrations import (
    LAPSED,
    MOST_BYTES,
    MOST_FAULTS,
    MOST_ROWS,
    NOT_FOUND,
    REGISTERED,
    Register,
    read_register,
    written,
)
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.asking import may_do, with_query
from services.enrolment.web.rooms import books, desk
from shared.http import StrictSchema, carry_on, keep_content
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

register_pages = PageRoutes("register_pages", __name__)

ON_A_PAGE: Final = 25
_CHECKS: Final = "/people/registrations/checks"
NOTHING: Final = StrictSchema()
_FAULTS: Final = {
    "invalid_registration_number": "The registration number is SW and up to six digits",
    "invalid_value": "The status is registered or lapsed",
    "invalid_date": "The day is written like 2026-11-30 or 30/11/2026",
    "conflicting_duplicate": "The same number stands above with something else",
}


@register_pages.show("/people/registrations/check", "registrations.check")
def ask_for_register() -> Page:
    """Ask for a register file."""
    return _form(blank())


@register_pages.act("/people/registrations/check", "registrations.check", most_bytes=MOST_BYTES)
def send_register() -> Page | Response:
    """Hold a register file against everybody: it is taken at once, people are gone through after it."""
    form = submitted(NOTHING)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _form(form.with_error("file", "Select a file"))
    try:
        register = read_register(file.read())
    except UnreadableFile as refusal:
        return _form(form.with_error("file", words.sentence(refusal.detail)))
    organisation = who_asks().organisation
    content_id = keep_content(organisation, written(register))
    begun: list[RegisterCheck] = []

    def change(work: Work) -> str:
        begun[:] = [register_checks.begin(desk(work), register, content_id)]
        return f"{_CHECKS}/{begun[0].check_id}"

    answer = page_transact(change)
    for check in begun:
        carry_on(organisation, _step(register, check.check_id))
    return answer


@register_pages.show(_CHECKS, "registrations.read")
def list_checks() -> Page:
    """Show the files that were sent, oldest first."""
    found = page_read(lambda reading: books(reading).registrations.checks(request.args.get("after"), ON_A_PAGE + 1))
    more = found[ON_A_PAGE - 1].check_id if len(found) > ON_A_PAGE else None
    rows = [
        [
            one,
            {"text": one.rows, "number": True},
            {"text": one.refused, "number": True},
            {"text": one.lapsed, "number": True},
            {"tag": ("Done", "green") if one.is_done else ("Under way", "light-blue")},
        ]
        for one in found[:ON_A_PAGE]
    ]
    next_page = with_query(_CHECKS, after=more) if more else None
    return page("people/register_checks.html", rows=rows, next=next_page, may_check=may_do("registrations.check"))


@register_pages.show(f"{_CHECKS}/<check_id>", "registrations.read")
def show_check(check_id: str) -> Page:
    """Show what one file came to: counts, and the lines that could not be taken."""

    def shown(at: Books) -> Page:
        found = at.registrations.check(check_id)
        if found is None:
            raise NoSuchThing("no such check")
        counts = [
            (words_of, count, f"/people/registrations?status={status}" if status else "")
            for words_of, count, status in (
                ("Registered", found.registered, REGISTERED),
                ("Lapsed", found.lapsed, LAPSED),
                ("Not on the register that was sent", found.not_found, NOT_FOUND),
                ("Without a registration number here", found.without_number, ""),
            )
        ]
        faults = [
            [str(each.line), _FAULTS.get(each.code, words.sentence(each.detail))] for each in found.faults[:MOST_FAULTS]
        ]
        return page("people/register_check.html", found=found, counts=counts, faults=faults, most_faults=MOST_FAULTS)

    return page_read(lambda reading: shown(books(reading)))


def _form(form: Form) -> Page:
    return page("people/register_file.html", form=form, most_rows=MOST_ROWS, most_megabytes=MOST_BYTES // 2**20)


def _step(register: Register, check_id: str) -> Callable[[Work], bool]:
    return lambda work: register_checks.check_some(desk(work), register.rows, check_id)
