"""What an employer decides for itself about its enrolments: approval, offers, deferrals, transfers."""

from __future__ import annotations

from dataclasses import dataclass

from services.enrolment.domain.errors import RuleSaysNo

AT_ONCE = "at_once"
BY_HAND = "by_hand"
WAYS_TO_ACCEPT = (AT_ONCE, BY_HAND)
APPROVAL_STAGES = (1, 2)
MOST_DAYS = 365
MOST_DEFERRALS = 12
MOST_MONTHS = 24


@dataclass(frozen=True, slots=True)
class LifecycleSettings:
    """One employer's choices. The defaults are what the partnership's data rules need.

    `approval_stages` 1: the manager's approval in the record is enough; 2: a second person approves each nomination.
    `accepts_offers` by hand: a seat is an offer for `offer_days` until somebody accepts it.
    Source: BR-12 for deferral: one, of at most three months, each employer's own setting.
    """

    approval_stages: int = 1
    accepts_offers: str = AT_ONCE
    offer_days: int = 14
    deferrals_allowed: int = 1
    deferral_months: int = 3
    transfer_days: int = 28
    version: int = 0

    def __post_init__(self) -> None:
        if self.approval_stages not in APPROVAL_STAGES:
            raise RuleSaysNo("approval has one stage or two")
        if self.accepts_offers not in WAYS_TO_ACCEPT:
            raise RuleSaysNo("offers are accepted at once or by hand")
        if not 1 <= self.offer_days <= MOST_DAYS or not 1 <= self.transfer_days <= MOST_DAYS:
            raise RuleSaysNo(f"give a number of days from 1 to {MOST_DAYS}")
        if not 0 <= self.deferrals_allowed <= MOST_DEFERRALS or not 1 <= self.deferral_months <= MOST_MONTHS:
            raise RuleSaysNo("a deferral lasts 1 to 24 months, and there are at most 12")

    @property
    def asks_a_second_person(self) -> bool:
        """Return whether a nomination waits for a second person."""
        return self.approval_stages == APPROVAL_STAGES[-1]

    @property
    def accepts_by_hand(self) -> bool:
        """Return whether a seat is an offer first."""
        return self.accepts_offers == BY_HAND
