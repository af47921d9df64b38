"""Which collection of the board's database holds what of a person: nothing that says who anybody is.

`PLACES` names every collection; docs/personal-data.md says the same to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PLACES: Final[Mapping[str, str]] = {
    "courses": "nothing of a person",
    "enrolments": "facts by opaque ids of enrolments: nothing is done, they are counts",
    "evaluations": "ratings by random ids that lead to nobody: nothing is done",
    "rollups": "counts",
    "change_rollups": "counts",
    "publications": "published tables",
    "freshness": "how far feeds are",
}
