"""Every command that may come now, as a page: the questions, the answers to check, then it is done.

A command without questions is confirmed on its own page. One that may not come any more says so, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response

from services.enrolment.application import queries
from services.enrolment.application.ports import Books
from services.enrolment.domain import lifecycle
from services.enrolment.domain.decisions import OfferedCourse
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import WrongState
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.asking import may_do, refused, today
from services.enrolment.web.lifecycle_forms import CHOICE, DAY, EMPLOYER, FORMS, CommandForm, Question
from services.enrolment.web.rooms import books, desk, names
from shared.errors import Conflict, Forbidden, RuleBroken
from shared.http import current_service
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

lifecycle_pages = PageRoutes("lifecycle_pages", __name__)


def possible_now(at: Books, found: Enrolment, course: OfferedCourse | None) -> list[CommandForm]:
    """Return the commands that the viewer may give now, in the order of the table."""
    has_portfolio = course is not None and course.evidence_set is not None
    is_own = found.nominated_by == who_asks().subject
    return [
        form
        for form in FORMS
        if may_do(form.action)
        and not (form.command == lifecycle.COMPLETE and has_portfolio)
        and not (form.needs_other and is_own)
        and _may_come(form, at, found)
    ]


def _may_come(form: CommandForm, at: Books, found: Enrolment) -> bool:
    try:
        form.must_come_now(at, found)
    except WrongState:
        return False
    return True


def _asked(form: CommandForm, enrolment_id: str) -> Page:
    """Show the questions; the days begin as today."""
    started = {one.name: today().isoformat() for one in form.questions if one.kind == DAY and one.is_needed}
    return _shown(form, enrolment_id, blank(**started))


def _answered(form: CommandForm, enrolment_id: str) -> Page | Response:
    """Show the answers to check, or do what was asked once they were."""
    answers = submitted(form.schema, form.texts)
    if answers.errors:
        return _shown(form, enrolment_id, answers)
    if form.questions and answers.values["confirmed"] is None:
        if answers.get("change"):
            return _shown(form, enrolment_id, answers)
        return _shown(form, enrolment_id, answers, is_check=True)
    said = {question.name: answers.values[question.name] for question in form.questions}

    def change(work: Work) -> str:
        after = form.run(desk(work), enrolment_id, said)
        return f"/enrolments/{after.enrolment_id}?done={form.command}"

    try:
        return page_transact(change)
    except (RuleBroken, Conflict, Forbidden) as error:
        return _shown(form, enrolment_id, refused(answers, error))


def _shown(form: CommandForm, enrolment_id: str, answers: Form, *, is_check: bool = False) -> Page:
    def shown(at: Books) -> Page:
        found = queries.enrolment(at, enrolment_id)
        if not answers.errors:
            form.must_come_now(at, found)
        told = at.catalogue.titles().get(found.course)
        return page(
            "enrolments/check.html" if is_check else "enrolments/command.html",
            form=answers,
            asked=form,
            questions=[_question(question) for question in form.questions],
            answers=[(one.name, one.label, _in_words(one, answers), one.kind) for one in form.questions]
            if is_check
            else [],
            found=found,
            title=told.title if told else found.course,
            tag=words.STATUS_TAGS[found.status],
        )

    return page_read(lambda reading: shown(books(reading)))


def _question(question: Question) -> dict[str, Any]:
    options = list(question.options)
    if question.kind == EMPLOYER:
        own, called = who_asks().organisation, names()
        employers = current_service().partnership.with_role("employer")
        options = [(slug, called[slug]) for slug in employers if slug != own]
    return {
        "name": question.name,
        "label": question.label if question.is_needed else f"{question.label} (optional)",
        "kind": question.kind,
        "hint": question.hint,
        "options": options,
    }


def _in_words(question: Question, answers: Form) -> object:
    typed = answers.get(question.name)
    if question.kind == CHOICE:
        return dict(question.options)[typed]
    if question.kind == EMPLOYER:
        return names().get(typed, typed)
    return answers.values[question.name] if question.kind == DAY else typed


def _register(form: CommandForm) -> None:
    """Put one command's two addresses into the list of pages."""

    def named(view: Callable[..., Page | Response], name: str) -> Callable[..., Page | Response]:
        view.__name__ = name
        return view

    rule, name = f"/enrolments/<enrolment_id>/{form.command}", form.command.replace("-", "_")
    lifecycle_pages.show(rule, form.action)(named(lambda enrolment_id: _asked(form, enrolment_id), name))
    lifecycle_pages.act(rule, form.action)(named(lambda enrolment_id: _answered(form, enrolment_id), name))


for _form in FORMS:
    _register(_form)
