"""What is enough, what is missing and in which order: the rule is data."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.assessment.domain.evidence import Evidence
from services.assessment.domain.line_managers import Assignment, LineManagers
from services.assessment.domain.sufficiency import EvidenceRules, ItemRule, missing_from

DAY = date(2026, 1, 20)
MANAGERS = LineManagers((Assignment(date(2020, 1, 1), "old"), Assignment(DAY, "new")))
RULES = EvidenceRules(
    evidence_set="small",
    framework="three",
    domains=("gamma", "alpha", "beta"),
    every_domain=1,
    items=(ItemRule("observation", 2, 1), ItemRule("testimonial", 1)),
)


def piece(kind="observation", domains=("gamma", "alpha", "beta"), author_id="x", made_on=DAY, ref="e"):
    """Return a piece of evidence."""
    return Evidence("id", ref, kind, tuple(domains), "line_manager", author_id, made_on, "SW")


CASES = [
    pytest.param([], ["domain:gamma", "domain:alpha", "domain:beta", "observation", "observation_not_by_line_manager",
                      "testimonial"], id="nothing names everything, both codes of a kind"),
    pytest.param([piece(), piece(), piece("testimonial")], [], id="enough"),
    pytest.param([piece(author_id="new"), piece(author_id="new"), piece("testimonial")],
                 ["observation_not_by_line_manager"], id="all by the line manager of the day"),
    pytest.param([piece(author_id="old"), piece(author_id="new"), piece("testimonial")], [],
                 id="a former manager is independent"),
    pytest.param([piece(author_id="new", made_on=DAY - timedelta(1)), piece(author_id="new"), piece("testimonial")], [],
                 id="a manager to be is independent the day before"),
    pytest.param([piece(author_id=None), piece(author_id="new"), piece("testimonial")], [],
                 id="without an author it is independent"),
    pytest.param([piece(author_id=None), piece("testimonial")], ["observation"], id="one too few"),
    pytest.param([piece(domains=()), piece(domains=("alpha",)), piece("testimonial", domains=("beta",))],
                 ["domain:gamma"], id="every piece covers its domains whatever its kind"),
    pytest.param([piece(), piece(), piece("poem", domains=())], ["testimonial"], id="unknown kinds fill no place"),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "missing"), CASES)
def test_missing_is_named_completely_and_in_order(pieces, missing):
    """Each gap is named by its code: domains in framework order, kinds in set order, independence after its kind."""
    assert list(missing_from(pieces, RULES, MANAGERS)) == missing


pieces_of = some.lists(
    some.builds(
        piece,
        kind=some.sampled_from(["observation", "testimonial", "poem"]),
        domains=some.lists(some.sampled_from(RULES.domains), max_size=3),
        author_id=some.sampled_from([None, "old", "new", "x"]),
        made_on=some.dates(date(2025, 12, 1), date(2026, 3, 1)),
    ),
    max_size=8,
)


@given(pieces=pieces_of, more=pieces_of)
def test_more_evidence_never_leaves_more_missing(pieces, more):
    """Sufficiency is monotone: adding pieces only ever shortens what is missing."""
    assert set(missing_from([*pieces, *more], RULES, MANAGERS)) <= set(missing_from(pieces, RULES, MANAGERS))


@given(pieces=pieces_of, order=some.randoms(use_true_random=False))
def test_order_of_evidence_does_not_matter(pieces, order):
    """The same pieces in any order leave the same missing, in the same order."""
    shuffled = list(pieces)
    order.shuffle(shuffled)
    assert missing_from(shuffled, RULES, MANAGERS) == missing_from(pieces, RULES, MANAGERS)


@given(pieces=pieces_of)
def test_missing_agrees_with_the_rule_read_literally(pieces):
    """Each code stands there exactly when its own count falls short (an independent reading of the rule)."""
    missing = set(missing_from(pieces, RULES, MANAGERS))
    for domain in RULES.domains:
        assert (f"domain:{domain}" in missing) == (not any(domain in one.domains for one in pieces))
    for rule in RULES.items:
        same = [one for one in pieces if one.kind == rule.kind]
        others = [one for one in same if one.author_id != ("new" if one.made_on >= DAY else "old")]
        assert (rule.kind in missing) == (len(same) < rule.at_least)
        assert (f"{rule.kind}_not_by_line_manager" in missing) == (len(others) < rule.at_least_not_by_line_manager)


def test_several_pieces_per_domain_can_be_asked_for():
    """`every_domain` is a number, and a domain named twice by one piece counts once."""
    rules = EvidenceRules("two", "three", ("alpha",), 2, ())
    assert missing_from([piece(domains=("alpha", "alpha"))], rules, MANAGERS) == ("domain:alpha",)
    assert missing_from([piece(domains=("alpha",)), piece(domains=("alpha",))], rules, MANAGERS) == ()


def test_line_manager_before_the_first_assignment_is_the_first():
    """Nothing earlier is known, and a late start date must not make the manager's own observation independent."""
    assert MANAGERS.on(date(2010, 1, 1)) == "old"
    assert LineManagers().on(DAY) is None
    assert MANAGERS.assigned(Assignment(DAY, None)).on(DAY) is None
