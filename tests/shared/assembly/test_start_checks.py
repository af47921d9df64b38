"""What is not safe does not start, and says what to do: weak concerns, clients, secrets, indexes, deployments."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import structlog

from services.assessment import bootstrap as assessment
from services.enrolment import bootstrap as enrolment
from services.enrolment.settings import EnrolmentSettings
from shared.assembly import check_start
from shared.clock import SystemClock
from shared.errors import Malformed, Unavailable
from shared.local.issuer import LocalIssuer
from shared.local.ports import any_free
from shared.process.settings import CommonSettings
from shared.telemetry import metrics
from shared.testing.backbone import database_server, database_uri
from tests.shared.assembly.conftest import EMPLOYER, ROOT
from tests.shared.assembly.front import Front

WAIT_SECONDS = 60
CLOCK = SystemClock()


@pytest.fixture
def front(mongodb_uri) -> Iterator[Callable[..., str]]:
    """A maker of connection strings of the same database, which seems to be deployed otherwise."""
    made: list[Front] = []

    def open_(**says: object) -> str:
        port = int(mongodb_uri.split("127.0.0.1:")[1].split("/")[0])
        made.append(Front(port, **says))
        return made[-1].uri

    yield open_
    for one in made:
        one.close()


def refused(given: CommonSettings, service=assessment, part: str = "api") -> str:
    """Return what a start is refused with."""
    with pytest.raises(Malformed) as caught:
        service.check(given, part)
    return caught.value.detail


@pytest.mark.parametrize("part", ["api", "relay", "consume", "worker"])
def test_a_sound_instance_starts(prepared, part):
    """Nothing is said against it."""
    assessment.check(prepared(), part)
    enrolment.check(prepared(EnrolmentSettings.read), part)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("w=1", "w=1"),
        ("w=0", "w=0"),
        ("journal=false", "journal=false"),
        ("readConcernLevel=local", "readConcernLevel=local"),
        ("readconcernlevel=available", "readConcernLevel=available"),
        ("readPreference=secondaryPreferred", "readPreference=secondaryPreferred"),
        ("tls=true&tlsInsecure=true", "tlsInsecure=true"),
    ],
)
def test_p13_a_connection_string_that_weakens_is_refused(settings, asked, said):
    """In every profile, by the name of what weakens, with what to do about it; the string itself is a secret."""
    uri = f"mongodb://someone:hunter2@127.0.0.1:1/?directConnection=true&timeoutMS=50&{asked}"
    message = refused(settings(MONGODB_URI=uri, PROFILE="local"))
    assert f"MONGODB_URI: {said}" in message
    assert "take it out" in message or "tlsCAFile" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("greets", "answers", "said"),
    [
        ({"arbiters": ["c.example:27017"]}, {}, "an arbiter (c.example:27017)"),
        ({"setName": None}, {}, "no member of a replica set"),
        ({}, {"getDefaultRWConcern": {"ok": 1.0, "defaultWriteConcern": {"w": 1}}}, "default write concern is w: 1"),
        (
            {},
            {"replSetGetConfig": {"ok": 1.0, "config": {"writeConcernMajorityJournalDefault": False}}},
            "writeConcernMajorityJournalDefault is false",
        ),
        ({}, {"listIndexes": {"ok": 0.0, "code": 13, "errmsg": "no"}}, "refuses this user (code 13)"),
    ],
)
def test_p12_p13_a_deployment_whose_majority_is_weak_is_refused(prepared, front, greets, answers, said):
    """The server is asked itself: arbiters, its default concern, its journal, transactions, the user's rights."""
    message = refused(prepared(MONGODB_URI=front(greets=greets, answers=answers)))
    assert message.startswith("it does not start, because this would not be safe:\n  MONGODB_URI: ")
    assert said in message


def test_a_deployment_that_says_majority_or_lets_nobody_ask_starts(prepared, front):
    """What only operators may ask is not held against an instance."""
    closed = {"ok": 0.0, "code": 13, "errmsg": "not authorised"}
    sound = {"ok": 1.0, "defaultWriteConcern": {"w": "majority", "wtimeout": 0}}
    assessment.check(prepared(MONGODB_URI=front(answers={"getDefaultRWConcern": sound})), "api")
    assessment.check(prepared(MONGODB_URI=front(answers={"getDefaultRWConcern": closed})), "api")


