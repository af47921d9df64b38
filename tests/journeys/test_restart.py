"""Yesterday's data is there after a stop, although the local broker forgets everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.local.play.doors import Doors
from tests.courses import COMMUNITY_CAPACITY
from tests.journeys.topics import every_record

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
MARCHLAND = SCENARIOS / "marchland"
LEAD, EMPLOYER, BOARD = "marchland", "vale", "marchland-board"
CLOCK, REST_SECONDS = SystemClock(), 2.0
FEEDS = (f"org.{LEAD}.enrolment.v1", f"org.{EMPLOYER}.enrolment.v1")

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def records() -> list[dict]:
    """Return the good records of one employer for one course, in order."""
    lines = (MARCHLAND / "vale.intake.ndjson").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line)["record"] for line in lines]
    return [record for record in found[:4] if record["course"] == "CCB"]


def open_course(doors: Doors) -> None:
    """Publish a course and a cohort of two seats, and wait until the employer knows."""
    lead = doors.as_("enrolment", LEAD, "programme_lead")
    lead.put(lead.path("courses/CCB"), COMMUNITY_CAPACITY)
    lead.put(lead.path("courses/CCB/cohorts/2025-10"), {"capacity": 2})
    hr = doors.as_("enrolment", EMPLOYER, "hr")
    doors.until("the catalogue", lambda: [item for item in hr.get("/v1/catalogue")["items"] if item["cohorts"]])


def nominate(doors: Doors, record: dict) -> None:
    """Nominate somebody and wait for the cohort owner's answer."""
    hr = doors.as_("enrolment", EMPLOYER, "hr")
    made = hr.post(hr.path("enrolments"), record)
    path = hr.path(f"enrolments/{made['enrolment_id']}")
    doors.until("an answer", lambda: hr.get(path)["status"] != "requested")


def statuses(doors: Doors) -> list[str]:
    """Return the employer's enrolments' states, sorted."""
    hr = doors.as_("enrolment", EMPLOYER, "hr")
    return sorted(row["status"] for row in hr.pages(hr.path("enrolments")))


def counted(doors: Doors) -> dict:
    """Return what the board's projection counts of the course, true figures."""
    rows = doors.as_("reporting", BOARD, "operator").get("/v1/projections/funnel")["rows"]
    return next((row["raw"] for row in rows if row["course"] == "CCB"), {})


def heads(doors: Doors) -> dict[str, dict]:
    """Return the owners' feed heads: number and hash."""
    found = {}
    for organisation in (LEAD, EMPLOYER):
        operator = doors.as_("enrolment", organisation, "operator")
        found[f"org.{organisation}.enrolment.v1"] = operator.get(operator.path("feed"), limit=1)["head"]
    return found


def is_at_rest(doors: Doors) -> bool:
    """Return whether nothing was numbered for a while: what a reaction tells last has its number a moment later."""
    before = heads(doors)
    CLOCK.sleep(REST_SECONDS)
    return heads(doors) == before


def numbers_on(bootstrap: str, topic: str) -> list[int]:
    """Return the feed numbers that stand on a topic, in its order."""
    headers = [dict(record.headers) for record in every_record(bootstrap, topic)]
    return [int(header["ce_feedseq"]) for header in headers if "ce_feedseq" in header]


def is_whole(bootstrap: str, owners: dict[str, dict]) -> bool:
    """Return whether every feed stands on its topic from number 1 to its head, each number once, in order."""
    return all(numbers_on(bootstrap, topic) == list(range(1, owners[topic]["number"] + 1)) for topic in FEEDS)


def test_second_start_finds_yesterdays_data_and_publishes_it_again(start_platform):
    """The broker is empty after a stop; owners publish their feeds again, nobody counts anything twice."""
    people = records()
    with start_platform(MARCHLAND / "partnership.yaml") as platform:
        doors = Doors(platform, CLOCK)
        open_course(doors)
        for record in people[:2]:
            nominate(doors, record)
        doors.until("the board's projection", lambda: counted(doors).get("confirmed") == 2)
        doors.until("all that is to be told to have its number", lambda: is_at_rest(doors))
        before = heads(doors)
        doors.close()

    with start_platform(MARCHLAND / "partnership.yaml") as platform:
        doors = Doors(platform, CLOCK)
        assert statuses(doors) == ["confirmed", "confirmed"]
        assert heads(doors) == before
        doors.until("the feeds to be whole again", lambda: is_whole(platform.kafka_bootstrap, before))
        nominate(doors, people[2])
        assert statuses(doors) == ["confirmed", "confirmed", "waiting"]
        doors.until("the board's projection", lambda: counted(doors).get("waiting") == 1)
        assert {name: counted(doors)[name] for name in ("nominated", "confirmed", "waiting")} == {
            "nominated": 3,
            "confirmed": 2,
            "waiting": 1,
        }
        doors.close()
