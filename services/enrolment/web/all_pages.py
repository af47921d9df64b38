"""Every blueprint of pages, for the bootstrap: a feature adds its own here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from services.enrolment.web.enrolment_pages import enrolment_pages
from services.enrolment.web.lifecycle_pages import lifecycle_pages
from services.enrolment.web.mapping_pages import mapping_pages
from services.enrolment.web.nomination_pages import nomination_pages
from services.enrolment.web.task_pages import task_pages
from services.enrolment.web.transfer_pages import transfer_pages
from services.enrolment.web.upload_job_pages import upload_job_pages
from services.enrolment.web.upload_pages import upload_pages

ALL_PAGES: Final[tuple[Blueprint, ...]] = (
    enrolment_pages,
    lifecycle_pages,
    nomination_pages,
    task_pages,
    upload_pages,
    upload_job_pages,
    mapping_pages,
    transfer_pages,
)
