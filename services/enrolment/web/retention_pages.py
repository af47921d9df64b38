"""How long things are kept: what is too old now, other periods tried before they count, and the clearing out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Response, request
from marshmallow import Schema

from services.enrolment.application import retention
from services.enrolment.application.erasure_ports import Due
from services.enrolment.domain.retention import KINDS, LONGEST_DAYS, MEANING, Periods, shortest
from services.enrolment.web.asking import may_do, refused
from services.enrolment.web.rooms import books, desk
from shared.errors import Conflict, RuleBroken
from shared.http import Choice, StrictSchema, WholeText
from shared.storage.unit_of_work import Work
from shared.web import Form, Page, PageRoutes, blank, page, page_read, page_transact, submitted, who_asks

retention_pages = PageRoutes("retention_pages", __name__)

NOTHING: Final = StrictSchema()
PERIODS: Final[Schema] = StrictSchema.from_dict(
    {
        **{kind: WholeText(required=True, least=shortest(kind), most=LONGEST_DAYS) for kind in KINDS},
        **{name: Choice(("yes",), load_default=None) for name in ("confirmed", "change")},
    },
    name="PeriodsForm",
)()
_TEXTS: Final = {
    kind: f"{MEANING[kind].split(',')[0]}: enter a whole number of days from {shortest(kind)} to {LONGEST_DAYS:,}"
    for kind in KINDS
}
DONE: Final = {
    "retention": "What is too old is being removed. The erasure of a person who left waits for a second person.",
    "periods": "The periods are kept. Nothing was removed by it.",
}


@retention_pages.show("/settings/retention", "retention.read")
def show_retention() -> Page:
    """Show what is older than its period: a dry run."""
    return _dry_run(blank())


@retention_pages.act("/settings/retention", "retention.apply")
def apply_retention() -> Page | Response:
    """Remove what is older than its period."""
    form = submitted(NOTHING)

    def change(work: Work) -> str:
        at = desk(work)
        retention.apply(at, at.person_id(who_asks().subject))
        return "/settings/retention?done=retention"

    try:
        return page_transact(change)
    except Conflict as error:
        return _dry_run(refused(form, error))


@retention_pages.show("/settings/retention/periods", "retention.set")
def show_periods() -> Page:
    """Show the form of the periods, as they are."""
    days = page_read(lambda reading: books(reading).ageing.periods().days)
    return _periods(blank(**{kind: str(days[kind]) for kind in KINDS}))


@retention_pages.act("/settings/retention/periods", "retention.set")
def set_periods() -> Page | Response:
    """Show what other periods would remove, then keep them; keeping removes nothing."""
    form = submitted(PERIODS, _TEXTS)
    if form.errors or form.get("change"):
        return _periods(form)
    days = {kind: form.values[kind] for kind in KINDS}
    if form.values["confirmed"] is None:
        periods, due = page_read(lambda reading: retention.dry_run_with(books(reading), days))
        return page("settings/periods_check.html", form=form, kinds=KINDS, rows=_rows(periods, due))

    def change(work: Work) -> str:
        retention.set_periods(desk(work), days)
        return "/settings/retention?done=periods"

    try:
        return page_transact(change)
    except RuleBroken as error:
        return _periods(refused(form, error))


def _periods(form: Form) -> Page:
    fields = [(kind, MEANING[kind], f"{shortest(kind)} to {LONGEST_DAYS:,} days") for kind in KINDS]
    return page("settings/periods.html", form=form, fields=fields)


def _dry_run(form: Form) -> Page:
    periods, due = page_read(lambda reading: retention.dry_run(books(reading)))
    return page(
        "settings/retention.html",
        form=form,
        rows=_rows(periods, due),
        is_due=any(one.count for one in due),
        may_apply=may_do("retention.apply"),
        may_set=may_do("retention.set"),
        done=DONE.get(request.args.get("done", "")),
    )


def _rows(periods: Periods, due: Sequence[Due]) -> list[list[Any]]:
    return [
        [MEANING[one.kind], {"text": periods.days[one.kind], "number": True}, {"text": one.count, "number": True}, one]
        for one in due
    ]
