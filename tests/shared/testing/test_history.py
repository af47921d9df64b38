"""The history checker catches what it is there for: lost, doubled, stale, reordered, split and phantom effects."""

import pytest

from shared.events.envelope import GENESIS
from shared.events.verify import Verdict
from shared.testing.history import (
    Findings,
    History,
    Kind,
    Outcome,
    Projection,
    check_balance,
    check_capacity,
    check_chain,
    check_effects,
    check_heads,
    check_log,
    check_same,
    check_steps,
    check_turns,
)


@pytest.fixture
def history():
    """One operation that was acknowledged, one refused, one nobody knows of."""
    log = History()
    log.ended(log.invoke(kind="nominate", label="a", key="1"), Outcome.OK, made="id-a")
    log.ended(log.invoke(kind="nominate", label="b", key="2"), Outcome.FAILED)
    log.invoke(kind="nominate", label="c", key="3")
    return log


def rows(**effects):
    """Return the owner's rows."""
    return Projection("rows", {label: tuple(found) for label, found in effects.items()}, shows_ids=True)


def feed(*labels):
    """Return how often the feed holds each label's event."""
    return Projection("feed", {label: ("event",) * labels.count(label) for label in labels})


def kinds(violations):
    """Return what is wrong, as pairs of kind and place."""
    return [(violation.kind, violation.where) for violation in violations]


@pytest.mark.parametrize(
    "projections", [[rows(a=["id-a"]), feed("a")], [rows(a=["id-a"], c=["id-c"]), feed("a", "c")]], ids=["0", "1"]
)
def test_ok_once_and_unknown_nowhere_or_everywhere_is_clean(history, projections):
    """What was acknowledged is there once, what nobody knows is there in no place or in each."""
    findings = Findings(check_effects(history.of("nominate"), projections))
    findings.require_none()
    assert (findings.lost, findings.doubled, findings.stale) == (0, 0, 0)
    assert history.counts() == {"ok": 1, "failed": 1, "unknown": 1}


@pytest.mark.parametrize(
    ("projections", "expected"),
    [
        ([rows(a=["id-a"]), feed()], [(Kind.LOST, "feed")]),
        ([rows(), feed("a")], [(Kind.LOST, "rows")]),
        ([rows(a=["id-a"]), feed("a", "a")], [(Kind.DOUBLED, "feed")]),
        ([rows(a=["id-a", "id-z"]), feed("a")], [(Kind.DOUBLED, "rows")]),
        ([rows(a=["id-z"]), feed("a")], [(Kind.STALE, "rows")]),
        ([rows(a=["id-a"]), feed("a", "b")], [(Kind.PHANTOM, "feed")]),
        ([rows(a=["id-a"]), feed("a", "z")], [(Kind.PHANTOM, "feed")]),
        ([rows(a=["id-a"]), feed("a", "c")], [(Kind.SPLIT, "nominate")]),
        ([rows(a=["id-a"], c=["id-c"]), feed("a", "c", "c")], [(Kind.DOUBLED, "feed"), (Kind.SPLIT, "nominate")]),
    ],
    ids=["lost", "lost at home", "doubled", "two of it", "another", "refused", "nobody's", "split", "unknown twice"],
)
def test_an_effect_that_is_not_what_the_client_was_told_is_caught(history, projections, expected):
    """Each kind is named with the place in which it shows."""
    assert kinds(check_effects(history.of("nominate"), projections)) == expected


def test_a_place_that_an_effect_does_not_concern_must_not_show_it(history):
    """Who is not concerned is not missed, and what shows there all the same is caught."""
    elsewhere = Projection("elsewhere", {}, concerned=())
    wrongly = Projection("elsewhere", {"a": ("event",)}, concerned=())
    assert check_effects(history.of("nominate"), [rows(a=["id-a"]), elsewhere]) == []
    assert kinds(check_effects(history.of("nominate"), [rows(a=["id-a"]), wrongly])) == [(Kind.PHANTOM, "elsewhere")]


