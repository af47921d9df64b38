"""The courses that tests publish, as a programme lead sends them: one of each scenario."""

from __future__ import annotations

from typing import Any, Final

BOTH_ROUTES: Final = ("practice_only", "practice_and_academic")

SAFEGUARDING: Final[dict[str, Any]] = {
    "title": "Safeguarding",
    "level": "SW",
    "routes": BOTH_ROUTES,
    "credits": 30,
    "accreditation": "approved",
    "awarding_hei": "goldsmiths",
    "module": "SAR7",
    "evidence_set": "cpd-portfolio",
}
"""`SAR`, of north-west-london."""

COMMUNITY_CAPACITY: Final[dict[str, Any]] = {
    "title": "Community Capacity Building",
    "level": "SW",
    "routes": BOTH_ROUTES,
    "credits": 20,
    "accreditation": "approved",
    "awarding_hei": "westbridge",
    "module": "CCB7",
    "evidence_set": "county-portfolio",
}
"""`CCB`, of marchland."""
