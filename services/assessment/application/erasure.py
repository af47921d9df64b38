"""What assessment forgets when an employer erases a person, and what it answers.

Outcomes stay, under an opaque id that leads nowhere any more: they are counts. What goes is whatever a person may have
typed (names of evidence, exact reasons) and whatever ties the random pseudonyms of supervision and self-assessment to
somebody. A rebuild reads the erasure after all that it erases, so nothing comes back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.assessment.application.ports import Ports
from services.assessment.domain.events import ErasureAcknowledged
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.portfolio import Portfolio
from shared.storage.unit_of_work import Work

ERASED: Final = "erased"
NOTHING_HELD: Final = "nothing_held"
OTHER_REASON: Final = "other"


def when_practitioner_erased(ports: Ports, work: Work, practitioner_id: str, number: int) -> None:
    """Forget the person and acknowledge it, once per erasure.

    `number` is the number of the employer's event: a person who came back and is erased again has a higher one.
    """
    if not ports.erasures.is_news(work, practitioner_id, number):
        return
    held = ports.erasures.portfolios_of(work, practitioner_id)
    for kept in held:
        ports.portfolios.keep(work, forgotten(kept.value), kept.version)
    went = ports.erasures.forget(work, practitioner_id, [kept.value.portfolio_id for kept in held])
    outcome = ERASED if held or went else NOTHING_HELD
    answer = ErasureAcknowledged(practitioner_id, work.organisation, outcome, None)
    work.emit(ports.publish(answer, number))


def forgotten(portfolio: Portfolio) -> Portfolio:
    """Return the portfolio without anything that somebody has typed; what was shown, when and with which end stays."""
    names = {piece.ref: piece.evidence_id for piece in portfolio.evidence}
    return replace(
        portfolio,
        evidence=tuple(_nameless(piece) for piece in portfolio.evidence),
        submissions=tuple(
            replace(handed_in, evidence_refs=tuple(names.get(ref, OTHER_REASON) for ref in handed_in.evidence_refs))
            for handed_in in portfolio.submissions
        ),
    )


def _nameless(piece: Evidence) -> Evidence:
    reason = OTHER_REASON if piece.invalidation_reason is not None else None
    return replace(piece, ref=piece.evidence_id, invalidation_reason=reason)
