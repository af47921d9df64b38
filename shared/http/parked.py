"""What could not be taken, for the organisation's own operator: the same routes in every service.

Lists and looks (`parked.read`), and decisions (`parked.decide`): a replay or its rehearsal, which the reader does
within a quarter of a minute and answers in the list of replays; a discard, which one person asks for and another
confirms; letting a stopped feed go on. Who decided is the token's subject; every step is kept with the record. What is
shown of a record is decided in `shared/events/parked_view.py`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from shared.errors import NotFound
from shared.events import alarms, discarding, parked_view, parking, requests
from shared.events.alarms import Alarm
from shared.events.contracts import contract_book
from shared.events.parked_view import Group, Shown
from shared.events.parking import Parked
from shared.events.requests import ReplayRequest
from shared.http.bodies import load, query
from shared.http.facts import accepts, asks, paged, refuses, returns, scope
from shared.http.paging import page_of
from shared.http.parked_schemas import (
    ParkedConfirmIn,
    ParkedDiscardOut,
    ParkedFilter,
    ParkedReasonIn,
    ParkedReasonsOut,
    ParkedRecordInFullOut,
    ParkedRecordsOut,
    ParkedReplayIn,
    ParkedReplayOut,
    ParkedReplaysOut,
    ResumedFeedOut,
    StoppedFeedsOut,
)
from shared.http.replies import Reply
from shared.http.routes import Routes
from shared.http.service import current_principal, read, transact
from shared.storage.unit_of_work import Reading, Work

routes = Routes("parked", description="Events that could not be taken, and what people decide about them.")
QUIET: Final = "what an operator decides about a parked record concerns this database alone"


GROUPS_OUT, RECORD_FILTER, RECORDS_OUT, FULL_OUT = (
    ParkedReasonsOut(),
    ParkedFilter(),
    ParkedRecordsOut(),
    ParkedRecordInFullOut(),
)
REPLAY_IN, REPLAY_OUT, REPLAYS_OUT = ParkedReplayIn(), ParkedReplayOut(), ParkedReplaysOut()
REASON_IN, CONFIRM_IN, DISCARD_OUT = ParkedReasonIn(), ParkedConfirmIn(), ParkedDiscardOut()
STOPPED_OUT, RESUMED_OUT = StoppedFeedsOut(), ResumedFeedOut()


@routes.get("/v1/organisations/<org>/parked")
@scope("parked.read")
@returns(200, GROUPS_OUT)
def list_parked_reasons(org: str) -> Reply:
    """List what waits for a decision, by reason."""

    def look(reading: Reading) -> Reply:
        return Reply(
            200, {"items": [_group(one) for one in parked_view.grouped(parking.waiting_in(reading))], "next": None}
        )

    return read(org, look)


@routes.get("/v1/organisations/<org>/parked-records")
@scope("parked.read")
@asks(RECORD_FILTER)
@paged
@returns(200, RECORDS_OUT)
def list_parked_records(org: str) -> Reply:
    """List parked records, without their content, in the order of their ids."""
    page, asked = page_of(), query(RECORD_FILTER)

    def look(reading: Reading) -> Reply:
        found = parking.page_in(
            reading, state=asked["state"], feed=asked.get("feed"), after=page.after, most=page.fetch
        )
        return page.reply(found, lambda one: one.id, _record)

    return read(org, look)


@routes.get("/v1/organisations/<org>/parked-records/<record_id>")
@scope("parked.read")
@returns(200, FULL_OUT)
def get_parked_record(org: str, record_id: str) -> Reply:
    """Show one record: what its contract lets be shown, and every step that people took."""
    name = _name(record_id)

    def look(reading: Reading) -> Reply:
        found = parked_view.shown(reading, name, contract_book())
        if found is None:
            raise NotFound("nothing is parked under this id")
        return Reply(200, _full(found, parking.decision_about(reading, name)))

    return read(org, look)


@routes.post("/v1/organisations/<org>/parked-records/<record_id>/replays")
@scope("parked.decide")
@accepts(REPLAY_IN)
@returns(202, REPLAY_OUT)
def ask_for_replay(org: str, record_id: str) -> Reply:
    """Have everything that waits under the record's key taken again, in order; or rehearse that."""
    name, asked, by = _name(record_id), load(REPLAY_IN), current_principal().subject

    def change(work: Work) -> Reply:
        one = parking.waiting_one(work, name)
        if one.key is None:
            raise NotFound("a record without a number can only be discarded")
        work.silent(QUIET)
        request = requests.ask(work, one.feed, one.key, by=by, reason=asked["reason"], is_dry=asked["is_rehearsal"])
        return Reply(202, _replay(request))

    return transact(org, change)


@routes.get("/v1/organisations/<org>/parked-replays")
@scope("parked.read")
@returns(200, REPLAYS_OUT)
def list_replays(org: str) -> Reply:
    """List replays and rehearsals that wait for the reader or that it has answered."""

    def look(reading: Reading) -> Reply:
        found = sorted(requests.requests_in(reading), key=lambda one: one.name)
        return Reply(200, {"items": [_replay(one) for one in found], "next": None})

    return read(org, look)


