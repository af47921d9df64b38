"""Shell modules, instances and boards: who decides and what stays."""

from __future__ import annotations

from datetime import date

import pytest

from services.accreditation.domain.boards import BoardState, convene, ratify
from services.accreditation.domain.candidacy import Candidacy, Enrolment, Mark, MarkKind, Submission
from services.accreditation.domain.errors import (
    AlreadyDecided,
    InstanceRefused,
    MarkerMayNotRatify,
    ModuleInUse,
    NotADeliveringPartner,
    NotWhole,
    UnknownPartner,
)
from services.accreditation.domain.modules import Partners, Proposal, Run, ShellModule, propose
from services.accreditation.domain.people import Identity, Person, registration_number
from shared.errors import Malformed

RUN = Run("brent", "SAR", "2025-09")
PARTNERS = Partners(frozenset({"brent", "ealing", "goldsmiths"}), frozenset({"brent"}))
ON = date(2026, 7, 8)


def a_module(code="SAR7", title="Reflection", credits=30, level=7, pass_mark=50, words=3500, version=0):
    """A shell module."""
    return ShellModule(code, title, credits, level, pass_mark, words, version)


def an_instance(proposed_by="brent", delivered_by=("brent",)):
    """A proposed instance."""
    return propose("i-1", a_module(), Proposal("SAR7", RUN, proposed_by, delivered_by), PARTNERS, "goldsmiths")


@pytest.mark.parametrize("credits_", [0, -5, 0.1, 1e30, 10_000, True])
def test_h20_module_refuses_credits_that_no_module_has(credits_):
    """Credits are a whole number from 1 to 180."""
    with pytest.raises(NotWhole):
        a_module(credits=credits_)


@pytest.mark.parametrize("changes", [{"level": 3}, {"level": 9}, {"pass_mark": 0}, {"pass_mark": 101}, {"words": 0}])
def test_module_refuses_other_figures_out_of_range(changes):
    """Level 4 to 8, pass mark 1 to 100, at least one word."""
    with pytest.raises(NotWhole):
        a_module(**changes)


def test_module_keeps_its_promise_once_a_run_exists():
    """Credits, level and pass mark stay in use; title and words may change; the same again changes nothing."""
    standing = a_module(version=1)
    assert standing.changed_to(a_module(), in_use=True) is standing
    assert standing.changed_to(a_module(title="Another"), in_use=True).version == 2
    assert standing.changed_to(a_module(credits=20), in_use=False).credits == 20
    with pytest.raises(ModuleInUse):
        standing.changed_to(a_module(credits=20), in_use=True)


def test_proposal_is_refused_when_the_proposer_does_not_deliver():
    """An employer that delivers nothing proposes nothing."""
    with pytest.raises(NotADeliveringPartner):
        an_instance(proposed_by="ealing")


def test_proposal_is_refused_when_a_deliverer_is_no_partner():
    """Delivery names partners only. Source: BR-15."""
    with pytest.raises(UnknownPartner):
        an_instance(delivered_by=("stranger",))


def test_instance_is_decided_once():
    """The same decision again changes nothing; another is refused."""
    approved = an_instance().approved(ON)
    assert approved.approved(ON) is approved
    assert approved.terms().approved_on == ON
    with pytest.raises(AlreadyDecided):
        approved.approved(date(2026, 1, 1))
    with pytest.raises(AlreadyDecided):
        approved.refused()
    refused = an_instance().refused()
    assert refused.refused() is refused
    with pytest.raises(AlreadyDecided):
        refused.approved(ON)


def test_board_has_no_refused_instance():
    """A refused run has no board."""
    with pytest.raises(InstanceRefused):
        convene("b-1", ON, [an_instance().refused()])


def _marked():
    instance = an_instance().approved(ON)
    enrolment = Enrolment("r-1", "p-1", RUN, "SAR7", date(2025, 9, 1))
    candidacy = Candidacy("brent", "e-1").confirmed(enrolment).identified("person").placed(instance.terms())
    candidacy = candidacy.handed_in(Submission(date(2026, 5, 11), 3400))
    return candidacy.marked(MarkKind.FIRST, Mark(60, "t-1")).marked(MarkKind.AGREED, Mark(62, "t-2"))


def test_board_freezes_agreed_marks_once():
    """Ratifying twice gives the same board and freezes nothing more; unmarked work is left for another board."""
    board = convene("b-1", ON, [an_instance().approved(ON)])
    done, frozen = ratify(board, [_marked(), Candidacy("brent", "e-2")], "registrar")
    assert (done.state, done.ratified_marks, [c.ratified.mark for c in frozen]) == (BoardState.RATIFIED, 1, [62])
    assert ratify(done, [_marked()], "registrar") == (done, ())


@pytest.mark.parametrize("by", ["t-1", "t-2"])
def test_i11_marker_may_not_ratify(by):
    """Whoever marked work before the board does not ratify it."""
    with pytest.raises(MarkerMayNotRatify):
        ratify(convene("b-1", ON, [an_instance()]), [_marked()], by)


@pytest.mark.parametrize("text", ["SW136973", " sw00136973 ", "Sw 136973"])
def test_registration_number_has_one_spelling(text):
    """Every spelling of one number is one person."""
    assert registration_number(text) == "SW136973"


@pytest.mark.parametrize("text", ["", "136973", "SW0", "SW1234567", "SW12a"])
def test_registration_number_is_refused_without_being_repeated(text):
    """What cannot be read is refused, and the text is not echoed."""
    with pytest.raises(Malformed) as caught:
        registration_number(text)
    assert not text or text not in caught.value.detail


def test_person_takes_the_latest_names():
    """A later release may change names, never the number; the same names change nothing."""
    person = Person("x", "SW1", "Ada", "Lovelace")
    assert person.released_again(Identity("SW1", "Ada", "Lovelace")) is person
    assert person.released_again(Identity("SW1", "Ada", "King")).version == 2
