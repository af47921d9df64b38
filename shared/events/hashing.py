"""The feed's hash chain: SHA-256 over a fixed list of attributes and the data bytes.

The encoding is length-prefixed, so that no two events share one; an absent attribute differs from an empty one.
`shared/contracts/hash-vectors.json` holds test vectors for other implementations. This file never changes what it
computes: another encoding would be another feed version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from shared.events.envelope import CONTENT_TYPE, SPECVERSION, Envelope

FIRST_LINE: Final = b"teaching-partnership feed v1\n"
ATTRIBUTES: Final = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "organisation",
    "feedseq",
    "prevhash",
    "correlationid",
    "causationid",
    "traceparent",
)
_BEGINNING: Final = f"{FIRST_LINE.decode()}specversion={len(SPECVERSION)}:{SPECVERSION}\n"
_CONTENT_TYPE_LINE: Final = f"datacontenttype={len(CONTENT_TYPE)}:{CONTENT_TYPE}\n"


def attributes_of(envelope: Envelope) -> dict[str, str]:
    """Return the CloudEvents attributes that are present, in the order of `ATTRIBUTES`, as the texts that are sent."""
    texts: dict[str, str | None] = {
        "specversion": SPECVERSION,
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": envelope.time,
        "datacontenttype": CONTENT_TYPE,
        "dataschema": envelope.dataschema,
        "organisation": envelope.organisation,
        "feedseq": str(envelope.feedseq),
        "prevhash": envelope.prevhash,
        "correlationid": envelope.correlationid,
        "causationid": envelope.causationid,
        "traceparent": envelope.traceparent,
    }
    return {name: text for name, text in texts.items() if text is not None}


def hashed_bytes(envelope: Envelope) -> bytes:
    """Return exactly the bytes that are hashed: a first line, one line per attribute, then the data."""
    return b"%sdata=%d:%s" % (_attribute_lines(envelope), len(envelope.data), envelope.data)


def hash_of(envelope: Envelope) -> str:
    """Return the event's hash, 64 lower-case hexadecimal digits; it is the next event's `prevhash`."""
    return hashlib.sha256(hashed_bytes(envelope)).hexdigest()


def _attribute_lines(envelope: Envelope) -> bytes:
    """Return what stands before the data. Written out, for every event of every feed passes here at both ends.

    Lengths are those of bytes, which are the characters' number only where all are ASCII; else it is told in full.
    """
    e, number = envelope, str(envelope.feedseq)
    causation = "causationid=-" if e.causationid is None else f"causationid={len(e.causationid)}:{e.causationid}"
    trace = "traceparent=-" if e.traceparent is None else f"traceparent={len(e.traceparent)}:{e.traceparent}"
    text = (
        f"{_BEGINNING}id={len(e.id)}:{e.id}\nsource={len(e.source)}:{e.source}\ntype={len(e.type)}:{e.type}\n"
        f"subject={len(e.subject)}:{e.subject}\ntime={len(e.time)}:{e.time}\n{_CONTENT_TYPE_LINE}"
        f"dataschema={len(e.dataschema)}:{e.dataschema}\norganisation={len(e.organisation)}:{e.organisation}\n"
        f"feedseq={len(number)}:{number}\nprevhash={len(e.prevhash)}:{e.prevhash}\n"
        f"correlationid={len(e.correlationid)}:{e.correlationid}\n{causation}\n{trace}\n"
    )
    return text.encode() if text.isascii() else _told_in_full(envelope)


def _told_in_full(envelope: Envelope) -> bytes:
    present = attributes_of(envelope)
    parts = [FIRST_LINE]
    for name in ATTRIBUTES:
        text = present.get(name)
        if text is None:
            parts.append(b"%s=-\n" % name.encode())
        else:
            raw = text.encode()
            parts.append(b"%s=%d:%s\n" % (name.encode(), len(raw), raw))
    return b"".join(parts)


def first_break(envelopes: Iterable[Envelope], number: int, head: str) -> int | None:
    """Return the number of the first event that does not continue the chain, or None.

    Args:
        envelopes: The events in order.
        number: The number of the event before the first of them (0 at the beginning).
        head: That event's hash.
    """
    for envelope in envelopes:
        if envelope.feedseq != number + 1 or envelope.prevhash != head:
            return number + 1
        number, head = envelope.feedseq, hash_of(envelope)
    return None
