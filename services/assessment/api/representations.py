"""Views as the JSON that goes out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping

from services.assessment.application.queries import PortfolioView
from services.assessment.domain.evaluation import Evaluation
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import LineManagers
from services.assessment.domain.portfolio import Decision, Portfolio, Submission
from services.assessment.domain.supervision import Compliance, Session

Json = dict[str, object]


def summary(portfolio: Portfolio) -> Json:
    """Return a portfolio as it stands in a list."""
    candidacy = portfolio.candidacy
    return {
        "portfolio_id": portfolio.portfolio_id,
        "enrolment_id": candidacy.enrolment_id,
        "practitioner_id": candidacy.practitioner_id,
        "course": candidacy.course,
        "intake": candidacy.intake,
        "route": candidacy.route,
        "pcf_level": candidacy.pcf_level,
        "evidence_set": candidacy.evidence_set,
        "state": portfolio.state.value,
        "practice": portfolio.practice,
        "outcome": portfolio.confirmed.outcome if portfolio.confirmed is not None else None,
    }


def whole(view: PortfolioView) -> Json:
    """Return a portfolio with everything in it."""
    portfolio = view.portfolio
    return {
        **summary(portfolio),
        "course_title": view.course_title,
        "evidence": [evidence(piece) for piece in portfolio.evidence],
        "submissions": [submission(one) for one in portfolio.submissions],
        "returns": [_returned(one) for one in portfolio.submissions if one.missing],
        "self_assessments": self_assessments(view.evaluation),
        "line_managers": line_managers(view.managers),
        "verified": _decision(portfolio.verified),
        "recommended": _decision(portfolio.recommended),
        "confirmed": _decision(portfolio.confirmed),
    }


def step(portfolio: Portfolio) -> Json:
    """Return where a portfolio stands."""
    return {
        "portfolio_id": portfolio.portfolio_id,
        "state": portfolio.state.value,
        "practice": portfolio.practice,
    }


def submission(one: Submission) -> Json:
    """Return one handing-in."""
    return {
        "attempt": one.attempt,
        "submitted_on": one.submitted_on,
        "outcome": "returned" if one.missing else "submitted",
        "missing": list(one.missing),
    }


def _returned(one: Submission) -> Json:
    return {"attempt": one.attempt, "returned_on": one.submitted_on, "missing": list(one.missing)}


def submitted(portfolio: Portfolio) -> Json:
    """Return what came of the last handing-in."""
    last = portfolio.submissions[-1]
    outcome = "returned" if last.missing else "submitted"
    return {**step(portfolio), "attempt": last.attempt, "outcome": outcome, "missing": list(last.missing)}


def evidence(piece: Evidence) -> Json:
    """Return a piece of evidence."""
    return {
        "evidence_id": piece.evidence_id,
        "ref": piece.ref,
        "kind": piece.kind,
        "author_role": piece.author_role,
        "author_id": piece.author_id,
        "made_on": piece.made_on,
        "domains": list(piece.domains),
        "level": piece.level,
        "invalidated_on": piece.invalidated_on,
        "invalidation_reason": piece.invalidation_reason,
    }


def self_assessments(evaluation: Evaluation | None) -> list[Json]:
    """Return the answers, empty before the first."""
    answers = evaluation.answers if evaluation is not None else ()
    return [{"wave": said.wave, "held_on": said.held_on, "ratings": dict(said.ratings)} for said in answers]


def line_managers(managers: LineManagers) -> list[Mapping[str, object]]:
    """Return the history, oldest first."""
    return [{"line_manager_id": known.line_manager_id, "from_on": known.from_on} for known in managers.history]


def session(one: Session) -> Json:
    """Return a supervision session."""
    return {
        "session_id": one.session_id,
        "supervisor_id": one.supervisor_id,
        "held_on": one.held_on,
        "minutes": one.minutes,
        "uninterrupted": one.uninterrupted,
        "pcf_discussed": one.pcf_discussed,
        "is_standard_met": one.is_standard_met,
    }


def compliance(found: Compliance) -> Json:
    """Return how supervision compares with the standard."""
    return {
        "from_on": found.from_on,
        "until_on": found.until_on,
        "held": found.held,
        "to_standard": found.to_standard,
        "pcf_discussed": found.pcf_discussed,
        "is_met": found.is_met,
        "gaps": [
            {"after_on": gap.after_on, "until_on": gap.until_on, "days": gap.days, "allowed_days": gap.allowed_days}
            for gap in found.gaps
        ],
        "months_without": list(found.months_without),
    }


def _decision(decision: Decision | None) -> Json | None:
    if decision is None:
        return None
    return {"by_id": decision.by_id, "on": decision.on, "outcome": decision.outcome}
