"""Which roles an organisation may give its own people: by what the partnership file says that it does.

A sign-in provider's word on roles is cut down to these, so that no partner's directory makes a registrar of another
kind of organisation. `service` is for instances and never for people.
"""

from __future__ import annotations

from typing import Final

from shared.partnership.model import (
    AWARDING_HEI,
    BOARD,
    DELIVERING_PARTNER,
    EMPLOYER,
    PROGRAMME_LEAD,
    Organisation,
)

EVERYBODY: Final = frozenset({"auditor", "operator"})
BY_WHAT_IT_DOES: Final = {
    EMPLOYER: frozenset({"hr", "practitioner", "supervisor", "assessor", "moderator"}),
    PROGRAMME_LEAD: frozenset({"programme_lead"}),
    DELIVERING_PARTNER: frozenset({"tutor"}),
    AWARDING_HEI: frozenset({"tutor", "registrar"}),
    BOARD: frozenset({"board"}),
}


def may_give(organisation: Organisation) -> frozenset[str]:
    """Return the roles that `organisation` may give."""
    return EVERYBODY.union(*(BY_WHAT_IT_DOES[each] for each in organisation.roles))
