"""Learning needs, what HR vouches for, and advice over HTTP. A practitioner sees and sets their own only."""

from __future__ import annotations

import msgspec

from services.enrolment.api import course_representations as show
from services.enrolment.api.advice_schemas import (
    BACKGROUND_IN,
    BACKGROUND_OUT,
    LEARNING_NEEDS_IN,
    LEARNING_NEEDS_OUT,
    RECOMMENDATIONS_ASKED,
    RECOMMENDATIONS_OUT,
)
from services.enrolment.api.rooms import books, desk
from services.enrolment.application import advice, learning_needs
from services.enrolment.application.ports import Books
from services.enrolment.domain.errors import NoSuchThing
from services.enrolment.domain.learning_needs import Background, LearningNeeds
from services.enrolment.domain.practitioners import Practitioner
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    conditional,
    current_principal,
    etag_of,
    if_match,
    load,
    query,
    read,
    returns,
    scope,
    transact,
)
from shared.storage.unit_of_work import Reading, Work

advice_routes = Routes(
    "advice", description="Which courses suit a person, from what they and their employer wrote down."
)

_NEEDS = "/v1/organisations/<org>/practitioners/<employee_ref>/learning-needs"
_BACKGROUND = "/v1/organisations/<org>/practitioners/<employee_ref>/background"
_HR = frozenset({"hr"})
_HR_AND_SUPERVISORS = frozenset({"hr", "supervisor"})


@advice_routes.put(_NEEDS)
@scope("learning-needs.set")
@accepts(LEARNING_NEEDS_IN)
@conditional
@returns(200, LEARNING_NEEDS_OUT, etag=True)
@returns(201, LEARNING_NEEDS_OUT, etag=True)
def set_learning_needs(org: str, employee_ref: str) -> Reply:
    """Keep a person's self-audit in place of the one before; a practitioner their own only."""
    body = load(LEARNING_NEEDS_IN)

    def change(work: Work) -> Reply:
        at = desk(work)
        person = _person(at, employee_ref, _HR)
        standing = at.learning.needs(person.practitioner_id)
        if_match(etag_of(standing.version) if standing else None)
        wanted = msgspec.convert({"practitioner_id": person.practitioner_id, **body}, LearningNeeds)
        kept = learning_needs.keep_needs(at, wanted)
        return Reply(200 if standing else 201, show.needs(kept), etag=etag_of(kept.version))

    return transact(org, change)


@advice_routes.get(_NEEDS)
@scope("learning-needs.read")
@returns(200, LEARNING_NEEDS_OUT, etag=True)
def read_learning_needs(org: str, employee_ref: str) -> Reply:
    """Read a person's latest self-audit; a practitioner their own only."""

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = at.learning.needs(_person(at, employee_ref, _HR_AND_SUPERVISORS).practitioner_id)
        if found is None:
            raise NoSuchThing("no self-audit was written down")
        return Reply(200, show.needs(found), etag=etag_of(found.version))

    return read(org, answer)


@advice_routes.put(_BACKGROUND)
@scope("backgrounds.set")
@accepts(BACKGROUND_IN)
@conditional
@returns(200, BACKGROUND_OUT, etag=True)
@returns(201, BACKGROUND_OUT, etag=True)
def set_background(org: str, employee_ref: str) -> Reply:
    """Keep a person's roles and the courses that they completed elsewhere."""
    body = load(BACKGROUND_IN)

    def change(work: Work) -> Reply:
        at = desk(work)
        person = _person(at, employee_ref, _HR)
        standing = at.learning.background(person.practitioner_id)
        if_match(etag_of(standing.version) if standing else None)
        wanted = msgspec.convert({"practitioner_id": person.practitioner_id, **body}, Background)
        kept = learning_needs.keep_background(at, wanted)
        return Reply(200 if standing else 201, show.background(kept), etag=etag_of(kept.version))

    return transact(org, change)


@advice_routes.get(_BACKGROUND)
@scope("backgrounds.read")
@returns(200, BACKGROUND_OUT, etag=True)
def read_background(org: str, employee_ref: str) -> Reply:
    """Read a person's roles and prior courses; a practitioner their own only."""

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        found = at.learning.background(_person(at, employee_ref, _HR).practitioner_id)
        if found is None:
            raise NoSuchThing("nothing was written down")
        return Reply(200, show.background(found), etag=etag_of(found.version))

    return read(org, answer)


@advice_routes.get("/v1/organisations/<org>/recommendations")
@scope("recommendations.read")
@asks(RECOMMENDATIONS_ASKED)
@returns(200, RECOMMENDATIONS_OUT)
def recommend(org: str) -> Reply:
    """See which combinations of courses suit a person, with the reason for each; a practitioner their own only."""
    reference = query(RECOMMENDATIONS_ASKED)["practitioner"]

    def answer(reading: Reading) -> Reply:
        at = books(reading)
        person = _person(at, reference, _HR_AND_SUPERVISORS)
        return Reply(200, show.recommendations(person.practitioner_id, advice.recommendations(at, person)))

    return read(org, answer)


def _person(at: Books, reference: str, for_others: frozenset[str]) -> Practitioner:
    """Return the person; to whoever has none of the roles `for_others`, nobody but themselves is there."""
    principal = current_principal()
    found = learning_needs.person(at, reference)
    if for_others.isdisjoint(principal.roles) and at.person_id(principal.subject) != found.practitioner_id:
        raise NoSuchThing("another person")
    return found
