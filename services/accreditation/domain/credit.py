"""The ledger of credits: append only, one entry for a person and a module, for ever.

Nothing is ever taken out or changed here; a correction would be an entry of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.accreditation.domain.candidacy import Candidacy, CreditDue
from services.accreditation.domain.errors import NotRegistered
from services.accreditation.domain.events import CreditAwarded


@dataclass(frozen=True, slots=True)
class Credit:
    """One award. `sequence` is its place in the university's order of awards, from 1, without gaps."""

    credit_id: str
    sequence: int
    person_id: str
    registration_id: str
    enrolment_id: str
    employer: str
    course: str
    intake: str
    module: str
    credits: int
    level: int
    awarded_on: date
    board_id: str

    def event(self) -> CreditAwarded:
        """Return what the partners are told of the award."""
        return CreditAwarded(
            credit_id=self.credit_id,
            registration_id=self.registration_id,
            enrolment_id=self.enrolment_id,
            employer=self.employer,
            course=self.course,
            intake=self.intake,
            module=self.module,
            credits=self.credits,
            level=self.level,
            awarded_on=self.awarded_on,
        )


def award(candidacy: Candidacy, due: CreditDue, *, credit_id: str, sequence: int) -> tuple[Candidacy, Credit]:
    """Return the credited candidacy and its entry in the ledger: exactly the module's credits. Source: BR-17.

    Raises:
        NotRegistered: when there is no enrolment or board decision to award from.
    """
    if candidacy.enrolment is None or candidacy.ratified is None:
        raise NotRegistered("There is nothing to award from.")
    credit = Credit(
        credit_id=credit_id,
        sequence=sequence,
        person_id=due.person_id,
        registration_id=candidacy.enrolment.registration_id,
        enrolment_id=candidacy.enrolment_id,
        employer=candidacy.employer,
        course=candidacy.enrolment.run.course,
        intake=candidacy.enrolment.run.intake,
        module=due.terms.module,
        credits=due.terms.credits,
        level=due.terms.level,
        awarded_on=due.awarded_on,
        board_id=candidacy.ratified.board_id,
    )
    return replace(candidacy, credit_id=credit_id), credit


def credited_before(candidacy: Candidacy, credit_id: str) -> Candidacy:
    """Return the candidacy with the recorded refusal: this person has this module's credit already. Source: BR-17."""
    return replace(candidacy, credited_before=credit_id)
