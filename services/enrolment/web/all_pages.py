"""Every blueprint of pages, for the bootstrap: a feature adds its own here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from services.enrolment.web.task_pages import task_pages

ALL_PAGES: Final[tuple[Blueprint, ...]] = (task_pages,)
