"""Erases a person on the running local platform, as an operator would with the employer's signed instruction."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from environs import Env

from shared.clock import Clock
from shared.errors import Conflict, Unavailable
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.local.platform import RUNNING_FILE
from shared.process.settings import LOCAL

TIMEOUT_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 120.0
ANSWERS_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.5
NOT_HERE: Final = (
    "nothing runs here. Start it with make up; on any other installation ask enrolment over HTTP with an operator's "
    'token: POST /v1/organisations/ORG/practitioners/ID/erase {"basis": ...} begins it, '
    "GET /v1/organisations/ORG/erasures/ERASURE says how far it is and who has answered"
)


class Receipt(msgspec.Struct, frozen=True):
    """What a service answered."""

    by: str
    outcome: str
    reason_code: str | None = None


class Erasure(msgspec.Struct, frozen=True):
    """How far an erasure is."""

    id: str
    state: str
    receipts: list[Receipt]
    missing: list[str]


def erase_person(
    state: Path, organisation: str, practitioner: str, basis: str, clock: Clock, *, say: Callable[[str], None]
) -> Erasure:
    """Ask for the erasure, wait until it is done and for a while until everybody has answered; return how it stands.

    Raises:
        Unavailable: Nothing runs from `state`, or enrolment does not answer.
        Conflict: Enrolment refuses; the message is its own.
    """
    try:
        told = json.loads((state / RUNNING_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise Unavailable(NOT_HERE) from error
    issuer = LocalIssuer(state / "keys", Env().str("PROFILE", LOCAL), clock, new_identifier)
    token = issuer.mint(organisation, ("operator",), getpass.getuser(), "enrolment")
    base = f"{told['services']['enrolment']}/v1/organisations/{organisation}"
    door = Door(base, {"Authorization": f"Bearer {token}", "Idempotency-Key": new_identifier()})
    asked = door.ask("POST", f"practitioners/{practitioner}/erase", json={"basis": basis})
    say(f"erasure {asked.id} is {asked.state}")
    until = clock.monotonic() + PATIENCE_SECONDS
    while asked.state == "running" and clock.monotonic() < until:
        clock.sleep(POLL_SECONDS)
        asked = door.ask("GET", f"erasures/{asked.id}")
    until = clock.monotonic() + ANSWERS_SECONDS
    while asked.missing and clock.monotonic() < until:
        clock.sleep(POLL_SECONDS)
        asked = door.ask("GET", f"erasures/{asked.id}")
    return asked


class Door:
    """Enrolment's door for one organisation."""

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self._base = base
        self._headers = headers

    def ask(self, method: str, path: str, **sent: Any) -> Erasure:  # noqa: ANN401 - as httpx takes it
        """Return the erasure that enrolment answers with."""
        try:
            reply = httpx.request(
                method, f"{self._base}/{path}", headers=self._headers, timeout=TIMEOUT_SECONDS, **sent
            )
        except httpx.TransportError as error:
            raise Unavailable("enrolment does not answer") from error
        if not reply.is_success:
            raise Conflict(f"enrolment refuses ({reply.status_code}): {reply.json().get('detail', '')}")
        return msgspec.json.decode(reply.content, type=Erasure)
