"""Courses as their owner keeps them: descriptions, handbooks, and accreditation that follows the university."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from services.enrolment.domain.courses import (
    KINDS,
    Activity,
    Course,
    Description,
    Developed,
    Handbook,
    ModuleDecision,
    Prerequisite,
    accredited,
    credit_possible,
    handbook_on,
)
from services.enrolment.domain.eligibility import Asked, CourseFirst
from services.enrolment.domain.errors import RuleSaysNo

BOTH = ("practice_only", "practice_and_academic")
COURSE = Course("SAR", "Safeguarding", "SW", BOTH, 30, "pending", "goldsmiths", "SAR7")
JUNE = date(2025, 6, 16)


def decided(approved_on: date | None, number: str = "1", hei: str = "goldsmiths", module: str = "SAR7"):
    """Return what a university decided about a run for this course."""
    return ModuleDecision(hei, number, module, "SAR", "2025-09", approved_on)


def test_e5_several_prerequisites_bind_their_routes():
    """The routes are told in their own order, each once."""
    course = replace(
        COURSE,
        prerequisite=Prerequisite("in-house course", ("practice_and_academic",)),
        prerequisites=(Prerequisite("induction", ("practice_and_academic", "practice_only")),),
    )
    assert course.prerequisite_routes == BOTH
    assert replace(course, prerequisites=()).prerequisite_routes == ("practice_and_academic",)
    assert COURSE.prerequisite_routes == ()


def test_e16_the_handbook_in_force_is_the_latest_that_began():
    """From its first day on, until the next version's; none before the first. The order of writing does not matter."""
    first = Handbook("1", "https://brent.example/1", date(2025, 1, 1))
    second = Handbook("2", "https://brent.example/2", date(2025, 9, 1))
    for versions in ((first, second), (second, first)):
        assert handbook_on(versions, date(2024, 12, 31)) is None
        assert handbook_on(versions, date(2025, 1, 1)) == first
        assert handbook_on(versions, date(2025, 8, 31)) == first
        assert handbook_on(versions, date(2025, 9, 1)) == second


@pytest.mark.parametrize("change", [{"version": "1"}, {"valid_from": date(2025, 1, 1)}])
def test_e16_two_versions_are_told_apart(change):
    """Neither a name nor a first day stands twice."""
    first = Handbook("1", "https://brent.example/1", date(2025, 1, 1))
    second = replace(Handbook("2", "https://brent.example/2", date(2025, 9, 1)), **change)
    with pytest.raises(RuleSaysNo):
        Description(handbooks=(first, second))


def test_e21_the_catalogue_has_many_kinds_of_learning():
    """Formal and informal ones; what is none of them is refused."""
    wanted = {"course", "online_course", "webinar", "self_study", "workshop", "conference", "shadowing", "reading"}
    assert wanted | {"peer_group", "team_activity"} <= set(KINDS)
    assert all(Description(kind=kind).kind == kind for kind in KINDS)
    with pytest.raises(RuleSaysNo):
        Description(kind="party")


def test_e23_two_parts_are_two_pieces_of_cpd():
    """Online alone and reflected upon in the team: two pieces, one of them with peers, which is the yearly minimum."""
    swott = Description(
        "online_course", parts=(Activity("self_study", 75), Activity("team_activity", 90, with_peers=True))
    )
    assert (swott.cpd_pieces, swott.cpd_pieces_with_peers, swott.length) == (2, 1, 165)
    assert (Description().cpd_pieces, Description().cpd_pieces_with_peers) == (1, 0)
    with pytest.raises(RuleSaysNo):
        replace(swott, minutes=60)


def test_e27_bite_size_is_an_hour_at_most_and_carries_no_credit():
    """Minutes in place of credits."""
    assert Description(minutes=60).bite_size
    assert not Description(minutes=61).bite_size
    assert not Description().bite_size
    assert Course("MIN", "In between", "ALL", BOTH, description=Description(minutes=10)).credits == 0
    with pytest.raises(RuleSaysNo):
        Course("MIN", "In between", "ALL", BOTH, credits=10, description=Description(minutes=10))


@pytest.mark.parametrize(
    "asked",
    [
        Asked(after=("SAR",)),
        Asked(courses_first=(CourseFirst("SAR", BOTH),)),
        Asked(open_to=("borough",), elements=("SAR",)),
        Asked(elements=("SAR-1",)),
        Asked(rated_domains=(10,)),
        Asked(courses_first=(CourseFirst("A", BOTH), CourseFirst("A", ("practice_only",)))),
    ],
)
def test_a_course_cannot_ask_for_what_makes_no_sense(asked):
    """Itself, elements for nobody, a tenth domain, the same course twice on one route."""
    with pytest.raises(RuleSaysNo):
        replace(COURSE, eligibility=asked)


def test_br3_a_course_develops_domains_of_several_frameworks():
    """Many to many; the same domain only once."""
    Description(develops=(Developed("pcf", 7), Developed("ncfsa", 7), Developed("pcf", 8)))
    with pytest.raises(RuleSaysNo):
        Description(develops=(Developed("pcf", 7), Developed("pcf", 7)))


def test_s2_accreditation_follows_the_awarding_university():
    """Pending until it decides; approved from its day; a refusal makes it none."""
    assert accredited(COURSE, []) == COURSE
    approved = accredited(COURSE, [decided(JUNE)])
    assert (approved.accreditation, approved.accredited_from) == ("approved", JUNE)
    refused = accredited(COURSE, [decided(None)])
    assert (refused.accreditation, refused.accredited_from) == ("none", None)


def test_s2_the_order_of_decisions_does_not_matter():
    """One approval is enough, from the earliest day."""
    decisions = [decided(None, "1"), decided(date(2025, 9, 1), "2"), decided(JUNE, "3")]
    outcomes = {accredited(COURSE, order) for order in permutations(decisions)}
    assert outcomes == {replace(COURSE, accreditation="approved", accredited_from=JUNE)}


@pytest.mark.parametrize(
    "foreign",
    [
        decided(JUNE, hei="ucl"),
        decided(JUNE, module="OTHER"),
        replace(decided(JUNE), course="IPS"),
    ],
)
def test_s2_only_the_awarding_university_counts(foreign):
    """Another university, another module, another course: nothing changes."""
    assert accredited(COURSE, [foreign]) == COURSE
    assert accredited(replace(COURSE, awarding_hei=None), [decided(JUNE)]).accreditation == "pending"


def test_s2_no_credit_before_the_stated_day():
    """Approved, and not before; without a stated day from always."""
    assert not credit_possible("approved", JUNE, date(2025, 6, 15))
    assert credit_possible("approved", JUNE, JUNE)
    assert credit_possible("approved", None, JUNE)
    assert not credit_possible("pending", None, JUNE)
