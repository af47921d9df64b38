"""Which courses, in which combination and order, suit a person: by level, role, history and learning needs.

Pure and deterministic: the same person and the same catalogue give the same advice, with a reason for each suggestion
and one for each course that was left out. Nothing that was taken is ever suggested; who decides is not the advice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.enrolment.domain import eligibility
from services.enrolment.domain.courses import PCF, WITHOUT_INTAKE, Developed, credit_possible
from services.enrolment.domain.eligibility import AFTER_ASYE, NOTHING_ASKED, Asked, Standing
from services.enrolment.domain.learning_needs import MOST_RATING, Need
from services.enrolment.domain.programmes import Strand, strand_of

ALL_LEVELS = "ALL"
MOST_COMBINATIONS = 5
MOST_COVERING = 3

MEETS_NEED = "meets_need"
FOR_LEVEL = "for_level"
FOR_ALL_LEVELS = "for_all_levels"
FOR_ROLE = "for_role"
FIRST_STEP = "comes_first"
AFTER_RUNNING = "after_what_is_under_way"
IN_PROGRAMME = "in_programme"
CONTINUES_PROGRAMME = "continues_programme"
BRINGS_CREDIT = "brings_credit"
IN_HOUSE_FIRST = "in_house_first"
RATE_FIRST = "rate_first"

COMPLETED = "already_completed"
RUNNING = "already_enrolled"
OTHER_LEVEL = "level_mismatch"
OTHER_ROLE = "role_not_eligible"
OTHER_EMPLOYER = "not_open_to_employer"
NOT_YET = "sequence_not_met"
OUT_OF_REACH = "prerequisite_out_of_reach"
NO_INTAKE = "no_open_intake"
NO_NEED = "meets_no_stated_need"
NOT_AMONG_FIRST = "not_among_the_first"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A course of the catalogue, as far as advice looks at it. `in_house_routes`: where something comes first."""

    code: str
    level: str
    kind: str = "course"
    credits: int = 0
    accreditation: str = "none"
    accredited_from: date | None = None
    asked: Asked = NOTHING_ASKED
    in_house_routes: tuple[str, ...] = ()
    develops: tuple[Developed, ...] = ()
    open_intakes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Learner:
    """Whom the advice is for."""

    level: str | None
    standing: Standing
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a code for machines, the course and what it is about, and a sentence for people."""

    code: str
    course: str
    about: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Combination:
    """Courses in the order in which they are taken, with at least one reason."""

    courses: tuple[str, ...]
    programme: str | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """At most five combinations, the most fitting first, and why each other course is not among them."""

    combinations: tuple[Combination, ...]
    left_out: tuple[Reason, ...]


def advise(
    learner: Learner, catalogue: Mapping[str, Candidate], programmes: Mapping[str, tuple[Strand, ...]], on: date
) -> Advice:
    """Return the advice for `learner` on that day."""
    search = _Search(learner, catalogue, on)
    chains = {code: chain for code in sorted(catalogue) if (chain := search.chain(code)) is not None}
    found = _ordered(
        search,
        [
            *_by_programme(search, chains, programmes),
            *_covering_together(search, chains),
            *((None, chain) for code, chain in chains.items() if search.fits(code)),
        ],
    )
    combinations = tuple(
        Combination(courses, programme, search.reasons(courses, programme, programmes))
        for programme, courses in found[:MOST_COMBINATIONS]
    )
    suggested = {course for combination in combinations for course in combination.courses}
    left_out = tuple(search.why_not(code, chains) for code in sorted(catalogue) if code not in suggested)
    return Advice(combinations, left_out)


_Found = tuple[str | None, tuple[str, ...]]


def _by_programme(
    search: _Search, chains: Mapping[str, tuple[str, ...]], programmes: Mapping[str, tuple[Strand, ...]]
) -> Iterable[_Found]:
    """Yield what is left of each programme's strand for this level, where all of it can be taken."""
    for name in sorted(programmes):
        strand = strand_of(programmes[name], search.learner.level)
        if strand is None:
            continue
        left = [code for code in strand.courses if not search.is_taken(code)]
        if left and all(code in chains for code in left):
            yield name, _joined(chains[code] for code in left)


