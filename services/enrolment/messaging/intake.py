"""What an HR system writes onto its intake topic, read strictly; garbage is parked without a word of its content."""

from __future__ import annotations

from services.enrolment.application import intake_handlers
from services.enrolment.application.ports import OpenDesk
from services.enrolment.domain.text_files import strict_json
from shared.errors import Malformed
from shared.storage.unit_of_work import Work


def read_message(value: bytes | None) -> tuple[str, object]:
    """Return (record_ref, record) of an intake message.

    Raises:
        Malformed: It is not `{"record_ref": text, "record": {...}}`; nothing of it is repeated.
    """
    if value is None:
        raise Malformed("an intake message without content")
    try:
        message = strict_json(value)
    except (ValueError, UnicodeDecodeError) as error:
        raise Malformed("an intake message that is not JSON") from error
    if not isinstance(message, dict) or set(message) != {"record_ref", "record"}:
        raise Malformed("an intake message has record_ref and record, and nothing else")
    record_ref = message["record_ref"]
    if not isinstance(record_ref, str) or not record_ref.strip():
        raise Malformed("an intake message without a reference")
    return record_ref.strip(), message["record"]


class IntakeDoor:
    """Answers intake messages at the desk of the employer whose topic it is."""

    def __init__(self, open_desk: OpenDesk) -> None:
        self._open_desk = open_desk

    def __call__(self, work: Work, _key: bytes | None, value: bytes | None, _offset: int) -> None:
        """Answer one message, inside the transaction that also moves the topic's position."""
        record_ref, record = read_message(value)
        intake_handlers.answer(self._open_desk(work), record_ref, record)
