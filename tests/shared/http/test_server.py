"""The application behind the real gunicorn with the platform's settings: what only a server can refuse (H11 to H13)."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from shared.local.ports import any_free

ROOT = Path(__file__).parents[3]
CONFIGURATION = ROOT / "shared" / "process" / "gunicorn_conf.py"
FACTORY = """
    import gc
    from pathlib import Path
    from shared.clock import SystemClock
    from shared.http import Reply, Routes, ServiceDescription, StrictSchema, Text, accepts, create_app
    from shared.http import load, public, returns
    from shared.identifiers import new_identifier
    from shared.identity import RoleTable, TokenVerifier
    from shared.storage.mongo import connect
    from shared.storage.unit_of_work import UnitOfWork

    class In(StrictSchema):
        name = Text(required=True, longest=2_000_000)

    IN = In()
    routes = Routes("open")

    @routes.post("/v1/open")
    @public("a test")
    @accepts(IN)
    @returns(200)
    def take() -> Reply:
        return Reply(200, {"length": len(load(IN)["name"])})

    @routes.get("/v1/kept")
    @public("a test")
    @returns(200)
    def kept() -> Reply:
        return Reply(200, {"kept": gc.get_freeze_count()})

    def web_app():
        clock = SystemClock()
        client = connect("mongodb://127.0.0.1:1/", appname="toy")
        unit_of_work = UnitOfWork(client=client, service="toy", clock=clock, new_identifier=new_identifier)
        return create_app(ServiceDescription(
            name="toy", title="Toy", version="1", blueprints=[routes], unit_of_work=unit_of_work, partnership=None,
            roles=RoleTable({}), verifier=TokenVerifier(Path("none"), "toy", clock), hosted=set(), clock=clock))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A running gunicorn with one worker; its port."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "toy_service.py").write_text(textwrap.dedent(FACTORY))
    port = any_free()
    command = [sys.executable, "-m", "gunicorn", "-c", str(CONFIGURATION), "--pythonpath", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-b", f"127.0.0.1:{port}", "toy_service:web_app()"], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        assert _answers(port), (folder / "log").read_text()
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _answers(port: int) -> bool:
    """Return True once the server answers, False after 100 tries."""
    for _ in range(100):
        try:
            return exchange(port, b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(
                b"HTTP/1.1 200"
            )
        except ConnectionRefusedError:
            subprocess.run(["sleep", "0.1"], check=True)
    return False


def exchange(port: int, sent: bytes) -> bytes:
    """Send raw bytes and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        received = b""
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                received += part
    return received


def status(port: int, sent: bytes) -> int:
    """Return the status of the answer, 0 when the server hung up without one."""
    received = exchange(port, sent)
    return int(received.split(b" ", 2)[1]) if received else 0


def chunked(body: bytes) -> bytes:
    """Return a chunked POST of `body`."""
    head = b"POST /v1/open HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:70_000], body[70_000:]) if part)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def test_what_a_worker_keeps_for_good_is_looked_through_for_garbage_no_more(server):
    """The modules alone are thousands of objects."""
    received = exchange(server, b"GET /v1/kept HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert json.loads(received.partition(b"\r\n\r\n")[2])["kept"] > 10_000


def test_h11_a_chunked_body_within_the_limit_is_read_whole(server):
    """Chunks are put together."""
    received = exchange(server, chunked(b'{"name":"' + b"a" * 100_000 + b'"}'))
    assert received.endswith(b'{"length":100000}')


@pytest.mark.parametrize("length", [2**20 - 10, 2**20, 2**20 + 100_000])
def test_h11_a_chunked_body_beyond_the_limit_is_refused_and_never_cut(server, length):
    """A body cut off at the limit would be another body."""
    assert status(server, chunked(b'{"name":"' + b"a" * length + b'"}')) in {413, 0}


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"X-A: b\r\n folded\r\n",
        b"X-Long: " + b"a" * 9000 + b"\r\n",
        b"".join(b"X-%d: a\r\n" % n for n in range(101)),
    ],
)
def test_h13_ambiguous_or_excessive_headers_are_refused(server, head):
    """One request, one meaning, in reasonable size."""
    sent = b"POST /v1/open HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head + b"\r\n0\r\n\r\n"
    assert 400 <= status(server, sent) < 500 or status(server, sent) == 501


def test_h13_a_request_line_that_is_too_long_is_refused(server):
    """Addresses have an end."""
    assert 400 <= status(server, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n") < 500


def test_h13_a_forged_forwarded_address_changes_nothing(server):
    """Nobody is told who they are by a header."""
    sent = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    sent += b"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n\r\n"
    assert status(server, sent) == 200
