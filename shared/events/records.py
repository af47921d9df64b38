"""Kafka records to envelopes and back: CloudEvents 1.0.2, binary mode (`ce_` headers, the data as the value).

The bytes are written and read here, not through the cloudevents package, because that parses the data and prints it
anew, while the sent bytes must be the stored ones; tests hold the package's own Kafka binding against every record.
Nothing here talks to a broker, and nothing here decides what becomes of a bad record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

import msgspec

from shared.errors import Malformed
from shared.events.envelope import CONTENT_TYPE, HEARTBEAT, OPENED, SPECVERSION, UNNUMBERED, Envelope, Heartbeat, Opened
from shared.events.hashing import ATTRIBUTES, attributes_of

Headers = list[tuple[str, bytes]]
EPOCH_HEADER: Final = "relay-epoch"
"""Transport only: outside the envelope and the hash."""
CONTENT_TYPE_HEADER: Final = "content-type"
_ATTRIBUTE_OF: Final = {CONTENT_TYPE_HEADER if name == "datacontenttype" else f"ce_{name}": name for name in ATTRIBUTES}
REQUIRED: Final = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "organisation", "feedseq", "prevhash", "correlationid"}
)
LARGEST_NUMBER: Final = 2**53
_SPECVERSION: Final = ("ce_specversion", SPECVERSION.encode())
_CONTENT_TYPE: Final = (CONTENT_TYPE_HEADER, CONTENT_TYPE.encode())


class Record(msgspec.Struct, frozen=True):
    """What goes to the broker."""

    key: bytes
    value: bytes
    headers: Headers


def encode(envelope: Envelope, epoch: int) -> Record:
    """Return the record of a numbered event; its headers are those of `attributes_of`, written out for speed."""
    e, key = envelope, envelope.subject.encode()
    headers: Headers = [
        _SPECVERSION,
        ("ce_id", e.id.encode()),
        ("ce_source", e.source.encode()),
        ("ce_type", e.type.encode()),
        ("ce_subject", key),
        ("ce_time", e.time.encode()),
        _CONTENT_TYPE,
        ("ce_dataschema", e.dataschema.encode()),
        ("ce_organisation", e.organisation.encode()),
        ("ce_feedseq", b"%d" % e.feedseq),
        ("ce_prevhash", e.prevhash.encode()),
        ("ce_correlationid", e.correlationid.encode()),
    ]
    if e.causationid is not None:
        headers.append(("ce_causationid", e.causationid.encode()))
    if e.traceparent is not None:
        headers.append(("ce_traceparent", e.traceparent.encode()))
    headers.append((EPOCH_HEADER, b"%d" % epoch))
    return Record(key, e.data, headers)


class Encoded(Sequence[Record]):
    """The records of numbered events, each made when it is asked for: thousands at once would only lie in memory."""

    def __init__(self, envelopes: Sequence[Envelope], epoch: int) -> None:
        self._envelopes = envelopes
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._envelopes)

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        if isinstance(index, slice):
            return [encode(envelope, self._epoch) for envelope in self._envelopes[index]]
        return encode(self._envelopes[index], self._epoch)

    def __iter__(self) -> Iterator[Record]:
        return (encode(envelope, self._epoch) for envelope in self._envelopes)


def encode_unnumbered(
    body: Opened | Heartbeat, *, identifier: str, source: str, organisation: str, time: str, epoch: int
) -> Record:
    """Return the record of a `feed.opened.v1` or `feed.heartbeat.v1`; its key is the feed's own source."""
    attributes = {
        "specversion": SPECVERSION,
        "id": identifier,
        "source": source,
        "type": OPENED if isinstance(body, Opened) else HEARTBEAT,
        "subject": source,
        "time": time,
        "datacontenttype": CONTENT_TYPE,
        "organisation": organisation,
    }
    return _binary(attributes, source, msgspec.json.encode(body), epoch)


def _binary(attributes: dict[str, str], key: str, data: bytes, epoch: int) -> Record:
    headers: Headers = [
        (CONTENT_TYPE_HEADER if name == "datacontenttype" else f"ce_{name}", text.encode())
        for name, text in attributes.items()
    ]
    headers.append((EPOCH_HEADER, str(epoch).encode()))
    return Record(key.encode(), data, headers)


