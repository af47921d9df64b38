"""What assessment says on its feed meets its contracts."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from services.assessment.domain import events
from services.assessment.messaging.published import TYPES, outgoing
from shared.events.contracts import contract_book

PORTFOLIO = "01981c8f-6f00-7000-8000-00000000a001"
RANDOM = "01981c8f-6f00-7000-8000-00000000e001"
DAY = date(2026, 4, 20)
SAID = [
    events.PortfolioOpened(PORTFOLIO, RANDOM, "SAR", "2025-09", "practice_only", "cpd-portfolio"),
    events.EvidenceAdded(PORTFOLIO, RANDOM, "observation", ("knowledge",), "SW", DAY),
    events.EvidenceInvalidated(PORTFOLIO, RANDOM, "consent_withdrawn", DAY),
    events.SelfAssessmentRecorded(RANDOM, "SAR", "2025-09", "T0", DAY, "pcf-2018", {"knowledge": 3}),
    events.SupervisionHeld(RANDOM, DAY, is_standard_met=True, pcf_discussed=False),
    events.PortfolioSubmitted(PORTFOLIO, 1, "SAR", "2025-09", DAY),
    events.PortfolioReturned(PORTFOLIO, 1, DAY, ("domain:knowledge", "observation_not_by_line_manager")),
    events.PortfolioVerified(PORTFOLIO, DAY),
    events.PracticeRecommended(PORTFOLIO, DAY),
    events.PracticeConfirmed(PORTFOLIO, PORTFOLIO, "SAR", "2025-09", "practice_only", "SW", "pass", DAY),
    events.ErasureAcknowledged(PORTFOLIO, "northgate", "erased", None),
]


@pytest.mark.parametrize("event", SAID, ids=lambda event: type(event).__name__)
def test_event_meets_its_contract(event):
    """Each event as it leaves is what its JSON Schema promises, under its aggregate's key."""
    left = outgoing(event, 3)
    contract_book().check(left.type, left.data)
    assert left.key == (
        RANDOM if isinstance(event, events.SelfAssessmentRecorded | events.SupervisionHeld) else PORTFOLIO
    )


def test_every_event_of_the_domain_has_a_contract_and_is_tried_here():
    """No event is left without type, contract or test."""
    assert {type(event) for event in SAID} == set(TYPES)
    ours = {entry.type for entry in contract_book().catalogue() if entry.service == "assessment"}
    assert {name for name, _ in TYPES.values()} == ours


def test_reason_that_the_bus_does_not_know_leaves_as_other():
    """The exact reason of an invalidation stays with the employer."""
    left = outgoing(events.EvidenceInvalidated(PORTFOLIO, RANDOM, "carer_fell_ill", DAY), 1)
    assert msgspec.json.decode(left.data)["reason"] == "other"
