"""Every blueprint of pages, for the bootstrap: a feature adds its own here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from services.enrolment.web.absence_pages import absence_pages
from services.enrolment.web.access_pages import access_pages
from services.enrolment.web.advice_pages import advice_pages
from services.enrolment.web.background_pages import background_pages
from services.enrolment.web.cohort_pages import cohort_pages
from services.enrolment.web.course_form_pages import course_form_pages
from services.enrolment.web.course_pages import course_pages
from services.enrolment.web.duplicate_pages import duplicate_pages
from services.enrolment.web.enrolment_pages import enrolment_pages
from services.enrolment.web.lifecycle_pages import lifecycle_pages
from services.enrolment.web.mapping_pages import mapping_pages
from services.enrolment.web.nomination_pages import nomination_pages
from services.enrolment.web.people_pages import people_pages
from services.enrolment.web.register_pages import register_pages
from services.enrolment.web.retention_pages import retention_pages
from services.enrolment.web.rights_pages import rights_pages
from services.enrolment.web.session_pages import session_pages
from services.enrolment.web.settings_pages import settings_pages
from services.enrolment.web.task_pages import task_pages
from services.enrolment.web.transfer_pages import transfer_pages
from services.enrolment.web.upload_job_pages import upload_job_pages
from services.enrolment.web.upload_pages import upload_pages

ALL_PAGES: Final[tuple[Blueprint, ...]] = (
    absence_pages,
    access_pages,
    advice_pages,
    background_pages,
    duplicate_pages,
    people_pages,
    register_pages,
    retention_pages,
    rights_pages,
    cohort_pages,
    course_form_pages,
    course_pages,
    session_pages,
    settings_pages,
    enrolment_pages,
    lifecycle_pages,
    nomination_pages,
    task_pages,
    upload_pages,
    upload_job_pages,
    mapping_pages,
    transfer_pages,
)