def _covering_together(search: _Search, chains: Mapping[str, tuple[str, ...]]) -> Iterable[_Found]:
    """Yield the few courses that together cover the most of the needs, those that cover most first."""
    uncovered = dict(search.weights)
    picked: list[tuple[str, ...]] = []
    while uncovered and len(picked) < MOST_COVERING:
        gains = {code: sum(uncovered.get(each, 0) for each in search.covers(chain)) for code, chain in chains.items()}
        best = min(gains, key=lambda code: (-gains[code], len(chains[code]), code), default=None)
        if best is None or not gains[best]:
            break
        picked.append(chains[best])
        for each in search.covers(chains[best]):
            uncovered.pop(each, None)
    if len(picked) > 1:
        yield None, _joined(picked)


def _joined(chains: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the courses of all chains, each once, none before what comes first."""
    return tuple(dict.fromkeys(code for chain in chains for code in chain))


def _ordered(search: _Search, found: Sequence[_Found]) -> list[_Found]:
    """Return each combination once, those that cover most of the needs first, shorter ones before longer."""
    distinct: dict[frozenset[str], _Found] = {}
    for programme, courses in found:
        distinct.setdefault(frozenset(courses), (programme, courses))
    return sorted(distinct.values(), key=lambda each: search.rank(*each))


@dataclass(slots=True)
class _Search:
    """One person looking through one catalogue."""

    learner: Learner
    catalogue: Mapping[str, Candidate]
    on: date
    weights: dict[tuple[str, int], int] = field(init=False)

    def __post_init__(self) -> None:
        self.weights = {
            (need.framework, need.domain): MOST_RATING - need.rating
            for need in self.learner.needs
            if need.rating < MOST_RATING
        }

    def is_taken(self, code: str) -> bool:
        standing = self.learner.standing
        return code in standing.completed or code in standing.running

    def chain(self, code: str, above: tuple[str, ...] = ()) -> tuple[str, ...] | None:
        """Return what is still to be taken up to and with `code`, in order; None when it cannot be taken."""
        if code in above or self._obstacle(code) is not None:
            return None
        steps: list[tuple[str, ...]] = []
        for first in self._comes_first(code):
            before = self.chain(first, (*above, code))
            if before is None:
                return None
            steps.append(before)
        return _joined([*steps, (code,)])

    def fits(self, code: str) -> bool:
        """Return whether there is anything to say for the course alone."""
        return not self.weights or bool(self.covers((code,))) or self._is_for_role(code)

    def covers(self, courses: Iterable[str]) -> list[tuple[str, int]]:
        """Return the needs that the courses meet, the greatest first."""
        developed = {(each.framework, each.domain) for code in courses for each in self.catalogue[code].develops}
        return sorted(developed & self.weights.keys(), key=lambda each: (-self.weights[each], each))

    def rank(self, programme: str | None, courses: tuple[str, ...]) -> tuple[object, ...]:
        """Return what combinations are ordered by: needs met, role, level, programme, length, codes."""
        weight = sum(self.weights[each] for each in self.covers(courses))
        for_role = any(self._is_for_role(code) for code in courses)
        for_level = sum(self.catalogue[code].level == self.learner.level for code in courses)
        return (-weight, not for_role, -for_level, programme is None, len(courses), courses)

    def reasons(
        self, courses: tuple[str, ...], programme: str | None, programmes: Mapping[str, tuple[Strand, ...]]
    ) -> tuple[Reason, ...]:
        """Return the reasons for a combination, course by course in its order."""
        found: list[Reason] = []
        if programme is not None:
            strand = strand_of(programmes[programme], self.learner.level)
            begun = strand is not None and any(self.is_taken(code) for code in strand.courses)
            code, text = (
                (CONTINUES_PROGRAMME, f"completes programme {programme}, which was begun")
                if begun
                else (IN_PROGRAMME, f"together they are programme {programme}")
            )
            found.append(Reason(code, courses[0], programme, text))
        for index, course in enumerate(courses):
            found += self._reasons_for(course, courses[index + 1 :])
        return tuple(found)

    def why_not(self, code: str, chains: Mapping[str, tuple[str, ...]]) -> Reason:
        """Return why a course is not suggested."""
        if code in chains:
            if not self.fits(code):
                return Reason(NO_NEED, code, None, "it develops nothing that was stated as a need")
            return Reason(NOT_AMONG_FIRST, code, None, "it would fit; others fit better")
        obstacle = self._obstacle(code)
        if obstacle is not None:
            return obstacle
        first = self._comes_first(code)[0]
        return Reason(OUT_OF_REACH, code, first, f"{first} comes first and cannot be taken now")

    def _comes_first(self, code: str) -> tuple[str, ...]:
        """Return the courses that must be completed before this one and are neither completed nor under way."""
        return tuple(first for first in self._not_completed(code) if first not in self.learner.standing.running)

    def _not_completed(self, code: str) -> tuple[str, ...]:
        asked, standing = self.catalogue[code].asked, self.learner.standing
        stages = eligibility.stages_missing(self.learner.level, asked, standing)
        missing = [stage for stage in stages if stage != AFTER_ASYE]
        missing += [first.course for first in eligibility.courses_missing(None, self.on, asked, standing)]
        return tuple(dict.fromkeys(missing))

    def _obstacle(self, code: str) -> Reason | None:
        """Return what keeps the person from the course whatever they take first; None: nothing."""
        course = self.catalogue.get(code)
        if course is None:
            return Reason(OUT_OF_REACH, code, None, "nobody offers it")
        asked, standing, level = course.asked, self.learner.standing, self.learner.level
        is_before_asye = AFTER_ASYE in eligibility.stages_missing(level, asked, standing)
        has_intake = bool(course.open_intakes) or course.kind in WITHOUT_INTAKE
        hindrances = (
            (code in standing.completed, COMPLETED, None, "it was completed already"),
            (code in standing.running, RUNNING, None, "there is an enrolment on it already"),
            (course.level not in (ALL_LEVELS, level), OTHER_LEVEL, course.level, f"it is for level {course.level}"),
            (is_before_asye, NOT_YET, AFTER_ASYE, "it comes after the ASYE"),
            (
                not eligibility.has_role(asked, standing),
                OTHER_ROLE,
                None,
                f"it is for these roles: {', '.join(asked.roles)}",
            ),
            (
                not eligibility.is_open_to(asked, standing),
                OTHER_EMPLOYER,
                None,
                "the whole course is not open to this employer's staff",
            ),
            (not has_intake, NO_INTAKE, None, "no intake is open"),
        )
        return next((Reason(why, code, about, text) for holds, why, about, text in hindrances if holds), None)

    def _is_for_role(self, code: str) -> bool:
        asked = self.catalogue[code].asked
        return bool(asked.roles) and eligibility.has_role(asked, self.learner.standing)

    def _reasons_for(self, code: str, later: Sequence[str]) -> list[Reason]:
        course = self.catalogue[code]
        found = [
            Reason(MEETS_NEED, code, f"{framework}:{domain}", _need_sentence(code, framework, domain))
            for framework, domain in self.covers((code,))
        ]
        found += [
            Reason(FIRST_STEP, code, after, f"{code} is needed before {after}")
            for after in later
            if code in self._comes_first(after)
        ]
        found += [
            Reason(AFTER_RUNNING, code, running, f"{code} comes after {running}, which is under way")
            for running in self._not_completed(code)
            if running in self.learner.standing.running
        ]
        if self._is_for_role(code):
            held = sorted(self.learner.standing.roles.intersection(course.asked.roles))
            found.append(Reason(FOR_ROLE, code, held[0], f"{code} is for people whose role is {held[0]}"))
        if course.level == ALL_LEVELS:
            found.append(Reason(FOR_ALL_LEVELS, code, None, f"{code} is for all levels"))
        else:
            found.append(Reason(FOR_LEVEL, code, course.level, f"{code} is for level {course.level}"))
        if course.credits and credit_possible(course.accreditation, course.accredited_from, self.on):
            sentence = f"{code} can bring {course.credits} credits on the academic route"
            found.append(Reason(BRINGS_CREDIT, code, str(course.credits), sentence))
        return [*found, *self._to_do_first(code)]

    def _to_do_first(self, code: str) -> list[Reason]:
        course, found = self.catalogue[code], []
        if course.in_house_routes:
            found.append(Reason(IN_HOUSE_FIRST, code, None, f"{code} asks for an in-house course first on some routes"))
        unrated = eligibility.domains_unrated(course.asked, self.learner.standing)
        if unrated:
            wanted = ", ".join(str(domain) for domain in unrated)
            found.append(Reason(RATE_FIRST, code, wanted, f"rate PCF domains {wanted} before applying for {code}"))
        return found


def _need_sentence(code: str, framework: str, domain: int) -> str:
    name = "PCF" if framework == PCF else framework
    return f"{code} develops {name} domain {domain}, where a need was stated"