@pytest.mark.parametrize(
    "config",
    [
        {"enable_auto_commit": True},
        {"acks": 1},
        {"enable_idempotence": False},
        {"auto_offset_reset": "latest"},
        {"security_protocol": "SSL", "ssl_check_hostname": False},
    ],
)
def test_a_kafka_configuration_that_weakens_is_refused(settings, place, config):
    """Acknowledgements, idempotence, commits, where reading begins, who may pass as the broker."""
    place.kafka.write_text(json.dumps({**config, "sasl_plain_password": "hunter2"}))
    message = refused(settings())
    assert list(config)[-1] in message
    assert "take it out" in message
    assert "hunter2" not in message


def test_a_database_that_was_not_prepared_is_refused(settings):
    """`prepare` is named, and what is missing; afterwards it starts."""
    given = settings()
    message = refused(given)
    assert f"{given.database_prefix}assessment__{EMPLOYER}: lacks the indexes" in message
    assert "portfolios (practitioner_id)" in message
    assert "run python -m services.assessment prepare" in message
    assert "idempotency" not in refused(given, part="consume")
    assessment.prepare(given)
    assessment.check(given, "api")


def test_one_index_that_was_dropped_or_guards_nothing_is_missed(settings, mongo_client):
    """A unique index that is there without being unique is as good as none."""
    from services.accreditation import bootstrap as accreditation
    from services.accreditation.settings import AccreditationSettings

    given = settings(AccreditationSettings.read, HOSTED_ORGANISATIONS="westbridge")
    accreditation.prepare(given)
    accreditation.check(given, "worker")
    people = mongo_client[f"{given.database_prefix}accreditation__westbridge"]["people"]
    people.drop_index("one_number")
    people.create_index([("registration_number", 1)], name="one_number")
    message = refused(given, accreditation, "worker")
    assert 'lacks the indexes people (registration_number) {"unique": true}; run' in message


def test_secrets_of_the_local_profile_are_refused_outside_it(prepared, place):
    """Its session secret, its organisation keys and its issuers, all in one message, which holds none of them."""
    issuer = LocalIssuer(place.keys, "local", CLOCK, lambda: "1")
    (place.keys / f"{EMPLOYER}.json").unlink()
    issuer.prepare((EMPLOYER,), "http://127.0.0.1:8005")
    local = {
        "TRUSTED_ISSUERS_FILE": str(issuer.trusted_issuers_file),
        "SESSION_SECRET_FILE": str(issuer.session_secret_file),
    }
    message = refused(prepared(EnrolmentSettings.read, **local), enrolment)
    assert "SESSION_SECRET_FILE holds a secret of the local profile" in message
    assert f"TRUSTED_ISSUERS_FILE trusts http://127.0.0.1:8005/{EMPLOYER}, https://issuer.{EMPLOYER}.example" in message
    assert f"ORGANISATION_KEYS_DIR: the keys of {EMPLOYER} were made for the local profile" in message
    assert issuer.session_secret_file.read_text() not in message
    given = prepared(EnrolmentSettings.read, PROFILE="local", **local)
    enrolment.prepare(given)  # whose replies its own database does not remove
    enrolment.check(given, "api")


@pytest.mark.parametrize("secret", [b"x" * 40, b"change-me-" * 5, b"an example of a secret, 32 bytes long"])
def test_sample_session_secrets_are_refused(prepared, place, secret):
    """Long enough is not good enough."""
    place.session.write_bytes(secret)
    message = refused(prepared(EnrolmentSettings.read), enrolment)
    assert "SESSION_SECRET_FILE holds a secret of the local profile or of an example: write 32 random bytes" in message


def test_letters_in_the_clear_are_refused(prepared):
    """Unless they stay on this machine."""
    mail = {"SMTP_SECURITY": "none", "MAIL_FROM": "tasks@vale.example"}
    message = refused(prepared(EnrolmentSettings.read, SMTP_HOST="mail.internal", **mail), enrolment)
    assert "SMTP_SECURITY: none: letters would pass in the clear; set starttls or tls" in message
    enrolment.check(prepared(EnrolmentSettings.read, SMTP_HOST="127.0.0.1", **mail), "worker")


