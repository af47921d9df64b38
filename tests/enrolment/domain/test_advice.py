"""Advice on courses: what is suggested, in which order, why, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.enrolment.domain.advice import MOST_COMBINATIONS, Advice, Candidate, Learner, advise
from services.enrolment.domain.courses import Developed
from services.enrolment.domain.eligibility import Asked, CourseFirst, Standing
from services.enrolment.domain.learning_needs import Need
from services.enrolment.domain.programmes import Strand

BOTH = ("practice_only", "practice_and_academic")
TODAY = date(2025, 9, 1)
DONE = date(2024, 7, 1)


def a_course(code: str, *domains: int, level: str = "SW", **more) -> Candidate:
    """Return a course with an open intake that develops these domains of the PCF."""
    developed = tuple(Developed("pcf", domain) for domain in domains)
    return Candidate(code, level, **{"develops": developed, "open_intakes": ("2025-09",), **more})


def a_person(*ratings: tuple[int, int], level: str = "SW", **standing) -> Learner:
    """Return somebody who rated these domains of the PCF."""
    return Learner(level, Standing("borough", **standing), tuple(Need("pcf", domain, rate) for domain, rate in ratings))


def told(learner: Learner, *catalogue: Candidate, **programmes: tuple[Strand, ...]) -> Advice:
    """Return the advice."""
    return advise(learner, {course.code: course for course in catalogue}, programmes, TODAY)


def suggested(advice: Advice) -> list[tuple[str, ...]]:
    """Return the courses of each combination."""
    return [combination.courses for combination in advice.combinations]


def left_out(advice: Advice) -> dict[str, str]:
    """Return why each course was left out."""
    return {reason.course: reason.code for reason in advice.left_out}


def test_e4_the_greatest_need_comes_first():
    """What develops the domains that were rated lowest stands before the rest, with the need as its reason."""
    advice = told(a_person((1, 3), (7, 1)), a_course("A", 1), a_course("B", 7))
    assert suggested(advice) == [("B", "A"), ("B",), ("A",)]
    [need, level] = advice.combinations[1].reasons
    assert (need.code, need.about, level.code) == ("meets_need", "pcf:7", "for_level")
    assert need.sentence == "B develops PCF domain 7, where a need was stated"


def test_e4_a_need_of_nobody_is_no_reason():
    """Who rates a domain as well in hand is not sent on a course for it; without needs the level alone speaks."""
    assert suggested(told(a_person((1, 5)), a_course("A", 1))) == [("A",)]
    advice = told(a_person((1, 1)), a_course("A", 1), a_course("B", 2))
    assert suggested(advice) == [("A",)]
    assert left_out(advice) == {"B": "meets_no_stated_need"}


def test_e4_by_level():
    """One's own level and courses for all; the rest is named with the reason."""
    advice = told(a_person(), a_course("A"), a_course("B", level="ALL"), a_course("C", level="ESW"))
    assert suggested(advice) == [("A",), ("B",)]
    assert left_out(advice) == {"C": "level_mismatch"}


def test_e6_by_role():
    """A course for one's role comes before others; for another role it is left out."""
    teaching, leading = Asked(roles=("professional_educator",)), Asked(roles=("leader",))
    catalogue = (a_course("A"), a_course("T", asked=teaching), a_course("L", asked=leading))
    advice = told(a_person(roles=frozenset({"professional_educator"})), *catalogue)
    assert suggested(advice) == [("T",), ("A",)]
    assert advice.combinations[0].reasons[0].code == "for_role"
    assert left_out(advice) == {"L": "role_not_eligible"}


def test_e4_nothing_twice():
    """Completed or under way: never again, and it says so."""
    advice = told(
        a_person(completed={"A": DONE}, running=frozenset({"B"})), a_course("A"), a_course("B"), a_course("C")
    )
    assert suggested(advice) == [("C",)]
    assert left_out(advice) == {"A": "already_completed", "B": "already_enrolled"}


def test_e5_e13_what_comes_first_is_suggested_with_it_in_order():
    """The whole chain, each step before what needs it."""
    third = a_course("A", 7, asked=Asked(after=("B",)))
    second = a_course("B", asked=Asked(courses_first=(CourseFirst("C", BOTH),)))
    advice = told(a_person((7, 1)), third, second, a_course("C"))
    assert suggested(advice) == [("C", "B", "A")]
    steps = {(reason.course, reason.about) for reason in advice.combinations[0].reasons if reason.code == "comes_first"}
    assert steps == {("C", "B"), ("B", "A")}


def test_e13_what_is_under_way_needs_not_be_taken_again():
    """The next course is suggested, with what it waits for."""
    advice = told(a_person(running=frozenset({"B"})), a_course("A", asked=Asked(after=("B",))), a_course("B"))
    assert suggested(advice) == [("A",)]
    assert ("after_what_is_under_way", "B") in {(one.code, one.about) for one in advice.combinations[0].reasons}


def test_e13_after_the_asye_and_out_of_reach():
    """A newly qualified person is told to wait; a course whose first step nobody can take is out of reach."""
    catalogue = (
        a_course("A", level="ALL", asked=Asked(after=("asye",))),
        a_course("B", level="ALL", asked=Asked(after=("A",))),
        a_course("C", level="ALL", asked=Asked(after=("GONE",))),
    )
    assert left_out(told(a_person(level="ASYE"), *catalogue)) == {
        "A": "sequence_not_met",
        "B": "prerequisite_out_of_reach",
        "C": "prerequisite_out_of_reach",
    }


