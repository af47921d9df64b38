"""Who may read and write which topic: the table of the terms, cell by cell, as rules and on a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

import shared
from shared.clock import SystemClock
from shared.errors import Malformed
from shared.events.access import (
    Instance,
    Kind,
    Right,
    grants,
    instances,
    is_ours,
    reading_table,
    users,
)
from shared.events.topics import Topics
from shared.local.cli import main
from shared.local.provisioning import credentials_file
from shared.partnership import load
from shared.process.settings import read_kafka_config
from shared.testing.backbone import Server, bootstrap
from shared.testing.kafka import as_operator, asking_kafka_server

FILE = Path(shared.__file__).parent.parent / "scenarios" / "marchland" / "partnership.yaml"
READERS = ("marchland", "vale", "hazel-house", "marchland-college", "westbridge", "marchland-board")
TABLE = """
org.marchland.enrolment.v1         x x x . x x
org.vale.enrolment.v1              x x . . x x
org.hazel-house.enrolment.v1       x . x . x x
org.marchland.assessment.v1        x . . . x x
org.vale.assessment.v1             . x . . x x
org.hazel-house.assessment.v1      . . x . x x
org.westbridge.accreditation.v1    x x x x x x
org.marchland-board.reporting.v1   x x x x x x
in.marchland.enrolment.v1          x . . . . .
in.vale.enrolment.v1               . x . . . .
in.hazel-house.enrolment.v1        . . x . . .
out.marchland.enrolment.v1         x . . . . .
out.vale.enrolment.v1              . x . . . .
out.hazel-house.enrolment.v1       . . x . . .
"""
CELLS = {
    (line.split()[0], reader): mark == "x"
    for line in TABLE.strip().splitlines()
    for reader, mark in zip(READERS, line.split()[1:], strict=True)
}
TOPICS = tuple(dict.fromkeys(topic for topic, _ in CELLS))
READS = {"enrolment": READERS[:3], "assessment": READERS[:3], "accreditation": ("westbridge",)}
READS["reporting"] = ("marchland-board",)
OWNERS = ("marchland", "vale", "hazel-house", "westbridge", "marchland-board")
EMPLOYERS = READERS[:3]
USERS = (
    *(f"relay.{owner}" for owner in OWNERS),
    *(f"{service}.{reader}" for service, readers in READS.items() for reader in readers),
    *(f"hr.{employer}" for employer in EMPLOYERS),
)


def expected(user: str, topic: str) -> set[str]:
    """Return what a user may do with a topic, from the table above alone; each organisation runs its own instance."""
    kind, name = user.split(".")
    prefix, owner, _, _ = topic.split(".")
    if kind == "relay":
        own = {"org": {"READ", "WRITE", "CREATE", "DELETE", "DESCRIBE_CONFIGS"}, "in": {"CREATE"}}
        return (own | {"out": own["org"]}).get(prefix, set()) if owner == name else set()
    if kind == "hr":
        return {"in": {"WRITE"}, "out": {"READ"}}.get(prefix, set()) if owner == name else set()
    if prefix == "out" or (prefix == "in" and kind != "enrolment"):
        return set()
    return {"READ"} if CELLS[topic, name] else set()


@pytest.mark.parametrize(("topic", "reader"), CELLS, ids="-".join)
def test_the_terms_say_who_reads_each_feed(topic, reader):
    """One cell of the table: whether that organisation may read that topic."""
    assert (reader in reading_table(load(FILE))[topic]) is CELLS[topic, reader]


def test_the_table_has_every_topic_and_every_user_is_known():
    """Nothing of the partnership is left out of the table, and no user has a right that no test knows of."""
    partnership = load(FILE)
    assert set(reading_table(partnership)) == set(TOPICS)
    assert set(users(grants(partnership, instances(partnership, {})))) == set(USERS)
    assert all(is_ours(user) for user in USERS)


@pytest.mark.parametrize("user", USERS)
def test_a_user_may_do_with_each_topic_what_the_table_says_and_nothing_else(user):
    """Each topic and each right: the rules give what the table says."""
    partnership = load(FILE)
    given = [grant for grant in grants(partnership, instances(partnership, {})) if grant.user == user]
    for topic in TOPICS:
        allowed = {right.name for right in Right if any(one.allows(Kind.TOPIC, topic, right) for one in given)}
        assert allowed - {"SEE"} == expected(user, topic), topic


def test_each_organisation_has_one_prefix_that_its_own_relay_alone_writes():
    """Of all rights to write under `org.<organisation>.` there is one, and it ends with the dot."""
    partnership = load(FILE)
    writes = [one for one in grants(partnership, instances(partnership, {})) if one.right is Right.WRITE]
    for owner in OWNERS:
        assert [(one.user, one.name) for one in writes if one.name.startswith(f"org.{owner}.")] == [
            (f"relay.{owner}", f"org.{owner}.")
        ]
    assert all(one.is_prefix and one.name.endswith(".") for one in writes)


def test_a_reader_group_is_its_own_users_only():
    """No user joins a group of another instance, service or partner."""
    partnership = load(FILE)
    groups = [one for one in grants(partnership, instances(partnership, {})) if one.kind is Kind.GROUP]
    assert {one.user for one in groups} == {user for user in USERS if not user.startswith("relay.")}
    assert all(one.name.rstrip(".") == one.user for one in groups)


def test_a_shared_instance_has_what_those_that_it_hosts_have_together():
    """Two partners in one process have one user; the rest of the partnership is as far from it as before."""
    partnership = load(FILE)
    running = instances(partnership, {"shire": ["vale", "hazel-house"]})
    assert Instance("shire", ("vale", "hazel-house")) in running
    assert Instance("marchland", ("marchland",)) in running
    given = [one for one in grants(partnership, running) if one.user == "relay.shire" and one.right is Right.WRITE]
    assert {one.name for one in given} == {"org.vale.", "out.vale.", "org.hazel-house.", "out.hazel-house."}


@pytest.mark.parametrize(
    "told", [{"a": ["camden"]}, {"a": ["vale"], "b": ["vale"]}, {"marchland": ["vale"]}, {"a": [], "b": ["vale"]}]
)
def test_nobody_is_hosted_twice_or_unknown(told):
    """A stranger, a partner in two instances, and two instances of one name are refused."""
    with pytest.raises(Malformed):
        instances(load(FILE), told)


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Server]:
    """A broker that asks who is there, with every topic of the partnership."""
    server = asking_kafka_server(tmp_path_factory.mktemp("access") / "broker")
    server.start()
    topics = Topics(bootstrap(server), SystemClock(), config=as_operator())
    for topic in TOPICS:
        topics.ensure_feed(topic)
    topics.close()
    yield server
    server.stop()


def provision(broker: Server, folder: Path, *arguments: str):
    """Run the command as the cluster's operator and return what came of it."""
    own = folder / "operator.json"
    folder.mkdir(parents=True, exist_ok=True)
    own.write_text(json.dumps(as_operator()))
    environment = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap(broker), "KAFKA_CONFIG_FILE": str(own)}
    command = ["provision", "--partnership", str(FILE), "--users", str(folder / "users"), *arguments]
    return CliRunner().invoke(main, command, env=environment)


