"""The style that is committed is the one that its source makes, and nobody else's identity is in it."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import shared.web
from shared.web.wording import day, day_and_time, number

ROOM = Path(shared.web.__file__).parent
CSS = (ROOM / "static" / "pages.css").read_text(encoding="utf-8")
ROOT = ROOM.parents[1]


def test_style_is_made_from_its_source():
    """Whoever changes pages.scss runs style/build."""
    source = hashlib.sha256((ROOM / "style" / "pages.scss").read_bytes()).hexdigest()
    assert f"pages.scss sha256 {source}." in CSS


def test_style_is_of_the_version_that_the_templates_are_made_for():
    """govuk-frontend-jinja 4.1.0 is GOV.UK Frontend 6.3.0."""
    assert "govuk-frontend 6.3.0 " in CSS
    assert "frontend=6.3.0\n" in (ROOM / "style" / "build").read_text(encoding="utf-8")
    assert '"govuk-frontend-jinja==4.1.0"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_no_identity_of_the_government_and_nothing_from_elsewhere():
    """No crown, crest or Transport font; no address in the style or in a template."""
    assert not re.search(r"gds transport|crest|crown|@font-face|url\(|@import", CSS, re.IGNORECASE)
    for template in (ROOM / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert "//" not in text.replace("https://", "//"), template.name
        assert "<script" not in text
        assert not re.search(r"\son[a-z]+=|\sstyle=", text), template.name


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (date(2026, 11, 21), "21 November 2026"),
        ("2026-11-01", "1 November 2026"),
        (datetime(2026, 6, 30, 23, 30, tzinfo=UTC), "1 July 2026"),
        ("2026-06-30T23:30:00Z", "1 July 2026"),
        (None, "–"),
        ("", "–"),
    ],
)
def test_dates_are_said_as_in_england(moment, words):
    """Summer time included."""
    assert day(moment) == words


def test_times_and_numbers():
    """14:05, and thousands apart."""
    assert day_and_time("2026-11-21T14:05:59+00:00") == "21 November 2026 at 14:05"
    assert day_and_time(None) == "–"
    assert number(12345) == "12,345"
