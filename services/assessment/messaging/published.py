"""Domain events as they leave: type, key and data. The contracts in `shared/contracts` are what they must meet."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from services.assessment.domain import events
from services.assessment.domain.events import Event
from shared.events.envelope import Outgoing

TYPES: dict[type[Event], tuple[str, str]] = {
    events.PortfolioOpened: ("assessment.portfolio-opened.v1", "portfolio_id"),
    events.EvidenceAdded: ("assessment.evidence-added.v1", "portfolio_id"),
    events.EvidenceInvalidated: ("assessment.evidence-invalidated.v1", "portfolio_id"),
    events.SelfAssessmentRecorded: ("assessment.self-assessment-recorded.v1", "evaluation_id"),
    events.SupervisionHeld: ("assessment.supervision-held.v1", "supervisee_id"),
    events.PortfolioSubmitted: ("assessment.portfolio-submitted.v1", "portfolio_id"),
    events.PortfolioReturned: ("assessment.portfolio-returned.v1", "portfolio_id"),
    events.PortfolioVerified: ("assessment.portfolio-verified.v1", "portfolio_id"),
    events.PracticeRecommended: ("assessment.practice-recommended.v1", "portfolio_id"),
    events.PracticeConfirmed: ("assessment.practice-confirmed.v1", "portfolio_id"),
    events.ErasureAcknowledged: ("assessment.erasure-acknowledged.v1", "practitioner_id"),
}
APART = (events.SelfAssessmentRecorded, events.SupervisionHeld)
"""What carries a pseudonym of its own also gets a correlation of its own: nothing ties it to the same session."""
REASONS = frozenset({"consent_withdrawn", "made_in_error", "not_authentic"})
"""Reasons that may stand on the bus; any other is `other` there and stays exact with the employer."""


def outgoing(event: Event, version: int) -> Outgoing:
    """Return the event as the feed takes it; `version` is its aggregate's after this commit."""
    event_type, key = TYPES[type(event)]
    if isinstance(event, events.EvidenceInvalidated) and event.reason not in REASONS:
        event = replace(event, reason="other")
    return Outgoing(
        type=event_type,
        key=getattr(event, key),
        version=version,
        data=msgspec.json.encode(event),
        apart=isinstance(event, APART),
    )
