"""A register file is sent by a page: what it came to, what of it was not taken, and who sees that."""

from __future__ import annotations

import io

import pytest

from shared.testing.pages import browser_of, hidden_fields

ADDRESS = "/people/registrations/check"
HEAD = "Registration number,Name,Status,Registered until\n"


@pytest.fixture
def brent(house):
    """Brent's HR at a browser, with three people, one of whom has no registration number."""
    for ref, number in (("1", "SW1"), ("2", "SW2"), ("3", None)):
        house.tell_of(ref, given_name="Maya", family_name=f"Example{ref}", swe_number=number)
    return browser_of(house.app, "brent", "hr")


def sent(browser, content: bytes | None, again: dict[str, str] | None = None):
    """Return the answer to a file that was chosen; None: no file was."""
    fields = again or hidden_fields(browser.get(ADDRESS).get_data(as_text=True))
    file = {"file": (io.BytesIO(content), "register.csv")} if content is not None else {}
    return browser.post(ADDRESS, data={**fields, **file}, content_type="multipart/form-data")


def text_of(answer, status: int = 200) -> str:
    """Return a page."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_a_register_file_is_held_against_everybody_and_shows_what_it_came_to(brent):
    """Figures, rows to correct with their line; a lapse is in the list; the same form again is the same check."""
    rows = HEAD + "SW1,Zebulonia Quuxworth,Registered,2099-11-30\nSW2,,Lapsed,2024-11-30\nSW12345678,,Registered,\n"
    fields = hidden_fields(brent.get(ADDRESS).get_data(as_text=True))
    first, second = sent(brent, rows.encode(), fields), sent(brent, rows.encode(), fields)
    assert (first.status_code, first.headers["Location"]) == (303, second.headers["Location"])
    shown = text_of(brent.get(first.headers["Location"]))
    assert "Done</strong>" in shown
    assert "The registration number is SW and up to six digits" in shown
    assert "Quuxworth" not in shown
    assert 'href="/people/registrations?status=lapsed"' in shown
    assert "Maya Example2" in text_of(brent.get("/people/registrations?status=lapsed"))
    assert text_of(brent.get("/people/registrations/checks")).count("/people/registrations/checks/") == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "Select a file"),
        (b"", "The file is empty"),
        (b"a,b\n1,2\n", "The file has no column with the heading: registration number"),
        (b"\xff\xfe", "The file is not UTF-8: save it as CSV UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_so_at_the_field(brent, content, said):
    """In the title, in the summary and at the field; nothing is kept."""
    page = text_of(sent(brent, content), 422)
    assert page.count(said) == 2
    assert '<a href="#file">' in page
    assert "No register file was sent yet." in text_of(brent.get("/people/registrations/checks"))


@pytest.mark.usefixtures("brent")
def test_auditors_read_what_files_came_to_and_send_none(house):
    """They are not offered the form either; a supervisor sees neither."""
    auditor = browser_of(house.app, "brent", "auditor")
    assert f'{ADDRESS}"' not in text_of(auditor.get("/people/registrations"))
    assert auditor.get("/people/registrations/checks").status_code == 200
    assert auditor.get(ADDRESS).status_code == 403
    assert browser_of(house.app, "brent", "supervisor").get("/people/registrations/checks").status_code == 403
    ealing = browser_of(house.app, "ealing", "hr")
    assert ealing.get("/people/registrations/checks/unknown").status_code == 404
