"""The README's promises name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_promise_names_tests_that_exist():
    """A promise without a test, or with one that was renamed away, is no promise."""
    written = (ROOT / "README.md").read_text(encoding="utf-8")
    section = written.split("## What it promises")[1].split("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| **")]
    assert len(rows) == 8
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row))
        assert named, row
        assert named <= defined, sorted(named - defined)
