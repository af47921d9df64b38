"""Decision records: one number each, and a list that has every one of them in order, under its own title."""

from __future__ import annotations

import re
from pathlib import Path

ROOM = Path(__file__).resolve().parents[2] / "docs" / "decisions"


def test_every_record_has_a_number_of_its_own_and_stands_in_the_list():
    """The file's name, its title and the line in the list say the same; no number is left out."""
    records = sorted(path for path in ROOM.glob("*.md") if path.name != "README.md")
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    titles = [path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for path in records]
    listed = [f"- [{title}]({path.name})" for title, path in zip(titles, records, strict=True)]
    told = (ROOM / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in told if line.startswith("- ")] == listed
    assert [re.match(r"[0-9]+", title).group() for title in titles] == [str(int(path.name[:4])) for path in records]
