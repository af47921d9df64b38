"""Disclosure control of single figures."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.rounding import SUPPRESSED, mean, percentage, rounded_people


@pytest.mark.parametrize(
    ("people", "shown"), [(0, 0), (1, 0), (2, 0), (3, 5), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15), (37, 35)]
)
def test_rounded_people_is_hesas(people, shown):
    """The examples of the HESA method come out as HESA prints them."""
    assert rounded_people(people) == shown


@given(st.integers(0, 10**6))
def test_rounded_people_is_the_nearest_multiple_of_5(people):
    """No multiple of 5 is nearer than the one shown."""
    shown = rounded_people(people)
    assert shown % 5 == 0
    assert abs(shown - people) <= 2


def test_rounded_people_refuses_a_negative_count():
    """A count below zero is a bug upstream and is never smoothed over."""
    with pytest.raises(ValueError, match="never negative"):
        rounded_people(-1)


@pytest.mark.parametrize(
    ("part", "group", "shown"),
    [(52, 60, 87), (14, 22, SUPPRESSED), (23, 23, 100), (27, 40, 68), (1, 200, 1), (0, 23, 0), (0, 0, SUPPRESSED)],
)
def test_percentage_is_whole_halves_up_and_suppressed_for_small_groups(part, group, shown):
    """67.5 gives 68; a group of 22 gives two dots, a group of 23 a figure."""
    assert percentage(part, group) == shown


@given(st.integers(0, 5000), st.integers(23, 5000))
def test_percentage_agrees_with_decimal_arithmetic(part, group):
    """Exact arithmetic says the same."""
    exact = Fraction(100 * part, group)
    expected = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), ROUND_HALF_UP)
    assert percentage(part, group) == int(expected)


@pytest.mark.parametrize(
    ("total", "people", "shown"),
    [(-2, 8, "-0.2"), (2, 8, "0.3"), (-1, 8, "-0.1"), (10, 8, "1.3"), (-6, 8, "-0.7"), (0, 8, "0"), (56, 51, "1.1")],
)
def test_mean_has_one_decimal_halves_towards_the_larger_number(total, people, shown):
    """-0.25 gives -0.2, 0.25 gives 0.3, 1.25 gives 1.3."""
    assert mean(total, people) == Decimal(shown)


@pytest.mark.parametrize("people", range(8))
def test_mean_of_seven_or_fewer_is_suppressed(people):
    """Two dots stand for an average on 7 people or fewer."""
    assert mean(3, people) == SUPPRESSED


@given(st.integers(-(10**5), 10**5), st.integers(8, 10**4))
def test_mean_lies_within_half_a_tenth_above_first(total, people):
    """What is shown is never more than half a tenth away, and a tie goes up."""
    shown = mean(total, people)
    assert isinstance(shown, Decimal)
    away = Fraction(shown) - Fraction(total, people)
    assert Fraction(-1, 20) < away <= Fraction(1, 20)
