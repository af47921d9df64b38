"""gunicorn as the platform runs it, with one worker and clients that take their time (H12), over real sockets."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared
from shared.clock import SystemClock
from shared.local.ports import any_free
from shared.process.patient_worker import HELD, MOST_WAITING, Arrival
from shared.process.run import GUNICORN_CONFIGURATION

ROOT = Path(shared.__file__).parent.parent
BOUND = 15
"""Seconds after which a test gives up: half of what gunicorn waits before it ends a worker that stands still."""
SECRET = b"12345"
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
ASKED = HEAD + b"\r\n"
APPLICATION = """
from shared.process import patient_worker

patient_worker.ALLOWANCE_SECONDS = {allowance}

def web_app():
    def answer(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            patient_worker._clock.sleep(2 * patient_worker.ALLOWANCE_SECONDS)
        length = str(len(environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Length", str(len(length)))])
        return [length.encode()]
    return answer
"""


@contextlib.contextmanager
def served(folder: Path, allowance: float, started: list[subprocess.Popen[bytes]] | None = None) -> Iterator[int]:
    """The port of a running gunicorn with one worker, whose clients may let it wait for `allowance` seconds."""
    (folder / "application.py").write_text(APPLICATION.format(allowance=allowance))
    port = any_free()
    environment = {"PYTHONPATH": f"{ROOT}:{folder}", "PORT": str(port), "WEB_CONCURRENCY": "1"}
    command = [sys.executable, "-m", "gunicorn", "--config", str(GUNICORN_CONFIGURATION), "application:web_app()"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        (started if started is not None else []).append(process)
    try:
        clock = SystemClock()
        until = clock.monotonic() + BOUND
        while clock.monotonic() < until:
            with contextlib.suppress(ConnectionRefusedError), begun(port, ASKED) as client:
                assert said(client).endswith(b"0"), (folder / "log").read_text()
                break
            clock.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(BOUND) == 0
    assert "WORKER TIMEOUT" not in (folder / "log").read_text()


@pytest.fixture(scope="module")
def patient(tmp_path_factory) -> Iterator[int]:
    """The port of a server as it is."""
    with served(tmp_path_factory.mktemp("patient"), 10.0) as port:
        yield port


@pytest.fixture(scope="module")
def hasty(tmp_path_factory) -> Iterator[int]:
    """The port of a server that waits for a second only."""
    with served(tmp_path_factory.mktemp("hasty"), 1.0) as port:
        yield port


@pytest.fixture
def many() -> Iterator[contextlib.ExitStack]:
    """Room for many connections, closed afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4 * MOST_WAITING), hard), hard))
    with contextlib.ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def begun(port: int, sent: bytes = b"") -> socket.socket:
    """Return a connection on which `sent` was sent."""
    client = socket.create_connection(("127.0.0.1", port), timeout=BOUND)
    client.sendall(sent)
    return client


