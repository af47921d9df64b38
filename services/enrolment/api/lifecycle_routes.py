"""What is asked of an enrolment between nomination and end, and an employer's settings. Transfers are elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from services.enrolment.api import representations as show
from services.enrolment.api.lifecycle_schemas import (
    ASKED_AGAIN_IN,
    DEFERRAL_IN,
    OFFER_DECLINED_IN,
    REFUSAL_IN,
    RESUMPTION_IN,
    ROUTE_CHANGE_IN,
    SETTINGS_IN,
    START_IN,
)
from services.enrolment.api.rooms import books, desk, why_of
from services.enrolment.api.schemas import ENROLMENT_OUT, NOTHING_IN, SPONSORSHIP_IN
from services.enrolment.application import handlers
from services.enrolment.application.asking_again import AskAgain, ask_again
from services.enrolment.application.commands import (
    Approve,
    ChangeRoute,
    DeclineOffer,
    Defer,
    Refuse,
    Resume,
    Start,
)
from services.enrolment.application.ports import Desk
from services.enrolment.application.settings_handlers import keep_settings
from services.enrolment.domain.enrolment_parts import Sponsorship
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.lifecycle_settings import LifecycleSettings
from shared.http import (
    Reply,
    Routes,
    accepts,
    conditional,
    current_principal,
    etag_of,
    if_match,
    load,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Work

lifecycle_routes = Routes("lifecycle", description="An enrolment from approval to its end, as its employer decides.")

_ENROLMENT = "/v1/organisations/<org>/enrolments/<enrolment_id>"
_SETTINGS = "/v1/organisations/<org>/enrolment-settings"
_NOT_NOW = "the enrolment is in another status; the detail says what to do instead"
_RULE = "a rule says no; the detail says which and what to do"


@lifecycle_routes.get(_SETTINGS)
@scope("enrolment-settings.read")
@returns(200, SETTINGS_IN, etag=True)
def read_settings(org: str) -> Reply:
    """Read how this employer approves, accepts offers, defers and transfers; the defaults where it decided nothing."""
    return read(org, lambda reading: _settings(books(reading).settings.find()))


@lifecycle_routes.put(_SETTINGS)
@scope("enrolment-settings.set")
@accepts(SETTINGS_IN)
@conditional
@returns(200, SETTINGS_IN, etag=True)
def set_settings(org: str) -> Reply:
    """Decide how this employer approves, accepts offers, defers and transfers from now on."""
    wanted = LifecycleSettings(**load(SETTINGS_IN))

    def change(work: Work) -> Reply:
        at = desk(work)
        if_match(etag_of(at.settings.find().version))
        return _settings(keep_settings(at, wanted))

    return transact(org, change)


@lifecycle_routes.post(f"{_ENROLMENT}/approve")
@scope("enrolments.approve")
@accepts(NOTHING_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
def approve(org: str, enrolment_id: str) -> Reply:
    """Approve a nomination as a second person; it asks for its place."""
    load(NOTHING_IN)
    command = Approve(enrolment_id, current_principal().subject)
    return _changed(org, lambda at: handlers.approve(at, command))


@lifecycle_routes.post(f"{_ENROLMENT}/refuse")
@scope("enrolments.approve")
@accepts(REFUSAL_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
def refuse(org: str, enrolment_id: str) -> Reply:
    """Refuse a nomination as a second person; nobody outside hears of it."""
    command = Refuse(enrolment_id, current_principal().subject, **load(REFUSAL_IN))
    return _changed(org, lambda at: handlers.refuse(at, command))


@lifecycle_routes.post(f"{_ENROLMENT}/accept")
@scope("enrolments.accept")
@accepts(NOTHING_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
@refuses(422, _RULE)
def accept_offer(org: str, enrolment_id: str) -> Reply:
    """Accept an offered seat before its last day is over."""
    load(NOTHING_IN)
    return _changed(org, lambda at: handlers.accept_offer(at, enrolment_id))


@lifecycle_routes.post(f"{_ENROLMENT}/decline-offer")
@scope("enrolments.accept")
@accepts(OFFER_DECLINED_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
def decline_offer(org: str, enrolment_id: str) -> Reply:
    """Give an offered seat back; it goes to whoever is in turn."""
    command = DeclineOffer(enrolment_id, **load(OFFER_DECLINED_IN))
    return _changed(org, lambda at: handlers.decline_offer(at, command))


@lifecycle_routes.post(f"{_ENROLMENT}/ask-again")
@scope("enrolments.create")
@accepts(ASKED_AGAIN_IN)
@returns(201, ENROLMENT_OUT, etag=True)
@refuses(409, "it did not come to nothing, or the person has another enrolment in this intake that did not")
@refuses(422, "a nomination would be refused today, or the day of approval cannot be")
def ask_for_again(org: str, enrolment_id: str) -> Reply:
    """Ask again for somebody who was withdrawn, refused or declined: a new enrolment in the same intake."""
    command = AskAgain(enrolment_id, **load(ASKED_AGAIN_IN), by=current_principal().subject)

    def change(work: Work) -> Reply:
        at = desk(work)
        asked = ask_again(at, command)
        where = f"/v1/organisations/{org}/enrolments/{asked.enrolment_id}"
        return Reply(201, show.enrolment(asked, why_of(at, asked)), etag=etag_of(asked.version), location=where)

    return transact(org, change)


@lifecycle_routes.post(f"{_ENROLMENT}/start")
@scope("enrolments.progress")
@accepts(START_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
@refuses(422, _RULE)
def start(org: str, enrolment_id: str) -> Reply:
    """Say that somebody has started."""
    command = Start(enrolment_id, **load(START_IN))
    return _changed(org, lambda at: handlers.start(at, command))


@lifecycle_routes.post(f"{_ENROLMENT}/defer")
@scope("enrolments.progress")
@accepts(DEFERRAL_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
@refuses(422, _RULE)
def defer(org: str, enrolment_id: str) -> Reply:
    """Pause a confirmed place and keep it."""
    command = Defer(enrolment_id, **load(DEFERRAL_IN))
    return _changed(org, lambda at: handlers.defer(at, command))


@lifecycle_routes.post(f"{_ENROLMENT}/resume")
@scope("enrolments.progress")
@accepts(RESUMPTION_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
@refuses(422, _RULE)
def resume(org: str, enrolment_id: str) -> Reply:
    """End a pause; the enrolment goes on where it was."""
    command = Resume(enrolment_id, **load(RESUMPTION_IN))
    return _changed(org, lambda at: handlers.resume(at, command))


@lifecycle_routes.post(f"{_ENROLMENT}/change-route")
@scope("enrolments.change-route")
@accepts(ROUTE_CHANGE_IN)
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
@refuses(422, _RULE)
def change_route(org: str, enrolment_id: str) -> Reply:
    """Put an enrolment on the route that employer and worker have chosen, from a day on."""
    command = ChangeRoute(enrolment_id, **load(ROUTE_CHANGE_IN))
    return _changed(org, lambda at: handlers.change_route(at, command))


@lifecycle_routes.put(f"{_ENROLMENT}/sponsorship")
@scope("enrolments.sponsor")
@accepts(SPONSORSHIP_IN)
@conditional
@returns(200, ENROLMENT_OUT, etag=True)
@refuses(409, _NOT_NOW)
def sponsor(org: str, enrolment_id: str) -> Reply:
    """Keep who pays and how many days of release were agreed; If-Match names the enrolment's ETag."""
    sponsorship = Sponsorship(**load(SPONSORSHIP_IN))

    def change(at: Desk) -> Enrolment:
        before = handlers.of_employer(at, enrolment_id)
        if_match(etag_of(before.version))
        return handlers.sponsor(at, before, sponsorship)

    return _changed(org, change)


def _changed(org: str, change: Callable[[Desk], Enrolment]) -> Reply:
    def done(work: Work) -> Reply:
        at = desk(work)
        after = change(at)
        return Reply(200, show.enrolment(after, why_of(at, after)), etag=etag_of(after.version))

    return transact(org, done)


def _settings(found: LifecycleSettings) -> Reply:
    return Reply(200, show.lifecycle_settings(found), etag=etag_of(found.version))
