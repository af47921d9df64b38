"""A demo on stores of somebody else's begins with nothing: what is there already is said, and left alone."""

import re
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

import shared
from shared.errors import Conflict, Unavailable
from shared.local import backbone as backbones
from shared.local.fresh import refuse_yesterday
from shared.partnership import load

FILE = Path(shared.__file__).parent.parent / "scenarios" / "marchland" / "partnership.yaml"


@pytest.fixture
def suffix(new_organisation) -> str:
    """What makes the partners' names this test's own."""
    return new_organisation("x")


@pytest.fixture
def partnership(tmp_path, suffix):
    """The second scenario's partnership, with names that no other test uses."""
    text = re.sub(r"\b(marchland|vale|hazel-house|westbridge)\b", rf"\1-{suffix}", FILE.read_text(encoding="utf-8"))
    file = tmp_path / "partnership.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


@pytest.fixture
def backbone(mongodb_uri, kafka_bootstrap):
    """The test run's own stores, as somebody else's."""
    return backbones.external(mongodb_uri, kafka_bootstrap)


def test_empty_stores_are_taken(backbone, partnership):
    """Other partnerships' data in the same stores are nobody's business here."""
    refuse_yesterday(backbone, partnership)


def test_a_database_of_the_partnership_is_refused(backbone, partnership, suffix, mongo_client):
    """Yesterday's rows would be counted as today's."""
    mongo_client[f"enrolment__vale-{suffix}"]["people"].insert_one({"_id": 1})
    with pytest.raises(Conflict, match=rf"MongoDB has the database enrolment__vale-{suffix}\. Delete both"):
        refuse_yesterday(backbone, partnership)


def test_a_topic_of_the_partnership_is_refused(backbone, partnership, suffix, kafka_bootstrap):
    """A topic that knows more than its owner's database would stop the owner's relay."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics([NewTopic(f"{kind}.vale-{suffix}.enrolment.v1", 1, 1) for kind in ("in", "org")])
    admin.close()
    with pytest.raises(Conflict, match=rf"Kafka has the topic in\.vale-{suffix}\.enrolment\.v1 and 1 more"):
        refuse_yesterday(backbone, partnership)


def test_a_store_that_does_not_answer_is_named(mongodb_uri, kafka_bootstrap, partnership):
    """Which of the two addresses is wrong is in the message."""
    with pytest.raises(Unavailable, match="KAFKA_BOOTSTRAP_SERVERS"):
        refuse_yesterday(backbones.external(mongodb_uri, "127.0.0.1:1"), partnership)
    with pytest.raises(Unavailable, match="MONGODB_URI"):
        refuse_yesterday(backbones.external("mongodb://127.0.0.1:1/", kafka_bootstrap), partnership)
