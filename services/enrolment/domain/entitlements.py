"""What an employer owes its people in time to learn: the ASYE support package, and days of CPD a year.

Source: domain report, section 2 (90 % workload, 10 % protected time, half a day a week pro rata; PDPs at 0, 3, 6 and 12
months) and section 4 (the registration year runs from 1 December to 30 November).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from services.enrolment.domain.employments import Absence
from services.enrolment.domain.supervision_clock import Clock, clock, day_of, months_later

PROTECTED_TIME_PERCENT = 10
WORKLOAD_PERCENT = 90
PDP_MONTHS = (0, 3, 6, 12)
HALF_DAY = Decimal("0.5")
FORMAL, INFORMAL = "formal", "informal"
KINDS = (FORMAL, INFORMAL)
ACTIVITIES = (
    "course",
    "webinar",
    "online_course",
    "self_study",
    "conference",
    "coaching",
    "mentoring",
    "action_learning",
    "peer_reflection",
    "shadowing",
    "reading",
    "teaching",
    "research",
    "other",
)


@dataclass(frozen=True, slots=True)
class AsyeAgreement:
    """What was agreed with one newly qualified person, and on which days their development plan was spoken about."""

    practitioner_id: str
    agreed_on: date
    protected_time_percent: int
    workload_percent: int
    pdp_held_on: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class PdpReview:
    """One conversation about the development plan; `due_on` None: it waits for the end of an absence."""

    after_months: int
    due_on: date | None
    held_on: date | None


@dataclass(frozen=True, slots=True)
class AsyeSupport:
    """The package as it stands on a day. `is_met` looks at what was agreed, and at plans that were due by then."""

    on: date
    started_on: date
    ends_on: date | None
    protected_time_percent: int
    protected_days_a_week: str
    workload_percent: int
    agreement: AsyeAgreement | None
    pdp: tuple[PdpReview, ...]
    supervision: Clock
    is_met: bool


def asye_support(
    started_on: date, absences: Sequence[Absence], fte: str | None, agreement: AsyeAgreement | None, on: date
) -> AsyeSupport:
    """Return the package of somebody whose assessed and supported year began with this employment.

    Absent days push every date back, the end of the year too; part-time work by itself does not: how far the year is
    extended for it is for the employer to agree.
    """
    held = sorted(agreement.pdp_held_on) if agreement else []
    due = [day_of(started_on, absences, (months_later(started_on, months) - started_on).days) for months in PDP_MONTHS]
    pdp = tuple(
        PdpReview(months, day, held[place] if place < len(held) else None)
        for place, (months, day) in enumerate(zip(PDP_MONTHS, due, strict=True))
    )
    agreed = agreement is not None and (
        agreement.protected_time_percent >= PROTECTED_TIME_PERCENT and agreement.workload_percent <= WORKLOAD_PERCENT
    )
    overdue = [one for one in pdp if one.held_on is None and one.due_on is not None and one.due_on < on]
    share = HALF_DAY * Decimal(fte if fte is not None else 1)
    return AsyeSupport(
        on=on,
        started_on=started_on,
        ends_on=due[-1],
        protected_time_percent=PROTECTED_TIME_PERCENT,
        protected_days_a_week=f"{share.normalize():f}",
        workload_percent=WORKLOAD_PERCENT,
        agreement=agreement,
        pdp=pdp,
        supervision=clock(started_on, absences, on, is_newly_qualified=True),
        is_met=agreed and not overdue,
    )


@dataclass(frozen=True, slots=True)
class CpdEntitlement:
    """The days of CPD a year that this employer gives everybody, part-time people their share where it says so."""

    formal_days: str
    informal_days: str
    is_pro_rata: bool = False


@dataclass(frozen=True, slots=True)
class CpdItem:
    """Time that somebody spent on learning. What was learnt belongs to the person, and is not kept here."""

    item_id: str
    practitioner_id: str
    kind: str
    activity: str
    held_on: date
    days: str
    course: str | None = None


@dataclass(frozen=True, slots=True)
class CpdBalance:
    """Entitled, used and left, of one kind; None: the employer has set nothing."""

    kind: str
    entitled_days: str | None
    used_days: str
    left_days: str | None


def cpd_year(on: date) -> tuple[date, date]:
    """Return first and last day of the registration year that `on` lies in."""
    first = date(on.year if on.month == 12 else on.year - 1, 12, 1)
    return first, date(first.year + 1, 12, 1) - timedelta(days=1)


def balances(
    entitlement: CpdEntitlement | None, fte: str | None, items: Iterable[CpdItem]
) -> tuple[CpdBalance, CpdBalance]:
    """Return what is left of formal and informal days; less than nothing where more was used."""
    used = {kind: Decimal(0) for kind in KINDS}
    for item in items:
        used[item.kind] += Decimal(item.days)
    formal, informal = (_balance(kind, entitlement, fte, used[kind]) for kind in KINDS)
    return formal, informal


def _balance(kind: str, entitlement: CpdEntitlement | None, fte: str | None, used: Decimal) -> CpdBalance:
    if entitlement is None:
        return CpdBalance(kind, None, _text(used), None)
    days = Decimal(entitlement.formal_days if kind == FORMAL else entitlement.informal_days)
    if entitlement.is_pro_rata and fte is not None:
        days *= min(Decimal(fte), Decimal(1))
    return CpdBalance(kind, _text(days), _text(used), _text(days - used))


def _text(days: Decimal) -> str:
    return f"{days.normalize():f}" if days else "0"
