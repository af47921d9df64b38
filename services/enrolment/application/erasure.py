"""Erasing a person: asking, approving, the steps of the work, and the guard at every door afterwards.

A step is one small transaction that also keeps how far it came: a worker that dies goes on where it was, and the same
erasure twice is one. The person's own rows go last, because what they say is needed to find all the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.enrolment.application.ports import Desk, EnrolmentFilter
from services.enrolment.domain import erasures, lifecycle, records
from services.enrolment.domain.decisions import REFUSED, Verdict
from services.enrolment.domain.erasures import ASKED, BASES, DONE, RUNNING, SHUT, Erasure
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo, WrongState
from services.enrolment.domain.events import PractitionerErased
from services.enrolment.domain.records import ReadRow, RowFault
from services.enrolment.domain.traces import traces_of
from shared.clock import london_date
from shared.partnership import Partnership

MOST_ENROLMENTS = 500
TO_BE_ANSWERED = (lifecycle.NOMINATED, *lifecycle.UNANSWERED, lifecycle.OFFERED)
QUIET = "an erasure is told when it is done"
ERASED_FAULT = RowFault(
    records.INVALID_VALUE,
    "employee_ref",
    "the person of this reference was erased: say on purpose that they are back before sending them again",
)
ERASED_VERDICT = Verdict(REFUSED, (ERASED_FAULT,))


def who_answers(partnership: Partnership, employer: str) -> tuple[str, ...]:
    """Return who answers an employer's erasures: its own assessment, every awarding university, the board."""
    universities = (f"accreditation/{university}" for university in partnership.owners("accreditation"))
    boards = (f"reporting/{board}" for board in partnership.owners("reporting"))
    return (f"assessment/{employer}", *universities, *boards)


def ask(desk: Desk, practitioner_id: str, basis: str, by: str, expected: Sequence[str]) -> Erasure:
    """Return the erasure that waits for a second person, or the one that is already there.

    Raises:
        NoSuchThing: There is nobody of that id, or they were merged into somebody.
        RuleSaysNo: The basis is none of `BASES`.
        WrongState: A nomination of theirs still waits for somebody's answer.
    """
    if basis not in BASES:
        raise RuleSaysNo("this is no reason to erase anybody")
    standing = desk.erasures.latest(practitioner_id)
    if standing is not None and standing.state in (ASKED, *SHUT):
        return standing
    person = desk.people.find(practitioner_id)
    if person is None or person.merged_into is not None:
        raise NoSuchThing("no such practitioner")
    ids = tuple(one.practitioner_id for one in desk.everywhere.people(practitioner_id))
    filters = [EnrolmentFilter(practitioner_id=one) for one in ids]
    held = [enrolment for wanted in filters for enrolment in desk.enrolments.page(None, MOST_ENROLMENTS, wanted)]
    if any(enrolment.status in TO_BE_ANSWERED for enrolment in held):
        raise WrongState("a nomination of this person waits for an answer: withdraw it first")
    desk.silent(QUIET)
    return desk.erasures.add(Erasure(desk.new_id(), practitioner_id, basis, by, desk.now, tuple(expected), ids))


def approve(desk: Desk, erasure_id: str, by: str, *, alone: bool = False) -> Erasure:
    """Return the erasure that a worker begins with now. Raises as `erasures.approved` does."""
    standing = _found(desk, erasure_id)
    desk.silent(QUIET)
    return desk.erasures.save(erasures.approved(standing, by, desk.now, alone=alone))


def refuse(desk: Desk, erasure_id: str, by: str, reason: str) -> Erasure:
    """Return the erasure that will not be. Raises as `erasures.refused` does."""
    standing = _found(desk, erasure_id)
    desk.silent(QUIET)
    return desk.erasures.save(erasures.refused(standing, by, desk.now, reason))


def welcome_back(desk: Desk, erasure_id: str) -> Erasure:
    """Return the erasure of somebody who may be taken again under the same reference, with nothing of the past.

    Raises:
        WrongState: It is not done, or nobody has answered it yet.
    """
    standing = _found(desk, erasure_id)
    desk.silent("nobody is told of a person before they are nominated again")
    return desk.erasures.save(erasures.returned(standing))


def step(desk: Desk, erasure_id: str) -> bool:
    """Bring an erasure one part forward; return whether there is more to do now."""
    erasure = _found(desk, erasure_id)
    if erasure.state != RUNNING or erasure.decided_at is None:
        return False
    if erasure.step == 0 and desk.everywhere.files_before(erasure.decided_at):
        return False
    people = desk.everywhere.people(erasure.practitioner_id)
    traces = traces_of(people)
    names = desk.everywhere.steps()
    if erasure.step >= len(names):
        version = desk.everywhere.remove_person(traces)
        day = london_date(desk.now)
        for person in people:
            desk.tell(PractitionerErased(person.practitioner_id, day), version + 1)
        desk.erasures.save(replace(erasure, state=DONE, erased_on=day, after=None))
        return False
    name = names[erasure.step]
    after, count = desk.everywhere.clean(name, erasure.after, traces)
    changed = {**erasure.changed, name: erasure.changed.get(name, 0) + count}
    onward = erasure.step + (1 if after is None else 0)
    desk.erasures.save(replace(erasure, step=onward, after=after, changed=changed))
    return True


def barred(desk: Desk, rows: Sequence[ReadRow]) -> frozenset[str | None]:
    """Return the employee references among these rows whose people were erased; a repeated file brings nobody back."""
    ids = {row.record.employee_ref: desk.person_id(row.record.employee_ref) for row in rows if row.record.employee_ref}
    shut = desk.erasures.shut(list(ids.values()))
    return frozenset(reference for reference, identity in ids.items() if identity in shut)


def _found(desk: Desk, erasure_id: str) -> Erasure:
    found = desk.erasures.find(erasure_id)
    if found is None:
        raise NoSuchThing("no such erasure")
    return found
