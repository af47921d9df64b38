"""The board's pages: closed, complete, without script, readable without colour."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from services.reporting.domain.publication import TITLES
from services.reporting.web.wording import DEFINITIONS
from shared.testing.pages import browser_of


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Keep the tag."""
        self.tags.append((tag, dict(attrs)))

    def all(self, *names):
        """Return the attributes of all tags of those names, in order."""
        return [attributes for tag, attributes in self.tags if tag in names]


def pages_of(house):
    """Return every page, by path."""
    identifier = house.publish("Summer term").get_json()["id"]
    browser = house.browser()
    paths = ["/board", f"/board/publications/{identifier}", *(f"/board/tables/{name}" for name in TITLES)]
    return {path: browser.get(path) for path in paths}


@pytest.mark.parametrize(
    "path", ["/board", "/board/tables/funnel", "/board/publications/x", "/board/publications/x/funnel.csv"]
)
def test_stranger_is_sent_to_the_sign_in_page(house, path):
    """Without a session there is nothing to see."""
    answer = house.browser(None).get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


def test_forged_session_opens_nothing(house):
    """A cookie that this instance did not sign is no session."""
    browser = house.browser(None)
    for forged in (
        "x",
        "eyJ3aG8iOnsib3JnYW5pc2F0aW9uIjoibndsLWJvYXJkIn19.awJpyA.c7hFhzIqbdI6a6yn7vcJw6jRKqQ",
        "." * 3000,
    ):
        browser.set_cookie("reporting-session", forged)
        assert browser.get("/board").status_code == 303


@pytest.mark.parametrize("role", ["hr", "registrar", "practitioner"])
def test_only_the_boards_roles_open_its_pages(house, role):
    """The role table decides, as it does for the API."""
    assert house.browser(role).get("/board").status_code == 403


def test_people_of_other_organisations_find_no_board_page(house):
    """The pages are the board's; whoever is not the board's is told as little as by the API."""
    browser = browser_of(house.app, "brent", "board", "auditor", "operator")
    assert browser.get("/board").status_code == 404


def test_board_before_the_first_publication_says_so(told_house):
    """Live figures are never shown instead."""
    page = told_house.browser().get("/board").get_data(as_text=True)
    assert "No publication yet" in page
    assert not re.search(r"\d{2}", page.split("<main")[1].split("</main>")[0])


def test_every_page_is_complete_and_closed(told_house):
    """Own style only, no script, a title, one h1, a skip link, a table for each chart, notes naming the method."""
    for path, answer in pages_of(told_house).items():
        assert answer.status_code == 200, path
        page, policy = answer.get_data(as_text=True), answer.headers["Content-Security-Policy"]
        outline = Outline(page)
        assert "script" not in policy
        assert "unsafe" not in policy
        assert outline.all("script", "style", "iframe", "object") == []
        assert not [attributes for _, attributes in outline.tags if "style" in attributes or "onclick" in attributes]
        addresses = [attributes.get("href") or attributes.get("src") or "" for _, attributes in outline.tags]
        assert not [address for address in addresses if address.startswith(("http", "//"))], path
        assert len(outline.all("h1")) == 1
        assert outline.all("a")[0] == {
            "href": "#main-content",
            "class": "govuk-skip-link",
            "data-module": "govuk-skip-link",
        }
        assert outline.all("html")[0]["lang"] == "en-GB"
        assert "HESA" in page
        assert len(outline.all("table")) >= 2
        assert len(outline.all("caption")) == len(outline.all("table"))


def test_headings_never_jump_a_level(told_house):
    """The outline of each page can be walked."""
    for path, answer in pages_of(told_house).items():
        levels = [int(level) for level in re.findall(r"<h([1-6])", answer.get_data(as_text=True))]
        assert levels[0] == 1, path
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels)), (path, levels)


def test_every_chart_says_in_words_what_it_shows(told_house):
    """Alternative text, unique ids, words at each bar."""
    page = pages_of(told_house)["/board"].get_data(as_text=True)
    outline = Outline(page)
    named = [attributes["aria-labelledby"] for attributes in outline.all("svg")]
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(named) <= set(ids)
    assert all(attributes["role"] == "img" for attributes in outline.all("svg"))
    assert page.count('class="board-chart__words"') == len(outline.all("rect"))
    assert "Bar chart. Safeguarding Adults and Risk (SAR). 100 nominated, 60 with a seat" in page


def test_definitions_and_positions_stand_on_the_page(told_house):
    """What the words mean, and as of which records."""
    told_house.unit.database(told_house.board)["positions"].insert_one(
        {"_id": "org.brent.enrolment.v1", "number": 1118, "head": "ab" * 32}
    )
    page = pages_of(told_house)["/board"].get_data(as_text=True)
    assert all(term in page for term, _ in DEFINITIONS)
    assert "org.brent.enrolment.v1" in page
    assert "1,118" in page


def test_big_numbers_are_compared_with_the_publication_before(told_house):
    """The second publication says how each number moved."""
    told_house.publish("Autumn term")
    page = pages_of(told_house)["/board"].get_data(as_text=True)
    assert page.count("Unchanged since ‘Autumn term’") == 6


def test_unknown_publication_or_table_is_a_page_that_says_so(told_house):
    """404 in words."""
    told_house.publish()
    browser = told_house.browser()
    for path in ("/board/tables/marks", "/board/publications/none", "/board/publications/none/funnel.csv"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "not available" in answer.get_data(as_text=True)


def test_title_is_shown_as_text(told_house):
    """What the officer types is never markup."""
    told_house.publish("<script>alert(1)</script> & co")
    page = told_house.browser().get("/board").get_data(as_text=True)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
