"""What a university does when an employer has erased a person: it is controller of its own copy and decides itself.

Work handed in, a ratified mark or a credit make a student record, which is kept (reason code `student_record`). Without
one nothing keeps the copy: the identity goes, and nobody fetches it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.accreditation.application.ports import Desk
from services.accreditation.domain.candidacy import Candidacy
from services.accreditation.domain.events import ErasureAcknowledged

ERASED: Final = "erased"
KEPT: Final = "kept"
NOTHING_HELD: Final = "nothing_held"
STUDENT_RECORD: Final = "student_record"


def when_practitioner_erased(desk: Desk, employer: str, practitioner_id: str, number: int) -> None:
    """Forget, or keep and say why; acknowledge once per erasure (`number`: the employer's event)."""
    if not desk.erasures.is_news(employer, practitioner_id, number):
        return
    held = desk.candidacies.of_practitioner(employer, practitioner_id)
    for candidacy in held:
        if candidacy.enrolment is not None:
            desk.releases.remove(candidacy.enrolment.registration_id)
    if any(is_student_record(candidacy) for candidacy in held):
        outcome, reason = KEPT, STUDENT_RECORD
    elif held:
        for candidacy in held:
            _forget(desk, candidacy)
        outcome, reason = ERASED, None
    else:
        outcome, reason = NOTHING_HELD, None
    desk.tell(ErasureAcknowledged(practitioner_id, employer, outcome, reason, number))


def is_student_record(candidacy: Candidacy) -> bool:
    """Return whether the university has to keep this: work was handed in, marked or credited."""
    return any((candidacy.submission, candidacy.ratified, candidacy.credit_id, candidacy.credited_before))


def _forget(desk: Desk, candidacy: Candidacy) -> None:
    """Take the person out of the candidacy, and out of the register when no other candidacy is theirs."""
    if candidacy.person_id is None:
        return
    desk.candidacies.save(replace(candidacy, person_id=None))
    if not desk.erasures.is_somebodys(candidacy.person_id):
        desk.people.remove(candidacy.person_id)
