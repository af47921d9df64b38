"""Records, hashes and structured events: four channels, one hash."""

import hashlib
import json
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.events.envelope import GENESIS, Envelope, Heartbeat, Opened, schema_of, source_of
from shared.events.hashing import ATTRIBUTES, attributes_of, first_break, hash_of, hashed_bytes
from shared.events.records import (
    Encoded,
    attributes_in,
    decode,
    decode_unnumbered,
    encode,
    encode_unnumbered,
    epoch_of,
    from_structured,
    structured,
)

VECTORS = json.loads((Path(__file__).parents[3] / "shared/contracts/hash-vectors.json").read_text("utf-8"))["vectors"]
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


def an_envelope(**changes: object):
    """A numbered event."""
    whole = {
        "id": "019a2b3c-4d5e-7f60-8123-456789abcdef",
        "source": source_of("org.brent.enrolment.v1"),
        "type": "enrolment.requested.v1",
        "subject": "e-1",
        "time": "2026-09-01T08:30:00.123Z",
        "dataschema": schema_of("enrolment.requested.v1"),
        "organisation": "brent",
        "feedseq": 1,
        "prevhash": GENESIS,
        "correlationid": "c-1",
        "data": b'{"course": "C-1",  "n": 1.0}',
    }
    return Envelope(**{**whole, **changes})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_hash_agrees_with_the_published_vectors(vector):
    """Bytes and hash are those of the vectors file, which other implementations test themselves against."""
    members = {
        name: value for name, value in vector["attributes"].items() if name not in ("specversion", "datacontenttype")
    }
    envelope = Envelope(**{**members, "feedseq": int(members["feedseq"]), "data": vector["data"].encode()})
    assert hashed_bytes(envelope).decode() == vector["hashed"]
    assert hash_of(envelope) == vector["hash"] == hashlib.sha256(vector["hashed"].encode()).hexdigest()


@given(
    texts=st.fixed_dictionaries({name: st.text(max_size=9) for name in ("id", "subject", "type", "time", "prevhash")}),
    causationid=st.none() | st.text(max_size=9),
    traceparent=st.none() | st.text(max_size=9),
    number=st.integers(1, 2**53),
    data=st.binary(max_size=20),
)
def test_hashed_bytes_are_those_of_the_attributes_one_by_one(texts, causationid, traceparent, number, data):
    """Whatever stands in an event, ASCII or not: a line for each attribute, with its length in bytes, then the data."""
    envelope = an_envelope(**texts, causationid=causationid, traceparent=traceparent, feedseq=number, data=data)
    present = attributes_of(envelope)
    told = {name: None if name not in present else present[name].encode() for name in ATTRIBUTES}
    lines = [
        b"%s=-" % n.encode() if raw is None else b"%s=%d:%s" % (n.encode(), len(raw), raw) for n, raw in told.items()
    ]
    begin = b"teaching-partnership feed v1"
    assert hashed_bytes(envelope) == b"\n".join([begin, *lines, b"data=%d:%s" % (len(data), data)])


@settings(deadline=None)
@given(
    texts=st.fixed_dictionaries(dict.fromkeys(("id", "subject", "type", "time", "dataschema"), TEXT)),
    causationid=st.none() | TEXT,
    traceparent=st.none() | TEXT,
    number=st.integers(1, 2**53),
    epoch=st.integers(0, 2**53),
)
def test_headers_are_the_attributes_in_order_and_then_the_epoch(texts, causationid, traceparent, number, epoch):
    """Written out for speed, and the same as one by one; also where many are asked for at once, or a part of them."""
    envelope = an_envelope(**texts, causationid=causationid, traceparent=traceparent, feedseq=number)
    names = {"datacontenttype": "content-type"}
    told = [(names.get(name, f"ce_{name}"), text.encode()) for name, text in attributes_of(envelope).items()]
    record = encode(envelope, epoch)
    assert record.headers == [*told, ("relay-epoch", str(epoch).encode())]
    assert (record.key, record.value) == (envelope.subject.encode(), envelope.data)
    many = Encoded([envelope, an_envelope(), envelope], epoch)
    assert len(many) == 3
    assert list(many) == [many[0], many[1], many[-1]] == many[0:3]
    assert many[0] == record


def test_hash_changes_with_every_attribute_and_with_the_data():
    """Nothing that is sent, the relay's epoch aside, can change without the hash."""
    whole = hash_of(an_envelope())
    for name in set(ATTRIBUTES) - {"specversion", "datacontenttype", "feedseq"}:
        assert hash_of(an_envelope(**{name: "other"})) != whole
    assert hash_of(an_envelope(feedseq=2)) != whole
    assert hash_of(an_envelope(data=b"{}")) != whole


