"""A broker that stands still: the feeds of a process wait for it together, not one after the other."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events import topics as topics_module
from shared.events.topics import Topics

FEEDS = 6


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """Something that lets everybody connect and never says a word, as a broker that was stopped does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def clients(monkeypatch) -> list[str]:
    """What is noted of each client that is made."""
    made: list[str] = []
    client = topics_module.KafkaAdminClient

    def noted(**settings: object) -> object:
        made.append(str(settings["bootstrap_servers"]))
        return client(**settings)

    monkeypatch.setattr(topics_module, "KafkaAdminClient", noted)
    return made


def test_feeds_of_one_process_wait_once_for_a_broker_that_stands_still(silent_broker, clients):
    """Whoever waited behind a question that was not answered hears so at once; asked anew, the broker is tried anew."""
    topics, together = Topics(silent_broker, SystemClock()), Barrier(FEEDS)

    def ask(number: int) -> None:
        together.wait()
        topics.place(f"org.owner-{number}.enrolment.v1")

    with ThreadPoolExecutor(FEEDS) as pool:
        answers = [pool.submit(ask, number) for number in range(FEEDS)]
    assert all(isinstance(answer.exception(), Unavailable) for answer in answers)
    assert clients == [silent_broker]
    with pytest.raises(Unavailable):
        topics.place("org.owner-1.enrolment.v1")
    assert clients == [silent_broker] * 2