def test_findings_count_and_fail_with_what_is_wrong(history):
    """The message names what is lost, and the counts are those that a report shows."""
    findings = Findings(check_effects(history.of("nominate"), [rows(a=["id-z"]), feed("b")]))
    assert (findings.lost, findings.doubled, findings.stale) == (1, 1, 1)
    with pytest.raises(AssertionError, match="lost: feed: a was acknowledged and is not there"):
        findings.require_none()


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(1, "x"), (2, "y"), (3, "z")], []),
        ([(1, "x"), (2, "y"), (1, "x"), (2, "y"), (3, "z")], []),
        ([(1, "x"), (3, "z"), (2, "y")], [Kind.REORDERED]),
        ([(1, "x"), (2, "y")], [Kind.LOST]),
        ([(1, "x"), (2, "?"), (3, "z")], [Kind.FORKED]),
        ([(1, "x"), (2, "y"), (3, "z"), (4, "w")], [Kind.PHANTOM]),
    ],
    ids=["whole", "sent again", "reordered", "short", "forked", "beyond"],
)
def test_a_log_is_its_owners_feed_in_order(seen, expected):
    """Sending again is allowed; a gap, another content and another order are not."""
    assert [violation.kind for violation in check_log("topic", seen, ["x", "y", "z"])] == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("a", 1), ("b", 1), ("a", 2), ("b", 2)], []),
        ([("a", 1), ("a", 3), ("a", 2)], [Kind.LOST, Kind.REORDERED]),
        ([("a", 1), ("a", 2), ("a", 2)], [Kind.DOUBLED]),
        ([("a", 1), ("a", 3)], [Kind.LOST]),
    ],
    ids=["in order", "reordered", "twice", "gap"],
)
def test_an_aggregates_versions_come_once_and_in_order(steps, expected):
    """A reordered, doubled or missing step of one aggregate is caught; aggregates do not disturb each other."""
    assert [violation.kind for violation in check_steps("feed", steps)] == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([("x", "x1"), ("y", "y1"), ("x", "x2"), ("x", "x3")], []),
        ([("y", "y1"), ("x", "x1"), ("x", "x2"), ("x", "x3")], []),
        ([("x", "x2"), ("y", "y1"), ("x", "x1"), ("x", "x3")], [(Kind.REORDERED, "feed")]),
        ([("x", "x3"), ("x", "x1"), ("x", "x2"), ("y", "y1")], [(Kind.REORDERED, "feed")] * 2),
        ([("x", "late"), ("x", "x1"), ("x", "nobody's"), ("x", "x2"), ("x", "x3")], []),
    ],
)
def test_what_was_acknowledged_in_turn_stands_in_that_order(shown, expected):
    """Per aggregate; one that nobody knows the outcome of may come when it likes."""
    log = History()
    for label in ("x1", "y1", "x2", "late", "x3"):
        asked = log.invoke(kind="piece", label=label, key=label)
        if label != "late":
            log.ended(asked, Outcome.OK)
    assert kinds(check_turns("feed", log.of("piece"), shown)) == expected


def test_a_projection_that_differs_from_its_recount_is_caught():
    """Missing, strange and stale entries are told apart."""
    shown, recounted = {"a": 1, "b": 2, "z": 0}, {"a": 1, "b": 3, "c": 1}
    expected = [(Kind.LOST, "report"), (Kind.PHANTOM, "report"), (Kind.STALE, "report")]
    assert kinds(check_same("report", shown, recounted)) == expected
    assert check_same("report", recounted, dict(recounted)) == []


def test_ledgers_capacities_and_heads_are_held_to_what_they_promise():
    """A ledger that is out, an overfull cohort, a reader behind, one ahead and one on another history are caught."""
    assert check_balance("ledger", {"pair": [20, -20], "short": [20, -10, -10]}) == []
    assert kinds(check_balance("ledger", {"pair": [20, -10]})) == [(Kind.UNBALANCED, "ledger")]
    assert check_capacity("cohorts", {"c": (2, 2)}) == []
    assert kinds(check_capacity("cohorts", {"c": (3, 2)})) == [(Kind.OVERFULL, "cohorts")]
    owners = {"f": (2, "y"), "empty": (0, GENESIS)}
    assert check_heads("reader", {"f": (2, "y")}, owners) == []
    assert kinds(check_heads("reader", {"f": (1, "x")}, owners)) == [(Kind.STALE, "reader")]
    assert kinds(check_heads("reader", {"f": (3, "z")}, owners)) == [(Kind.FORKED, "reader")]
    assert kinds(check_heads("reader", {"f": (2, "?")}, owners)) == [(Kind.FORKED, "reader")]


def test_a_chain_that_does_not_hold_is_caught():
    """A broken number and an entry that will never leave are both named."""
    sound = Verdict(number=2, head_hash="y", rounds=1, first_break=None, unnumbered=0, lost=0)
    broken = Verdict(number=2, head_hash="y", rounds=1, first_break=2, unnumbered=0, lost=0)
    waiting = Verdict(number=2, head_hash="y", rounds=1, first_break=None, unnumbered=1, lost=0)
    assert check_chain("feed", sound) == []
    assert kinds(check_chain("feed", broken)) == [(Kind.BROKEN, "feed")]
    assert kinds(check_chain("feed", waiting)) == [(Kind.LOST, "feed")]
