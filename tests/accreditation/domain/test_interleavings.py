"""The decision about credit is the same in every order of arrival, and falls once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.accreditation.domain.candidacy import (
    Candidacy,
    Enrolment,
    Mark,
    Outcome,
    Practice,
    Submission,
)
from services.accreditation.domain.credit import Credit, award, credited_before
from services.accreditation.domain.modules import Run, Terms

RUN = Run("lead", "SAR", "2025-09")
TERMS = Terms("i-1", "SAR7", 30, 7, 50)
APPROVED = Terms("i-1", "SAR7", 30, 7, 50, date(2025, 6, 16))
CONFIRMED_ON, HELD_ON = date(2026, 5, 26), date(2026, 7, 8)

FACTS = {
    "confirmed": lambda c: c.confirmed(Enrolment("r-" + c.enrolment_id, "p", RUN, "SAR7", date(2025, 9, 1))),
    "identified": lambda c: c.identified("person"),
    "proposed": lambda c: c if c.terms and c.terms.approved_on else c.placed(TERMS),
    "approved": lambda c: c.placed(APPROVED),
    "passed": lambda c: c.practised(Practice(Outcome.PASS, CONFIRMED_ON)),
    "failed": lambda c: c.practised(Practice(Outcome.FAIL, CONFIRMED_ON)),
    "withdrawn": lambda c: c.withdrawn(date(2026, 1, 1)),
    "ratified": lambda c: c.ratified_by("b-1", HELD_ON),
}


@dataclass
class Ledger:
    """What the application does with a decision: at most one award for a person and a module."""

    credits: dict[tuple[str, str], Credit] = field(default_factory=dict)

    def settle(self, candidacy: Candidacy) -> Candidacy:
        """Award what is due, once."""
        due = candidacy.credit_due()
        if due is None:
            return candidacy
        standing = self.credits.get((due.person_id, due.terms.module))
        if standing is not None:
            return credited_before(candidacy, standing.credit_id)
        after, credit = award(candidacy, due, credit_id=f"c-{candidacy.enrolment_id}", sequence=1)
        self.credits[due.person_id, due.terms.module] = credit
        return after


def marked(enrolment_id: str, agreed: int) -> Candidacy:
    """A candidacy whose work was agreed; registration and identity are forgotten, so that they may arrive later."""
    work = Candidacy("brent", enrolment_id, submission=Submission(date(2026, 5, 11), 3400))
    return Candidacy(
        work.employer, enrolment_id, submission=work.submission, first=Mark(60, "t-1"), agreed=Mark(agreed, "t-2")
    )


def play(names, agreed=50):
    """The facts in the order given, each followed by a look at what is due; returns every award."""
    ledger, candidacy, awarded = Ledger(), marked("e-1", agreed), []
    for name in names:
        before = len(ledger.credits)
        candidacy = ledger.settle(FACTS[name](candidacy))
        awarded += list(ledger.credits.values())[before:]
    return awarded


NEEDED = ["confirmed", "identified", "approved", "passed", "ratified"]


@st.composite
def repeated(draw, names):
    """The names in any order, with any repeats strewn in."""
    return draw(st.permutations(names + draw(st.lists(st.sampled_from(names), max_size=6))))


@given(repeated([*NEEDED, "proposed"]))
def test_credit_is_the_same_single_award_in_every_order_with_repeats(names):
    """All facts there: exactly one award, of the same credits and date, whatever came last and however often."""
    (credit,) = play(names)
    assert (credit.credits, credit.level, credit.module, credit.awarded_on) == (30, 7, "SAR7", HELD_ON)


@given(st.sampled_from(NEEDED), st.data())
def test_credit_is_never_awarded_when_a_fact_is_missing(missing, data):
    """With any one fact missing there is no award, in any order."""
    rest = [name for name in NEEDED if name != missing]
    assert play(data.draw(repeated([*rest, "proposed"]))) == []


@given(repeated([name for name in NEEDED if name != "passed"] + ["failed"]))
def test_credit_is_never_awarded_when_practice_failed(names):
    """A practice fail gives none, in any order."""
    assert play(names) == []


@given(repeated(NEEDED), st.integers(0, 49))
def test_credit_is_never_awarded_below_the_pass_mark(names, mark):
    """A ratified mark below the pass mark gives none, in any order."""
    assert play(names, agreed=mark) == []


@given(repeated([*NEEDED, "withdrawn"]))
def test_h20_award_after_withdrawal_never_happens(names):
    """Once the withdrawal is known there is no award; before it, at most one."""
    first = names.index("withdrawn")
    complete_before = set(NEEDED) <= set(names[:first])
    assert len(play(names)) == (1 if complete_before else 0)


@settings(max_examples=200)
@given(st.data())
def test_h20_second_award_for_same_module_and_person_never_happens(data):
    """One person, two employers' enrolments on one module, all facts interleaved: one award, one refusal kept."""
    names = repeated([(which, name) for which in ("e-1", "e-2") for name in NEEDED])
    ledger = Ledger()
    candidacies = {which: marked(which, 70) for which in ("e-1", "e-2")}
    for which, name in data.draw(names):
        candidacies[which] = ledger.settle(FACTS[name](candidacies[which]))
    assert len(ledger.credits) == 1
    assert sorted(bool(candidacy.credit_id) for candidacy in candidacies.values()) == [False, True]
    assert sorted(bool(candidacy.credited_before) for candidacy in candidacies.values()) == [False, True]
