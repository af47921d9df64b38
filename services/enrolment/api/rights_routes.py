"""The rights of people over their data, over HTTP: access reports, erasure by two persons, retention with a dry run."""

from __future__ import annotations

import msgspec

from services.enrolment.api import rights_schemas as shapes
from services.enrolment.api.representations import Body
from services.enrolment.api.rooms import books, desk
from services.enrolment.api.schemas import NOTHING_IN
from services.enrolment.application import access_requests, erasure, retention
from services.enrolment.application.erasure_ports import Due, Held
from services.enrolment.domain.erasures import ASKED, Erasure
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.retention import MEANING, Periods, RetentionRun
from shared.http import (
    Reply,
    Routes,
    accepts,
    current_principal,
    current_service,
    load,
    page_of,
    paged,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.identity import Principal
from shared.storage.unit_of_work import Reading, Work

rights_routes = Routes("rights", description="Access, erasure and retention; erasing is for two persons and for ever.")

_PERSON = "/v1/organisations/<org>/practitioners/<practitioner_id>"
_ERASURES = "/v1/organisations/<org>/erasures"
_RETENTION = "/v1/organisations/<org>/retention"
OPERATOR = "operator"


@rights_routes.get(f"{_PERSON}/access-report")
@scope("practitioners.access-report")
@returns(200, shapes.ACCESS_REPORT_OUT)
def access_report(org: str, practitioner_id: str) -> Reply:
    """Read everything that is held of one person, for the person; a practitioner their own only."""
    principal = current_principal()

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        if "hr" not in principal.roles and at.person_id(principal.subject) != practitioner_id:
            raise NoSuchThing("another person")
        found = access_requests.access_report(at, practitioner_id)
        body = {
            "practitioner_id": found.practitioner_id,
            "made_at": found.made_at,
            "held": [_held(one) for one in found.held],
            "notes": list(found.notes),
        }
        return Reply(200, _shown(body))

    return read(org, answer)


@rights_routes.post(f"{_PERSON}/erase")
@scope("practitioners.erase")
@accepts(shapes.ERASURE_IN)
@returns(202, shapes.ERASURE_OUT)
def erase(org: str, practitioner_id: str) -> Reply:
    """Ask for somebody to be erased; it begins when a second person approves it, at once when an operator asks."""
    basis, principal = load(shapes.ERASURE_IN)["basis"], current_principal()
    expected = erasure.who_answers(current_service().partnership, org)

    def change(work: Work) -> Reply:
        at = desk(work)
        by = at.person_id(principal.subject)
        asked = erasure.ask(at, practitioner_id, basis, by, expected)
        if _is_alone(principal) and asked.state == ASKED:
            asked = erasure.approve(at, asked.erasure_id, by, alone=True)
        return Reply(202, _erasure(asked))

    return transact(org, change)


@rights_routes.post(f"{_ERASURES}/<erasure_id>/approve")
@scope("erasures.decide")
@accepts(NOTHING_IN)
@returns(202, shapes.ERASURE_OUT)
def approve(org: str, erasure_id: str) -> Reply:
    """Approve an erasure that somebody else asked for: it begins, and nothing brings it back."""
    load(NOTHING_IN)
    principal = current_principal()

    def change(work: Work) -> Reply:
        at = desk(work)
        by = at.person_id(principal.subject)
        return Reply(202, _erasure(erasure.approve(at, erasure_id, by, alone=_is_alone(principal))))

    return transact(org, change)


@rights_routes.post(f"{_ERASURES}/<erasure_id>/refuse")
@scope("erasures.decide")
@accepts(shapes.ERASURE_REFUSED_IN)
@returns(200, shapes.ERASURE_OUT)
def refuse(org: str, erasure_id: str) -> Reply:
    """Refuse an erasure, with the reason that the law gives."""
    reason, principal = load(shapes.ERASURE_REFUSED_IN)["reason"], current_principal()

    def change(work: Work) -> Reply:
        at = desk(work)
        return Reply(200, _erasure(erasure.refuse(at, erasure_id, at.person_id(principal.subject), reason)))

    return transact(org, change)


@rights_routes.post(f"{_ERASURES}/<erasure_id>/person-is-back")
@scope("erasures.decide")
@accepts(NOTHING_IN)
@returns(200, shapes.ERASURE_OUT)
@refuses(409, "the erasure is not done, or no other service has answered it yet")
def person_is_back(org: str, erasure_id: str) -> Reply:
    """Say that an erased person was employed again: their reference is taken again, with nothing of the past."""
    load(NOTHING_IN)
    return transact(org, lambda work: Reply(200, _erasure(erasure.welcome_back(desk(work), erasure_id))))


@rights_routes.get(_ERASURES)
@scope("erasures.read")
@paged
@returns(200, shapes.ERASURE_OUT)
def list_erasures(org: str) -> Reply:
    """Read erasures, oldest first."""
    page = page_of()

    def answer(reading: Reading) -> Reply:
        return page.reply(books(reading).erasures.page(page.after, page.fetch), lambda one: one.erasure_id, _erasure)

    return read(org, answer)


@rights_routes.get(f"{_ERASURES}/<erasure_id>")
@scope("erasures.read")
@returns(200, shapes.ERASURE_OUT)
def read_erasure(org: str, erasure_id: str) -> Reply:
    """Read one erasure: which services answered, which have not, and since when."""

    def answer(reading: Reading) -> Reply:
        found = books(reading).erasures.find(erasure_id)
        if found is None:
            raise NoSuchThing("no such erasure")
        return Reply(200, _erasure(found))

    return read(org, answer)


@rights_routes.get(_RETENTION)
@scope("retention.read")
@returns(200, shapes.RETENTION_OUT)
def read_retention(org: str) -> Reply:
    """Read what a run would remove now, by kind, with the age of the oldest: a dry run, nothing is changed."""

    def answer(reading: Reading) -> Reply:
        periods, due = retention.dry_run(books(reading))
        return Reply(200, _retention(periods, due))

    return read(org, answer)


@rights_routes.put(_RETENTION)
@scope("retention.set")
@accepts(shapes.PERIODS_IN)
@returns(200, shapes.RETENTION_OUT)
def set_retention(org: str) -> Reply:
    """Set for how long kinds of things are kept; feeds are kept for ever and hold no identity."""
    days = load(shapes.PERIODS_IN)["days"]

    def change(work: Work) -> Reply:
        at = desk(work)
        kept = retention.set_periods(at, days)
        return Reply(200, _retention(kept, retention.dry_run(at)[1]))

    return transact(org, change)


@rights_routes.post(f"{_RETENTION}/apply")
@scope("retention.apply")
@accepts(NOTHING_IN)
@returns(202, shapes.RUN_OUT)
def apply_retention(org: str) -> Reply:
    """Remove what is older than its period; a worker does it in small steps."""
    load(NOTHING_IN)
    principal = current_principal()

    def change(work: Work) -> Reply:
        at = desk(work)
        return Reply(202, _run(retention.apply(at, at.person_id(principal.subject))))

    return transact(org, change)


@rights_routes.get(f"{_RETENTION}/runs/<run_id>")
@scope("retention.read")
@returns(200, shapes.RUN_OUT)
def read_run(org: str, run_id: str) -> Reply:
    """Read how far a run is."""
    return read(org, lambda reading: Reply(200, _run(retention.find(books(reading), run_id))))


def _is_alone(principal: Principal) -> bool:
    """Return whether who asks needs no second person: an operator acts on an instruction that others have signed."""
    return OPERATOR in principal.roles and "hr" not in principal.roles


def _shown(body: object) -> Body:
    """Return what JSON can say of a body: instants, days and ids as texts."""
    shown: Body = msgspec.to_builtins(body)
    return shown


def _held(one: Held) -> dict[str, object]:
    return {"collection": one.collection, "purpose": one.purpose, "rows": one.rows, "is_cut": one.is_cut}


def _erasure(one: Erasure) -> Body:
    waits = one.missing if one.erased_on else ()
    body = {
        "id": one.erasure_id,
        "practitioner_id": one.practitioner_id,
        "basis": one.basis,
        "state": one.state,
        "asked_at": one.asked_at,
        "decided_at": one.decided_at,
        "refusal": one.refusal,
        "erased_on": one.erased_on,
        "changed": one.changed,
        "receipts": [
            {"by": got.by, "outcome": got.outcome, "reason_code": got.reason_code, "at": got.at} for got in one.receipts
        ],
        "missing": list(waits),
        "missing_since": one.erased_on if waits else None,
    }
    return _shown(body)


def _retention(periods: Periods, due: list[Due]) -> Body:
    items = [
        {
            "kind": one.kind,
            "meaning": MEANING[one.kind],
            "days": periods.days[one.kind],
            "due": one.count,
            "oldest_on": one.oldest_on,
        }
        for one in due
    ]
    return _shown({"items": items})


def _run(one: RetentionRun) -> Body:
    body = {
        "id": one.run_id,
        "state": one.state,
        "asked_at": one.asked_at,
        "finished_at": one.finished_at,
        "days": dict(one.days),
        "removed": one.removed,
    }
    return _shown(body)
