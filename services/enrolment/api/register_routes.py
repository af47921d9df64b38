"""Register files over HTTP: sent by an employer, held against its people, findings read. A lapse blocks nothing."""

from __future__ import annotations

from collections.abc import Callable

from services.enrolment.api import people_views as show
from services.enrolment.api.people_schemas import REGISTER_CHECK_OUT, REGISTRATION_OUT, REGISTRATIONS_ASKED
from services.enrolment.api.rooms import books, desk
from services.enrolment.application import register_checks
from services.enrolment.application.entitlement_ports import RegisterCheck
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.registrations import MOST_BYTES, MOST_ROWS, Register, read_register, written
from shared.clock import london_date
from shared.http import (
    Reply,
    Routes,
    asks,
    carry_on,
    keep_content,
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
from shared.storage.unit_of_work import Reading, Work

register_routes = Routes("register-checks", description="Whether an employer's people are registered, by file.")

_CHECKS = "/v1/organisations/<org>/register-checks"


@register_routes.post(_CHECKS)
@scope("registrations.check")
@uploads("text/csv", "text/plain", "application/octet-stream", most_bytes=MOST_BYTES)
@returns(202, REGISTER_CHECK_OUT)
@refuses(422, f"no CSV in UTF-8 with the columns of a register, or more than {MOST_ROWS:,} rows")
def check_register(org: str) -> Reply:
    """Send a register file (registration number, status, registered until); it is held against everybody at once.

    The people are gone through in transactions of their own, after the check was taken: look at the check for what
    was found. One that broke off is brought to its end by the worker.
    """
    register = read_register(uploaded().content)
    content_id = keep_content(org, written(register))
    begun: list[RegisterCheck] = []

    def change(work: Work) -> Reply:
        begun[:] = [register_checks.begin(desk(work), register, content_id)]
        where = f"/v1/organisations/{org}/register-checks/{begun[0].check_id}"
        return Reply(202, show.register_check(begun[0]), location=where)

    reply = transact(org, change)
    for check in begun:
        carry_on(org, _step(register, check.check_id))
    return reply


@register_routes.get(_CHECKS)
@scope("registrations.read")
@paged
@returns(200, REGISTER_CHECK_OUT)
def list_checks(org: str) -> Reply:
    """Read every check, oldest first."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).registrations.checks(page.after, page.fetch),
            lambda check: check.check_id,
            show.register_check,
        ),
    )


@register_routes.get(f"{_CHECKS}/<check_id>")
@scope("registrations.read")
@returns(200, REGISTER_CHECK_OUT)
def read_check(org: str, check_id: str) -> Reply:
    """Read one check with its figures."""

    def answer(reading: Reading) -> Reply:
        found = books(reading).registrations.check(check_id)
        if found is None:
            raise NoSuchThing("no such check")
        return Reply(200, show.register_check(found))

    return read(org, answer)


@register_routes.get("/v1/organisations/<org>/registrations")
@scope("registrations.read")
@asks(REGISTRATIONS_ASKED)
@paged
@returns(200, REGISTRATION_OUT)
def list_registrations(org: str) -> Reply:
    """Read who is registered, lapsed, or not found in the last file that was held against them."""
    page, status = page_of(), query(REGISTRATIONS_ASKED)["status"]

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = at.registrations.page(status, page.after, page.fetch)
        today = london_date(at.now)
        return page.reply(found, lambda one: one.practitioner_id, lambda one: show.registration(one, today))

    return read(org, answer)


def _step(register: Register, check_id: str) -> Callable[[Work], bool]:
    return lambda work: register_checks.check_some(desk(work), register.rows, check_id)
