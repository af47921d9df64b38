"""What the settings say of Kafka reaches the clients of relay and reader."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import shared
from shared.assembly.parts import RelayPart, make_reader
from shared.process.settings import CommonSettings, load

FILE = Path(shared.__file__).parent.parent / "scenarios" / "marchland" / "partnership.yaml"
TLS_HANDSHAKE = 0x16
PATIENCE_SECONDS = 20


class Door:
    """A port that takes connections, keeps the first byte of each, and hangs up."""

    def __init__(self) -> None:
        self.first_bytes: list[int] = []
        self.knocked = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                received = connection.recv(1)
                if not received:
                    continue
                if received == b"!":
                    return
                self.first_bytes.append(received[0])
                self.knocked.set()

    def close(self) -> None:
        """Take no more connections."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"!")
            self._thread.join(10)
        self._socket.close()


@pytest.fixture
def door() -> Iterator[Door]:
    """A port where a broker might be."""
    made = Door()
    yield made
    made.close()


@pytest.fixture
def settings(monkeypatch, tmp_path, mongodb_uri, door) -> CommonSettings:
    """Settings of an instance whose broker wants TLS."""
    file = tmp_path / "kafka.json"
    file.write_text('{"security_protocol": "SSL"}')
    variables = {
        "PARTNERSHIP_FILE": str(FILE),
        "HOSTED_ORGANISATIONS": "vale",
        "MONGODB_URI": mongodb_uri,
        "DATABASE_PREFIX": "tls_",
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{door.port}",
        "KAFKA_CONFIG_FILE": str(file),
        "TRUSTED_ISSUERS_FILE": str(tmp_path / "issuers.json"),
        "ORGANISATION_KEYS_DIR": str(tmp_path),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load(CommonSettings.read)


@pytest.mark.parametrize("part", ["relay", "reader"])
def test_the_clients_of_a_part_connect_as_the_config_file_says(part, settings, door):
    """The first byte that the broker gets is that of a TLS handshake."""
    made = RelayPart("enrolment", settings) if part == "relay" else make_reader("assessment", settings, (), (), ())
    stop = threading.Event()
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    try:
        assert door.knocked.wait(PATIENCE_SECONDS), "nobody knocked"
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
    assert set(door.first_bytes) == {TLS_HANDSHAKE}
