"""What is kept comes back as it was, and nobody's change is lost."""

from __future__ import annotations

from datetime import date

import pytest

from services.assessment.application.ports import Course, Person, PortfolioFilter
from services.assessment.domain import portfolio as practice
from services.assessment.domain.evaluation import Evaluation, SelfAssessment
from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import Assignment, LineManagers
from services.assessment.domain.portfolio import Candidacy, Decision, Outcome
from services.assessment.domain.sufficiency import EvidenceRules
from services.assessment.domain.supervision import Session
from services.assessment.storage.repositories import (
    StoredPortfolios,
    StoredSessions,
    stored_courses,
    stored_evaluations,
    stored_people,
)
from shared.errors import ConcurrentChange

DAY = date(2026, 4, 1)
RULES = EvidenceRules("none", "one", ("alpha",), 1, ())
NOBODY = LineManagers()


def decided():
    """Return a portfolio in which everything is filled."""
    portfolio, _ = practice.open_portfolio(Candidacy("e1", "p", "SAR", "2025-09", "practice_only", "SW", "none"))
    portfolio, _ = practice.submit(portfolio, DAY, RULES, NOBODY)
    pieces = (
        Evidence("i1", "r1", "observation", ("alpha",), "observer", "o", DAY, "SW"),
        Evidence("i2", "r2", "testimonial", (), "carer", None, DAY, "ESW"),
    )
    portfolio, _ = practice.add_evidence(portfolio, pieces, RULES)
    portfolio, _ = practice.submit(portfolio, DAY, RULES, NOBODY)
    portfolio, _ = practice.verify(portfolio, Decision("a", DAY), RULES, NOBODY)
    portfolio, _ = practice.recommend(portfolio, Decision("b", DAY, Outcome.PASS), RULES, NOBODY)
    portfolio, _ = practice.confirm(portfolio, Decision("c", DAY, Outcome.FAIL), RULES, NOBODY)
    portfolio, _ = practice.invalidate_evidence(portfolio, "r1", "consent_withdrawn", DAY)
    return portfolio


STORES = [
    pytest.param(StoredPortfolios(), decided(), "e1", id="portfolio"),
    pytest.param(
        stored_people(),
        Person("p", LineManagers((Assignment(DAY, None), Assignment(date(2026, 5, 1), "m"))), "random"),
        "p",
        id="person",
    ),
    pytest.param(
        stored_evaluations(),
        Evaluation("e1", "random", "SAR", "2025-09", (SelfAssessment("T0", DAY, "one", {"alpha": 3}),)),
        "e1",
        id="evaluation",
    ),
    pytest.param(stored_courses(), Course("SAR", "Safeguarding Adults and Risk"), "SAR", id="course"),
]


@pytest.fixture
def unit(make_unit_of_work, database_prefix):
    """Assessment's transactions in a database of this test's own."""
    return make_unit_of_work("assessment", prefix=database_prefix)


@pytest.mark.parametrize(("store", "thing", "identifier"), STORES)
def test_thing_comes_back_as_it_was_kept(unit, store, thing, identifier):
    """Everything survives its document, with the version under which it is kept."""
    unit.run("brent", lambda work: store.keep(work, thing, 0))
    found = store.find(unit.reading("brent"), identifier)
    assert (found.value, found.version) == (thing, 1)
    assert store.find(unit.reading("brent"), "another") is None
    assert store.find(unit.reading("ealing"), identifier) is None


def test_change_of_an_older_version_is_refused(unit):
    """Who read an older version does not overwrite the newer one."""
    store = StoredPortfolios()
    unit.run("brent", lambda work: store.keep(work, decided(), 0))
    unit.run("brent", lambda work: store.keep(work, decided(), 1))
    with pytest.raises(ConcurrentChange):
        unit.run("brent", lambda work: store.keep(work, decided(), 1))


def test_sessions_come_back_oldest_first_and_of_one_person(unit):
    """A person's sessions are in the order of their days, whoever recorded them when."""
    store = StoredSessions()
    made = [
        Session(f"s{day}", person, "m", date(2026, 1, day), 90, uninterrupted=True, pcf_discussed=False)
        for day, person in ((3, "p"), (1, "p"), (2, "q"))
    ]
    unit.run("brent", lambda work: store.add(work, tuple(made)))
    assert [one.held_on.day for one in store.of(unit.reading("brent"), "p")] == [1, 3]


def test_list_is_filtered_and_continues_after_an_id(unit):
    """Filters hold together, and a page goes on after the last id of the page before."""
    store = StoredPortfolios()
    for number, course in enumerate(("SAR", "IPS", "SAR")):
        candidacy = Candidacy(f"e{number}", f"p{number}", course, "2025-09", "practice_only", "SW", "none")
        opened, _ = practice.open_portfolio(candidacy)
        unit.run("brent", lambda work, opened=opened: store.keep(work, opened, 0))

    def listed(**asked):  # a filter
        found = store.list(unit.reading("brent"), PortfolioFilter(**asked))
        return [kept.value.portfolio_id for kept in found]

    assert listed(course="SAR") == ["e0", "e2"]
    assert listed(course="SAR", practitioner_id="p2", intake="2025-09") == ["e2"]
    assert listed(after="e0", limit=1) == ["e1"]
    assert listed(intake="2026-01") == []