def test_everything_is_said_at_once(settings, place, front):
    """Settings, files, servers and indexes: whoever sets an instance up corrects it once."""
    place.kafka.write_text('{"acks": 0}')
    place.session.write_bytes(b"y" * 32)
    place.issuers.write_text('{"https://login.brent.example": {}}')
    uri = front(greets={"arbiters": ["c.example:27017"]}) + "&journal=false"
    message = refused(settings(EnrolmentSettings.read, MONGODB_URI=uri), enrolment)
    for named in ("journal=false", "acks", "SESSION_SECRET_FILE", "TRUSTED_ISSUERS_FILE", "arbiter", "prepare"):
        assert named in message


def test_a_clock_that_differs_from_the_databases_is_said_and_does_not_stop(prepared):
    """More than five seconds: a warning with the seconds, and a figure that is scraped."""

    class Ahead(SystemClock):
        def now(self):
            return super().now() + timedelta(seconds=9)

    with structlog.testing.capture_logs() as logs:
        check_start("assessment", prepared(), "relay", clock=Ahead())
    (line,) = [one for one in logs if one["event"] == "start.clock_differs"]
    assert -9.5 < line["seconds"] < -8.5
    assert -9.5 < metrics.CLOCK_SKEW.labels("assessment")._value.get() < -8.5
    with structlog.testing.capture_logs() as logs:
        check_start("assessment", prepared(), "relay")
    assert not [one for one in logs if one["event"] == "start.clock_differs"]


def test_few_copies_and_kafka_in_the_clear_are_said(prepared, place):
    """What may be meant does not stop an instance."""
    place.kafka.write_text("{}")
    with structlog.testing.capture_logs() as logs:
        assessment.check(prepared(REPLICATION_FACTOR="1"), "relay")
    assert {"start.few_copies", "start.kafka_in_the_clear"} <= {one["event"] for one in logs}


def test_nobody_knows_while_the_database_is_away(settings):
    """That is no fault of the settings; a fault that is known is said without waiting."""
    away = f"mongodb://127.0.0.1:{any_free()}/?directConnection=true&timeoutMS=100"
    with pytest.raises(Unavailable):
        assessment.check(settings(MONGODB_URI=away), "relay")
    assert "w=1" in refused(settings(MONGODB_URI=f"{away}&w=1"))


def started(environment: dict[str, str], part: str, **changed: str) -> subprocess.Popen:
    """Start a part of assessment as a process of its own."""
    variables = {**os.environ, **environment, "PYTHONPATH": str(ROOT), **changed}  # noqa: TID251 - handed on
    command = [sys.executable, "-m", "services.assessment", part]
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("part", ["api", "relay"])
def test_a_process_ends_before_it_serves_anything(environment, part):
    """Exit code 1, all faults on stderr, no traceback."""
    port = any_free()
    weak = {"MONGODB_URI": f"{environment['MONGODB_URI']}&w=1", "PORT": str(port), "HEALTH_PORT": str(port)}
    _, said = (process := started(environment, part, **weak)).communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 1
    assert f"assessment {part}: it does not start, because this would not be safe:" in said
    assert "MONGODB_URI: w=1: a majority must hold what is acknowledged; take it out" in said
    assert "Traceback" not in said
    assert ("run python -m services.assessment prepare" in said) == (part != "relay")


def status(port: int, path: str) -> int:
    """Return what a process says on its port, 0 where nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def until(question: Callable[[], bool]) -> None:
    """Wait for a condition."""
    end = CLOCK.monotonic() + WAIT_SECONDS
    while not question():
        assert CLOCK.monotonic() < end, "waited too long"
        CLOCK.sleep(0.1)


def test_a_process_waits_for_its_database_and_then_starts(environment, settings, tmp_path):
    """Meanwhile it lives, is not ready and serves nothing; SIGTERM ends it well."""
    server = database_server(tmp_path / "database")
    server.start()
    uri = f"{database_uri(server)}&timeoutMS=1000"
    assessment.prepare(settings(MONGODB_URI=uri))
    server.kill()
    port = any_free()
    process = started(environment, "api", MONGODB_URI=uri, PORT=str(port))
    drain = threading.Thread(target=lambda: [process.stderr.read(), process.stdout.read()], daemon=True)
    drain.start()
    try:
        until(lambda: status(port, "livez") == 200)
        assert status(port, "readyz") == 503
        server.start()
        until(lambda: status(port, "readyz") == 200)
        assert process.poll() is None
    finally:
        process.terminate()
        code = process.wait(WAIT_SECONDS)
        drain.join(10)
        process.stdout.close()
        process.stderr.close()
        with contextlib.suppress(RuntimeError):
            server.stop()
    assert code == 0
