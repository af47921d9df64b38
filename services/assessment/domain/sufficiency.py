"""Whether evidence is enough, and what is missing by name. The rule is data: a partnership's evidence set.

Nothing here knows a kind, a domain or a course by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import LineManagers


@dataclass(frozen=True, slots=True)
class ItemRule:
    """How many pieces of a kind are asked for, and how many of them by somebody other than the line manager."""

    kind: str
    at_least: int
    at_least_not_by_line_manager: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceRules:
    """An evidence set with the domains of its framework, both in the order of the partnership file.

    Source: domain.md section 2 (a versioned EvidenceRequirementSet); BR-1 (every domain, never a sum of scores).
    """

    evidence_set: str
    framework: str
    domains: tuple[str, ...]
    every_domain: int
    items: tuple[ItemRule, ...]
    is_verification_required: bool = True


def is_independent(piece: Evidence, managers: LineManagers) -> bool:
    """Tell whether the piece was made by somebody other than the line manager of the day it was made.

    Without an author it is independent; the author's role is never asked. Source: BR-7, partnership data rules.
    """
    return piece.author_id is None or piece.author_id != managers.on(piece.made_on)


def missing_from(pieces: Iterable[Evidence], rules: EvidenceRules, managers: LineManagers) -> tuple[str, ...]:
    """Return the codes of everything that `pieces` lack, empty when they are enough.

    Order: `domain:<name>` as the framework orders domains, then kinds as the evidence set orders them,
    `<kind>_not_by_line_manager` after its kind; both are named when both are missing. Every piece covers its
    domains whatever its kind. Source: partnership data rules; BR-1.
    """
    counted = tuple(pieces)
    covered = Counter(domain for piece in counted for domain in set(piece.domains))
    of_kind = Counter(piece.kind for piece in counted)
    independent = Counter(piece.kind for piece in counted if is_independent(piece, managers))
    missing = [f"domain:{domain}" for domain in rules.domains if covered[domain] < rules.every_domain]
    for item in rules.items:
        if of_kind[item.kind] < item.at_least:
            missing.append(item.kind)
        if independent[item.kind] < item.at_least_not_by_line_manager:
            missing.append(f"{item.kind}_not_by_line_manager")
    return tuple(missing)