@routes.post("/v1/organisations/<org>/parked-records/<record_id>/discard")
@scope("parked.decide")
@accepts(REASON_IN)
@returns(202, DISCARD_OUT)
def ask_for_discard(org: str, record_id: str) -> Reply:
    """Ask for a record to be given up for good. Nothing happens to it before a second person confirms."""
    name, asked, by = _name(record_id), load(REASON_IN), current_principal().subject
    reply = Reply(202, {"id": record_id, "decision": parking.DISCARD_ASKED})
    return _decided(org, reply, lambda work: discarding.ask_discard(work, name, by=by, reason=asked["reason"]))


@routes.post("/v1/organisations/<org>/parked-records/<record_id>/discard-confirmation")
@scope("parked.decide")
@accepts(CONFIRM_IN)
@returns(200, DISCARD_OUT)
@refuses(403, "whoever asked for the discard cannot confirm it")
@refuses(409, "nobody asked for it, or for another reason")
def confirm_discard(org: str, record_id: str) -> Reply:
    """Give a record up for good, as a second person; every rebuild skips it."""
    name, asked, by = _name(record_id), load(CONFIRM_IN), current_principal().subject
    reply = Reply(200, {"id": record_id, "decision": parking.DISCARDED})
    return _decided(org, reply, lambda work: discarding.confirm_discard(work, name, by=by, reason=asked["reason"]))


@routes.get("/v1/organisations/<org>/stopped-feeds")
@scope("parked.read")
@returns(200, STOPPED_OUT)
def list_stopped_feeds(org: str) -> Reply:
    """List feeds that stand still until a person decides: too much of them is parked, or their history differs."""
    return read(
        org,
        lambda reading: Reply(200, {"items": [_stopped(one) for one in alarms.open_alarms(reading)], "next": None}),
    )


@routes.post("/v1/organisations/<org>/stopped-feeds/<feed>/resume")
@scope("parked.decide")
@accepts(REASON_IN)
@returns(200, RESUMED_OUT)
def resume_feed(org: str, feed: str) -> Reply:
    """Let a stopped feed go on; the reader notices within a quarter of a minute."""
    asked, by = load(REASON_IN), current_principal().subject
    reply = Reply(200, {"feed": feed})
    return _decided(org, reply, lambda work: alarms.resolve(work, feed, by=by, reason=asked["reason"]))


def _decided(org: str, reply: Reply, decide: Callable[[Work], None]) -> Reply:
    """Return the reply once what an operator decides is kept."""

    def change(work: Work) -> Reply:
        work.silent(QUIET)
        decide(work)
        return reply

    return transact(org, change)


def address_of(identifier: str) -> str:
    """Return a record's id as it stands in an address: its own has slashes and hashes in it."""
    return base64.urlsafe_b64encode(identifier.encode()).rstrip(b"=").decode()


def _name(record_id: str) -> str:
    """Return the id that an address names.

    Raises:
        NotFound: It names none.
    """
    try:
        raw = base64.b64decode(record_id + "=" * (-len(record_id) % 4), altchars=b"-_", validate=True)
        return raw.decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise NotFound("nothing is parked under this id") from error


def _group(group: Group) -> dict[str, Any]:
    return {
        "reason": group.reason,
        "causes": group.causes,
        "followers": group.followers,
        "security": group.security,
        "feeds": list(group.feeds),
        "first_seen_at": group.first_seen_at,
        "last_seen_at": group.last_seen_at,
    }


def _record(one: Parked) -> dict[str, Any]:
    return {
        "id": address_of(one.id),
        "feed": one.feed,
        "number": one.number,
        "key": parked_view.masked_key(one.key),
        "type": parked_view.type_shown(one.type),
        "reason": one.reason,
        "is_cause": one.is_cause,
        "security": one.security,
        "state": one.state,
        "parked_at": one.parked_at,
    }


def _full(found: Shown, decision: parking.Decision | None) -> dict[str, Any]:
    steps = () if decision is None else decision.steps
    return {
        **_record(found.parked),
        "time": found.time,
        "fields_said": [{"pointer": pointer, "value": value} for pointer, value in found.fields],
        "unnamed_fields": found.unnamed,
        "size": found.size,
        "sha256": found.sha256,
        "headers": list(found.headers),
        "other_headers": found.other_headers,
        "steps": [{"what": one.what, "by": one.by, "reason": one.reason, "at": one.at} for one in steps],
    }


def _replay(one: ReplayRequest) -> dict[str, Any]:
    return {
        "feed": one.feed,
        "key": parked_view.masked_key(one.key),
        "is_rehearsal": one.is_dry,
        "state": one.state,
        "by": one.by,
        "reason": one.reason,
        "asked_at": one.asked_at,
        "taken": None if one.is_dry else one.taken,
        "would_take": one.taken if one.is_dry else None,
        "tried": one.tried,
        "waiting": one.waiting,
        "failed_at": one.failed_at,
        "code": one.code,
    }


def _stopped(alarm: Alarm) -> dict[str, Any]:
    return {
        "feed": alarm.feed,
        "kind": alarm.kind,
        "number": alarm.number,
        "detail": alarm.detail,
        "since": alarm.at,
    }
