"""What a registration allows and refuses."""

from __future__ import annotations

from datetime import date

import pytest

from services.accreditation.domain.candidacy import Candidacy, Enrolment, Mark, MarkKind, Outcome, Practice, Submission
from services.accreditation.domain.errors import (
    AlreadySubmitted,
    FirstMarkMissing,
    MarkAlreadySet,
    MarkFrozen,
    MarkOutOfRange,
    NothingSubmitted,
    NotRegistered,
    SameMarker,
    Withdrawn,
)
from services.accreditation.domain.modules import Run, Terms

WORK = Submission(date(2026, 5, 11), 3400)
ON = date(2026, 7, 8)


def a_registration(*, submitted=True):
    """A known candidate on an approved instance."""
    enrolment = Enrolment("r-1", "p-1", Run("lead", "SAR", "2025-09"), "SAR7", date(2025, 9, 1))
    candidacy = Candidacy("brent", "e-1").confirmed(enrolment).identified("person")
    candidacy = candidacy.placed(Terms("i-1", "SAR7", 30, 7, 50, date(2025, 6, 16)))
    return candidacy.handed_in(WORK) if submitted else candidacy


def test_submission_is_refused_before_identity_is_known():
    """Nobody hands in for somebody whom the university does not know."""
    with pytest.raises(NotRegistered):
        Candidacy("brent", "e-1").handed_in(WORK)


def test_h20_submission_is_refused_after_withdrawal():
    """A withdrawn candidate hands in nothing more."""
    with pytest.raises(Withdrawn):
        a_registration(submitted=False).withdrawn(date(2026, 1, 1)).handed_in(WORK)


def test_h20_mark_is_refused_after_withdrawal():
    """A withdrawn candidate's work is not marked."""
    with pytest.raises(Withdrawn):
        a_registration().withdrawn(date(2026, 6, 1)).marked(MarkKind.FIRST, Mark(60, "t-1"))


def test_submission_again_changes_nothing_and_another_is_refused():
    """The same work is the same; other work is refused."""
    candidacy = a_registration()
    assert candidacy.handed_in(WORK) is candidacy
    with pytest.raises(AlreadySubmitted):
        candidacy.handed_in(Submission(date(2026, 5, 12), 3400))


@pytest.mark.parametrize("mark", [-1, 101, 50.5, True, "50"])
def test_mark_is_refused_when_it_is_no_whole_number_from_0_to_100(mark):
    """Marks are whole numbers from 0 to 100."""
    with pytest.raises(MarkOutOfRange):
        a_registration().marked(MarkKind.FIRST, Mark(mark, "t-1"))


def test_mark_is_refused_before_work_is_submitted():
    """There is nothing to mark."""
    with pytest.raises(NothingSubmitted):
        a_registration(submitted=False).marked(MarkKind.FIRST, Mark(60, "t-1"))


@pytest.mark.parametrize("kind", [MarkKind.SECOND, MarkKind.AGREED])
def test_mark_of_a_later_kind_is_refused_before_the_first(kind):
    """A second or agreed mark needs a first."""
    with pytest.raises(FirstMarkMissing):
        a_registration().marked(kind, Mark(60, "t-2"))


@pytest.mark.parametrize("kind", [MarkKind.SECOND, MarkKind.AGREED])
def test_i11_first_marker_may_not_give_another_mark(kind):
    """One person alone never settles a mark."""
    candidacy = a_registration().marked(MarkKind.FIRST, Mark(60, "t-1"))
    with pytest.raises(SameMarker):
        candidacy.marked(kind, Mark(60, "t-1"))


def test_mark_kind_is_set_once():
    """The same mark again changes nothing, another is refused."""
    candidacy = a_registration().marked(MarkKind.FIRST, Mark(60, "t-1"))
    assert candidacy.marked(MarkKind.FIRST, Mark(60, "t-1")) is candidacy
    with pytest.raises(MarkAlreadySet):
        candidacy.marked(MarkKind.FIRST, Mark(61, "t-1"))


def test_mark_is_frozen_once_a_board_ratified():
    """After the board no kind of mark is added."""
    candidacy = a_registration().marked(MarkKind.FIRST, Mark(60, "t-1")).marked(MarkKind.AGREED, Mark(62, "t-2"))
    with pytest.raises(MarkFrozen):
        candidacy.ratified_by("b-1", ON).marked(MarkKind.SECOND, Mark(61, "t-3"))


def test_ratification_keeps_the_first_boards_decision():
    """A second board changes nothing."""
    candidacy = a_registration().marked(MarkKind.FIRST, Mark(60, "t-1")).marked(MarkKind.AGREED, Mark(62, "t-2"))
    once = candidacy.ratified_by("b-1", ON)
    assert once.ratified_by("b-2", date(2026, 9, 1)) is once


def test_academic_outcome_is_apart_from_practice():
    """Not submitted, submitted, then pass or fail by the agreed mark alone. Source: BR-13."""
    assert a_registration(submitted=False).academic(50) == "not_submitted"
    assert a_registration().academic(50) == "submitted"
    agreed = a_registration().marked(MarkKind.FIRST, Mark(49, "t-1")).marked(MarkKind.AGREED, Mark(50, "t-2"))
    assert agreed.academic(50) == "pass"
    assert agreed.academic(51) == "fail"


def test_credit_is_dated_by_the_last_fact_when_approval_came_after_the_board():
    """Eligibility follows the approval's stated day."""
    agreed = a_registration().marked(MarkKind.FIRST, Mark(60, "t-1")).marked(MarkKind.AGREED, Mark(62, "t-2"))
    ready = agreed.ratified_by("b-1", ON).practised(Practice(Outcome.PASS, date(2026, 5, 26)))
    due = ready.placed(Terms("i-1", "SAR7", 30, 7, 50, date(2026, 9, 1))).credit_due()
    assert due is not None
    assert due.awarded_on == date(2026, 9, 1)
    assert ready.placed(Terms("i-1", "SAR7", 30, 7, 50)).credit_due() is None
