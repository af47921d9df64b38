"""Logs, correlation, metrics and the small health server."""

from __future__ import annotations

import io
import json
import logging
import urllib.error
import urllib.request

import pytest
import structlog

from shared.telemetry import correlation
from shared.telemetry.health_server import HealthServer
from shared.telemetry.logs import PERSONAL, configure_logging, without_personal_data
from shared.telemetry.metrics import exposition


@pytest.fixture
def logs():
    """Configure JSON logs for one test, and read them."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging("toy", stream=(stream := io.StringIO()))

    def read() -> list[dict[str, object]]:
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_a_log_line_is_json_with_its_correlation_id(logs):
    """Event, level, time, service and the id that ties lines together."""
    begun = correlation.begin("0190b5f4-2d51-7c33-9d0e-6d2d4f5a7b11")
    structlog.get_logger("x").info("thing.made", thing_id="t-1")
    (line,) = logs()
    assert line["event"] == "thing.made"
    assert (line["service"], line["level"], line["correlation_id"]) == ("toy", "info", begun.correlation_id)
    assert line["partners_correlation_id"] == "0190b5f4-2d51-7c33-9d0e-6d2d4f5a7b11"
    assert line["timestamp"].endswith("Z")


def test_lines_of_libraries_have_the_same_form(logs):
    """The standard library's logging goes the same way."""
    logging.getLogger("library").warning("something %s", "odd")
    (line,) = logs()
    assert (line["event"], line["service"]) == ("something odd", "toy")


@pytest.mark.parametrize("key", sorted(PERSONAL))
def test_personal_keys_are_dropped_at_every_depth(key):
    """Whoever logs one by mistake finds only its name."""
    event = {"event": "x", key: "canary", "deep": {"deeper": [{key.upper(): "canary"}]}}
    kept = without_personal_data(None, "info", event)
    assert "canary" not in json.dumps(kept)
    assert kept["dropped"] == [key]


def test_an_exception_is_logged_without_its_message(logs):
    """Messages hold what somebody sent; class and place are enough."""
    try:
        int("Ada Lovelace")
    except ValueError:
        structlog.get_logger("x").exception("thing.failed")
    (line,) = logs()
    assert line["error"] == "ValueError"
    assert "test_telemetry.py" in line["frames"][-1]
    assert "Ada" not in json.dumps(line)


def test_bytes_never_reach_a_log():
    """A body has no place there."""
    assert without_personal_data(None, "info", {"event": "x", "thing": b"canary"})["thing"] == "<6 bytes>"


@pytest.mark.parametrize("given", [None, "", "short", "Jane.Smith-SW136973", "line\nbreak-12", "ä" * 36])
def test_a_partners_text_is_never_the_correlation_id_nor_in_a_log(logs, given):
    """What travels on the bus is made here; a partner's text that is no UUID is not even logged."""
    assert correlation.begin(given).correlation_id != given
    structlog.get_logger("x").info("thing.made")
    assert "partners_correlation_id" not in logs()[0]


def test_a_traceparent_is_passed_on_with_our_own_span():
    """Same trace, new parent (W3C Trace Context)."""
    given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    passed = correlation.next_traceparent(given)
    assert passed is not None
    assert passed[:36] == given[:36]
    assert passed[36:52] != given[36:52]
    assert len(passed) == len(given)


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
    ],
)
def test_a_traceparent_that_is_none_is_dropped(given):
    """What is not valid is not passed on."""
    assert correlation.next_traceparent(given) is None


def test_the_exposition_is_prometheus_text():
    """What a scraper reads."""
    content, content_type = exposition()
    assert content_type.startswith("text/plain")
    assert b"# TYPE http_requests_total counter" in content


def fetch(port: int, path: str) -> tuple[int, bytes]:
    """Ask the health server."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_health_server_says_what_the_process_says():
    """Live as long as it answers, ready when the process says so."""
    is_ready = False
    server = HealthServer(0, lambda: is_ready).start()
    try:
        assert fetch(server.port, "/livez") == (200, b'{"status": "live"}')
        assert fetch(server.port, "/readyz")[0] == 503
        is_ready = True
        assert fetch(server.port, "/readyz")[0] == 200
        assert b"http_requests_total" in fetch(server.port, "/metrics")[1]
        assert fetch(server.port, "/etc/passwd")[0] == 404
    finally:
        server.stop()
