"""After every new fact: look at what is there, tell who must know, award what is due. Once.

Every handler and reaction that changes a candidacy ends here, so that a decision falls in the same way whichever
fact came last. A credit that the feed tells of already, because the database came back from a backup behind it, is
entered again under its own id and not told a second time.
"""

from __future__ import annotations

from dataclasses import replace

from services.accreditation.application.ports import Desk
from services.accreditation.domain.candidacy import Candidacy
from services.accreditation.domain.credit import award, credited_before
from services.accreditation.domain.events import CandidateRegistered


def settle(desk: Desk, before: Candidacy, after: Candidacy) -> Candidacy:
    """Save `after` with every decision that is due now, tell others, and return it; unchanged means nothing happens.

    Source: BR-17, BR-23, partnership data rules (credit).
    """
    decided = _announced(_credited(desk, after))
    if decided == before:
        return before
    kept = desk.candidacies.save(decided)
    if kept.announced and not before.announced:
        _tell_registered(desk, kept)
    return kept


def _credited(desk: Desk, candidacy: Candidacy) -> Candidacy:
    due = candidacy.credit_due()
    if due is None:
        return candidacy
    standing = desk.ledger.of_person(due.person_id, due.terms.module)
    if standing is not None:
        return credited_before(candidacy, standing.credit_id)
    told = desk.ledger.told_before(candidacy.enrolment_id, due.terms.module)
    sequence = desk.ledger.next_sequence()
    credited, credit = award(candidacy, due, credit_id=told or desk.new_id(), sequence=sequence)
    desk.ledger.append(credit)
    if told is None:
        desk.tell(credit.event())
    else:
        desk.silent("the feed tells of this credit already")
    return credited


def _announced(candidacy: Candidacy) -> Candidacy:
    return replace(candidacy, announced=True) if candidacy.to_announce() else candidacy


def _tell_registered(desk: Desk, candidacy: Candidacy) -> None:
    if candidacy.enrolment is None or candidacy.terms is None:
        return
    desk.tell(
        CandidateRegistered(
            registration_id=candidacy.enrolment.registration_id,
            enrolment_id=candidacy.enrolment_id,
            employer=candidacy.employer,
            instance_id=candidacy.terms.instance_id,
            course=candidacy.enrolment.run.course,
            intake=candidacy.enrolment.run.intake,
            version=candidacy.version,
        )
    )
