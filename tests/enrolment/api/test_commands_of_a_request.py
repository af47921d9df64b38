"""How many commands a request sends to the database. Each is a round trip: who adds one, adds it to every request."""

from __future__ import annotations

from collections import Counter

from services.enrolment import bootstrap
from tests.commands import counting
from tests.enrolment.conftest import RECORD

SENT = {"find": 3, "aggregate": 1, "bulkWrite": 1, "commitTransaction": 1}
"""The reply under the key; who was merged; the cohort with its terms, its course and the course's description, the
nomination, the person and the employer's settings; erasures; all that is written; the commit."""


def test_a1_a_nomination_sends_no_more_commands_than_these(house, enrolment_settings, mongodb_uri):
    """One for each thing that must be known, one for all that is inserted, one commit."""
    house.open_course()
    with counting(mongodb_uri) as (client, commands):
        client.admin.command("ping")
        house.app = bootstrap.build_web_app(enrolment_settings, client)
        for number in ("10001", "10002"):
            commands.clear()
            answer = house.ask("POST", "enrolments", json=RECORD | {"employee_ref": number})
            assert answer.status_code == 201
            assert Counter(commands) == SENT


def test_a1_the_same_request_again_sends_one_question(house, enrolment_settings, mongodb_uri):
    """The reply that is kept under the key, and the end of the transaction that asked for it."""
    house.open_course()
    with counting(mongodb_uri) as (client, commands):
        client.admin.command("ping")
        house.app = bootstrap.build_web_app(enrolment_settings, client)
        key = {"Idempotency-Key": "the-same"}
        first = house.ask("POST", "enrolments", json=RECORD, headers=dict(key))
        commands.clear()
        again = house.ask("POST", "enrolments", json=RECORD, headers=dict(key))
        assert again.get_data() == first.get_data()
        assert Counter(commands) == {"find": 1, "commitTransaction": 1}
