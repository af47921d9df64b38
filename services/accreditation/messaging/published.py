"""How accreditation's events are spelled on its own feed.

Type, key, version and data of each; the contracts in `shared/contracts/events` say the same as schemas. Nothing about
marks or persons can be spelled here, because no event holds it.
"""

from __future__ import annotations

from datetime import date

import msgspec

from services.accreditation.domain.events import (
    AccreditationEvent,
    BoardRatified,
    CandidateRegistered,
    CreditAwarded,
    ErasureAcknowledged,
    InstanceFacts,
    ModuleApproved,
    ModuleProposed,
    ModuleRefused,
    WorkSubmitted,
)
from shared.events.envelope import Outgoing

Plain = dict[str, str | int | date | tuple[str, ...] | None]


def outgoing(event: AccreditationEvent) -> Outgoing:
    """Return the event as its feed holds it."""
    match event:
        case ModuleProposed(facts):
            return _made("module-proposed", facts.instance_id, facts.version, _instance(facts))
        case ModuleApproved(facts, approved_on):
            data = {**_instance(facts), "approved_on": approved_on}
            return _made("module-approved", facts.instance_id, facts.version, data)
        case ModuleRefused(facts):
            return _made("module-refused", facts.instance_id, facts.version, _instance(facts))
        case _:
            return _of_candidate_or_board(event)


def _of_candidate_or_board(
    event: CandidateRegistered | WorkSubmitted | BoardRatified | CreditAwarded | ErasureAcknowledged,
) -> Outgoing:
    data = _fields(event)
    match event:
        case CandidateRegistered():
            return _made("candidate-registered", event.registration_id, event.version, data)
        case WorkSubmitted():
            return _made("work-submitted", event.registration_id, event.version, data)
        case BoardRatified():
            return _made("board-ratified", event.board_id, event.version, data)
        case CreditAwarded():
            return _made("credit-awarded", event.credit_id, 1, data)
        case ErasureAcknowledged():
            return _made("erasure-acknowledged", event.practitioner_id, event.version, data)


def _instance(facts: InstanceFacts) -> Plain:
    return _fields(facts)


def _fields(value: object) -> Plain:
    fields: Plain = msgspec.to_builtins(value, builtin_types=(date,))
    fields.pop("version", None)
    return fields


def _made(name: str, key: str, version: int, data: Plain) -> Outgoing:
    return Outgoing(type=f"accreditation.{name}.v1", key=key, version=version, data=msgspec.json.encode(data))
