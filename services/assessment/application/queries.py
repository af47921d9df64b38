"""What can be asked of assessment. Views are frozen; nothing here changes anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.assessment.application.commands import Actor
from services.assessment.application.handlers import load, managers_of
from services.assessment.application.ports import Beside, Kept, PortfolioFilter, Ports
from services.assessment.domain.errors import NoPractitioner, NotYourPortfolio
from services.assessment.domain.evaluation import Evaluation
from services.assessment.domain.line_managers import LineManagers
from services.assessment.domain.portfolio import Portfolio, missing_on
from services.assessment.domain.supervision import Compliance, Session, compliance
from shared.clock import london_date
from shared.storage.unit_of_work import Reading

NEWLY_QUALIFIED = "ASYE"
WINDOW_DAYS = 365


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """A portfolio with what stands beside it. `version` rises whenever any part of the view changes."""

    portfolio: Portfolio
    managers: LineManagers
    evaluation: Evaluation | None
    course_title: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a portfolio lacks on a day, by name."""

    portfolio_id: str
    on: date
    missing: tuple[str, ...]


def list_portfolios(
    ports: Ports, reading: Reading, actor: Actor, asked: PortfolioFilter, practitioner_ref: str | None
) -> list[Kept[Portfolio]]:
    """Return a page of portfolios; who may see only their own sees only their own.

    Raises:
        NotYourPortfolio: somebody limited to their own asked for another person's.
    """
    own_id = ports.person_id(reading.organisation, actor.reference)
    wanted = ports.person_id(reading.organisation, practitioner_ref) if practitioner_ref is not None else None
    if actor.is_limited_to_self:
        if wanted not in (None, own_id):
            raise NotYourPortfolio("these are another person's portfolios")
        wanted = own_id
    return ports.portfolios.list(reading, replace(asked, practitioner_id=wanted))


def portfolio_view(ports: Ports, reading: Reading, actor: Actor, portfolio_id: str) -> PortfolioView:
    """Return one portfolio with evidence, self-assessments and the line managers as known."""
    kept = load(ports, reading, portfolio_id, actor)
    return view_of(kept, ports.portfolios.beside(reading, portfolio_id))


def view_of(kept: Kept[Portfolio], beside: Beside) -> PortfolioView:
    """Return what is shown of a portfolio with what stands beside it."""
    person, evaluation, course = beside.person, beside.evaluation, beside.course
    parts = (kept, person, evaluation, course)
    return PortfolioView(
        portfolio=kept.value,
        managers=person.value.managers if person is not None else LineManagers(),
        evaluation=evaluation.value if evaluation is not None else None,
        course_title=course.value.title if course is not None else None,
        version=sum(part.version for part in parts if part is not None),
    )


def readiness(ports: Ports, reading: Reading, actor: Actor, portfolio_id: str, on: date | None) -> Readiness:
    """Return what is missing on `on`, today by default."""
    portfolio = load(ports, reading, portfolio_id, actor).value
    day = on or london_date(reading.now)
    rules = ports.rulebook.rules(portfolio.candidacy.evidence_set)
    missing = missing_on(portfolio, day, rules, managers_of(ports, reading, portfolio))
    return Readiness(portfolio_id, day, missing)


def supervision_of(ports: Ports, reading: Reading, actor: Actor, practitioner_ref: str) -> tuple[Session, ...]:
    """Return a person's sessions, oldest first.

    Raises:
        NotYourPortfolio: somebody limited to their own asked for another person's.
        NoPractitioner: enrolment has not told of this person.
    """
    return ports.sessions.of(reading, _practitioner(ports, reading, actor, practitioner_ref))


def supervision_compliance(
    ports: Ports, reading: Reading, actor: Actor, practitioner_ref: str, until: date | None
) -> Compliance:
    """Return how a person's supervision compares with the standard in the year up to `until` (today by default).

    Employment begins when enrolment says that the latest one did; unsaid, with the first line manager that it told of;
    without one, with the window.
    Source: BR-4, BR-26.
    """
    practitioner_id = _practitioner(ports, reading, actor, practitioner_ref)
    person = ports.people.find(reading, practitioner_id)
    last = until or london_date(reading.now)
    window_on = last - timedelta(days=WINDOW_DAYS)
    history = person.value.managers.history if person is not None else ()
    employment = person.value.employment if person is not None else None
    mine = ports.portfolios.list(reading, PortfolioFilter(practitioner_id=practitioner_id))
    return compliance(
        ports.sessions.of(reading, practitioner_id),
        started_on=employment.started_on if employment else history[0].from_on if history else window_on,
        from_on=window_on,
        until_on=last,
        absences=employment.absences if employment else (),
        is_newly_qualified=any(kept.value.candidacy.pcf_level == NEWLY_QUALIFIED for kept in mine),
    )


def _practitioner(ports: Ports, reading: Reading, actor: Actor, practitioner_ref: str) -> str:
    practitioner_id = ports.person_id(reading.organisation, practitioner_ref)
    if actor.is_limited_to_self and practitioner_id != ports.person_id(reading.organisation, actor.reference):
        raise NotYourPortfolio("this is another person's supervision")
    if ports.people.find(reading, practitioner_id) is None:
        raise NoPractitioner("there is no such practitioner")
    return practitioner_id
