"""What an employer decides for itself: approval, offers, deferrals, transfers, and where the daily e-mails go."""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import notices
from services.enrolment.application.ports import Books
from services.enrolment.application.settings_handlers import keep_settings
from services.enrolment.domain.lifecycle_settings import (
    AT_ONCE,
    BY_HAND,
    MOST_DAYS,
    MOST_DEFERRALS,
    MOST_MONTHS,
    WAYS_TO_ACCEPT,
    LifecycleSettings,
)
from services.enrolment.domain.tasks import ROLES
from services.enrolment.web.asking import may_do, refused
from services.enrolment.web.rooms import books, desk
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, StrictSchema, Text, WholeText
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

settings_pages = PageRoutes("settings_pages", __name__)

MOST_ADDRESSES: Final = 20
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
DONE: Final = {"settings": "The settings are kept. They count from now on.", "notices": "The addresses are kept."}


class SettingsForm(StrictSchema):
    """What this employer decides about its enrolments."""

    approval_stages = Choice(("1", "2"), required=True)
    accepts_offers = Choice(WAYS_TO_ACCEPT, required=True)
    offer_days = WholeText(required=True, least=1, most=MOST_DAYS)
    deferrals_allowed = WholeText(required=True, most=MOST_DEFERRALS)
    deferral_months = WholeText(required=True, least=1, most=MOST_MONTHS)
    transfer_days = WholeText(required=True, least=1, most=MOST_DAYS)


SETTINGS = SettingsForm()
NOTICES: Final[Schema] = StrictSchema.from_dict(
    {role: Text(longest=6000, lines=True, load_default=None) for role in ROLES}, name="NoticesForm"
)()
_TEXTS: Final = {
    "approval_stages": "Choose whether a second person approves",
    "accepts_offers": "Choose how offers are accepted",
    "offer_days": f"Enter a whole number of days from 1 to {MOST_DAYS}",
    "deferrals_allowed": f"Enter a whole number from 0 to {MOST_DEFERRALS}",
    "deferral_months": f"Enter a whole number of months from 1 to {MOST_MONTHS}",
    "transfer_days": f"Enter a whole number of days from 1 to {MOST_DAYS}",
}
STAGES: Final = (
    ("1", "The manager’s approval in the record is enough"),
    ("2", "A second person approves each nomination here"),
)
ACCEPTS: Final = (
    (AT_ONCE, "At once: a seat is a confirmed place"),
    (BY_HAND, "By hand: a seat is an offer that somebody accepts"),
)


@settings_pages.show("/settings", "enrolment-settings.read")
def settings() -> Page:
    """Show what the employer has decided."""

    def shown(at: Books) -> Page:
        found = at.settings.find()
        typed = {name: str(getattr(found, name)) for name in SETTINGS.fields}
        return _settings(blank(**typed))

    return page_read(lambda reading: shown(books(reading)))


@settings_pages.act("/settings", "enrolment-settings.set")
def set_settings() -> Page | Response:
    """Keep what the employer decides from now on."""
    form = submitted(SETTINGS, _TEXTS)
    if form.errors:
        return _settings(form)
    said: dict[str, Any] = {**form.values, "approval_stages": int(form.values["approval_stages"])}

    def run(work: Work) -> str:
        keep_settings(desk(work), LifecycleSettings(**said))
        return "/settings?done=settings"

    try:
        return page_transact(run)
    except (RuleBroken, Conflict) as error:
        return _settings(refused(form, error))


def _settings(form: Form) -> Page:
    return page(
        "settings/settings.html",
        form=form,
        stages=STAGES,
        accepts=ACCEPTS,
        stage=dict(STAGES).get(form.get("approval_stages")),
        acceptance=dict(ACCEPTS).get(form.get("accepts_offers")),
        may_set=may_do("enrolment-settings.set"),
        sees_notices=may_do("notices.read"),
        sees_retention=may_do("retention.read"),
        done=DONE.get(request.args.get("done", "")),
    )


@settings_pages.show("/settings/notices", "notices.read")
def show_notices() -> Page:
    """Show to which addresses each role's daily e-mail goes, and what became of the last ones."""

    def shown(at: Books) -> Page:
        found = at.notices.settings()
        typed = {role: "\n".join(found.addresses.get(role, ())) for role in ROLES}
        return _notices(at, blank(**typed))

    return page_read(lambda reading: shown(books(reading)))


@settings_pages.act("/settings/notices", "notices.set")
def set_notices() -> Page | Response:
    """Keep the addresses."""
    form = submitted(NOTICES)
    wanted = {role: tuple((form.values.get(role) or "").split()) for role in ROLES}
    for role, addresses in wanted.items():
        if len(addresses) > MOST_ADDRESSES:
            form = form.with_error(role, f"Enter at most {MOST_ADDRESSES} addresses")
        if any(not _ADDRESS.fullmatch(address) or len(address) > 254 for address in addresses):
            form = form.with_error(role, "Enter each address on a line of its own, like name@borough.example")
    if form.errors:
        return page_read(lambda reading: _notices(books(reading), form))

    def run(work: Work) -> str:
        at = desk(work)
        notices.set_addresses(at, at.notices.settings(), wanted)
        return "/settings/notices?done=notices"

    return page_transact(run)


def _notices(at: Books, form: Form) -> Page:
    sent = sorted(at.notices.page(None, 200), key=lambda one: one.notice_id, reverse=True)[:20]
    return page(
        "settings/notices.html",
        form=form,
        roles=ROLES,
        sent=sent,
        may_set=may_do("notices.set"),
        done=DONE.get(request.args.get("done", "")),
    )
