"""What practice assessment refuses, each with its stable slug. Texts carry codes, never people."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Conflict, Fault, Forbidden, NotFound, RuleBroken


class EvidenceMissing(RuleBroken):
    """The submitted portfolio no longer holds what its evidence set asks for."""

    slug: ClassVar[str] = "evidence-missing"

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"the portfolio is no longer sufficient: {', '.join(missing)}",
            faults=tuple(Fault(code=code, detail="missing from the portfolio") for code in missing),
        )
        self.missing = missing


class OwnPortfolio(Forbidden):
    """Nobody verifies, recommends or confirms their own portfolio."""

    slug: ClassVar[str] = "own-portfolio"


class NotYourPortfolio(Forbidden):
    """A practitioner works on their own portfolio only."""

    slug: ClassVar[str] = "not-your-portfolio"


class SamePersonTwice(Forbidden):
    """Verification, recommendation and confirmation are three people's decisions."""

    slug: ClassVar[str] = "same-person-twice"


class StepOutOfOrder(Conflict):
    """The portfolio's state does not allow this step."""

    slug: ClassVar[str] = "step-out-of-order"


class DateOutOfOrder(RuleBroken):
    """A step cannot be dated before the step that it follows."""

    slug: ClassVar[str] = "date-out-of-order"


class EvidenceRefTaken(Conflict):
    """The portfolio already holds evidence under this reference."""

    slug: ClassVar[str] = "evidence-ref-taken"


class AlreadyInvalidated(Conflict):
    """The evidence was invalidated before; the first date stands."""

    slug: ClassVar[str] = "already-invalidated"


class UnknownDomain(RuleBroken):
    """The framework of this portfolio has no such domain."""

    slug: ClassVar[str] = "unknown-domain"


class TooMuchEvidence(RuleBroken):
    """A portfolio holds a bounded number of pieces."""

    slug: ClassVar[str] = "too-much-evidence"


class WaveTaken(Conflict):
    """There is one self-assessment per wave."""

    slug: ClassVar[str] = "wave-taken"


class RatingsIncomplete(RuleBroken):
    """A self-assessment rates every domain of the framework, in whole numbers from 1 to 5."""

    slug: ClassVar[str] = "ratings-incomplete"


class OwnSupervision(Forbidden):
    """Nobody supervises themselves."""

    slug: ClassVar[str] = "own-supervision"


class SessionTaken(Conflict):
    """A session of this person with this supervisor on this day is already recorded."""

    slug: ClassVar[str] = "session-taken"


class NoPortfolio(NotFound):
    """There is no such portfolio here."""

    slug: ClassVar[str] = "not-found"


class NoEvidence(NotFound):
    """The portfolio holds no evidence under this reference."""

    slug: ClassVar[str] = "not-found"


class NoPractitioner(NotFound):
    """Enrolment has not told this employer's assessment of such a person."""

    slug: ClassVar[str] = "not-found"
