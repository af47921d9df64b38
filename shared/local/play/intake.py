"""An HR system at the intake topic: sends records, reads its answers, sends again what stays unanswered.

That is all a partner's HR system has to do; the promise of exactly one answer is the platform's.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from shared.clock import Clock
from shared.local.play.doors import PlayError

_SEND_AGAIN_SECONDS = 8.0
_PATIENCE_SECONDS = 150.0
_QUIET_SECONDS = 0.5
_CONNECT_SECONDS = 15.0


class IntakeAnswer(msgspec.Struct, frozen=True):
    """One answer as the HR system reads it; the rest of the record is not its business here."""

    record_ref: str
    duplicate: bool = False
    codes: list[str] = []
    kind: str = ""

    @property
    def decision(self) -> str:
        """Return `accepted`, `duplicate` or `refused`."""
        if self.kind in ("enrolment.record-refused.v1", "enrolment.record-ineligible.v1"):
            return "refused"
        return "duplicate" if self.duplicate else "accepted"


@dataclass(frozen=True, slots=True)
class Sent:
    """One line of the file: its number, its reference, the bytes as they stand in the file, and what they name."""

    line: int
    record_ref: str
    value: bytes
    names: dict[str, str]


def read_lines(path: Path) -> list[Sent]:
    """Return the records of an intake file in order; empty lines are skipped but counted."""
    sent = []
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        if raw.strip():
            message = json.loads(raw)
            names = {
                name: _as_text(message["record"].get(name)) for name in ("employee_ref", "course", "intake", "route")
            }
            sent.append(Sent(line=number, record_ref=str(message["record_ref"]), value=raw, names=names))
    return sent


def _as_text(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what a person would call the value: trimmed, a whole number without decimals, empty as None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else value


def answers_wanted(records: list[Sent]) -> dict[str, int]:
    """Return how many answers each reference must get: one for each different record sent under it."""
    different: dict[str, set[bytes]] = defaultdict(set)
    for record in records:
        different[record.record_ref].add(_content(record))
    return {reference: len(contents) for reference, contents in different.items()}


def _content(record: Sent) -> bytes:
    return json.dumps(json.loads(record.value)["record"], sort_keys=True).encode()


class HrSystem:
    """One employer's HR system: a producer to `in.<org>` and a reader of `out.<org>`."""

    def __init__(
        self, bootstrap: str, organisation: str, clock: Clock, config: Mapping[str, object] | None = None
    ) -> None:
        self._broker = {**(config or {}), "bootstrap_servers": bootstrap}
        self._in = f"in.{organisation}.enrolment.v1"
        self._out = f"out.{organisation}.enrolment.v1"
        self._clock = clock

    def send_all(self, records: list[Sent]) -> dict[str, list[IntakeAnswer]]:
        """Return every answer by reference, in the order of the answers, once each different record has one.

        A reference that holds somebody's number is answered under its SHA-256: it is put back here.

        Raises:
            PlayError: when records stay unanswered for two and a half minutes.
        """
        deadline = self._clock.monotonic() + _PATIENCE_SECONDS
        wanted = answers_wanted(records)
        hashed = {f"sha256-{hashlib.sha256(name.encode()).hexdigest()}": name for name in wanted}
        answers: dict[str, list[IntakeAnswer]] = {}
        self._send(records)
        sent_at = self._clock.monotonic()
        while left := {name for name, count in wanted.items() if len(answers.get(name, ())) < count}:
            if self._clock.monotonic() > deadline:
                raise PlayError(f"{len(left)} references on {self._in} stay unanswered; see .local/logs")
            self._clock.sleep(0.2)
            answers = {hashed.get(name, name): found for name, found in self.answers().items()}
            if self._clock.monotonic() - sent_at > _SEND_AGAIN_SECONDS:
                self._send([record for record in records if record.record_ref in left])
                sent_at = self._clock.monotonic()
        return answers

    def answers(self) -> dict[str, list[IntakeAnswer]]:
        """Return every answer on the topic by reference; an event that was published twice counts once."""
        seen: dict[str, IntakeAnswer] = {}
        try:
            consumer = KafkaConsumer(
                **self._broker,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                fetch_max_wait_ms=20,
            )
        except KafkaError:
            return {}
        try:
            partition = TopicPartition(self._out, 0)
            consumer.assign([partition])
            began = quiet_since = self._clock.monotonic()
            while self._clock.monotonic() - quiet_since < _QUIET_SECONDS:
                if consumer.highwater(partition) is None and self._clock.monotonic() - began < _CONNECT_SECONDS:
                    quiet_since = self._clock.monotonic()  # nothing was asked yet: who logs in takes a while
                for record in consumer.poll(timeout_ms=100).get(partition, ()):
                    quiet_since = self._clock.monotonic()
                    headers = {name: value.decode() for name, value in record.headers}
                    kind = headers.get("ce_type", "")
                    if kind.startswith("enrolment.record-"):
                        read = msgspec.json.decode(record.value, type=IntakeAnswer)
                        seen[headers["ce_id"]] = msgspec.structs.replace(read, kind=kind)
        except KafkaError:
            return {}
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)
        answers: dict[str, list[IntakeAnswer]] = defaultdict(list)
        for answer in seen.values():
            answers[answer.record_ref].append(answer)
        return dict(answers)

    def _send(self, records: list[Sent]) -> None:
        producer: Any = None
        try:
            producer = KafkaProducer(**self._broker, allow_auto_create_topics=False, max_block_ms=10_000)
            acknowledgements = [
                producer.send(self._in, key=record.record_ref.encode(), value=record.value, partition=0)
                for record in records
            ]
            producer.flush(timeout=15)
            for acknowledgement in acknowledgements:
                acknowledgement.get(timeout=15)
        except KafkaError:
            return  # what was not taken stays unanswered, and is sent again
        finally:
            if producer is not None:
                producer.close(timeout=1)


def decisions(records: list[Sent], answers: dict[str, list[IntakeAnswer]]) -> list[tuple[Sent, str, list[str]]]:
    """Return (record, decision, codes) line by line; the same record sent again gets no answer and is a `repeat`."""
    left = {reference: list(found) for reference, found in answers.items()}
    seen: set[tuple[str, bytes]] = set()
    decided: list[tuple[Sent, str, list[str]]] = []
    for record in records:
        known = (record.record_ref, _content(record))
        queue = left.get(record.record_ref, [])
        if known in seen or not queue:
            decided.append((record, "repeat", []))
            continue
        seen.add(known)
        answer = queue.pop(0)
        decided.append((record, answer.decision, list(answer.codes)))
    return decided
