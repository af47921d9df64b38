"""The board's pages in a real browser: signed in, by keyboard, on a telephone, without JavaScript, with axe."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser
published = pytest.mark.usefixtures("two_publications")
MEMBER = "Made-up board member"


@pytest.fixture
def two_publications(site):
    """Two publications, so that there is something to compare."""
    site.house.publish("Start of term")
    site.house.publish("End of term")


@published
def test_somebody_signs_in_looks_around_and_signs_out(visitor):
    """From the sign-in page to the figures and out again."""
    visitor.open("/board")
    visitor.must_be_accessible("board-sign-in")
    visitor.page.get_by_role("link", name="North West London partnership board").click()
    visitor.shot("made-up-people")
    visitor.page.get_by_role("button", name=MEMBER, exact=True).click()
    assert visitor.page.title().startswith("End of term – Board report")
    assert visitor.page.get_by_role("heading", level=1).inner_text() == "End of term"
    visitor.must_be_accessible("board")
    assert (
        "signed in at North West London partnership board as board member"
        in visitor.page.locator("footer").inner_text()
    )
    visitor.page.get_by_role("link", name="This table on its own page").first.click()
    visitor.must_be_accessible("board-table")
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.must_be_accessible("signed-out")
    visitor.open("/board")
    assert visitor.page.get_by_role("heading", level=1).inner_text() == "Sign in"


def test_board_before_the_first_publication(visitor):
    """It says so."""
    visitor.sign_in("nwl-board", MEMBER)
    assert "No publication yet" in visitor.page.title()
    visitor.must_be_accessible("board-nothing-yet")


@published
def test_keyboard_reaches_everything_and_skips_to_the_content_first(visitor):
    """The first stop is the skip link, it leads past the header, and every table frame can be scrolled."""
    visitor.sign_in("nwl-board", MEMBER)
    reached = visitor.tab_to()
    assert reached[0] == "Skip to main content"
    assert reached[2] == "Sign out"
    assert sum(stop.endswith(": table") for stop in reached) >= 6
    visitor.page.reload()
    visitor.page.keyboard.press("Tab")
    assert visitor.page.locator(":focus").bounding_box()["height"] > 10
    visitor.shot("skip-link")
    visitor.page.keyboard.press("Enter")
    assert visitor.page.url.endswith("#main-content")
    visitor.page.keyboard.press("Tab")
    inside = "document.querySelector('main').contains(document.activeElement)"
    assert visitor.page.evaluate(inside)


@published
def test_pages_fit_a_telephone(phone):
    """Nothing is cut off: wide tables scroll by themselves."""
    phone.open("/sign-in")
    phone.must_fit()
    phone.sign_in("nwl-board", MEMBER)
    phone.must_fit()
    phone.must_be_accessible("board-phone")
    phone.open("/board/tables/self_assessment_change")
    phone.must_fit()
    phone.must_be_accessible("board-table-phone")


@published
def test_nothing_needs_javascript(plain):
    """Signing in, reading, fetching a table and signing out, in a browser that runs no script."""
    plain.sign_in("nwl-board", MEMBER)
    assert plain.page.get_by_role("heading", level=1).inner_text() == "End of term"
    with plain.page.expect_download() as fetched:
        plain.page.get_by_role("link", name="Download this table (CSV)").first.click()
    assert fetched.value.suggested_filename == "funnel.csv"
    plain.page.get_by_role("button", name="Sign out").click()
    assert plain.page.get_by_role("heading", level=1).inner_text() == "You are signed out"


def test_whoever_is_not_the_boards_is_told_so_in_words(visitor):
    """A page with a way on, not a line of JSON: these pages host the board alone."""
    visitor.open("/sign-in/brent")
    assert visitor.page.get_by_role("heading", level=1).inner_text() == "Page not found"
    visitor.must_be_accessible("board-refused")
