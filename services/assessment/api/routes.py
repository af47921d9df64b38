"""Assessment's doors for people: portfolios, evidence and steps. Supervision stands in `supervision_routes`.

Each view reads its request, makes a command, runs it in one transaction and shows what is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from services.assessment.api import representations as show
from services.assessment.api import schemas
from services.assessment.application import handlers, queries
from services.assessment.application.commands import (
    Actor,
    AddEvidence,
    DecidePortfolio,
    EvidenceItem,
    InvalidateEvidence,
    RecordSelfAssessments,
    SelfAssessmentItem,
    SubmitPortfolio,
)
from services.assessment.application.ports import Kept, PortfolioFilter, Ports
from services.assessment.domain.portfolio import Outcome, Portfolio
from shared.http import (
    Reply,
    Routes,
    accepts,
    asks,
    current_principal,
    current_service,
    etag_of,
    if_match,
    load,
    page_of,
    paged,
    query,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.http.fields import StrictSchema
from shared.identity import Resource, may
from shared.storage.unit_of_work import Reading, Work

BASE = "/v1/organisations/<org>/portfolios"
PORTFOLIO = f"{BASE}/<portfolio_id>"
SOMEBODY_ELSE = "\0somebody else"
"""No token can have this subject: whoever may do something to this person's things may do it to everybody's."""

CHANGED = "`If-Match` was sent and names another state than the present one"

EVIDENCE_IN = schemas.EvidenceIn()
EVIDENCE_OUT = schemas.EvidenceListOut()
INVALIDATION_IN = schemas.InvalidationIn()
SELF_ASSESSMENTS_IN = schemas.SelfAssessmentsIn()
SELF_ASSESSMENTS_OUT = schemas.SelfAssessmentsOut()
SUBMISSION_IN = schemas.SubmissionIn()
SUBMISSION_OUT = schemas.SubmissionResultOut()
VERIFICATION_IN = schemas.VerificationIn()
RECOMMENDATION_IN = schemas.RecommendationIn()
CONFIRMATION_IN = schemas.ConfirmationIn()
STEP_OUT = schemas.StepOut()
PORTFOLIOS_QUERY = schemas.PortfoliosQuery()
PORTFOLIO_SUMMARY_OUT = schemas.PortfolioSummaryOut()
PORTFOLIO_OUT = schemas.PortfolioOut()
READINESS_QUERY = schemas.ReadinessQuery()
READINESS_OUT = schemas.ReadinessOut()


def actor_for(action: str) -> Actor:
    """Return whoever asks, and whether `action` is theirs for their own things only."""
    principal = current_principal()
    anybody = Resource(principal.organisation, SOMEBODY_ELSE)
    return Actor(principal.subject, not may(principal, action, anybody, current_service().roles))


def portfolio_routes(ports: Ports) -> Routes:
    """Return the blueprint of portfolios, bound to `ports`."""
    routes = Routes("portfolios", description="Practice portfolios: evidence, submission and the three decisions.")
    _register_reading(routes, ports)
    _register_evidence(routes, ports)
    _register_steps(routes, ports)
    return routes


def _register_reading(routes: Routes, ports: Ports) -> None:
    @routes.get(BASE)
    @scope("portfolios.list")
    @asks(PORTFOLIOS_QUERY)
    @paged
    @returns(200, PORTFOLIO_SUMMARY_OUT)
    def list_portfolios(org: str) -> Reply:
        """List portfolios in the order of their enrolments; a practitioner sees their own."""
        asked, page, actor = query(PORTFOLIOS_QUERY), page_of(), actor_for("portfolios.list")
        wanted = PortfolioFilter(
            course=asked.get("course"), intake=asked.get("intake"), after=page.after, limit=page.fetch
        )

        def found(reading: Reading) -> Reply:
            rows = queries.list_portfolios(ports, reading, actor, wanted, asked.get("practitioner_ref"))
            portfolios = [kept.value for kept in rows]
            return page.reply(portfolios, lambda portfolio: portfolio.portfolio_id, show.summary)

        return read(org, found)

    @routes.get(PORTFOLIO)
    @scope("portfolios.read")
    @returns(200, PORTFOLIO_OUT, etag=True)
    def get_portfolio(org: str, portfolio_id: str) -> Reply:
        """Return a portfolio with its evidence, submissions, decisions and line managers as known."""
        actor = actor_for("portfolios.read")

        def found(reading: Reading) -> Reply:
            view = queries.portfolio_view(ports, reading, actor, portfolio_id)
            return Reply(200, show.whole(view), etag=etag_of(view.version))

        return read(org, found)

    @routes.get("/v1/organisations/<org>/readiness")
    @scope("portfolios.readiness")
    @asks(READINESS_QUERY)
    @returns(200, READINESS_OUT)
    def get_readiness(org: str) -> Reply:
        """Return what a portfolio lacks, by name, on a day (today)."""
        asked, actor = query(READINESS_QUERY), actor_for("portfolios.readiness")

        def found(reading: Reading) -> Reply:
            ready = queries.readiness(ports, reading, actor, asked["portfolio"], asked.get("on"))
            body = {"portfolio_id": ready.portfolio_id, "on": ready.on, "missing": list(ready.missing)}
            return Reply(200, {**body, "is_sufficient": not ready.missing})

        return read(org, found)


def _register_evidence(routes: Routes, ports: Ports) -> None:
    @routes.post(f"{PORTFOLIO}/evidence")
    @scope("portfolios.evidence")
    @accepts(EVIDENCE_IN)
    @returns(201, EVIDENCE_OUT, etag=True)
    @refuses(412, CHANGED)
    @refuses(409, "the portfolio is over, or already has evidence with this reference")
    def add_evidence(org: str, portfolio_id: str) -> Reply:
        """Add pieces of evidence, all of them or none."""
        items = tuple(_evidence_item(item) for item in load(EVIDENCE_IN)["items"])
        command = AddEvidence(portfolio_id, actor_for("portfolios.evidence"), items)
        refs = {item.ref for item in items}

        def added(portfolio: Portfolio) -> show.Json:
            return {"items": [show.evidence(piece) for piece in portfolio.evidence if piece.ref in refs]}

        return _step(
            ports,
            org,
            command.actor,
            portfolio_id,
            lambda work: handlers.add_evidence(ports, work, command),
            added,
            201,
        )

    @routes.post(f"{PORTFOLIO}/evidence/<ref>/invalidate")
    @scope("portfolios.invalidate")
    @accepts(INVALIDATION_IN)
    @returns(200, STEP_OUT, etag=True)
    @refuses(412, CHANGED)
    @refuses(409, "this evidence is already invalid")
    def invalidate_evidence(org: str, portfolio_id: str, ref: str) -> Reply:
        """Let a piece no longer count from a day, for example because consent was withdrawn."""
        said = load(INVALIDATION_IN)
        actor = actor_for("portfolios.invalidate")
        command = InvalidateEvidence(portfolio_id, actor, ref, said["reason"], said["on"])
        return _step(ports, org, actor, portfolio_id, lambda work: handlers.invalidate_evidence(ports, work, command))

    @routes.post(f"{PORTFOLIO}/self-assessments")
    @scope("portfolios.self-assess")
    @accepts(SELF_ASSESSMENTS_IN)
    @returns(201, SELF_ASSESSMENTS_OUT)
    @refuses(409, "this wave is already recorded, or the enrolment is withdrawn")
    def record_self_assessments(org: str, portfolio_id: str) -> Reply:
        """Record one's own ratings, one per domain of the framework, before (T0) or after (T1)."""
        said = load(SELF_ASSESSMENTS_IN)["items"]
        items = tuple(SelfAssessmentItem(item["wave"], item["held_on"], item["ratings"]) for item in said)
        command = RecordSelfAssessments(portfolio_id, actor_for("portfolios.self-assess"), items)

        def recorded(work: Work) -> Reply:
            evaluation = handlers.record_self_assessments(ports, work, command).value
            return Reply(201, {"items": show.self_assessments(evaluation)})

        return transact(org, recorded)


