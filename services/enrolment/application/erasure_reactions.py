"""What the employer notes when another service answers an erasure: a receipt, once per service and organisation."""

from __future__ import annotations

from services.enrolment.application.facts import ErasureAcknowledged
from services.enrolment.application.ports import Desk
from services.enrolment.domain import erasures
from services.enrolment.domain.erasures import Receipt
from shared.events.envelope import Received


def when_acknowledged(desk: Desk, event: Received[ErasureAcknowledged]) -> None:
    """Keep the receipt; one for an erasure that is not known here changes nothing."""
    told = event.data
    erasure = desk.erasures.latest(told.practitioner_id)
    if erasure is None:
        return
    receipt = Receipt(f"{event.service}/{event.organisation}", told.outcome, told.reason_code, event.time)
    after = erasures.answered(erasure, receipt)
    if after != erasure:
        desk.erasures.save(after)
