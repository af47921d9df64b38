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
    present = attributes_of(envelope)
    parts = [FIRST_LINE]
    for name in ATTRIBUTES:
        text = present.get(name)
        if text is None:
            parts.append(b"%s=-\n" % name.encode())
        else:
            raw = text.encode()
            parts.append(b"%s=%d:%s\n" % (name.encode(), len(raw), raw))
    parts.append(b"data=%d:" % len(envelope.data))
    parts.append(envelope.data)
    return b"".join(parts)


def hash_of(envelope: Envelope) -> str:
    """Return the event's hash, 64 lower-case hexadecimal digits; it is the next event's `prevhash`."""
    return hashlib.sha256(hashed_bytes(envelope)).hexdigest()


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
