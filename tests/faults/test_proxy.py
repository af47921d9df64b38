"""The proxy that other tests of faults rely on does what it says, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from shared.clock import SystemClock
from tests.faults.proxy import DOWN, UP, Proxy

CLOCK = SystemClock()


class Echo:
    """A server that remembers what it got and sends it back."""

    def __init__(self) -> None:
        self.got = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while data := client.recv(65_536):
                self.got += data
                client.sendall(data)

    def close(self) -> None:
        """Stop, and wait for every thread."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A server behind the line."""
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def line(echo: Echo) -> Iterator[Proxy]:
    """The line to it."""
    with Proxy(echo.port) as proxy:
        yield proxy


def client_of(line: Proxy, seconds: float = 10.0) -> socket.socket:
    """Return a connection through the line."""
    return socket.create_connection(("127.0.0.1", line.port), timeout=seconds)


def answer(client: socket.socket, size: int) -> bytes:
    """Return the next bytes, fewer where the connection ends."""
    found = b""
    while len(found) < size and (data := client.recv(size - len(found))):
        found += data
    return found


def comes(client: socket.socket, seconds: float) -> bool:
    """Return whether anything arrives in that time."""
    client.settimeout(seconds)
    try:
        return bool(client.recv(1))
    except TimeoutError:
        return False


def test_a_good_line_carries_every_byte_in_order_and_counts_them(line):
    """A megabyte each way over two connections, and both ends are closed when a client hangs up."""
    sent = bytes(range(256)) * 4096
    with client_of(line) as one, client_of(line) as two:
        writer = threading.Thread(target=one.sendall, args=(sent,))
        writer.start()
        assert answer(one, len(sent)) == sent
        writer.join()
        two.sendall(b"x")
        assert answer(two, 1) == b"x"
        assert (line.opened, line.open) == (2, 2)
    while line.open:
        CLOCK.sleep(0.01)
    assert line.passed == {UP: len(sent) + 1, DOWN: len(sent) + 1}
    assert line.resets == 0


def test_latency_holds_each_piece_back_and_keeps_the_order(line):
    """What is sent in a row arrives late, and as it was sent."""
    line.latency_seconds = 0.2
    with client_of(line) as client:
        began = CLOCK.monotonic()
        for number in range(5):
            client.sendall(bytes([number]))
        assert answer(client, 5) == bytes(range(5))
        assert CLOCK.monotonic() - began >= 0.4


def test_a_narrow_line_takes_its_time(line):
    """2,000 bytes at 4,000 a second each way need half a second and more."""
    line.bytes_per_second = 4000
    with client_of(line) as client:
        began = CLOCK.monotonic()
        client.sendall(b"z" * 2000)
        assert answer(client, 2000) == b"z" * 2000
        assert CLOCK.monotonic() - began >= 0.5


@pytest.mark.parametrize("way", [UP, DOWN])
def test_one_way_cut_swallows_without_a_word_and_healing_ends_the_torn_stream(echo, line, way):
    """The other way still flows; afterwards a new connection works, and the old one is gone, not corrupt."""
    with client_of(line) as client:
        client.sendall(b"a")
        assert answer(client, 1) == b"a"
        line.cut(way)
        client.sendall(b"b")
        assert not comes(client, 0.3)
        assert bytes(echo.got) == (b"a" if way == UP else b"ab")
        assert line.swallowed[way] == 1
        line.heal()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with client_of(line) as client:
        client.sendall(b"c")
        assert answer(client, 1) == b"c"


def test_dropped_reply_means_that_the_server_did_it_and_nobody_heard(echo, line):
    """Only the answer to the request that holds the words is lost; the next connection is fine."""
    line.drop_next_reply(b"commit")
    with client_of(line) as client:
        client.sendall(b"begin")
        assert answer(client, 5) == b"begin"
        client.sendall(b"please commit")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert bytes(echo.got).endswith(b"please commit")
    assert line.dropped_replies == 1
    with client_of(line) as client:
        client.sendall(b"commit")
        assert answer(client, 6) == b"commit"


def test_refusing_resets_who_is_in_and_lets_nobody_in_until_healed(line):
    """As a server that is gone, and then is there again on the same port."""
    with client_of(line) as client:
        client.sendall(b"a")
        assert answer(client, 1) == b"a"
        line.refuse()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        client_of(line)
    line.heal()
    with client_of(line) as client:
        client.sendall(b"b")
        assert answer(client, 1) == b"b"


def test_loss_resets_some_connections_and_corrupts_none(line):
    """Of many short exchanges some are reset; whatever is answered is right."""
    line.loss = 0.2
    fates = []
    for number in range(60):
        with client_of(line) as client:
            try:
                client.sendall(bytes([number]))
                found = answer(client, 1)
            except ConnectionError:
                found = b""
            assert found in (b"", bytes([number]))
            fates.append(bool(found))
    assert any(fates)
    assert not all(fates)
    assert line.resets == fates.count(False)


def test_close_leaves_no_thread_no_port_and_no_connection(echo):
    """Even with clients in the middle of something."""
    before = threading.active_count()
    with Proxy(echo.port) as proxy:
        proxy.latency_seconds = 5.0
        client = client_of(proxy)
        client.sendall(b"late")
        while not proxy.open:
            CLOCK.sleep(0.01)
    with client, pytest.raises(ConnectionResetError):
        client.recv(1)
    assert proxy.open == 0
    assert threading.active_count() <= before + 1  # the echo's own for this client, which ends with it
    with socket.create_server(("127.0.0.1", proxy.port)):
        pass
