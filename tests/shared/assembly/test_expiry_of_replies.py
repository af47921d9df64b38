"""Stored replies go after 400 days: by the server's index, or in the local profile when it starts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.assessment import bootstrap as assessment
from shared.clock import SystemClock
from shared.errors import Malformed
from shared.process.settings import CommonSettings
from shared.storage.replies import REPLIES
from tests.shared.assembly.conftest import EMPLOYER

CLOCK = SystemClock()


def replies_of(given: CommonSettings, mongo_client):
    """Return the stored replies of the employer's assessments."""
    return mongo_client[f"{given.database_prefix}assessment__{EMPLOYER}"][REPLIES]


def test_the_server_removes_expired_replies_of_production(prepared, mongo_client):
    """By the index that says so; without it nothing starts."""
    given = prepared()
    replies = replies_of(given, mongo_client)
    assert replies.index_information()["expires_at"]["expireAfterSeconds"] == 0
    replies.drop_index("expires_at")
    replies.create_index("expires_at", name="expires_at")
    with pytest.raises(Malformed, match=r"lacks the indexes idempotency \(expires_at\)"):
        assessment.check(given, "api")


def test_the_local_profile_removes_expired_replies_itself_when_it_starts(prepared, mongo_client):
    """Its database would look through all of them every minute; an index of an earlier release goes."""
    given = prepared(PROFILE="local")
    replies = replies_of(given, mongo_client)
    now = CLOCK.now()
    replies.insert_many(
        [{"_id": "over", "expires_at": now - timedelta(days=1)}, {"_id": "kept", "expires_at": now + timedelta(days=1)}]
    )
    assessment.prepare(given)
    assert [reply["_id"] for reply in replies.find({})] == ["kept"]
    assert "expireAfterSeconds" not in replies.index_information()["expires_at"]
    assessment.check(given, "api")
    given = prepared()  # a pilot that becomes the real thing
    assessment.prepare(given)
    assert replies.index_information()["expires_at"]["expireAfterSeconds"] == 0
    assessment.check(given, "api")
