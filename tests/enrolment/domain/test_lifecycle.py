"""The life of an enrolment: every pair of status and command, what else each command needs, and the dated history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrolment.domain import enrolments, lifecycle
from services.enrolment.domain.enrolment_parts import (
    LAPSED,
    MOVED,
    OFFER_LAPSED,
    REASONS,
    Deferral,
    Origin,
    RouteChange,
    Sponsorship,
    Transfer,
    bus_reason,
    months_later,
)
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import RuleSaysNo, SamePerson, WrongState
from services.enrolment.domain.lifecycle_settings import LifecycleSettings

DAY, AT = date(2025, 10, 1), datetime(2026, 1, 1, 12, tzinfo=UTC)
DEFAULTS = LifecycleSettings()
BY_HAND = LifecycleSettings(accepts_offers="by_hand", offer_days=10)
BOTH = ("practice_only", "practice_and_academic")

# What each status lets happen, and where it leads: written out a second time on purpose, by status.
EXPECTED = {
    "nominated": {
        "approve": "requested",
        "refuse": "refused",
        "change-route": "nominated",
        "sponsor": "nominated",
        "withdraw": "withdrawn",
    },
    "requested": {
        "offer": "offered",
        "confirm": "confirmed",
        "wait": "waiting",
        "decline": "declined",
        "change-route": "requested",
        "sponsor": "requested",
        "withdraw": "withdrawn",
    },
    "waiting": {
        "offer": "offered",
        "confirm": "confirmed",
        "wait": "waiting",
        "decline": "declined",
        "change-route": "waiting",
        "sponsor": "waiting",
        "transfer": "transferred",
        "withdraw": "withdrawn",
    },
    "offered": {
        "accept": "confirmed",
        "decline-offer": "withdrawn",
        "lapse": "withdrawn",
        "change-route": "offered",
        "sponsor": "offered",
        "transfer": "transferred",
        "withdraw": "withdrawn",
    },
    "confirmed": {
        "start": "started",
        "defer": "deferred",
        "change-route": "confirmed",
        "sponsor": "confirmed",
        "transfer": "transferred",
        "withdraw": "withdrawn",
        "complete": "completed",
    },
    "started": {
        "defer": "deferred",
        "change-route": "started",
        "sponsor": "started",
        "transfer": "transferred",
        "withdraw": "withdrawn",
        "complete": "completed",
    },
    "deferred": {
        "resume": "confirmed",
        "change-route": "deferred",
        "sponsor": "deferred",
        "transfer": "transferred",
        "withdraw": "withdrawn",
        "complete": "completed",
    },
    "completed": {"sponsor": "completed"},
    "refused": {},
    "declined": {},
    "transferred": {},
    "withdrawn": {},
}


def an_enrolment(status: str = "confirmed", **changes) -> Enrolment:
    """Return an enrolment that could be in `status`."""
    fitting = {
        "offered": {"offer_expires_on": date(2025, 10, 14)},
        "deferred": {"deferrals": (Deferral("leave", date(2025, 9, 1), date(2025, 12, 1)),)},
        "started": {"started_on": date(2025, 9, 22)},
        "transferred": {"transfer": Transfer("ealing", "new_job", DAY, date(2025, 10, 29))},
    }
    told = {
        "enrolment_id": "e1",
        "practitioner_id": "p1",
        "employee_ref": "10001",
        "cohort_owner": "brent",
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_only",
        "pcf_level": "SW",
        "requested_on": date(2025, 8, 1),
        "status": status,
        "nominated_by": "hr-1",
    }
    return Enrolment(**{**told, **fitting.get(status, {}), **changes})


def _change(to: str = "practice_and_academic", **changes) -> RouteChange:
    told = {
        "from_route": "practice_only",
        "to_route": to,
        "effective_on": DAY,
        "agreed_with_worker_on": date(2025, 9, 20),
        "reason": "worker_choice",
    }
    return RouteChange(**(told | changes))


ACTS = {
    "approve": lambda e: enrolments.approve(e, "hr-2", DAY, AT),
    "refuse": lambda e: enrolments.refuse(e, "hr-2", "no_funding", DAY, AT),
    "offer": lambda e: enrolments.seat_given(e, "r1", BY_HAND, DAY, AT),
    "confirm": lambda e: enrolments.confirm(e, "r1", DAY, AT),
    "wait": lambda e: enrolments.wait(e, "r1", 3, DAY, AT),
    "decline": lambda e: enrolments.decline(e, "r1", "cohort_closed", DAY, AT),
    "accept": lambda e: enrolments.accept(e, DAY, AT),
    "decline-offer": lambda e: enrolments.decline_offer(e, "workload", DAY, AT),
    "lapse": lambda e: enrolments.lapse(e, date(2025, 10, 15), AT),
    "start": lambda e: enrolments.start(e, DAY, AT),
    "defer": lambda e: enrolments.defer(e, "leave", DAY, None, replace(DEFAULTS, deferrals_allowed=2), AT),
    "resume": lambda e: enrolments.resume(e, DAY, AT),
    "change-route": lambda e: enrolments.change_route(e, _change(), BOTH, AT),
    "sponsor": lambda e: enrolments.sponsor(e, Sponsorship("employer", 10, DAY), AT),
    "transfer": lambda e: enrolments.transfer(e, "ealing", "new_job", DAY, DEFAULTS, AT, DAY),
    "withdraw": lambda e: enrolments.withdraw(e, "health", DAY, AT),
    "complete": lambda e: enrolments.complete(e, "completed", DAY, AT, evidence_set=None),
}


def test_every_status_and_every_command_is_decided():
    """No status and no command is missing from what is expected, nor from the table."""
    assert set(EXPECTED) == set(lifecycle.STATUSES)
    assert set(ACTS) == set(lifecycle.COMMANDS)


@pytest.mark.parametrize(("status", "command"), list(product(lifecycle.STATUSES, lifecycle.COMMANDS)))
def test_each_pair_of_status_and_command_is_as_the_table_says(status, command):
    """It leads where it should, with one more version and one more line of history; or is refused with advice."""
    before = an_enrolment(status)
    leads_to = EXPECTED[status].get(command)
    assert lifecycle.allows(command, status) == (leads_to is not None)
    assert (command in lifecycle.possible(status)) == (leads_to is not None)
    if leads_to is None:
        with pytest.raises(WrongState) as refused:
            ACTS[command](before)
        assert status in refused.value.detail
        assert len(refused.value.detail.split()) > 6
        return
    after = ACTS[command](before)
    assert (after.status, after.version) == (leads_to, before.version + 1)
    line = after.history[-1]
    assert (line.what, line.status, line.route, line.recorded_at) == (command, leads_to, after.route, AT)
    assert (after.enrolment_id, after.practitioner_id, after.course) == ("e1", "p1", "SAR")


def test_what_has_ended_never_goes_on():
    """From an end no command leads to another status."""
    for status in lifecycle.ENDED:
        assert all(lifecycle.after(command, status) == status for command in lifecycle.possible(status))


def test_approval_and_refusal_are_a_second_persons():
    """Whoever nominated decides neither way; nobody known: anybody with the right may."""
    for act in (
        lambda e: enrolments.approve(e, "hr-1", DAY, AT),
        lambda e: enrolments.refuse(e, "hr-1", "no_funding", DAY, AT),
    ):
        with pytest.raises(SamePerson):
            act(an_enrolment("nominated"))
        assert act(an_enrolment("nominated", nominated_by=None)).status in ("requested", "refused")


def test_an_offer_is_open_up_to_and_with_its_last_day():
    """Accepted on the last day, refused after; it lapses after, not on it."""
    offered = enrolments.seat_given(an_enrolment("requested"), "r1", BY_HAND, DAY, AT)
    assert offered.offer_expires_on == date(2025, 10, 11)
    assert enrolments.due_on(offered) == date(2025, 10, 11)
    assert enrolments.accept(offered, date(2025, 10, 11), AT).confirmed_on == date(2025, 10, 11)
    with pytest.raises(RuleSaysNo):
        enrolments.accept(offered, date(2025, 10, 12), AT)
    with pytest.raises(RuleSaysNo):
        enrolments.lapse(offered, date(2025, 10, 11), AT)
    lapsed = enrolments.lapse(offered, date(2025, 10, 12), AT)
    assert (lapsed.status, lapsed.reason, enrolments.due_on(lapsed)) == ("withdrawn", OFFER_LAPSED, None)


def test_whoever_took_a_person_on_has_accepted_the_seat_already():
    """By hand or not: the place that came with a person is confirmed; promoted from the queue later it is an offer."""
    taken_on = an_enrolment("requested", transferred_from=Origin("brent", "e0"))
    assert enrolments.seat_given(taken_on, "r1", BY_HAND, DAY, AT).status == "confirmed"
    waits = enrolments.wait(taken_on, "r1", 2, DAY, AT)
    assert enrolments.seat_given(waits, "r1", BY_HAND, DAY, AT).status == "offered"


def test_a_deferral_keeps_to_the_employers_settings():
    """One of at most three months by default, in its order; the end that is not given is the longest."""
    deferred = enrolments.defer(an_enrolment(), "health", DAY, None, DEFAULTS, AT)
    assert deferred.deferrals == (Deferral("health", DAY, date(2026, 1, 1)),)
    assert enrolments.holds_seat(deferred)
    back = enrolments.resume(deferred, date(2025, 12, 1), AT)
    assert (back.status, back.deferrals[0].resumed_on) == ("confirmed", date(2025, 12, 1))
    for refused in (
        lambda: enrolments.defer(back, "health", date(2025, 12, 5), None, DEFAULTS, AT),
        lambda: enrolments.defer(an_enrolment(), "health", DAY, date(2026, 1, 2), DEFAULTS, AT),
        lambda: enrolments.defer(an_enrolment(), "health", DAY, DAY, DEFAULTS, AT),
        lambda: enrolments.defer(an_enrolment(), "sabbatical", DAY, None, DEFAULTS, AT),
        lambda: enrolments.defer(an_enrolment("started"), "health", date(2025, 9, 1), None, DEFAULTS, AT),
        lambda: enrolments.resume(deferred, date(2025, 9, 30), AT),
    ):
        with pytest.raises(RuleSaysNo):
            refused()
    twice = replace(DEFAULTS, deferrals_allowed=2, deferral_months=6)
    again = enrolments.defer(back, "leave", date(2025, 12, 5), date(2026, 6, 5), twice, AT)
    assert len(again.deferrals) == 2


def test_who_had_started_goes_on_as_started():
    """A pause leads back to where it came from."""
    started = enrolments.start(an_enrolment(), DAY, AT)
    deferred = enrolments.defer(started, "leave", DAY, None, DEFAULTS, AT)
    assert enrolments.resume(deferred, date(2025, 11, 3), AT).status == "started"


def test_e9_the_academic_element_is_added_and_dropped_later_with_days():
    """Both changes stand in the history with the day from which they count; the route is the latest."""
    added = enrolments.change_route(an_enrolment(), _change(), BOTH, AT)
    dropped = enrolments.change_route(
        added,
        _change("practice_only", from_route="practice_and_academic", effective_on=date(2026, 1, 5), reason="workload"),
        BOTH,
        AT,
    )
    assert dropped.route == "practice_only"
    assert [(each.to_route, each.effective_on) for each in dropped.route_changes] == [
        ("practice_and_academic", DAY),
        ("practice_only", date(2026, 1, 5)),
    ]
    assert [line.route for line in dropped.history] == ["practice_and_academic", "practice_only"]


@pytest.mark.parametrize(
    ("change", "offered"),
    [
        (_change(), ("practice_only",)),
        (_change("practice_only"), BOTH),
        (_change(agreed_with_worker_on=date(2025, 10, 2)), BOTH),
        (_change(reason="mood"), BOTH),
        (_change(from_route="practice_and_academic"), BOTH),
    ],
)
def test_e10_a_route_is_the_choice_of_employer_and_worker(change, offered):
    """Not offered, no change, not agreed by the worker in time, no known reason: each is refused."""
    with pytest.raises(RuleSaysNo):
        enrolments.change_route(an_enrolment(), change, offered, AT)


def test_a_route_change_never_counts_from_before_an_earlier_one():
    """Otherwise nobody could say which route somebody was on."""
    added = enrolments.change_route(an_enrolment(), _change(), BOTH, AT)
    earlier = _change(
        "practice_only",
        from_route="practice_and_academic",
        effective_on=date(2025, 9, 30),
        agreed_with_worker_on=date(2025, 9, 20),
    )
    with pytest.raises(RuleSaysNo):
        enrolments.change_route(added, earlier, BOTH, AT)


def test_e7_sponsorship_is_kept_with_its_day():
    """Who pays, how many days of release, agreed when; not by anybody, not more days than a year has."""
    kept = enrolments.sponsor(an_enrolment(), Sponsorship("grant", 12, DAY), AT)
    assert kept.sponsorship == Sponsorship("grant", 12, DAY)
    for wrong in (Sponsorship("lottery", 1, DAY), Sponsorship("self", -1, DAY), Sponsorship("self", 367, DAY)):
        with pytest.raises(RuleSaysNo):
            enrolments.sponsor(an_enrolment(), wrong, AT)


def test_a_transfer_ends_once():
    """What became of it is noted once; anything later changes nothing."""
    gone = an_enrolment("transferred")
    moved = enrolments.transfer_ended(gone, MOVED, DAY, AT)
    assert (moved.transfer.state, moved.history[-1].what, moved.version) == (MOVED, "transfer-moved", 2)
    assert enrolments.transfer_ended(moved, LAPSED, DAY, AT) is moved
    assert enrolments.transfer_ended(an_enrolment(), MOVED, DAY, AT) == an_enrolment()


def test_a_course_with_a_portfolio_is_finished_by_its_outcome_only():
    """The employer's own word is refused there; nothing ends before it started."""
    with pytest.raises(RuleSaysNo):
        enrolments.complete(an_enrolment(), "completed", DAY, AT, evidence_set="cpd-portfolio")
    with pytest.raises(RuleSaysNo):
        enrolments.finished(an_enrolment("started"), "completed", date(2025, 9, 1), AT)
    with pytest.raises(RuleSaysNo):
        enrolments.finished(an_enrolment(), "passed", DAY, AT)
    assert enrolments.finished(an_enrolment("deferred"), "not_completed", DAY, AT).outcome == "not_completed"


