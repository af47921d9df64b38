"""A broker that stands still under a sender that several feeds share (P8): found by the relay that ended of it."""

from __future__ import annotations

import signal
import threading

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.records import Record
from shared.events.sending import Sender
from shared.testing.backbone import bootstrap
from shared.testing.kafka import broker_of_this_run

CLOCK = SystemClock()


@pytest.mark.faults
@pytest.mark.own_broker
@pytest.mark.timeout(300)
def test_p8_broker_that_stands_still_is_unavailable_to_every_feed_and_ends_no_relay(tmp_path):
    """Two feeds send at different moments: whoever gives up first does so in a word, though the other is not done."""
    server = broker_of_this_run(tmp_path)
    server.start()
    admin = KafkaAdminClient(bootstrap_servers=bootstrap(server))
    admin.create_topics([NewTopic(topic, 1, 1) for topic in ("org.one.test.v1", "org.two.test.v1")])
    admin.close()
    sender = Sender(bootstrap(server), CLOCK)
    record, ends = Record(b"k", b"v", []), []
    assert sender.send("org.one.test.v1", [record]) == [0]
    assert sender.send("org.two.test.v1", [record]) == [0]
    server.process.send_signal(signal.SIGSTOP)

    def send(topic: str) -> None:
        try:
            sender.send(topic, [record])
        except Unavailable:
            ends.append("unavailable")

    threads = [threading.Thread(target=send, args=(topic,)) for topic in ("org.one.test.v1", "org.two.test.v1")]
    threads[0].start()
    CLOCK.sleep(7.0)
    threads[1].start()
    for thread in threads:
        thread.join(120)
    server.process.send_signal(signal.SIGCONT)
    try:
        assert ends == ["unavailable", "unavailable"]
        assert len(sender.send("org.one.test.v1", [record])) == 1
    finally:
        sender.close()
        server.stop()