def _register_steps(routes: Routes, ports: Ports) -> None:
    @routes.post(f"{PORTFOLIO}/submit")
    @scope("portfolios.submit")
    @accepts(SUBMISSION_IN)
    @returns(200, SUBMISSION_OUT, etag=True)
    @refuses(412, CHANGED)
    @refuses(409, "the portfolio is confirmed, closed, or verified and still sufficient")
    def submit(org: str, portfolio_id: str) -> Reply:
        """Hand the portfolio in: it is submitted, or returned with everything missing named."""
        command = SubmitPortfolio(portfolio_id, actor_for("portfolios.submit"), load(SUBMISSION_IN)["submitted_on"])
        return _step(
            ports, org, command.actor, portfolio_id, lambda work: handlers.submit(ports, work, command), show.submitted
        )

    _decision(routes, ports, ("verify", "verified_on", VERIFICATION_IN), handlers.verify)
    _decision(routes, ports, ("recommend", "recommended_on", RECOMMENDATION_IN), handlers.recommend)
    _decision(routes, ports, ("confirm", "confirmed_on", CONFIRMATION_IN), handlers.confirm)


def _decision(
    routes: Routes,
    ports: Ports,
    names: tuple[str, str, StrictSchema],
    handler: Callable[[Ports, Work, DecidePortfolio], Kept[Portfolio]],
) -> None:
    """Register one of the three decisions: the step's name, the name of its date and its schema."""
    name, dated, body = names

    def decide(org: str, portfolio_id: str) -> Reply:
        said = load(body)
        actor = actor_for(f"portfolios.{name}")
        outcome = Outcome(said["outcome"]) if "outcome" in said else None
        command = DecidePortfolio(portfolio_id, actor, said[dated], outcome)
        return _step(ports, org, actor, portfolio_id, lambda work: handler(ports, work, command))

    decide.__name__ = name
    decide.__doc__ = f"{name.capitalize()} a portfolio, by somebody who is not the candidate and took no other step."
    decided = scope(f"portfolios.{name}")(accepts(body)(returns(200, STEP_OUT, etag=True)(decide)))
    refused = refuses(409, "the portfolio is not at this step")(refuses(412, CHANGED)(decided))
    routes.post(f"{PORTFOLIO}/{name}")(refused)


def _step(
    ports: Ports,
    org: str,
    actor: Actor,
    portfolio_id: str,
    handle: Callable[[Work], Kept[Portfolio]],
    shown: Callable[[Portfolio], show.Json] = show.step,
    status: int = 200,
) -> Reply:
    """Run one change of a portfolio; `If-Match` is honoured when sent, because the steps themselves keep the order.

    What stands beside it, which no step changes, is read first: the portfolio comes with it, in the same command.
    """

    def changed(work: Work) -> Reply:
        beside = ports.portfolios.beside(work, portfolio_id)
        if "If-Match" in request.headers:
            before = handlers.load(ports, work, portfolio_id, actor)
            if_match(etag_of(queries.view_of(before, beside).version))
        kept = handle(work)
        return Reply(status, shown(kept.value), etag=etag_of(queries.view_of(kept, beside).version))

    return transact(org, changed)


def _evidence_item(said: dict[str, object]) -> EvidenceItem:
    return EvidenceItem(**{**said, "domains": tuple(said["domains"])})  # type: ignore[arg-type]
