"""Programmes: ordered sets of courses with strands by level."""

from __future__ import annotations

import pytest

from services.enrolment.domain.errors import RuleSaysNo
from services.enrolment.domain.programmes import Programme, Strand, strand_of


def test_e14_each_level_has_its_strand():
    """One's own level first, else the strand for everybody, else none."""
    social_worker, everybody = Strand("SW", ("A", "B")), Strand("ALL", ("C",))
    assert strand_of((social_worker, everybody), "SW") == social_worker
    assert strand_of((social_worker, everybody), "ESW") == everybody
    assert strand_of((social_worker,), "ESW") is None
    assert strand_of((social_worker, everybody), None) == everybody


@pytest.mark.parametrize(
    "strands",
    [
        (),
        (Strand("SW", ()),),
        (Strand("SW", ("A", "A")),),
        (Strand("SW", ("A",)), Strand("SW", ("B",))),
        (Strand("GRADE 7", ("A",)),),
    ],
)
def test_e1_a_combination_is_a_set_in_order(strands):
    """Not empty, each course once in a strand, each level once."""
    with pytest.raises(RuleSaysNo):
        Programme("P", "Community", strands)


def test_e15_a_programme_is_delivered_centrally_unless_it_says_otherwise():
    """One programme for all partners is the usual case."""
    assert Programme("P", "Community", (Strand("ALL", ("A",)),)).delivery == "central"
