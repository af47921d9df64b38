"""Portfolios: each function carries out one command inside one transaction and returns what is kept now."""

from __future__ import annotations

from collections.abc import Callable

from services.assessment.application.commands import (
    Actor,
    AddEvidence,
    DecidePortfolio,
    EvidenceItem,
    InvalidateEvidence,
    RecordSelfAssessments,
    SubmitPortfolio,
)
from services.assessment.application.ports import Kept, Ports
from services.assessment.domain import portfolio as practice
from services.assessment.domain.errors import NoPortfolio, NotYourPortfolio, StepOutOfOrder
from services.assessment.domain.evaluation import Evaluation, SelfAssessment, record
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import LineManagers
from services.assessment.domain.portfolio import Decided, Decision, Portfolio, State
from services.assessment.domain.sufficiency import EvidenceRules
from shared.storage.unit_of_work import Reading, Work

Step = Callable[[Portfolio, Decision, EvidenceRules, LineManagers], Decided]


def load(ports: Ports, reading: Reading, portfolio_id: str, actor: Actor) -> Kept[Portfolio]:
    """Return a portfolio that `actor` may touch.

    Raises:
        NoPortfolio: there is none here.
        NotYourPortfolio: it is another person's, and the actor may only touch their own.
    """
    kept = ports.portfolios.find(reading, portfolio_id)
    if kept is None:
        raise NoPortfolio("there is no such portfolio")
    person_id = ports.person_id(reading.organisation, actor.reference)
    if actor.is_limited_to_self and person_id != kept.value.candidacy.practitioner_id:
        raise NotYourPortfolio("this is another person's portfolio")
    return kept


def managers_of(ports: Ports, reading: Reading, portfolio: Portfolio) -> LineManagers:
    """Return the candidate's line managers as known, empty when enrolment named none."""
    person = ports.people.find(reading, portfolio.candidacy.practitioner_id)
    return person.value.managers if person is not None else LineManagers()


def add_evidence(ports: Ports, work: Work, command: AddEvidence) -> Kept[Portfolio]:
    """Add all pieces of the command. Authors become opaque ids here; their references go no further."""
    kept = load(ports, work, command.portfolio_id, command.actor)
    pieces = tuple(_piece(ports, work, item) for item in command.items)
    rules = ports.rulebook.rules(kept.value.candidacy.evidence_set)
    return _keep(ports, work, kept, practice.add_evidence(kept.value, pieces, rules))


def invalidate_evidence(ports: Ports, work: Work, command: InvalidateEvidence) -> Kept[Portfolio]:
    """Let a piece no longer count. Source: BR-6."""
    kept = load(ports, work, command.portfolio_id, command.actor)
    decided = practice.invalidate_evidence(kept.value, command.ref, command.reason, command.on)
    return _keep(ports, work, kept, decided)


def submit(ports: Ports, work: Work, command: SubmitPortfolio) -> Kept[Portfolio]:
    """Hand the portfolio in; the last submission says whether it stays or what is missing."""
    kept = load(ports, work, command.portfolio_id, command.actor)
    rules = ports.rulebook.rules(kept.value.candidacy.evidence_set)
    decided = practice.submit(kept.value, command.on, rules, managers_of(ports, work, kept.value))
    return _keep(ports, work, kept, decided)


def verify(ports: Ports, work: Work, command: DecidePortfolio) -> Kept[Portfolio]:
    """Let the actor, a supervisor, stand by the portfolio."""
    return _decide(ports, work, command, practice.verify)


def recommend(ports: Ports, work: Work, command: DecidePortfolio) -> Kept[Portfolio]:
    """Let the actor, an assessor, recommend an outcome."""
    return _decide(ports, work, command, practice.recommend)


def confirm(ports: Ports, work: Work, command: DecidePortfolio) -> Kept[Portfolio]:
    """Let the actor, a moderator, confirm the employer's outcome."""
    return _decide(ports, work, command, practice.confirm)


def record_self_assessments(ports: Ports, work: Work, command: RecordSelfAssessments) -> Kept[Evaluation]:
    """Record all waves of the command; a withdrawn enrolment takes no more.

    The random id is made with the first answer, never with the portfolio: identifiers carry their time of making.
    """
    portfolio = load(ports, work, command.portfolio_id, command.actor).value
    if portfolio.state is State.CLOSED:
        raise StepOutOfOrder("the enrolment is withdrawn")
    rules = ports.rulebook.rules(portfolio.candidacy.evidence_set)
    kept = ports.evaluations.find(work, portfolio.portfolio_id)
    version = kept.version if kept is not None else 0
    evaluation = kept.value if kept is not None else _first_evaluation(work, portfolio)
    for place, item in enumerate(command.items):
        answer = SelfAssessment(item.wave, item.held_on, rules.framework, item.ratings)
        evaluation, event = record(evaluation, answer, rules, place=place)
        work.emit(ports.publish(event, version + 1))
    return ports.evaluations.keep(work, evaluation, version)


def _first_evaluation(work: Work, portfolio: Portfolio) -> Evaluation:
    candidacy = portfolio.candidacy
    return Evaluation(portfolio.portfolio_id, work.new_id(), candidacy.course, candidacy.intake)


def _piece(ports: Ports, work: Work, item: EvidenceItem) -> Evidence:
    author_id = ports.person_id(work.organisation, item.author_ref) if item.author_ref is not None else None
    return Evidence(
        evidence_id=work.new_id(),
        ref=item.ref,
        kind=item.kind,
        domains=item.domains,
        author_role=item.author_role,
        author_id=author_id,
        made_on=item.made_on,
        level=item.level,
    )


def _decide(ports: Ports, work: Work, command: DecidePortfolio, step: Step) -> Kept[Portfolio]:
    kept = load(ports, work, command.portfolio_id, command.actor)
    by = Decision(ports.person_id(work.organisation, command.actor.reference), command.on, command.outcome)
    rules = ports.rulebook.rules(kept.value.candidacy.evidence_set)
    return _keep(ports, work, kept, step(kept.value, by, rules, managers_of(ports, work, kept.value)))


def _keep(ports: Ports, work: Work, kept: Kept[Portfolio], decided: Decided) -> Kept[Portfolio]:
    portfolio, events = decided
    now = ports.portfolios.keep(work, portfolio, kept.version)
    work.emit(*(ports.publish(event, now.version) for event in events))
    return now
