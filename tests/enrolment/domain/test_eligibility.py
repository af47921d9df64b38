"""Who may take a course: each rule alone, what it hides, and that a course that asks for nothing refuses nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrolment.domain.decisions import OfferedCohort, OfferedCourse, decide
from services.enrolment.domain.eligibility import Asked, CourseFirst, Standing, faults, months_before
from services.enrolment.domain.mapping import FileMapping, read_row
from services.enrolment.domain.records import CODES, ELIGIBILITY_CODES, LEVELS, Record, fingerprint

BOTH = ("practice_only", "practice_and_academic")
OPEN = OfferedCourse("CCB", "brent", "ALL", BOTH, cohorts={"2025-09": OfferedCohort("brent", 10)})
ROW = {
    "employee_ref": "10001",
    "given_name": "Aoife",
    "family_name": "O'Neill",
    "email": "a@brent.example",
    "date_of_birth": "1982-07-07",
    "swe_number": "SW53380",
    "pcf_level": "SW",
    "employment_start": "2018-01-03",
    "course": "CCB",
    "intake": "2025-09",
    "route": "practice_only",
    "manager_approved_on": "2025-07-01",
}
DONE = date(2024, 7, 1)


def codes(asked: Asked, standing: Standing | None = None, **changes: str) -> tuple[str, ...]:
    """Return the codes of a good row for a course that asks for `asked`."""
    row = read_row(2, {**ROW, **changes}, FileMapping())
    return decide(row, {"CCB": replace(OPEN, asked=asked)}, None, standing).codes


def test_codes_of_eligibility_stand_after_the_contracts():
    """The contract's list and order stay as they are."""
    assert CODES[-len(ELIGIBILITY_CODES) :] == ELIGIBILITY_CODES
    assert CODES[-len(ELIGIBILITY_CODES) - 1] == "conflicting_duplicate"


def test_e3_the_level_of_the_pcf_is_checked_and_domains_are_rated_at_application():
    """A course may want a self-rating first; every domain that it names, no more."""
    asked = Asked(rated_domains=(1, 7))
    assert codes(asked) == ("pcf_rating_missing",)
    assert codes(asked, Standing(rated_domains=frozenset({1}))) == ("pcf_rating_missing",)
    assert codes(asked, Standing(rated_domains=frozenset({1, 7, 9}))) == ()
    row = read_row(2, ROW, FileMapping())
    assert decide(row, {"CCB": replace(OPEN, level="ESW")}).codes == ("level_mismatch",)


def test_e5_a_course_that_comes_first_was_completed():
    """On the routes that it binds; an approval on another route needs none."""
    asked = Asked(courses_first=(CourseFirst("ALERTS", ("practice_and_academic",)),))
    assert codes(asked) == ()
    assert codes(asked, route="practice_and_academic") == ("prerequisite_missing",)
    assert codes(asked, Standing(completed={"ALERTS": DONE}), route="practice_and_academic") == ()
    assert codes(asked, Standing(running=frozenset({"ALERTS"})), route="practice_and_academic") == (
        "prerequisite_missing",
    )


def test_e5_a_prerequisite_may_be_too_old():
    """Counted in months before the approval, that day included; in-house ones by their day in the row."""
    asked = Asked(courses_first=(CourseFirst("ALERTS", BOTH, 12),))
    assert codes(asked, Standing(completed={"ALERTS": DONE})) == ()
    assert codes(asked, Standing(completed={"ALERTS": date(2024, 6, 30)})) == ("prerequisite_missing",)
    in_house = Asked(in_house_within_months=12)
    assert codes(in_house, prerequisite_on="2024-07-01") == ()
    assert codes(in_house, prerequisite_on="2024-06-30") == ("prerequisite_missing",)
    assert codes(in_house) == ()


def test_e6_one_of_the_roles_is_enough():
    """Nobody's role is guessed from a job title."""
    asked = Asked(roles=("professional_educator", "aspiring_manager"))
    assert codes(asked) == ("role_not_eligible",)
    assert codes(asked, Standing(roles=frozenset({"leader"}))) == ("role_not_eligible",)
    assert codes(asked, Standing(roles=frozenset({"aspiring_manager"}))) == ()


