"""An employer's catalogue as it is stored: one course is what it is among all, and no other is read for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

LIKE_IT = ("SAR", "SAR-1", "SAR.1", "SAR0", "SARA", "SA")
"""Codes that begin alike: a cohort of one is never taken for another's."""


@pytest.mark.parametrize("org", ["ealing", "harrow"])
def test_one_course_is_what_it_is_among_all(house, org):
    """With its own cohorts, what it asks for, and whether this employer is invited."""
    for at, code in enumerate(LIKE_IT):
        house.open_course(code, capacity=at + 1, eligibility={"roles": ["leader"]} if at % 2 else {})
    house.good("PUT", "courses/SAR/cohorts/2026-01", "programme_lead", json={"capacity": 9})
    path = "courses/SAR/cohorts/2025-09"
    read = house.ask("GET", path, "programme_lead").headers["ETag"]
    house.good("PUT", path, "programme_lead", json={"capacity": 1, "invited": ["ealing"]}, headers={"If-Match": read})
    house.settle()
    catalogue = house.opener.books(house.unit.reading(org)).catalogue
    known = catalogue.courses()
    assert sorted(known) == sorted(LIKE_IT)
    assert {code: catalogue.course(code) for code in LIKE_IT} == known
    assert sorted(known["SAR"].cohorts) == ["2025-09", "2026-01"]
    assert known["SAR"].cohorts["2025-09"].is_open_here is (org == "ealing")
    assert catalogue.course("SAR-2") is None
    one = catalogue.course("SAR", "2025-09")
    assert one.cohorts == {"2025-09": known["SAR"].cohorts["2025-09"]}
    assert replace(one, cohorts=known["SAR"].cohorts) == known["SAR"]
    assert catalogue.course("SAR", "2031-01").cohorts == {}
