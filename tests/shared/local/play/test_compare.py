"""The comparison sees every kind of difference: a play that is wrong can never look right."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from shared.local.play.compare import Observed, differences
from shared.local.play.figures import age_percentile
from shared.local.play.intake import IntakeAnswer, Sent, answers_wanted, decisions
from shared.local.play.scenario import ScenarioError, read_scenario

SCENARIOS = Path(__file__).resolve().parents[4] / "scenarios"
FOLDERS = ("north-west-london", "marchland")


def _by_domain(row: dict) -> dict:
    """Return a row's mean changes as the board's columns, with an empty one of another course's domain."""
    return {f"mean_change_{name}": value for name, value in row.get("mean_change", {}).items()} | (
        {"mean_change_of_another_course": None} if "mean_change" in row else {}
    )


def what_is_right(folder: str) -> tuple[dict, Observed]:
    """Return a scenario's truth and an observation that equals it."""
    expected = json.loads((SCENARIOS / folder / "expected.json").read_text(encoding="utf-8"))
    seen = copy.deepcopy(expected)
    published = {
        name: [
            {
                key: value
                for key, value in {**row, **row.get("published", {}), **_by_domain(row)}.items()
                if key not in {"raw", "published", "mean_change"} and not key.endswith("_raw")
            }
            for row in rows
        ]
        for name, rows in seen["reports"].items()
    }
    return expected, Observed(**seen, published=published)


@pytest.mark.parametrize("folder", FOLDERS)
def test_equal_observation_has_no_difference(folder):
    """What equals the truth is reported as equal, in all five parts."""
    expected, observed = what_is_right(folder)
    assert not any(differences(expected, observed).values())


@pytest.mark.parametrize(
    ("part", "spoil"),
    [
        ("files", lambda seen: next(iter(seen.files.values()))["rows"][0].update(decision="refused")),
        ("files", lambda seen: next(iter(seen.files.values()))["rows"].pop()),
        ("files", lambda seen: next(iter(seen.files.values()))["counts"].update(accepted=0)),
        ("files", lambda seen: seen.files.clear()),
        ("seats", lambda seen: next(iter(seen.seats["confirmed"].values())).reverse()),
        ("seats", lambda seen: next(iter(seen.seats["waiting"].values())).pop()),
        ("promotions", lambda seen: seen.promotions.reverse()),
        ("promotions", lambda seen: seen.promotions.pop()),
        ("outcomes", lambda seen: seen.outcomes[0].update(credits=999)),
        ("outcomes", lambda seen: seen.outcomes.pop()),
        ("outcomes", lambda seen: seen.outcomes[0].update(practice="returned")),
        ("reports", lambda seen: seen.reports["funnel"][0]["raw"].update(passed=0)),
        ("reports", lambda seen: seen.reports["credits"].clear()),
        ("reports", lambda seen: seen.published["funnel"][0].update(confirmed=1)),
        ("reports", lambda seen: seen.published["nominations"].pop(0)),
        ("reports", lambda seen: seen.reports["nominations"].append(
            {"organisation": "x", "course": "y", "nominated_raw": 1, "confirmed_raw": 0})),
    ],
)  # fmt: skip
def test_spoilt_observation_shows_a_difference(part, spoil):
    """Each way of being wrong shows, in its own part."""
    expected, observed = what_is_right("north-west-london")
    spoil(observed)
    found = differences(expected, observed)
    assert found[part]
    assert not any(found[other] for other in found if other != part)


def test_second_line_with_one_answer_is_a_repeat():
    """A line whose record was sent before gets no answer of its own: that is a repeat."""
    same, other = b'{"record": {"team": "A"}}', b'{"record": {"team": "B"}}'
    lines = [Sent(1, "r1", same, {}), Sent(2, "r1", same, {}), Sent(3, "r2", same, {}), Sent(4, "r1", other, {})]
    assert answers_wanted(lines) == {"r1": 2, "r2": 1}
    answers = {
        "r1": [
            IntakeAnswer("r1", kind="enrolment.record-accepted.v1"),
            IntakeAnswer("r1", codes=["conflicting_duplicate"], kind="enrolment.record-refused.v1"),
        ],
        "r2": [IntakeAnswer("r2", codes=["missing_value"], kind="enrolment.record-refused.v1")],
    }
    assert [decision for _, decision, _ in decisions(lines, answers)] == ["accepted", "repeat", "refused", "refused"]


def test_age_percentile_reads_the_smallest_bucket_that_holds_the_share():
    """The 99th percentile is the bound below which 99 of 100 events were."""
    metrics = "".join(
        f'event_age_seconds_bucket{{le="{bound}"}} {count}\n'
        for bound, count in (("0.1", 50), ("1.0", 98), ("2.0", 99), ("+Inf", 100))
    )
    text = f"# TYPE event_age_seconds histogram\n{metrics}event_age_seconds_count 100\nevent_age_seconds_sum 9\n"
    assert age_percentile(text, 0.5) == 0.1
    assert age_percentile(text, 0.99) == 2.0
    assert age_percentile("", 0.99) is None


def test_folder_without_a_term_is_refused_with_what_it_needs(tmp_path):
    """A folder that is no scenario is named, with what it lacks."""
    with pytest.raises(ScenarioError, match=r"partnership\.yaml"):
        read_scenario(tmp_path)
