"""Closes a publication of the board's tables on the running local platform, as the board's officer would."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
from environs import Env

from shared.clock import SystemClock
from shared.errors import Conflict, Unavailable
from shared.identifiers import new_identifier
from shared.local.issuer import LocalIssuer
from shared.local.platform import RUNNING_FILE
from shared.partnership import load
from shared.process.settings import LOCAL

TIMEOUT_SECONDS = 30.0


def close_publication(state: Path, title: str) -> str:
    """Return the id of the publication that was closed.

    Raises:
        Unavailable: nothing runs from `state`, or reporting does not answer.
        Conflict: reporting refuses; the message is its own.
    """
    try:
        told = json.loads((state / RUNNING_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        raise Unavailable("nothing runs here: start it with make up") from error
    board = load(Path(told["environment"]["PARTNERSHIP_FILE"])).board
    issuer = LocalIssuer(state / "keys", Env().str("PROFILE", LOCAL), SystemClock(), new_identifier)
    token = issuer.mint(board, ("board",), "board-desk", "reporting")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_identifier()}
    address = f"{told['services']['reporting']}/v1/organisations/{board}/publications"
    try:
        reply = httpx.post(address, json={"title": title}, headers=headers, timeout=TIMEOUT_SECONDS)
    except httpx.TransportError as error:
        raise Unavailable("reporting does not answer") from error
    if reply.status_code != httpx.codes.CREATED:
        raise Conflict(f"reporting refuses ({reply.status_code}): {reply.text}")
    return str(reply.json()["id"])
