"""What accreditation does with facts from employers, and with an identity that was released.

Every function may run twice and in any order; a repeat changes nothing. None looks for a fact in another feed: what
is missing waits in the candidacy. Facts are kept under the organisation that owns them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from services.accreditation.application.ports import Desk, Release
from services.accreditation.application.settling import settle
from services.accreditation.domain.candidacy import Candidacy, Enrolment, Practice
from services.accreditation.domain.modules import Run
from services.accreditation.domain.people import Identity, Person, registration_number

FIRST_PAUSE_SECONDS = 2
LONGEST_PAUSE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class ConfirmedEnrolment:
    """An employer confirmed an enrolment on the academic route, to this university."""

    employer: str
    enrolment_id: str
    practitioner_id: str
    run: Run
    module: str | None
    confirmed_on: date


def when_confirmed(desk: Desk, fact: ConfirmedEnrolment) -> None:
    """Open the registration, place it on the cohort's instance and ask for the candidate's identity."""
    before = desk.candidacies.find(fact.employer, fact.enrolment_id)
    if before.enrolment is not None:
        return
    _register(desk, before, fact)


def when_academic_added(desk: Desk, fact: ConfirmedEnrolment, change_number: int) -> None:
    """Register whoever adds the academic element, as a confirmation does; a registration that was left goes on."""
    before = desk.candidacies.find(fact.employer, fact.enrolment_id)
    after = before.taken_up(change_number)
    if after == before:
        return
    if before.enrolment is None:
        _register(desk, after, fact)
        return
    kept = settle(desk, before, after)
    if kept.enrolment is not None and kept.person_id is None and kept.withdrawn_on is None:
        _ask_for_identity(desk, kept.enrolment.registration_id, fact)


def when_academic_dropped(desk: Desk, employer: str, enrolment_id: str, on: date, change_number: int) -> None:
    """End the registration of whoever goes on in practice alone, unless work was handed in: that is marked."""
    before = desk.candidacies.find(employer, enrolment_id)
    after = settle(desk, before, before.dropped(on, change_number))
    if after.enrolment is not None and after.dropped_on is not None:
        desk.releases.remove(after.enrolment.registration_id)


def when_transferred(desk: Desk, employer: str, enrolment_id: str, on: date) -> None:
    """End the registration under the old employer, unless work was handed in; the new employer opens another.

    The person stays one person: the registration number is the same.
    """
    before = desk.candidacies.find(employer, enrolment_id)
    if before.enrolment is not None and before.submission is None:
        when_withdrawn(desk, employer, enrolment_id, on)


def _register(desk: Desk, before: Candidacy, fact: ConfirmedEnrolment) -> None:
    enrolment = Enrolment(
        registration_id=desk.new_id(),
        practitioner_id=fact.practitioner_id,
        run=fact.run,
        module=fact.module,
        confirmed_on=fact.confirmed_on,
    )
    desk.instances.hold(fact.run)
    instance = desk.instances.live_on(fact.run, fact.module)
    after = before.confirmed(enrolment).placed(instance.terms() if instance else None)
    settle(desk, before, after)
    if after.ended_on is None:
        _ask_for_identity(desk, enrolment.registration_id, fact)


def _ask_for_identity(desk: Desk, registration_id: str, fact: ConfirmedEnrolment) -> None:
    desk.releases.put(
        Release(
            registration_id=registration_id,
            employer=fact.employer,
            enrolment_id=fact.enrolment_id,
            practitioner_id=fact.practitioner_id,
            attempts=0,
            due_at=desk.now,
        )
    )


def when_practice_confirmed(desk: Desk, employer: str, enrolment_id: str, practice: Practice) -> None:
    """Keep the employer's outcome; credit follows when it was the last fact. Source: BR-13."""
    before = desk.candidacies.find(employer, enrolment_id)
    settle(desk, before, before.practised(practice))


def when_withdrawn(desk: Desk, employer: str, enrolment_id: str, withdrawn_on: date) -> None:
    """Keep the withdrawal: nothing more is taken in, marked or awarded, and no identity is asked for."""
    before = desk.candidacies.find(employer, enrolment_id)
    after = settle(desk, before, before.withdrawn(withdrawn_on))
    if after.enrolment is not None:
        desk.releases.remove(after.enrolment.registration_id)


def when_identified(desk: Desk, release: Release, identity: Identity) -> None:
    """Match the identity to the university's own person and complete the registration.

    The same person under another employer's id is found by registration number and stays one person.
    """
    desk.releases.remove(release.registration_id)
    before = desk.candidacies.find(release.employer, release.enrolment_id)
    if before.person_id is not None or before.ended_on is not None:
        return
    person = _person(desk, identity)
    settle(desk, before, before.identified(person.person_id))


def when_not_released(desk: Desk, release: Release) -> None:
    """Ask again later: after 2 seconds, doubling to 15 minutes, for ever."""
    if not desk.releases.has(release.registration_id):
        return
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(release.attempts, 10), LONGEST_PAUSE_SECONDS)
    desk.releases.put(
        Release(
            registration_id=release.registration_id,
            employer=release.employer,
            enrolment_id=release.enrolment_id,
            practitioner_id=release.practitioner_id,
            attempts=release.attempts + 1,
            due_at=desk.now + timedelta(seconds=pause),
        )
    )


def _person(desk: Desk, identity: Identity) -> Person:
    number = registration_number(identity.registration_number)
    standing = desk.people.of_number(number)
    if standing is None:
        person = Person(
            person_id=desk.new_id(),
            registration_number=number,
            given_name=identity.given_name,
            family_name=identity.family_name,
        )
    else:
        person = standing.released_again(identity)
    if person is not standing:
        desk.people.save(person)
    return person
