"""Which courses suit a person, with the reasons, and the self-audit and background that the advice is made of."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import advice, learning_needs
from services.enrolment.application.ports import Books
from services.enrolment.domain.courses import PCF
from services.enrolment.domain.learning_needs import LearningNeeds, Need
from services.enrolment.domain.practitioners import on_day
from services.enrolment.web import people_wording
from services.enrolment.web.asking import may_do, refused, today, with_query
from services.enrolment.web.people_pages import DONE, found_person, name_of
from services.enrolment.web.rooms import books, desk
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, CivilDate, StrictSchema
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted

advice_pages = PageRoutes("advice_pages", __name__)

DOMAINS: Final = tuple(f"domain_{number}" for number, _ in enumerate(people_wording.PCF_DOMAINS, 1))
_RATINGS = tuple(code for code, _ in people_wording.RATINGS)
NEEDS: Final[Schema] = StrictSchema.from_dict(
    {
        "audited_on": CivilDate(required=True),
        **{name: Choice(_RATINGS, load_default=None) for name in DOMAINS},
    },
    name="LearningNeedsForm",
)()


@advice_pages.show("/people/<name>/advice", "recommendations.read")
def show_advice(name: str) -> Page:
    """Show at most five combinations of courses, each with its reasons, and why the others are left out."""
    return page_read(lambda reading: _advice(books(reading), name))


def _advice(at: Books, name: str) -> Page:
    person = found_person(at, name)
    found, titles = advice.recommendations(at, person), at.catalogue.titles()
    called = {code: f"{told.title} ({code})" for code, told in titles.items()}
    needs = at.learning.needs(person.practitioner_id) if may_do("learning-needs.read") else None
    return page(
        "people/advice.html",
        found=person,
        name=name_of(on_day(person, today())) if may_do("practitioners.read") else person.employee_ref,
        combinations=[
            {
                "courses": [called.get(code, code) for code in one.courses],
                "reasons": [why.sentence for why in one.reasons],
                "programme": one.programme,
            }
            for one in found.combinations
        ],
        left_out=[
            [called.get(why.course, why.course), why.sentence[:1].upper() + why.sentence[1:]] for why in found.left_out
        ],
        audited_on=needs.audited_on if needs else None,
        sees_person=may_do("practitioners.read"),
        may_set=may_do("learning-needs.set"),
        done=DONE.get(request.args.get("done", "")),
    )


@advice_pages.show("/people/<name>/learning-needs", "learning-needs.set")
def show_needs(name: str) -> Page:
    """Show the self-audit, as it was filled in last."""

    def shown(at: Books) -> Page:
        person = found_person(at, name)
        standing = at.learning.needs(person.practitioner_id)
        rated = (
            {f"domain_{one.domain}": str(one.rating) for one in standing.needs if one.framework == PCF}
            if standing
            else {}
        )
        return _needs_form(at, name, blank(**rated, audited_on=today().isoformat()))

    return page_read(lambda reading: shown(books(reading)))


@advice_pages.act("/people/<name>/learning-needs", "learning-needs.set")
def keep_needs(name: str) -> Page | Response:
    """Keep the self-audit in place of the one before; ratings of other frameworks stay."""
    form = submitted(NEEDS, {"audited_on": "Enter the day of the self-audit as a date like 2026-11-21"})
    if form.errors:
        return page_read(lambda reading: _needs_form(books(reading), name, form))

    def change(work: Work) -> str:
        at = desk(work)
        person = found_person(at, name)
        standing = at.learning.needs(person.practitioner_id)
        others = tuple(one for one in standing.needs if one.framework != PCF) if standing else ()
        rated = _rated(form.values)
        wanted = LearningNeeds(person.practitioner_id, form.values["audited_on"], (*rated, *others))
        learning_needs.keep_needs(at, wanted)
        return with_query(f"/people/{person.practitioner_id}/advice", done="needs")

    try:
        return page_transact(change)
    except (RuleBroken, Conflict) as error:
        wrong = refused(form, error)
        return page_read(lambda reading: _needs_form(books(reading), name, wrong))


def _rated(values: Any) -> tuple[Need, ...]:  # noqa: ANN401 - what a form holds
    said = ((number, values[name]) for number, name in enumerate(DOMAINS, 1))
    return tuple(Need(PCF, number, int(rating)) for number, rating in said if rating is not None)


def _needs_form(at: Books, name: str, form: Form) -> Page:
    person = found_person(at, name)
    numbered = enumerate(zip(DOMAINS, people_wording.PCF_DOMAINS, strict=True), 1)
    domains = [(field, f"{number}. {words}") for number, (field, words) in numbered]
    return page(
        "people/learning_needs.html",
        form=form,
        found=person,
        name=name_of(on_day(person, today())),
        domains=domains,
        ratings=list(people_wording.RATINGS),
    )
