"""The alerting rules: each can be read, says what to do and where more is written, and asks for what there is.

That each metric is on a real page is a test of `tests/journeys/test_operation.py`.
"""

from __future__ import annotations

import re

import pytest
import yaml

from shared.events.alarms import FORK, GAP, LIMIT
from shared.events.relay_metrics import Gauges
from tests.deploy.alert_rules import EVERY, FILE, ROOT, labels_by, matchers_in, metrics_in, rules, tokens

DURATION = re.compile(r"[0-9]+[smh]")
KINDS = {
    "relay_feed": set(Gauges.__struct_fields__),
    "feed_alarms": {FORK, GAP, LIMIT},
    "feed_copies": {"replicas", "least_in_sync"},
}
LABELS = {"service", "feed", "kind", "reason", "status", "le", "organisation", "part"}
ADDED_BY_PROMETHEUS = {"instance", "job"}
NEEDED = {
    "outbox_oldest_seconds",
    "outbox_events",
    "feed_lag_seconds",
    "feed_lag_events",
    "feed_missing_events",
    "parked_keys",
    "relay_fenced_total",
    "feed_readers_fenced_lately",
    "feed_reconcile_differences",
    "feed_alarms",
    "relay_feed",
    "feed_other_partnership_file",
    "process_started_at_seconds",
}
"""What an operator must hear of, whatever else is added."""


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as they are linked to."""
    headings = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_file_holds_groups_of_rules_and_nothing_else():
    """The form that Prometheus reads: unknown fields would be refused at its start."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert set(document) == {"groups"}
    for group in document["groups"]:
        assert set(group) == {"name", "rules"}
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > len(NEEDED)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_can_be_read_and_says_what_to_do(rule):
    """Expression, wait, severity, process, one sentence each of what is and what to do, and a page that goes on."""
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"([A-Z][a-z]*)+", rule["alert"])
    assert DURATION.fullmatch(rule.get("for", "1m"))
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    said = rule["annotations"]
    assert set(said) == {"process", "summary", "what_to_do", "runbook"}
    assert said["process"] in {"api", "relay", "consume", "worker", EVERY}
    assert said["what_to_do"].endswith(".")
    assert metrics_in(rule["expr"])
    assert balance(rule["expr"]) == 0
    signs = [text for _, text in tokens(rule["expr"])]
    assert {"==", ">", "<", "!="} & set(signs), "a rule without a threshold fires for ever"
    assert labels_by(rule["expr"]) <= LABELS
    shown = set(re.findall(r"\$labels\.([a-z_]+)", said["summary"]))
    assert shown <= LABELS | ADDED_BY_PROMETHEUS


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_kinds_that_exist_and_links_to_a_page_that_exists(rule):
    """A kind that was renamed, or a page that moved, fails here and not at night."""
    for metric, label, _, value in matchers_in(rule["expr"]):
        assert label in LABELS
        if label == "kind":
            assert value in KINDS[metric]
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    page = (ROOT / path).read_text(encoding="utf-8")
    assert not anchor or anchor in anchors(page)


def test_every_page_that_a_runbook_links_to_exists():
    """The large ones step by step, beside the page with a section for each alert."""
    folder = ROOT / "docs" / "runbooks"
    for page in folder.glob("*.md"):
        linked = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        assert [link for link in linked if not (folder / link).exists()] == [], page.name


def test_everything_that_an_operator_must_hear_of_has_a_rule():
    """Outbox, lag, gaps, parked keys, fenced writers, differences, forks, other files, restarts."""
    asked = {name for rule in rules() for name in metrics_in(rule["expr"])}
    assert asked >= NEEDED


def test_every_alarm_of_a_feed_and_every_trouble_of_a_relay_has_a_rule():
    """A new kind of alarm needs a rule, or a word here why not."""
    asked = {
        (metric, value) for rule in rules() for metric, label, _, value in matchers_in(rule["expr"]) if label == "kind"
    }
    troubles = KINDS["relay_feed"] - {"head", "published", "epoch", "foreign_records", "rewound", "resent_logs"}
    assert {("feed_alarms", kind) for kind in KINDS["feed_alarms"]} <= asked
    assert {("relay_feed", kind) for kind in troubles} <= asked


def balance(expression: str) -> int:
    """Return how many brackets are opened and not closed, having read all of an expression."""
    metrics_in(expression), matchers_in(expression)
    signs = [text for _, text in tokens(expression)]
    return signs.count("(") - signs.count(")")


@pytest.mark.parametrize("wrong", ["x > 1 ?", "frobnicate(x) > 1", "x{kind=fork} == 1", "x > 1 and {"])
def test_the_reader_of_expressions_refuses_what_is_none(wrong):
    """So that the tests above mean something."""
    with pytest.raises(AssertionError):
        balance(wrong)
