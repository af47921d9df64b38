"""Every kind of error has one status and one stable type."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from shared import errors
from shared.http import Routes, ServiceDescription, create_app, public, transact
from shared.http.replies import Reply
from shared.http.service import current_service
from shared.storage.mongo import INTERNAL_ERROR, connect
from tests.shared.assembly.front import Front


class NoSeat(errors.Conflict):
    """A service's own error."""

    slug = "no-seat"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.Malformed("x"), 422, "malformed"),
        (errors.Forbidden("x"), 403, "forbidden"),
        (errors.NotFound("x"), 404, "not-found"),
        (errors.RuleBroken("x"), 422, "rule-broken"),
        (errors.Conflict("x"), 409, "conflict"),
        (NoSeat("The intake is full."), 409, "no-seat"),
        (errors.ConcurrentChange("x"), 409, "concurrent-change"),
        (errors.Unavailable("x"), 503, "unavailable"),
        (AutoReconnect("mongodb://secret@host"), 503, "unavailable"),
        (OperationFailure("no room for secret", 14031), 503, "unavailable"),
        (OperationFailure("secret", INTERNAL_ERROR), 500, "internal-error"),
        (errors.PlatformError("x"), 500, "error"),
    ],
)
def test_each_kind_of_error_has_its_status_and_type(app, client, error, status, kind):
    """Mapped once, for all services."""

    def fail():
        raise error

    fail.__route_facts__ = app.view_functions["counters.broken"].__route_facts__
    app.view_functions["counters.broken"] = fail
    response = client.get("/v1/broken")
    assert (response.status_code, response.json["type"]) == (status, f"urn:problem:{kind}")
    assert response.mimetype == "application/problem+json"
    assert ("Retry-After" in response.headers) == (status == 503)
    assert "secret" not in response.text


@pytest.mark.parametrize(("path", "status"), [("/dev/full", 503), ("/no/such/folder/file", 500)])
def test_p18_no_room_for_what_came_is_a_503_and_no_fault_of_ours(app, client, path, status):
    """A large file in a form waits on a disk on its way in; another trouble with a file is a fault of ours."""

    def fail():
        Path(path).write_bytes(b"x")

    fail.__route_facts__ = app.view_functions["counters.broken"].__route_facts__
    app.view_functions["counters.broken"] = fail
    response = client.get("/v1/broken")
    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (status == 503)
    assert path not in response.text


def test_faults_carry_rows_and_columns(app, client):
    """A file's faults stand where a person finds them."""

    def fail():
        fault = errors.Fault("date", "Must be a real date.", row=7, column="Start")
        raise errors.RuleBroken("The file has faults.", faults=(fault,))

    fail.__route_facts__ = app.view_functions["counters.broken"].__route_facts__
    app.view_functions["counters.broken"] = fail
    (fault,) = client.get("/v1/broken").json["errors"]
    assert fault == {"code": "date", "detail": "Must be a real date.", "row": 7, "column": "Start"}


def test_what_flask_refuses_is_a_problem_too(client):
    """Unknown paths and wrong methods."""
    assert client.get("/v1/nowhere/Ada").json["type"] == "urn:problem:not-found"
    assert "Ada" not in client.get("/v1/nowhere/Ada").text
    response = client.delete("/v1/broken")
    assert (response.status_code, response.json["type"]) == (405, "urn:problem:method-not-allowed")
    assert "GET" in response.headers["Allow"]


def test_a_401_names_the_scheme_and_no_reason(client, counters):
    """Whoever tries tokens learns nothing."""
    bodies = set()
    for value in (None, "Basic abc", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "bearer a.b.c"):
        response = client.get(counters, headers={} if value is None else {"Authorization": value})
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        bodies.add(response.data)
    assert len(bodies) == 1


def described(app, unit_of_work, *blueprints) -> ServiceDescription:
    """Return the toy's description with other parts."""
    known = app.extensions["service"]
    return ServiceDescription(
        name="toy",
        title="Toy",
        version="1",
        blueprints=blueprints,
        unit_of_work=unit_of_work,
        partnership=known.partnership,
        roles=known.roles,
        verifier=known.verifier,
        hosted=known.hosted,
        clock=known.clock,
    )


def test_without_a_database_the_service_is_live_but_not_ready(app):
    """Readiness is about the database; what needs it says 503."""
    gone = connect("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", appname="tests")
    try:
        known = app.extensions["service"].unit_of_work
        unit_of_work = type(known)(client=gone, service="toy", clock=known.clock, new_identifier=known.new_identifier)
        client = create_app(described(app, unit_of_work)).test_client()
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503
    finally:
        gone.close()


def test_p18_database_that_fails_even_at_the_plainest_read_is_a_503_and_not_ready(app, mongodb_uri):
    """A server whose storage is broken names no cause; where it still reads, the fault is ours: a 500 (above)."""
    fault = {"ok": 0.0, "code": INTERNAL_ERROR, "codeName": "InternalError", "errmsg": "internal server error"}
    front = Front(int(mongodb_uri.split("127.0.0.1:")[1].split("/")[0]), answers={"find": fault})
    broken = connect(front.uri, appname="tests")
    try:
        known = app.extensions["service"].unit_of_work
        unit_of_work = type(known)(client=broken, service="toy", clock=known.clock, new_identifier=known.new_identifier)
        routes = Routes("things")

        @routes.get("/v1/things")
        @public("a test")
        def things() -> Reply:
            """Read something."""
            return Reply(200, {"found": unit_of_work.reading("brent").rows("things").find_one({"_id": "x"})})

        client = create_app(described(app, unit_of_work, routes)).test_client()
        response = client.get("/v1/things")
        assert (response.status_code, response.json["type"]) == (503, "urn:problem:unavailable"), response.text
        assert "Retry-After" in response.headers
        assert client.get("/readyz").status_code == 503
    finally:
        broken.close()
        front.close()


def test_a_route_whose_owner_the_guard_cannot_see_does_not_start(app):
    """The organisation's parameter has one name."""
    routes = Routes("odd")

    @routes.get("/v1/organisations/<lead>/things")
    @public("never served")
    def things(lead: str) -> Reply:
        """Do nothing."""
        return Reply(200, lead)

    with pytest.raises(ValueError, match="<org>"):
        create_app(described(app, app.extensions["service"].unit_of_work, routes))


def test_a_post_that_transacts_twice_is_a_fault_of_ours(app, headers, counters, organisation):
    """One key cannot stand for two replies."""
    unit_of_work = app.extensions["service"].unit_of_work
    view = app.view_functions["counters.create_counter"]

    def twice(org):
        transact(org, lambda _work: Reply(200))
        return transact(org, lambda _work: Reply(201))

    twice.__route_facts__ = view.__route_facts__
    app.view_functions["counters.create_counter"] = twice
    response = app.test_client().post(counters, json={"name": "x", "amount": 1}, headers=headers())
    assert response.status_code == 500
    assert unit_of_work.reading(organisation).rows("counters").count({}) == 0
    with app.app_context():
        assert current_service().name == "toy"


def test_metrics_of_several_workers_are_summed(tmp_path):
    """With PROMETHEUS_MULTIPROC_DIR the exposition is that of all processes."""
    program = textwrap.dedent(
        """
        from shared.telemetry import metrics
        metrics.HTTP_REQUESTS.labels("toy", "GET", "/x", "200").inc()
        print(metrics.exposition()[0].decode())
        """
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    assert 'http_requests_total{method="GET",route="/x",service="toy",status="200"} 2.0' in done.stdout
