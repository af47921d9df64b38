"""The API killed around its transaction, and commits of which nobody knows whether they happened."""

from __future__ import annotations

import contextlib
from itertools import count

import httpx
import pytest

from shared.identifiers import new_identifier
from shared.testing.history import Operation, Outcome
from tests.faults.processes.dying import BEGIN, COMMIT, COMMITTED, KILL, KILL_ALL, Order
from tests.faults.processes.load import INTAKES, NOMINATE, a_record
from tests.faults.processes.stage import CLOCK, Stage, until
from tests.faults.proxy import Proxy

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
VALE = "vale"
_NUMBERS = count(900_001)


class Client:
    """One careful client: asks under one key until it has an answer."""

    def __init__(self, stage: Stage, url: str = "") -> None:
        self.stage = stage
        self.url = url or stage.platform.url("enrolment")
        number = next(_NUMBERS)
        self.operation: Operation = stage.history.invoke(kind=NOMINATE, label=f"C{number}", key=new_identifier())
        self.body = a_record(self.operation.label, number, INTAKES[0])

    def ask(self) -> httpx.Response | None:
        """Ask once; None where the connection ended without an answer."""
        token = self.stage.platform.mint(VALE, "hr", "hr-desk", "enrolment")
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": self.operation.key}
        where = f"{self.url}/v1/organisations/{VALE}/enrolments"
        with contextlib.suppress(httpx.TransportError):
            reply = httpx.post(where, json=self.body, headers=headers, timeout=30)
            if reply.is_success:
                self.stage.history.ended(self.operation, Outcome.OK, reply.json()["enrolment_id"])
            return reply
        return None

    def ask_until_answered(self) -> httpx.Response:
        """Ask under the same key until there is a success."""
        replies = []

        def answered():
            replies.append(self.ask())
            return replies[-1] is not None and replies[-1].is_success

        until(answered, "an answer")
        return replies[-1]

    def rows(self) -> list[str]:
        """Return the ids of what the database holds of it."""
        with self.stage.client() as client:
            rows = client[f"enrolment__{VALE}"]["enrolments"].find({"employee_ref": self.operation.label})
            return [row["_id"] for row in rows]


@pytest.mark.parametrize(
    ("point", "do", "effects"),
    [
        (BEGIN, KILL, 0),
        (BEGIN, KILL_ALL, 0),
        (COMMIT, KILL, 0),
        (COMMIT, KILL_ALL, 0),
        (COMMITTED, KILL, 1),
        (COMMITTED, KILL_ALL, 1),
    ],
)
def test_p1_api_killed_around_its_transaction_has_one_effect_after_the_retry(stage, point, do, effects):
    """Before or inside it nothing has happened, after it everything has; the same key then gives one effect.

    Killed inside, its locks stay until its successor has started and ended what it left open.
    """
    client = Client(stage)
    was = stage.platform.pid("enrolment-api")
    done = stage.die("enrolment-api", Order(point, do, touches="" if point == BEGIN else "vale/enrolments"))
    assert client.ask() is None
    assert done.exists()
    died = CLOCK.monotonic()
    assert len(client.rows()) == effects
    Client(stage).ask_until_answered()
    stage.figure("P1", f"API killed at '{point}': others were served after {CLOCK.monotonic() - died:.1f} s")
    reply = client.ask_until_answered()
    stage.figure("P1", f"API killed at '{point}': the same key was answered after {CLOCK.monotonic() - died:.1f} s")
    if do == KILL_ALL:
        stage.restarted("enrolment-api", was)
    assert client.rows() == [reply.json()["enrolment_id"]]
    assert client.ask().json() == reply.json()


def fail(stage: Stage, mode: object, **how: object) -> None:
    """Have the database fail the API's commits from now on."""
    with stage.client() as client:
        told = {"failCommands": ["commitTransaction"], "appName": "enrolment-api", **how}
        client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": told})


@pytest.mark.parametrize(
    "how",
    [{"writeConcernError": {"code": 91, "errmsg": "shutting down"}}, {"closeConnection": True}, {"errorCode": 50}],
    ids=["done, unknown by how many", "connection lost", "out of time"],
)
@pytest.mark.parametrize("times", [1, 3])
def test_p2_commit_of_unknown_result_is_settled_before_the_reply(stage, how, times):
    """The database cannot say whether a commit counts: the API finds out and the client has one effect."""
    client = Client(stage)
    try:
        fail(stage, {"times": times}, **how)
        reply = client.ask_until_answered()
    finally:
        fail(stage, "off")
    assert client.rows() == [reply.json()["enrolment_id"]]


def test_p2_commit_that_stays_unknown_is_503_and_the_same_key_has_one_effect(stage):
    """As long as nobody knows, the answer is to try again; once all is well the same key gives one effect."""
    client = Client(stage)
    try:
        fail(stage, "alwaysOn", writeConcernError={"code": 91, "errmsg": "shutting down"})
        reply = client.ask()
        assert reply.status_code == 503
        assert int(reply.headers["Retry-After"]) > 0
    finally:
        fail(stage, "off")
    assert client.ask_until_answered().json()["enrolment_id"] in client.rows()
    assert len(client.rows()) == 1


@pytest.mark.parametrize("lost", [1, 2], ids=["once", "and the driver's own retry"])
def test_p2_commit_whose_reply_is_lost_on_the_line_has_one_effect(stage, lost):
    """The database did it and its answer never came: one effect, and the client hears of it."""
    port = int(stage.platform.backbone.mongodb_uri.split(":")[2].split("/")[0])
    with Proxy(port) as line:
        uri = stage.platform.backbone.mongodb_uri.replace(str(port), str(line.port))
        with stage.another("enrolment", "api", MONGODB_URI=uri) as api:
            client = Client(stage, api.url)
            for _ in range(lost):
                line.drop_next_reply(b"commitTransaction")
            reply = client.ask_until_answered()
            assert line.dropped_replies == lost
            assert client.rows() == [reply.json()["enrolment_id"]]


def test_p2_reply_lost_between_api_and_client_is_given_again_for_the_same_key(stage):
    """The client asks again with its key and hears what it was to hear the first time."""
    with Proxy(int(stage.platform.url("enrolment").rsplit(":", 1)[1])) as line:
        client = Client(stage, f"http://127.0.0.1:{line.port}")
        line.drop_next_reply(b"POST")
        assert client.ask() is None
        assert len(client.rows()) == 1
        assert client.ask_until_answered().json()["enrolment_id"] == client.rows()[0]