def test_the_bus_knows_only_coarse_reasons():
    """Every exact reason has one of the five words of the contract."""
    coarse = {"workload", "employer", "personal", "academic", "other"}
    assert {bus_reason(reason) for reason in (*REASONS, OFFER_LAPSED)} <= coarse
    assert bus_reason("health") == "personal"


@pytest.mark.parametrize(
    "wrong",
    [
        {"approval_stages": 3},
        {"accepts_offers": "never"},
        {"offer_days": 0},
        {"deferrals_allowed": -1},
        {"deferral_months": 0},
        {"transfer_days": 366},
    ],
)
def test_settings_outside_their_bounds_are_refused(wrong):
    """A setting nobody can live with is no setting."""
    with pytest.raises(RuleSaysNo):
        LifecycleSettings(**wrong)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 48))
def test_months_later_is_that_month_and_never_a_later_day(day, months):
    """The same day, or the month's last."""
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day


@given(st.lists(st.sampled_from(lifecycle.COMMANDS), max_size=25), st.booleans())
def test_any_sequence_of_commands_keeps_history_and_status_together(commands, two_stages):
    """Whatever is tried in whatever order: refused steps change nothing, the others are lines of the history."""
    enrolment = enrolments.opened(an_enrolment("nominated" if two_stages else "requested"), DAY, AT)
    for command in commands:
        try:
            after = ACTS[command](enrolment)
        except (WrongState, RuleSaysNo):
            continue
        assert lifecycle.allows(command, enrolment.status)
        assert after.history[:-1] == enrolment.history
        assert after.version == enrolment.version + 1
        enrolment = after
    assert enrolment.history[-1].status == enrolment.status
    assert len(enrolment.history) == enrolment.version