def test_chain_break_is_found_where_it_is():
    """A changed, missing or misplaced event breaks the chain at its own number."""
    first = an_envelope()
    second = an_envelope(feedseq=2, prevhash=hash_of(first))
    assert first_break([first, second], 0, GENESIS) is None
    assert first_break([an_envelope(data=b"{}"), second], 0, GENESIS) == 2
    assert first_break([second], 0, GENESIS) == 1


@given(subject=TEXT, correlationid=TEXT, causationid=st.none() | TEXT, data=st.binary(max_size=50))
def test_record_and_back_is_the_same_event(subject, correlationid, causationid, data):
    """Whatever texts and bytes an event has, its record carries them unchanged."""
    envelope = an_envelope(subject=subject, correlationid=correlationid, causationid=causationid, data=data)
    record = encode(envelope, 7)
    assert decode(record.key, record.value, record.headers) == envelope
    assert epoch_of(record.headers) == 7


def test_record_is_what_the_cloudevents_package_writes_and_reads():
    """The package's own Kafka binding makes the same headers and reads the same event."""
    envelope = an_envelope(causationid="c-0", traceparent="00-a-b-01", data=b'{"course":"C-1"}')
    record = encode(envelope, 7)
    headers = {name: value for name, value in record.headers if name != "relay-epoch"}
    event = from_binary(KafkaMessage(headers, None, record.value), JSONFormat(), CloudEvent)
    assert event.get_type() == envelope.type
    assert event.get_extension("feedseq") == "1"
    assert event.get_data() == {"course": "C-1"}
    written = to_binary(CloudEvent(event.get_attributes(), envelope.data), JSONFormat())
    assert written.value == record.value
    assert {**written.headers, "ce_time": b""} == {**headers, "ce_time": b""}


def test_structured_event_keeps_the_datas_bytes_and_hash():
    """Through the pull feed an event has the hash that it has on Kafka; the package reads it too."""
    envelope = an_envelope(causationid="c-0")
    raw = structured(envelope)
    assert from_structured(raw) == envelope
    assert hash_of(from_structured(raw)) == hash_of(envelope)
    event = JSONFormat().read(None, raw)
    assert event.get_subject() == "e-1"
    assert set(attributes_of(envelope)) - {"specversion"} <= set(json.loads(raw))


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"\xff", b'{"feedseq": "x"}', structured(an_envelope())[:-1]], ids=repr
)
def test_structured_event_is_refused_when_it_is_none(raw):
    """Anything else is Malformed, never another error."""
    with pytest.raises(Malformed):
        from_structured(raw)


def test_k2_records_without_key_or_value_or_with_another_key_are_malformed():
    """A tombstone, a missing key and a key that is not the aggregate are refused."""
    record = encode(an_envelope(), 1)
    for key, value in ((None, record.value), (record.key, None), (b"other", record.value)):
        with pytest.raises(Malformed):
            decode(key, value, record.headers)


def test_k7_duplicated_and_unreadable_headers_are_malformed():
    """A header that stands twice, is not text or holds no number is refused."""
    record = encode(an_envelope(), 1)
    without = [(name, value) for name, value in record.headers if name != "ce_feedseq"]
    for headers in (
        [*record.headers, ("ce_type", b"other")],
        [*record.headers[:-1], ("ce_type", b"other")],
        [("ce_type", b"other"), *record.headers],
        [*without, ("ce_feedseq", b"\xff")],
        [*without, ("ce_feedseq", b"-1")],
        [*without, ("ce_feedseq", "١".encode())],
        [*without, ("ce_feedseq", b"9" * 30)],
        without,
        [],
    ):
        with pytest.raises(Malformed):
            decode(record.key, record.value, headers)


@pytest.mark.parametrize(
    "body",
    [
        Opened(generation="g"),
        Heartbeat(
            feedseq=3,
            head_hash=GENESIS,
            counts={"a.b.v1": 3},
            credits=60,
            epoch=2,
            generation="g",
            partnership_version="1",
            partnership_hash="f" * 64,
        ),
    ],
)
def test_unnumbered_record_and_back_is_the_same(body):
    """Openings and heartbeats are CloudEvents without a number."""
    record = encode_unnumbered(
        body, identifier="i", source="/feeds/t", organisation="brent", time="2026-09-01T08:30:00.000Z", epoch=2
    )
    found = attributes_in(record.headers)
    assert decode_unnumbered(record.value, found) == body
    assert "feedseq" not in found
    with pytest.raises(Malformed):
        decode_unnumbered(b"[]", found)
    assert decode_unnumbered(b"{}", {"type": "other.v1"}) is None
