"""The whole lifecycle with seats, as a state machine on the real database (hypothesis).

Three employers nominate for one cohort; each reads the others' feeds through its own position, in any interleaving,
reads on after crashes and from the beginning again, and is fenced when another reader takes over. Beside it runs a
model that shares no code with it: a list of places in the order of arrival, and a status per enrolment.

Held after every step: capacity and quotas are never exceeded, an enrolment stands in one state and one place, counts
equal the places. When every feed is read: model and database are equal, nobody waits who could have a seat, and the
employer's word and the owner's agree. `HYPOTHESIS_EXAMPLES` asks for more than the usual number of terms.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from environs import Env
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services.enrolment.application import cohort_handlers, commands, handlers, transfer_reactions, transfers
from services.enrolment.domain import lifecycle, seats
from services.enrolment.domain.mapping import FileMapping, read_row
from shared.errors import PlatformError
from tests.enrolment.application.term_commands import ASK, EMPLOYERS
from tests.enrolment.application.term_model import SEATED, WHERE, Known, Queue
from tests.enrolment.application.term_readers import ENDINGS, Crash, Readers
from tests.enrolment.conftest import a_record

OWNER = "brent"
TWO_STAGES, BY_HAND = "ealing", "harrow"
INTAKE = "2025-09"
COURSES = count(1)
EXAMPLES = Env().int("HYPOTHESIS_EXAMPLES", 20)
STEPS = 20
TAKEN_ON, TURNED_AWAY = "enrolment.transfer-accepted.v1", "enrolment.transfer-refused.v1"


class Term(RuleBasedStateMachine):
    """One course, one cohort, three employers."""

    house: Any
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.code = f"M{next(COURSES)}"
        self.refs = count(1)
        self.known: dict[str, Known] = {}
        self.heard_closed: set[str] = set()

    # -- the play ----------------------------------------------------------------------------------------------

    @initialize(
        capacity=st.integers(1, 4), at_most=st.integers(1, 3), reserved=st.integers(0, 1), people=st.integers(0, 3)
    )
    def open(self, capacity: int, at_most: int, reserved: int, people: int) -> None:
        """Begin with a course and a cohort that everybody has read of, and some nominations."""
        self.readers = Readers(self.house, EMPLOYERS, self._learn)
        capacity = max(capacity, reserved)
        self.queue = Queue(capacity, {"ealing": at_most}, {"harrow": reserved})
        body = {"title": "Made up", "level": "SW", "routes": ["practice_only", "practice_and_academic"]}
        self.house.good("PUT", f"courses/{self.code}", "programme_lead", json=body)
        self._resize(capacity)
        self.readers.read_everything()
        for employer in EMPLOYERS * people:
            self._nominate(employer)

    def _nominate(self, employer: str, *, crash: bool = False) -> None:
        ref = f"{self.code}-{next(self.refs)}"
        row = read_row(1, {**a_record(employee_ref=ref, course=self.code), "fte": "1.0"}, FileMapping())
        try:
            outcome = self._do(employer, lambda desk: handlers.nominate(desk, row, by="first"), crash=crash)
        except PlatformError:
            assert employer in self.heard_closed, "a nomination was refused"
            return
        assert employer not in self.heard_closed, "a closed cohort took a nomination"
        if not crash:
            again = self._do(employer, lambda desk: handlers.nominate(desk, row, by="first"), crash=False)
            assert again.enrolment_id == outcome.enrolment_id
            status = "nominated" if employer == TWO_STAGES else "requested"
            self.known[outcome.enrolment_id] = Known(employer, status)

    @rule(seed=st.integers(0, 2**32), anything=st.booleans())
    def a_day(self, seed: int, anything: bool) -> None:  # noqa: FBT001
        """Ask for what may be asked for, or for anything; then read some of some feeds."""
        chance = Random(seed)  # noqa: S311 - not a secret
        crash = chance.random() < 0.1
        for name in chance.sample(sorted(self.known), min(len(self.known), 4)):
            may = [what for what in WHERE if anything or self.known[name].status in WHERE[what][0]]
            if may:
                rarest = min(may, key=lambda what: self.done[what])
                self._command(
                    rarest if not self.done[rarest] or chance.random() < 0.7 else chance.choice(may),
                    name,
                    chance.choice(EMPLOYERS),
                    crash=crash,
                )
        for _ in range(chance.randint(0, 2)):
            self._nominate(chance.choice(EMPLOYERS), crash=crash)
        for old in [name for name, known in sorted(self.known.items()) if known.given_to]:
            self._answer_transfer(old, says_yes=self._says_yes(chance), crash=crash)
        self._what_happens_seldom(chance)
        for _ in range(5):
            ending = chance.choice(["well"] * 4 + [*ENDINGS])
            self.readers.take(chance.choice(EMPLOYERS), chance.choice(EMPLOYERS), chance.randint(1, 30), ending)
        taker, owner = chance.choice(EMPLOYERS), chance.choice(EMPLOYERS)  # as after the loss of the log
        self.readers.take(taker, owner, 100, "well", first=1, up_to=self.readers.positions[taker, owner].number)

    def _what_happens_seldom(self, chance: Random) -> None:
        """Let what is rare happen now and then, and as soon as it can where it has not happened in any term yet."""
        self.done["day"] += 1
        leaving = [name for name, known in sorted(self.known.items()) if known.status in WHERE["give_over"][0]]
        if leaving and chance.random() < (0.2 if self.done[TAKEN_ON] else 0.8):  # a handover takes several days
            self._command("give_over", chance.choice(leaving), chance.choice(EMPLOYERS), crash=False)
        if chance.random() < 0.3:
            self._ask_for(chance.randint(1, 7), chance.randint(1, 4))
        is_offered = any(known.status == "offered" for known in self.known.values())
        if chance.random() < 0.1 or (is_offered and not self.done["lapse"]):
            self._two_months_later()
        if chance.random() < 0.02 or (self.done["day"] > 100 and not self.done["enrolment.cohort-closed.v1"]):
            self._close()

    def _says_yes(self, chance: Random) -> bool:
        if not self.done[TAKEN_ON]:
            return True
        return bool(self.done[TURNED_AWAY]) and chance.random() < 0.7

    def _two_months_later(self) -> None:
        """Let offers and handovers that are open lapse, as the worker does when their last day is over."""
        late = self.house.unit.clock.now() + timedelta(days=60)
        for employer in EMPLOYERS:
            self._do(employer, lambda desk: handlers.lapse_offers(replace(desk, now=late), 100), crash=False)
        for name, known in self.known.items():
            if known.status == "offered":
                known.status = "withdrawn"
                self.done["lapse"] += 1
                assert name
        self._do(OWNER, lambda desk: transfer_reactions.lapse_handovers(replace(desk, now=late), 100), crash=False)
        self.queue.lapse()

    def _close(self) -> None:
        """Take no more requests; the queue still moves."""
        self._do(OWNER, lambda desk: cohort_handlers.close_cohort(desk, self.code, INTAKE), crash=False)
        self.queue.closed = True
        self.heard_closed.add(OWNER)

    def _command(self, what: str, enrolment_id: str, to: str, *, crash: bool) -> None:
        known = self.known[enrolment_id]
        sources, target = WHERE[what]
        allowed = known.status in sources
        allowed = (
            allowed and not (what == "defer" and known.deferred) and not (what == "give_over" and to == known.employer)
        )
        try:
            self._do(known.employer, lambda desk: ASK[what](desk, enrolment_id, to), crash=crash)
        except PlatformError:
            assert not allowed, f"{what} was refused while {known.status}"
            return
        assert allowed, f"{what} was done while {known.status}"
        if crash:
            return
        if what in ("change_route", "sponsor"):
            target = known.status
        if what == "resume":
            target = "started" if known.has_started else "confirmed"
        known.status = target
        self.done[what] += 1
        known.has_started = known.has_started or what == "start"
        known.deferred += what == "defer"
        known.given_to = to if what == "give_over" else None

    def _answer_transfer(self, old: str, *, says_yes: bool, crash: bool) -> None:
        """Take on, or turn away, somebody who was given over: possible once the owner's word has been read."""
        employer = self.known[old].given_to or ""
        incoming = self.house.opener.books(self.house.unit.reading(employer)).incoming.find(old)
        if incoming is None or incoming.state != "open":
            return
        if not says_yes:
            self._do(employer, lambda desk: transfers.turn_away(desk, old), crash=crash)
            return
        ref = f"{self.code}-{next(self.refs)}"
        row = read_row(1, {**a_record(employee_ref=ref, course=self.code), "fte": "1.0"}, FileMapping())
        done = self._do(employer, lambda desk: transfers.take_on(desk, commands.TakeOn(old, ref, row)), crash=crash)
        if not crash:
            self.known[done[1].enrolment_id] = Known(employer, "requested", taken_on=True)

    def _ask_for(self, capacity: int, at_most: int) -> None:
        """Give the cohort more or fewer seats, and one employer another quota; never fewer than are taken or kept."""
        kept = sum(max(0, n - self.queue.taken(other)) for other, n in self.queue.reserved.items())
        before = self.queue.capacity, self.queue.at_most["ealing"]
        self.queue.at_most["ealing"] = at_most
        if capacity < self.queue.taken() + kept or at_most < self.queue.taken("ealing"):
            with pytest.raises(PlatformError):
                self._resize(capacity)
            self.queue.capacity, self.queue.at_most["ealing"] = before
            return
        self._resize(capacity)
        self.queue.capacity = capacity
        self.queue.fill()

    # -- what always holds -------------------------------------------------------------------------------------

    @invariant()
    def seats_are_never_exceeded(self) -> None:
        """Neither the capacity nor a quota, and the counts are those of the places."""
        if not hasattr(self, "queue"):
            return
        cohort, places = self._cohort(), self._places()
        sitting = [place for place in places if place["state"] == seats.SEAT]
        assert len(sitting) <= self.queue.capacity
        assert sum(place["employer"] == "ealing" for place in sitting) <= self.queue.at_most["ealing"]
        counted = Counter((place["employer"], place["state"]) for place in places)
        assert (cohort.taken, cohort.waiting) == (len(sitting), sum(place["state"] == "waiting" for place in places))
        for share in cohort.shares:
            assert (share.taken, share.waiting) == (counted[share.employer, "seat"], counted[share.employer, "waiting"])

    @invariant()
    def everybody_is_in_the_state_that_the_model_says(self) -> None:
        """One status each, at its own employer only."""
        found = {
            document["_id"]: (employer, document["status"])
            for employer in EMPLOYERS
            for document in self.house.unit.database(employer)["enrolments"].find({"course": self.code})
        }
        assert found == {name: (known.employer, known.status) for name, known in self.known.items()}

    def teardown(self) -> None:
        """Let everybody read everything, and compare."""
        if hasattr(self, "queue"):
            self.readers.read_everything()
            self.everybody_is_in_the_state_that_the_model_says()
            self.seats_are_never_exceeded()
            self._owner_equals_the_list()
            self._both_words_agree()
            self.readers.close()

    def _owner_equals_the_list(self) -> None:
        stored = {place["_id"]: place["state"] for place in self._places() if place["state"] in ("seat", "waiting")}
        assert stored == {name: state for name, _, state in self.queue.places if state in ("seat", "waiting")}
        numbers = {place["_id"]: place["number"] for place in self._places()}
        order = sorted((name for name in stored if stored[name] == "waiting"), key=numbers.__getitem__)
        assert order == [name for name, _, state in self.queue.places if state == "waiting"]
        assert seats.in_turn(self._cohort()) == ()

    def _both_words_agree(self) -> None:
        """Who holds a seat at the owner's is seated at their employer's, and nobody else."""
        on_their_way = {old for old, heard in self.queue.handovers.items() if not heard["over"]}
        for name, _, state in self.queue.places:
            status = self.known[name].status
            if name in on_their_way:
                assert status == "transferred"
            elif state == "seat":
                assert status in SEATED
            elif state == "waiting":
                assert status == "waiting"
            else:
                assert status in ("withdrawn", "transferred", "declined")
        for name, known in self.known.items():
            if known.status in lifecycle.HOLDS_SEAT:
                assert [name, known.employer, "seat"] in self.queue.places

    # -- what a reader learns --------------------------------------------------------------------------------

    def _learn(self, taker: str, owner: str, event: dict[str, Any]) -> None:
        """Do in the model what this event means."""
        self.done[event["type"]] += 1
        kind, data = event["type"].removeprefix("enrolment.").removesuffix(".v1"), event["data"]
        if data.get("course") != self.code:
            return
        if kind == "cohort-closed":
            self.heard_closed.add(taker)
        if taker == OWNER:
            self._owner_learns(owner, kind, data)
        known = self.known.get(data.get("enrolment_id", ""))
        if known is None or known.employer != taker or data.get("employer") != taker:
            return
        if known.status in ("requested", "waiting"):
            with_place = known.taken_on and known.status == "requested"  # from the queue, it is a new offer
            seat = "offered" if taker == BY_HAND and not with_place else "confirmed"
            given = {
                "seat-confirmed": seat,
                "seat-promoted": seat,
                "wait-listed": "waiting",
                "seat-declined": "declined",
            }
            known.status = given.get(kind, known.status)

    def _owner_learns(self, employer: str, kind: str, data: dict[str, Any]) -> None:
        name = data.get("enrolment_id", "")
        match kind:
            case "requested":
                self.queue.ask(name, employer)
            case "withdrawn":
                self.queue.leave(name)
            case "transferred":
                self.queue.hand_over(name, to=data["to_employer"])
            case "transfer-accepted":
                self.queue.hand_over(data["from_enrolment_id"], taken={employer: name})
            case "transfer-refused":
                self.queue.hand_over(name, refused=[employer])

    # -- the database ------------------------------------------------------------------------------------------

    def _do(self, employer: str, act: Any, *, crash: bool) -> Any:  # noqa: ANN401
        def change(work: Any) -> Any:  # noqa: ANN401
            done = act(self.house.opener.desk(work))
            if crash:
                raise Crash
            return done

        try:
            return self.house.unit.run(employer, change)
        except Crash:
            return None

    def _resize(self, capacity: int) -> None:
        quotas = tuple(
            seats.Quota(employer, self.queue.at_most.get(employer), self.queue.reserved.get(employer, 0))
            for employer in ("ealing", "harrow")
        )
        wanted = commands.OpenCohort(self.code, INTAKE, capacity, seats.Terms(quotas))
        self._do(OWNER, lambda desk: cohort_handlers.open_cohort(desk, wanted), crash=False)

    def _cohort(self) -> seats.Cohort:
        kept = self.house.opener.books(self.house.unit.reading(OWNER)).cohorts.find(self.code, INTAKE)
        return kept.cohort

    def _places(self) -> list[dict[str, Any]]:
        return list(self.house.unit.database(OWNER)["places"].find({"course": self.code}))


@pytest.mark.timeout(600)
def test_the_lifecycle_with_seats_holds_under_replay_reordering_and_crashes(house):
    """Some terms of twenty days; the same ones each time."""
    for employer, wanted in ((TWO_STAGES, {"approval_stages": 2}), (BY_HAND, {"accepts_offers": "by_hand"})):
        standing = house.ask("GET", "enrolment-settings", org=employer)
        seen = {"If-Match": standing.headers["ETag"]}
        house.good("PUT", "enrolment-settings", org=employer, json=wanted, headers=seen)
    done: Counter[str] = Counter()
    machine = type("TermOfThisHouse", (Term,), {"house": house, "done": done})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),  # a whole term is not made shorter: it takes minutes and helps little
            suppress_health_check=list(HealthCheck),
        ),
    )
    happened = {
        *WHERE,
        "lapse",
        "enrolment.cohort-closed.v1",
        "enrolment.seat-promoted.v1",
        TAKEN_ON,
        TURNED_AWAY,
    }
    assert {what for what in happened if not done[what]} == set(), "the terms are too poor to prove anything"
