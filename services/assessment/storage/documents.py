"""Portfolios, people, self-assessments and sessions as documents, and back. Dates are ISO texts."""

from __future__ import annotations

from datetime import date

from services.assessment.application.ports import Person
from services.assessment.domain.evaluation import Evaluation, SelfAssessment
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import Assignment, LineManagers
from services.assessment.domain.portfolio import Candidacy, Decision, Outcome, Portfolio, State, Submission
from services.assessment.domain.supervision import Absence, Employment, Session
from shared.storage.mongo import Document


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None


def _evidence_document(piece: Evidence) -> Document:
    return {
        "evidence_id": piece.evidence_id,
        "ref": piece.ref,
        "kind": piece.kind,
        "domains": list(piece.domains),
        "author_role": piece.author_role,
        "author_id": piece.author_id,
        "made_on": piece.made_on.isoformat(),
        "level": piece.level,
        "invalidated_on": _text(piece.invalidated_on),
        "invalidation_reason": piece.invalidation_reason,
    }


def _evidence_from(document: Document) -> Evidence:
    return Evidence(
        evidence_id=document["evidence_id"],
        ref=document["ref"],
        kind=document["kind"],
        domains=tuple(document["domains"]),
        author_role=document["author_role"],
        author_id=document["author_id"],
        made_on=date.fromisoformat(document["made_on"]),
        level=document["level"],
        invalidated_on=_day(document["invalidated_on"]),
        invalidation_reason=document["invalidation_reason"],
    )


def _submission_document(submission: Submission) -> Document:
    return {
        "attempt": submission.attempt,
        "submitted_on": submission.submitted_on.isoformat(),
        "evidence_refs": list(submission.evidence_refs),
        "missing": list(submission.missing),
    }


def _submission_from(document: Document) -> Submission:
    return Submission(
        document["attempt"],
        date.fromisoformat(document["submitted_on"]),
        tuple(document["evidence_refs"]),
        tuple(document["missing"]),
    )


def _decision_document(decision: Decision | None) -> Document | None:
    if decision is None:
        return None
    outcome = decision.outcome.value if decision.outcome is not None else None
    return {"by_id": decision.by_id, "on": decision.on.isoformat(), "outcome": outcome}


def _decision_from(document: Document | None) -> Decision | None:
    if document is None:
        return None
    outcome = Outcome(document["outcome"]) if document["outcome"] is not None else None
    return Decision(document["by_id"], date.fromisoformat(document["on"]), outcome)


def portfolio_document(portfolio: Portfolio, version: int) -> Document:
    """Return the document of a portfolio; its `_id` is the enrolment's id."""
    candidacy = portfolio.candidacy
    return {
        "_id": candidacy.enrolment_id,
        "version": version,
        "practitioner_id": candidacy.practitioner_id,
        "course": candidacy.course,
        "intake": candidacy.intake,
        "route": candidacy.route,
        "pcf_level": candidacy.pcf_level,
        "evidence_set": candidacy.evidence_set,
        "route_change": candidacy.route_change,
        "state": portfolio.state.value,
        "evidence": [_evidence_document(piece) for piece in portfolio.evidence],
        "submissions": [_submission_document(submission) for submission in portfolio.submissions],
        "verified": _decision_document(portfolio.verified),
        "recommended": _decision_document(portfolio.recommended),
        "confirmed": _decision_document(portfolio.confirmed),
        "closed_on": _text(portfolio.closed_on),
    }


def portfolio_from(document: Document) -> Portfolio:
    """Return the portfolio of a document."""
    return Portfolio(
        candidacy=Candidacy(
            enrolment_id=document["_id"],
            practitioner_id=document["practitioner_id"],
            course=document["course"],
            intake=document["intake"],
            route=document["route"],
            pcf_level=document["pcf_level"],
            evidence_set=document["evidence_set"],
            route_change=document.get("route_change", 0),
        ),
        state=State(document["state"]),
        evidence=tuple(_evidence_from(piece) for piece in document["evidence"]),
        submissions=tuple(_submission_from(submission) for submission in document["submissions"]),
        verified=_decision_from(document["verified"]),
        recommended=_decision_from(document["recommended"]),
        confirmed=_decision_from(document["confirmed"]),
        closed_on=_day(document["closed_on"]),
    )


def person_document(person: Person, version: int) -> Document:
    """Return the document of a person: nothing but opaque ids and dates."""
    history = person.managers.history
    return {
        "_id": person.practitioner_id,
        "version": version,
        "line_managers": [{"from_on": known.from_on.isoformat(), "id": known.line_manager_id} for known in history],
        "supervisee_id": person.supervisee_id,
        "employment": _employment_document(person.employment),
    }


def person_from(document: Document) -> Person:
    """Return the person of a document."""
    history = (Assignment(date.fromisoformat(known["from_on"]), known["id"]) for known in document["line_managers"])
    employment = _employment_from(document.get("employment"))
    return Person(document["_id"], LineManagers(tuple(history)), document["supervisee_id"], employment)


def _employment_document(employment: Employment | None) -> Document | None:
    if employment is None:
        return None
    absences = [{"from_on": one.from_on.isoformat(), "until_on": _text(one.until_on)} for one in employment.absences]
    return {"started_on": employment.started_on.isoformat(), "absences": absences}


def _employment_from(document: Document | None) -> Employment | None:
    if document is None:
        return None
    absences = (Absence(date.fromisoformat(one["from_on"]), _day(one["until_on"])) for one in document["absences"])
    return Employment(date.fromisoformat(document["started_on"]), tuple(absences))


def evaluation_document(evaluation: Evaluation, version: int) -> Document:
    """Return the document of a portfolio's self-assessments; the one place where the random id meets the portfolio."""
    return {
        "_id": evaluation.portfolio_id,
        "version": version,
        "evaluation_id": evaluation.evaluation_id,
        "course": evaluation.course,
        "intake": evaluation.intake,
        "answers": [
            {
                "wave": answer.wave,
                "held_on": answer.held_on.isoformat(),
                "framework": answer.framework,
                "ratings": dict(answer.ratings),
            }
            for answer in evaluation.answers
        ],
    }


def evaluation_from(document: Document) -> Evaluation:
    """Return the self-assessments of a document."""
    answers = (
        SelfAssessment(said["wave"], date.fromisoformat(said["held_on"]), said["framework"], dict(said["ratings"]))
        for said in document["answers"]
    )
    return Evaluation(
        document["_id"], document["evaluation_id"], document["course"], document["intake"], tuple(answers)
    )


def session_document(session: Session) -> Document:
    """Return the document of a supervision session."""
    return {
        "_id": session.session_id,
        "practitioner_id": session.practitioner_id,
        "supervisor_id": session.supervisor_id,
        "held_on": session.held_on.isoformat(),
        "minutes": session.minutes,
        "uninterrupted": session.uninterrupted,
        "pcf_discussed": session.pcf_discussed,
    }


def session_from(document: Document) -> Session:
    """Return the session of a document."""
    return Session(
        session_id=document["_id"],
        practitioner_id=document["practitioner_id"],
        supervisor_id=document["supervisor_id"],
        held_on=date.fromisoformat(document["held_on"]),
        minutes=document["minutes"],
        uninterrupted=document["uninterrupted"],
        pcf_discussed=document["pcf_discussed"],
    )
