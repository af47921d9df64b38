"""Self-assessments of one candidate on one course: T0 before, T1 after. Answers are the person's own view, no mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from services.assessment.domain.errors import RatingsIncomplete, WaveTaken
from services.assessment.domain.events import SelfAssessmentRecorded
from services.assessment.domain.sufficiency import EvidenceRules
from shared.errors import Fault

WAVES = ("T0", "T1")
LOWEST_RATING, HIGHEST_RATING = 1, 5


@dataclass(frozen=True, slots=True)
class SelfAssessment:
    """One wave's ratings, one per domain of `framework`."""

    wave: str
    held_on: date
    framework: str
    ratings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The paired answers of one person; `evaluation_id` is random and links to nobody outside this database."""

    portfolio_id: str
    evaluation_id: str
    course: str
    intake: str
    answers: tuple[SelfAssessment, ...] = ()


def record(
    evaluation: Evaluation, answer: SelfAssessment, rules: EvidenceRules, *, place: int = 0
) -> tuple[Evaluation, SelfAssessmentRecorded]:
    """Return the evaluation with one more wave; `place` is the answer's place in what was sent.

    Raises:
        WaveTaken: this wave was answered before.
        RatingsIncomplete: not exactly the framework's domains, or a rating outside 1 to 5.

    Source: BR-27 (only paired answers of one instrument are ever compared).
    """
    if answer.wave in {known.wave for known in evaluation.answers}:
        where = Fault("wave_taken", "this wave was recorded before", f"/items/{place}/wave")
        raise WaveTaken("a self-assessment of this wave is already recorded", faults=(where,))
    faults = _rating_faults(answer.ratings, rules, place)
    if faults:
        raise RatingsIncomplete("rate every domain of the framework from 1 to 5", faults=faults)
    ordered = {domain: answer.ratings[domain] for domain in rules.domains}
    event = SelfAssessmentRecorded(
        evaluation_id=evaluation.evaluation_id,
        course=evaluation.course,
        intake=evaluation.intake,
        wave=answer.wave,
        held_on=answer.held_on,
        framework=rules.framework,
        ratings=ordered,
    )
    kept = replace(answer, ratings=ordered, framework=rules.framework)
    return replace(evaluation, answers=(*evaluation.answers, kept)), event


def _rating_faults(ratings: Mapping[str, int], rules: EvidenceRules, place: int) -> tuple[Fault, ...]:
    where = f"/items/{place}/ratings"
    unknown = [
        Fault("unknown_domain", f"not in {rules.framework}", where) for name in ratings if name not in rules.domains
    ]
    absent = [
        Fault("missing_value", "rate every domain", f"{where}/{name}") for name in rules.domains if name not in ratings
    ]
    wrong = [
        Fault("invalid_value", "a whole number from 1 to 5", f"{where}/{name}")
        for name in rules.domains
        if name in ratings and not LOWEST_RATING <= ratings[name] <= HIGHEST_RATING
    ]
    return (*unknown, *absent, *wrong)
