"""An employer moves to another instance after a part of a term: its reader goes on, and nothing happens twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.enrolment import bootstrap
from shared.events.feed import FeedName
from shared.events.verify import verify_feed
from shared.storage.dump import Source, dump, read_manifest, restore
from tests.enrolment.messaging.test_processes import _running, _say, _until


@pytest.mark.timeout(180)
def test_employer_goes_on_at_another_instance_without_double_effects(  # noqa: PLR0915 - one story
    house, enrolment_settings, own_bootstrap, tmp_path
):
    """Hounslow's data are taken out and in again; what the lead says later arrives once, old answers stay one."""
    given = replace(
        enrolment_settings,
        kafka_bootstrap_servers=own_bootstrap,
        hosted_organisations=("brent", "hounslow"),
        relay_poll_seconds=0.1,
        heartbeat_seconds=1.0,
    )
    bootstrap.prepare(given)
    builders = (bootstrap.build_relay_part, bootstrap.build_reader_part, bootstrap.build_worker)
    course = {"title": "S", "level": "SW", "routes": ["practice_only"], "evidence_set": "cpd-portfolio"}
    with _running(*(build(given) for build in builders)):
        house.good("PUT", "courses/SAR", "programme_lead", json=course)
        house.good("PUT", "courses/SAR/cohorts/2025-09", "programme_lead", json={"capacity": 1})
        _until(lambda: any(one["cohorts"] for one in house.good("GET", "/v1/catalogue", org="hounslow")["items"]))
        _say(own_bootstrap, 2)
        _until(lambda: [one["status"] for one in house.pages("enrolments", "hounslow")] == ["confirmed"])
    unit = house.unit
    database = unit.database("hounslow")
    dump(
        [Source("enrolment", database)],
        tmp_path / "out",
        organisation="hounslow",
        partnership_hash="p",
        say=lambda _: None,
    )
    elsewhere = replace(given, database_prefix=f"m{given.database_prefix}"[:10], hosted_organisations=("hounslow",))
    there = bootstrap.unit_of_work(elsewhere, unit.client)
    moved = there.database("hounslow")
    restore([Source("enrolment", moved)], tmp_path / "out", read_manifest(tmp_path / "out"), say=lambda _: None)
    bootstrap.prepare(elsewhere)
    before = moved["positions"].find_one({"_id": "org.brent.enrolment.v1"})["number"]
    lead = replace(given, hosted_organisations=("brent",))
    parts = [build(lead) for build in builders] + [build(elsewhere) for build in builders]
    with _running(*parts):
        house.good("PUT", "courses/CCB", "programme_lead", json=course)
        _say(own_bootstrap, 1)
        _until(lambda: moved["catalogue_courses"].find_one({"_id": "CCB"}) is not None)
        _until(lambda: moved["positions"].find_one({"_id": "org.brent.enrolment.v1"})["number"] > before)
    for feed in ("org", "out"):
        assert verify_feed(there.reading("hounslow"), FeedName(feed, "hounslow", "enrolment")).is_sound
    assert moved["enrolments"].count_documents({}) == 1
    accepted = [event["type"] for entry in moved["out_entries"].find({}) for event in entry["events"]]
    assert accepted == ["enrolment.record-accepted.v1"]
    unit.client.drop_database(moved.name)