@pytest.fixture(scope="module")
def folder(broker, tmp_path_factory) -> Path:
    """The users' files, as the command made them."""
    where = tmp_path_factory.mktemp("provisioned")
    done = provision(broker, where)
    assert done.exit_code == 0, done.output
    return where / "users"


@pytest.mark.kafka
@pytest.mark.own_broker
@pytest.mark.parametrize("user", USERS)
def test_the_broker_lets_a_user_do_what_the_table_says_and_nothing_else(user, broker, folder):
    """Asked as that user, the broker itself says for each topic what it allows: the same as the table, cell by cell."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap(broker), **read_kafka_config(credentials_file(folder, user)))
    shown = {found["name"]: _operations(found["authorized_operations"]) for found in admin.describe_topics()}
    admin.close()
    for topic in TOPICS:
        assert shown.get(topic, set()) - {"DESCRIBE"} == expected(user, topic), topic


@pytest.mark.kafka
@pytest.mark.own_broker
def test_provisioning_again_changes_nothing_and_takes_back_what_is_too_much(broker, folder):
    """What an operator gave by hand to a user of ours is found and taken back; strangers keep what they have."""
    again = provision(broker, folder.parent, "--check")
    assert again.exit_code == 0, again.output
    assert "0 rights to give, 0 to take back" in again.output
    admin = KafkaAdminClient(bootstrap_servers=bootstrap(broker), **as_operator())
    topic = ResourcePattern(ResourceType.TOPIC, "org.vale.enrolment.v1")
    by_hand = [
        ACL(f"User:{name}", "*", ACLOperation.WRITE, ACLPermissionType.ALLOW, topic) for name in ("hr.vale", "monitor")
    ]
    admin.create_acls(by_hand)
    told = provision(broker, folder.parent, "--check")
    assert (told.exit_code, "User:hr.vale" in told.output, "monitor" in told.output) == (1, True, False)
    before = read_kafka_config(credentials_file(folder, "hr.vale"))
    assert provision(broker, folder.parent).exit_code == 0
    assert read_kafka_config(credentials_file(folder, "hr.vale")) == before
    held, _ = admin.describe_acls(_every_right())
    admin.close()
    assert [acl in held for acl in by_hand] == [False, True]


@pytest.mark.kafka
@pytest.mark.own_broker
def test_the_users_files_are_their_owners_alone(folder):
    """Each holds a password of its own and nobody else on the machine reads it."""
    files = sorted(folder.glob("*.json"))
    assert [file.name for file in files] == sorted(f"{user}.json" for user in USERS)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len({read_kafka_config(file)["sasl_plain_password"] for file in files}) == len(USERS)


def _operations(told) -> set[str]:
    """Return the names of operations, however the client spells them."""
    if isinstance(told, int):
        return {one.name for one in ACLOperation if one > 2 and told >> one & 1} - {"ALTER", "ALTER_CONFIGS"}
    return set(told)


def _every_right():
    """Return a question for every right that the broker has."""
    from kafka.admin import ACLFilter, ACLResourcePatternType, ResourcePatternFilter

    every = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    return ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, every)
