"""Every event of accreditation is spelled as its contract says."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from services.accreditation.domain import events
from services.accreditation.messaging.published import outgoing
from shared.events.contracts import ContractBook

A, B, C = (f"01981f3e-6d2a-7c11-8f00-5a2b3c4d5e0{n}" for n in (1, 2, 3))
FACTS = events.InstanceFacts(A, "M7", "SAR", "2025-09", "brent", "brent", ("brent",), 30, 7, 2)
ON = date(2026, 7, 8)
EVENTS = (
    events.ModuleProposed(FACTS),
    events.ModuleApproved(FACTS, ON),
    events.ModuleRefused(FACTS),
    events.CandidateRegistered(A, B, "ealing", C, "SAR", "2025-09", 4),
    events.WorkSubmitted(A, B, "ealing", ON, 5),
    events.BoardRatified(A, ON, (B,), 2),
    events.CreditAwarded(A, B, C, "ealing", "SAR", "2025-09", "M7", 30, 7, ON),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_event_meets_its_contract_and_is_keyed_by_its_aggregate(event):
    """What is emitted conforms; key and version are the aggregate's."""
    spelled = outgoing(event)
    ContractBook().check(spelled.type, spelled.data)
    assert spelled.key == A
    assert spelled.version >= 1
    assert "version" not in msgspec.json.decode(spelled.data)
