"""Which collection of the board's database holds what of a person: nothing that says who anybody is.

`PLACES` names every collection; docs/personal-data.md says the same to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.reporting.storage.slots import PROJECTED

PLACES: Final[Mapping[str, str]] = {
    "courses": "nothing of a person",
    "enrolments": "facts by opaque ids of enrolments: nothing is done, they are counts",
    "evaluations": "ratings by random ids that lead to nobody: nothing is done",
    "rollups": "counts",
    "change_rollups": "counts",
    **{f"{name}_rebuilt": f"as `{name}`, after a rebuild" for name in PROJECTED},
    "publications": "published tables",
    "projection": "which of the two is in use",
    "rebuilds": "who asked for a rebuild, when, and counts of what it found",
    "freshness": "how far feeds are",
}