@pytest.mark.parametrize("level", LEVELS)
def test_e28_managers_and_leaders_enrol_like_everybody(level):
    """Every level is taken on a course for all, and a role opens more, never less."""
    assert codes(Asked(), Standing(roles=frozenset({"manager", "leader"})), pcf_level=level) == ()
    assert codes(Asked(roles=("leader",)), Standing(roles=frozenset({"leader"})), pcf_level=level) == ()


def test_e11_others_take_elements_only_and_are_told_which():
    """The whole course is for the kinds that it names; the fault says what may be taken alone."""
    asked = Asked(open_to=("borough", "county"), elements=("CCB-1", "CCB-2"))
    assert codes(asked, Standing("borough")) == ()
    assert codes(asked, Standing("voluntary")) == ("not_open_to_employer",)
    [fault] = faults(Record(pcf_level="SW"), asked, Standing("voluntary"))
    assert "CCB-1, CCB-2" in fault.detail


def test_e13_first_after_the_asye():
    """A newly qualified person comes later; one beyond that level is through, and so is who completed the stage."""
    asked = Asked(after=("asye",))
    assert codes(asked, pcf_level="ASYE") == ("sequence_not_met",)
    assert all(codes(asked, pcf_level=level) == () for level in LEVELS[1:])
    assert codes(asked, Standing(completed={"asye": DONE}), pcf_level="ASYE") == ()


def test_e13_one_course_after_another():
    """Completed, not only begun; every stage that is missing is named."""
    asked = Asked(after=("CCB-1", "CCB-2"))
    standing = Standing(completed={"CCB-1": DONE}, running=frozenset({"CCB-2"}))
    assert codes(asked, standing) == ("sequence_not_met",)
    [fault] = faults(Record(pcf_level="SW"), asked, standing)
    assert "CCB-2" in fault.detail
    assert codes(asked, replace(standing, completed={"CCB-1": DONE, "CCB-2": DONE})) == ()


def test_all_that_is_missing_is_named_at_once():
    """In the order of the list, beside the contract's own codes."""
    asked = Asked(
        after=("A",),
        courses_first=(CourseFirst("B", BOTH),),
        roles=("leader",),
        open_to=("county",),
        rated_domains=(9,),
    )
    assert codes(asked, manager_approved_on="") == (
        "prerequisite_missing",
        "manager_approval_missing",
        *ELIGIBILITY_CODES,
    )


def test_what_was_taken_once_stays_taken():
    """The same record again is a duplicate, whatever the course asks for by now."""
    row = read_row(2, ROW, FileMapping())
    asking = {"CCB": replace(OPEN, asked=Asked(roles=("leader",)))}
    assert decide(row, asking, fingerprint(row.record)).decision == "duplicate"
    assert decide(row, asking, "another").codes == ("conflicting_duplicate",)


@given(
    roles=st.frozensets(st.sampled_from(["leader", "manager"])),
    completed=st.dictionaries(st.sampled_from("AB"), st.just(DONE)),
    kind=st.sampled_from(["borough", "voluntary", ""]),
    level=st.sampled_from([*LEVELS, None]),
)
def test_a_course_that_asks_for_nothing_refuses_nobody(roles, completed, kind, level):
    """Whoever it is."""
    assert faults(Record(pcf_level=level), Asked(), Standing(kind, roles, completed)) == []


@given(day=st.dates(date(1990, 1, 1), date(2090, 1, 1)), months=st.integers(0, 600))
def test_months_are_counted_back_within_the_calendar(day, months):
    """So many months earlier, on the same day or the last of that month."""
    earlier = months_before(day, months)
    assert (day.year - earlier.year) * 12 + day.month - earlier.month == months
    assert earlier.day == day.day or (earlier.day >= 28 and earlier.day < day.day)


def test_before_the_calendar_began_there_is_its_first_day():
    """A year that nobody meant breaks nothing."""
    assert months_before(date(1, 2, 1), 24) == date.min
