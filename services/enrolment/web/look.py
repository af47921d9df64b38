"""Enrolment's pages as a whole: their name, their first page, and where one can go from every page."""

from __future__ import annotations

from typing import Final

from shared.web import Look

LOOK: Final = Look(service="Enrolment", home="/start", places=())