def test_courses_that_come_after_each_other_are_out_of_reach():
    """A ring of courses is an owner's mistake, not an endless search."""
    ring = (a_course("A", asked=Asked(after=("B",))), a_course("B", asked=Asked(after=("A",))))
    assert left_out(told(a_person(), *ring)) == {"A": "prerequisite_out_of_reach", "B": "prerequisite_out_of_reach"}


def test_e1_a_programme_is_suggested_as_a_whole():
    """In its own order; what was taken of it is left away, and it says that it completes what was begun."""
    courses = (a_course("A"), a_course("B"))
    strands = (Strand("SW", ("B", "A")), Strand("ESW", ("C",)))
    whole = told(a_person(), *courses, COMMUNITY=strands).combinations
    assert (whole[0].courses, whole[0].programme, whole[0].reasons[0].code) == (
        ("B", "A"),
        "COMMUNITY",
        "in_programme",
    )
    rest = told(a_person(completed={"B": DONE}), *courses, COMMUNITY=strands).combinations
    assert (rest[0].courses, rest[0].programme, rest[0].reasons[0].code) == (
        ("A",),
        "COMMUNITY",
        "continues_programme",
    )


def test_e11_elements_are_suggested_where_the_whole_is_not_open():
    """To a hospice's staff only what they may take."""
    whole = a_course("W", 1, asked=Asked(open_to=("county",), elements=("W-1",)))
    hospice = replace(a_person((1, 1)), standing=Standing("voluntary"))
    advice = told(hospice, whole, a_course("W-1", 1))
    assert suggested(advice) == [("W-1",)]
    assert left_out(advice) == {"W": "not_open_to_employer"}


def test_e21_e27_what_needs_no_intake_is_always_there():
    """A closed course is not; self-study is."""
    catalogue = (a_course("A", open_intakes=()), a_course("B", open_intakes=(), kind="self_study"))
    advice = told(a_person(), *catalogue)
    assert suggested(advice) == [("B",)]
    assert left_out(advice) == {"A": "no_open_intake"}


def test_s2_credit_is_a_reason_only_from_its_day():
    """Pending or approved for later: not promised."""
    credit = a_course("A", credits=30, accreditation="approved", accredited_from=date(2025, 10, 1))
    reasons = told(a_person(), credit).combinations[0].reasons
    assert "brings_credit" not in {reason.code for reason in reasons}
    now = told(a_person(), replace(credit, accredited_from=TODAY)).combinations[0].reasons
    assert "brings_credit" in {reason.code for reason in now}


def test_br3_needs_may_be_of_another_framework():
    """The same number of another framework is another domain."""
    course = a_course("A", develops=(Developed("ncfsa", 2),))
    learner = replace(a_person((2, 1)), needs=(Need("ncfsa", 2, 1),))
    assert told(learner, course).combinations[0].reasons[0].about == "ncfsa:2"
    assert suggested(told(a_person((2, 1)), course)) == []


CODES = st.sampled_from([f"C{number}" for number in range(9)])
COURSES = st.lists(
    st.builds(
        lambda code, level, domains, after, roles, is_open: a_course(
            code,
            *sorted(domains),
            level=level,
            asked=Asked(after=tuple(sorted(after - {code})), roles=tuple(sorted(roles))),
            open_intakes=("2025-09",) if is_open else (),
        ),
        CODES,
        st.sampled_from(["ALL", "SW", "ESW"]),
        st.frozensets(st.integers(1, 9), max_size=3),
        st.frozensets(st.one_of(CODES, st.just("asye")), max_size=2),
        st.frozensets(st.sampled_from(["leader", "manager"]), max_size=1),
        st.booleans(),
    ),
    unique_by=lambda course: course.code,
    max_size=9,
)
LEARNERS = st.builds(
    lambda level, ratings, completed, running, roles: a_person(
        *ratings.items(), level=level, completed=dict.fromkeys(completed, DONE), running=running, roles=roles
    ),
    st.sampled_from(["ASYE", "SW", "ESW"]),
    st.dictionaries(st.integers(1, 9), st.integers(1, 5)),
    st.frozensets(CODES, max_size=3),
    st.frozensets(CODES, max_size=2),
    st.frozensets(st.sampled_from(["leader", "manager"])),
)


@given(learner=LEARNERS, courses=COURSES, strand=st.lists(CODES, min_size=1, max_size=4, unique=True))
def test_e4_whatever_the_catalogue_advice_keeps_its_promises(learner, courses, strand):
    """At most five, each with a reason, nothing taken, first things first, every other course explained.

    And the same whatever the order of the catalogue.
    """
    catalogue = {course.code: course for course in courses}
    programmes = {"P": (Strand("ALL", tuple(strand)),)}
    advice = advise(learner, catalogue, programmes, TODAY)
    taken = {*learner.standing.completed, *learner.standing.running}
    assert len(advice.combinations) <= MOST_COMBINATIONS
    for combination in advice.combinations:
        done = set(taken)
        assert combination.reasons
        for code in combination.courses:
            assert code not in taken
            assert catalogue[code].level in ("ALL", learner.level)
            assert {stage for stage in catalogue[code].asked.after if stage != "asye"} <= done
            done.add(code)
    named = {code for combination in advice.combinations for code in combination.courses}
    assert {reason.course for reason in advice.left_out} == set(catalogue) - named
    backwards = dict(reversed(list(catalogue.items())))
    assert advise(learner, backwards, programmes, TODAY) == advice
