"""Every decision says why, in numbers."""

from __future__ import annotations

import pytest

from services.enrolment.domain import explanations, seats
from services.enrolment.domain.seats import Cohort, Quota, Share, Terms


def _said(cohort, state, rank, reason=None):
    return explanations.sentence(explanations.standing(cohort, "brent", state, rank, reason), "Brent")


def test_e8_every_decision_explains_itself():
    """The owner and the employer read the same sentence, made of the same numbers."""
    plain = Cohort(30, taken=30, waiting=4)
    full = Cohort(30, taken=12, waiting=4, terms=Terms((Quota("brent", at_most=6),)), shares=(Share("brent", 6, 4),))
    assert _said(plain, seats.SEAT, 12) == "12th of 30"
    assert _said(full, seats.SEAT, 12) == "12th of 30; quota of Brent 6 of 6"
    assert _said(plain, seats.WAITING, 4) == "4th in the queue; all 30 seats are taken"
    assert _said(full, seats.WAITING, 4) == "4th in the queue; Brent has 6 of its 6 places"
    assert _said(full, seats.DECLINED, None, seats.NOT_INVITED) == "no place: this intake is for invited employers only"


def test_e8_what_ages_says_as_of_when():
    """An employer reads the numbers of the decision: its rank among the seats may have aged, and so its queue's."""
    seat = explanations.standing(Cohort(30, taken=30), "brent", seats.SEAT, 30)
    waits = explanations.standing(Cohort(30, taken=30, waiting=4), "brent", seats.WAITING, 4)
    quota = Cohort(30, taken=12, terms=Terms((Quota("brent", at_most=6),)), shares=(Share("brent", 6),))
    held = explanations.standing(quota, "brent", seats.SEAT, 12)
    assert explanations.sentence(seat, "Brent", as_decided=True) == "30th of 30 as of the decision"
    assert explanations.sentence(held, "Brent", as_decided=True) == (
        "12th of 30 as of the decision; quota of Brent 6 of 6"
    )
    assert explanations.sentence(waits, "Brent", as_decided=True) == (
        "4th in the queue as of the decision; all 30 seats are taken"
    )


def test_e12_a_reserved_place_explains_itself():
    """To its partner, and to who waits because of it."""
    cohort = Cohort(3, taken=2, waiting=1, terms=Terms((Quota("hospice", reserved=1),)))
    assert _said(cohort, seats.WAITING, 1) == (
        "1st in the queue; all 3 seats are taken or kept for other employers (1 kept)"
    )
    own = Cohort(3, taken=1, terms=Terms((Quota("brent", reserved=2),)), shares=(Share("brent", 1),))
    assert _said(own, seats.SEAT, 1) == "1st of 3; 1 of 2 places reserved for Brent taken"


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (121, "121st")]
)
def test_numbers_are_read_as_people_say_them(number, word):
    """Not 1th, not 11st."""
    assert explanations.ordinal(number) == word