def said(client: socket.socket) -> bytes:
    """Return all that the server says until it hangs up, or hung up on us before it read everything."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(65_536):
            received += part
    return received


def post(length: int) -> bytes:
    """Return the head of a request with so long a body."""
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length


def test_h12_others_are_served_while_the_slow_and_the_silent_wait(patient, many):
    """Nobody waits for who sends nothing, half a head, half a body, or a chunk without an end."""
    for sent in (b"", HEAD, post(10) + b"half", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"):
        for _ in range(3):
            many.enter_context(begun(patient, sent))
    with begun(patient, post(5) + SECRET) as client:
        assert said(client).endswith(b"\r\n\r\n5")


def test_h12_more_idle_connections_than_may_wait_keep_nobody_out(patient, many):
    """The one that has waited longest is hung up on; who asks is answered."""
    idle = [many.enter_context(begun(patient)) for _ in range(MOST_WAITING + 100)]
    with begun(patient, ASKED) as client:
        assert said(client).startswith(b"HTTP/1.1 200")
    assert said(idle[0]) == b""


def test_h12_a_half_closed_socket_is_answered_when_its_request_was_whole(patient):
    """A client may close its own end first."""
    with begun(patient, ASKED) as client:
        client.shutdown(socket.SHUT_WR)
        assert said(client).startswith(b"HTTP/1.1 200")
    with begun(patient, post(10) + b"half") as client:
        client.shutdown(socket.SHUT_WR)
        assert not said(client).startswith(b"HTTP/1.1 5")


def test_h12_nobody_waits_for_who_does_not_hang_up_after_the_reply(patient, many):
    """Left alone, gunicorn lingers for two seconds on each of them: forty in all."""
    clients = [many.enter_context(begun(patient, ASKED)) for _ in range(20)]
    with begun(patient, ASKED) as client:
        assert said(client).startswith(b"HTTP/1.1 200")
    assert all(said(one).startswith(b"HTTP/1.1 200") for one in clients)


def test_h12_who_does_not_go_on_is_hung_up_on(hasty, many):
    """Silence, half a head and half a body end without an answer; the worker does not end with them."""
    late = [many.enter_context(begun(hasty, sent)) for sent in (b"", HEAD, post(10) + b"half")]
    assert [said(client) for client in late] == [b"", b"", b""]
    with begun(hasty, ASKED) as client:
        assert said(client).startswith(b"HTTP/1.1 200")


def test_p15_who_sends_while_another_request_takes_long_is_answered_after_it(hasty, many):
    """A database that does not answer keeps a worker busy for longer than anybody may let it wait: nobody’s fault."""
    waiting = many.enter_context(begun(hasty))
    slow = many.enter_context(begun(hasty, ASKED.replace(b" / ", b" /slow ")))
    SystemClock().sleep(0.3)
    waiting.sendall(ASKED)
    assert said(slow).startswith(b"HTTP/1.1 200")
    assert said(waiting).startswith(b"HTTP/1.1 200")


def test_p20_whoever_was_let_in_before_the_end_is_answered_and_nobody_is_let_in_after_it(tmp_path, many):
    """Told to end with a queue at the door, the worker answers all of it; who comes then is refused, not cut off."""
    started: list[subprocess.Popen[bytes]] = []
    with served(tmp_path, 0.4, started) as port:
        queue = [many.enter_context(begun(port, ASKED.replace(b" / ", b" /slow "))) for _ in range(6)]
        SystemClock().sleep(0.2)
        started[0].send_signal(signal.SIGTERM)
        assert [said(client)[:15] for client in queue] == [b"HTTP/1.1 200 OK"] * len(queue)
        with pytest.raises(ConnectionRefusedError):
            begun(port)


def test_h12_a_long_body_that_stops_half_way_ends_and_the_next_is_served(hasty, many):
    """What is longer than may wait is read by the view, and no longer than its sender goes on."""
    many.enter_context(begun(hasty, post(3 * HELD) + b"a" * 2 * HELD))
    with begun(hasty, ASKED) as client:
        assert said(client).startswith(b"HTTP/1.1 200")


def test_h12_a_byte_now_and_then_is_too_slow(hasty):
    """Each byte earns its own time and no more."""
    with begun(hasty, HEAD) as client, pytest.raises(ConnectionError):
        trickle(client)


def trickle(client: socket.socket) -> None:
    """Send a byte twenty times a second, for longer than anybody waits."""
    clock = SystemClock()
    for _ in range(20 * BOUND):
        client.sendall(b"X")
        clock.sleep(0.05)


@pytest.mark.parametrize("length", [0, 1, HELD - 500, HELD, 5 * HELD + 1])
def test_a_body_of_any_length_arrives_whole(patient, length):
    """Below and above what is waited for, with a length and in chunks."""
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part) for part in (b"a" * min(length, 9), b"b" * (length - 9)) if part
    )
    for sent in (
        post(length) + b"a" * length,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
    ):
        with begun(patient, sent) as client:
            assert said(client).endswith(b"\r\n\r\n%d" % length)


def test_who_waits_to_be_told_to_go_on_is_told(patient):
    """`Expect: 100-continue`: the body comes after the server's word."""
    head = post(5).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    with begun(patient, head) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(SECRET)
        assert said(client).startswith(b"HTTP/1.1 200")


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.booleans(),
    st.lists(st.integers(1, 30), min_size=1, max_size=8),
)
def test_the_end_of_a_request_is_found_however_it_is_cut(parts, is_chunked, cuts):
    """Not a byte too early, and not one too late."""
    body = b"".join(parts)
    if is_chunked:
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        sent = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    else:
        sent = post(len(body)) + body
    arrival, at = Arrival(), 0
    while at < len(sent):
        step = cuts[at % len(cuts)]
        arrival.received += sent[at : at + step]
        at += step
        assert arrival.is_whole() == (at >= len(sent))


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: -1",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5\r\ncontent-length: 5",
        b"Content-Length: ten",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5, 6",
        b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
    ],
)
def test_what_is_no_request_is_waited_for_no_longer(fields):
    """It is refused by gunicorn; nobody needs to see the rest."""
    assert Arrival(bytearray(b"POST / HTTP/1.1\r\n" + fields + b"\r\n\r\n")).is_whole()