def attributes_in(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """Return the CloudEvents attributes that the headers carry.

    Raises:
        Malformed: A header stands twice or is not text.
    """
    if not headers or headers[-1][0] != EPOCH_HEADER:
        return _any_attributes_in(headers)
    try:  # nearly every record: the platform's own attributes, each once, and then its relay's epoch
        known = {_ATTRIBUTE_OF[name]: (raw or b"").decode() for name, raw in headers if name != EPOCH_HEADER}
    except (KeyError, UnicodeDecodeError):
        return _any_attributes_in(headers)
    return known if len(known) == len(headers) - 1 else _any_attributes_in(headers)


def _any_attributes_in(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, raw in headers:
        attribute = _ATTRIBUTE_OF.get(name) or name.removeprefix("ce_")
        if attribute == name:
            continue
        if attribute in found:
            raise Malformed("a header stands twice")
        try:
            found[attribute] = (raw or b"").decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("a header is not text") from None
    return found


def epoch_of(headers: Sequence[tuple[str, bytes | None]]) -> int | None:
    """Return the epoch of the relay that sent the record, None where the header is absent or no number."""
    for name, raw in headers:
        if name == EPOCH_HEADER and raw is not None and raw.isdigit() and len(raw) < 17:
            return int(raw)
    return None


def decode(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> Envelope:
    """Return the numbered event that a record carries; the data is not looked into.

    Raises:
        Malformed: It carries none; the text says what is wrong and quotes nothing.
    """
    return envelope_from(key, value, attributes_in(headers))


def envelope_from(key: bytes | None, value: bytes | None, found: dict[str, str]) -> Envelope:
    """Return the numbered event made of a record's key, value and attributes (`attributes_in`).

    Raises:
        Malformed: It is none.
    """
    if key is None or value is None:
        raise Malformed("key or value is missing")
    missing = REQUIRED - found.keys()
    if missing:
        raise Malformed(f"attributes are missing: {', '.join(sorted(missing))}")
    if found["specversion"] != SPECVERSION or found.get("datacontenttype") != CONTENT_TYPE:
        raise Malformed("this is not CloudEvents 1.0 with JSON data")
    if key != found["subject"].encode():
        raise Malformed("the key is not the envelope's aggregate")
    number = found["feedseq"]
    if not (number.isascii() and number.isdigit() and len(number) < 17 and 0 < int(number) <= LARGEST_NUMBER):
        raise Malformed("feedseq is no number")
    return Envelope(
        id=found["id"],
        source=found["source"],
        type=found["type"],
        subject=found["subject"],
        time=found["time"],
        dataschema=found.get("dataschema", ""),
        organisation=found["organisation"],
        feedseq=int(number),
        prevhash=found["prevhash"],
        correlationid=found["correlationid"],
        causationid=found.get("causationid"),
        traceparent=found.get("traceparent"),
        data=value,
    )


def decode_unnumbered(value: bytes | None, found: dict[str, str]) -> Opened | Heartbeat | None:
    """Return what an opening or heartbeat says, None when the record is neither.

    Args:
        value: The record's value.
        found: Its attributes (`attributes_in`).

    Raises:
        Malformed: It claims to be one and cannot be read.
    """
    kind = found.get("type")
    if kind not in UNNUMBERED:
        return None
    try:
        if kind == OPENED:
            return msgspec.json.decode(value or b"", type=Opened)
        return msgspec.json.decode(value or b"", type=Heartbeat)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("an opening or heartbeat cannot be read") from None


class _Structured(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    specversion: str
    datacontenttype: str
    data: msgspec.Raw


def structured(envelope: Envelope) -> bytes:
    """Return the event as one JSON object (CloudEvents structured mode); its data stand in it byte for byte."""
    members: dict[str, object] = dict(attributes_of(envelope))
    members["feedseq"] = envelope.feedseq
    members["data"] = msgspec.Raw(envelope.data)
    return msgspec.json.encode(members)


def from_structured(raw: bytes) -> Envelope:
    """Return the numbered event that a structured CloudEvent is; its data keep their bytes, so its hash is the same.

    Raises:
        Malformed: It is none.
    """
    try:
        found = msgspec.json.decode(raw, type=_Structured)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("this is no structured event") from None
    if found.specversion != SPECVERSION or found.datacontenttype != CONTENT_TYPE or found.feedseq < 1:
        raise Malformed("this is not CloudEvents 1.0 with JSON data")
    members = {name: getattr(found, name) for name in Envelope.__struct_fields__}
    return Envelope(**{**members, "data": bytes(found.data)})
