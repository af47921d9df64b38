"""Enrolment's pages as a whole: their name, their first page, and where one can go from every page."""

from __future__ import annotations

from typing import Final

from shared.web import Look, Place

LOOK: Final = Look(
    service="Enrolment",
    home="/tasks",
    places=(
        Place("Tasks", "/tasks", "tasks.read"),
        Place("Enrolments", "/enrolments", "enrolments.read"),
        Place("People", "/people", "practitioners.read"),
        Place("Uploads", "/uploads", "uploads.read"),
        Place("Courses", "/courses", "catalogue.read"),
        Place("Settings", "/settings", "enrolment-settings.read"),
    ),
)
