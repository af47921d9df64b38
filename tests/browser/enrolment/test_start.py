"""Enrolment's way in, in a real browser: each kind of person signs in at their own organisation."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("organisation", "name", "person", "role"),
    [
        ("brent", "London Borough of Brent", "Made-up HR officer", "HR officer"),
        ("brent", "London Borough of Brent", "Made-up supervisor", "supervisor"),
        ("brent", "London Borough of Brent", "Made-up programme lead", "programme lead"),
    ],
)
def test_each_kind_of_person_signs_in_at_their_own_organisation(visitor, organisation, name, person, role):
    """The bottom of the page says where one is."""
    visitor.sign_in(organisation, person)
    assert f"You are signed in at {name} as {role}." in visitor.page.locator("footer").inner_text()
    visitor.must_be_accessible(f"enrolment-first-page-{role.replace(' ', '-')}")


def test_first_page_on_a_telephone_and_without_javascript(phone, plain):
    """Nobody needs a desk."""
    for somebody in (phone, plain):
        somebody.sign_in("ealing", "Made-up HR officer")
        assert "London Borough of Ealing" in somebody.page.locator("footer").inner_text()
    phone.must_fit()
    phone.must_be_accessible("enrolment-first-page-phone")
