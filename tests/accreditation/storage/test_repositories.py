"""The university's books on the real database: what is written is read back, and the unique indexes hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.accreditation.bootstrap import open_books, open_desk
from services.accreditation.domain.candidacy import (
    Candidacy,
    Enrolment,
    Mark,
    Outcome,
    Practice,
    Ratified,
    Submission,
)
from services.accreditation.domain.credit import Credit
from services.accreditation.domain.modules import Run, Terms
from services.accreditation.domain.people import Person
from shared.errors import ConcurrentChange

HEI, ON = "goldsmiths", date(2026, 7, 8)
RUN = Run("brent", "SAR", "2025-09")
CREDIT = Credit("c-1", 1, "p-1", "r-1", "e-1", "ealing", "SAR", "2025-09", "M7", 30, 7, ON, "b-1")
FULL = Candidacy(
    "ealing",
    "e-1",
    enrolment=Enrolment("r-1", "x-1", RUN, "M7", ON),
    person_id="p-1",
    terms=Terms("i-1", "M7", 30, 7, 50, ON),
    practice=Practice(Outcome.PASS, ON),
    withdrawn_on=ON,
    submission=Submission(ON, 3400),
    first=Mark(60, "t-1"),
    second=Mark(61, "t-2"),
    agreed=Mark(62, "t-3"),
    ratified=Ratified("b-1", ON, 62),
    announced=True,
    credit_id="c-1",
    credited_before="c-0",
)


def test_candidacy_is_read_back_as_it_was_kept(university):
    """Every fact survives, and what is not known stays unknown."""
    kept = university.unit.run(HEI, lambda work: open_desk(work).candidacies.save(FULL))
    books = open_books(university.unit.reading(HEI))
    assert books.candidacies.find("ealing", "e-1") == kept == replace(FULL, version=1)
    assert books.candidacies.of_registration("r-1") == kept
    assert books.candidacies.on_run(RUN) == books.candidacies.on_instances(["i-1"]) == [kept]
    assert books.candidacies.find("harrow", "e-1") == Candidacy("harrow", "e-1")


def test_candidacy_is_refused_when_somebody_else_changed_it(university):
    """A stale version is never written over a newer one."""
    university.unit.run(HEI, lambda work: open_desk(work).candidacies.save(FULL))
    university.unit.run(HEI, lambda work: open_desk(work).candidacies.save(replace(FULL, version=1)))
    with pytest.raises(ConcurrentChange):
        university.unit.run(HEI, lambda work: open_desk(work).candidacies.save(replace(FULL, version=1)))


def test_h20_ledger_refuses_a_second_award_for_the_same_module_and_person(university):
    """The unique index stands when every rule above it has failed."""
    university.unit.run(HEI, lambda work: open_desk(work).ledger.append(CREDIT))
    with pytest.raises(ConcurrentChange):
        university.unit.run(
            HEI, lambda work: open_desk(work).ledger.append(replace(CREDIT, credit_id="c-2", sequence=2))
        )
    ledger = open_books(university.unit.reading(HEI)).ledger
    assert ledger.page(0, 10) == [CREDIT]
    assert ledger.of_person("p-1", "M7") == CREDIT
    assert ledger.of_person("p-1", "M8") is None


def test_person_register_has_one_person_per_number(university):
    """Two persons with one registration number are impossible."""
    university.unit.run(HEI, lambda work: open_desk(work).people.save(Person("p-1", "SW1", "Ada", "Lovelace")))
    with pytest.raises(ConcurrentChange):
        university.unit.run(HEI, lambda work: open_desk(work).people.save(Person("p-2", "SW1", "Ada", "King")))


def test_universities_share_nothing(university):
    """What one university keeps, another cannot find."""
    university.unit.run(HEI, lambda work: open_desk(work).candidacies.save(FULL))
    assert open_books(university.unit.reading("riverside")).candidacies.of_registration("r-1") is None
