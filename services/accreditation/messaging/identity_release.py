"""The door through which an employer releases a candidate's identity to the university, one person at a time.

HTTPS from service to service with the university's own token. What comes back is handed on and never logged; what
goes wrong is told by a word, never by the answer's text.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
import structlog

from services.accreditation.application.ports import Release
from services.accreditation.domain.people import Identity
from shared.errors import Malformed

AUDIENCE: Final = "enrolment"
PURPOSE: Final = "registration"
TIMEOUT_SECONDS: Final = 5.0
MOST_BYTES: Final = 65_536
OK: Final = 200

log = structlog.get_logger(__name__)


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """The employer's answer; fields that the university has no need of are not read."""

    registration_number: str
    given_name: str | None = None
    family_name: str | None = None


class EmployersDoor:
    """Asks each candidate's employer, at the address that this instance knows for it.

    Args:
        base_of: The base address of an employer's enrolment service, or None when this instance knows none.
        token_for: A token of the asking university for the enrolment service.
    """

    def __init__(self, base_of: Callable[[str], str | None], token_for: Callable[[str, str], str]) -> None:
        self._base_of = base_of
        self._token_for = token_for

    def fetch(self, asking: str, release: Release) -> Identity | None:
        """Return what the employer releases to `asking`, or None when it does not, or not now."""
        base = self._base_of(release.employer)
        if base is None:
            self._tell(release, "no-address")
            return None
        path = f"/v1/organisations/{quote(release.employer)}/practitioners/{quote(release.practitioner_id)}/identity"
        try:
            status, body = self._get(base, f"{path}?purpose={PURPOSE}", self._token_for(asking, AUDIENCE))
            found = msgspec.json.decode(body, type=Released) if status == OK else None
        except (OSError, http.client.HTTPException, ValueError, Malformed) as error:
            self._tell(release, type(error).__name__)
            return None
        if found is None:
            self._tell(release, str(status))
            return None
        return Identity(
            registration_number=found.registration_number,
            given_name=found.given_name,
            family_name=found.family_name,
        )

    def _get(self, base: str, target: str, token: str) -> tuple[int, bytes]:
        """Return status and body. No redirects and no proxies: the token goes to that address only."""
        address = urlsplit(base)
        connection = self._connection(address.scheme, address.netloc)
        try:
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            connection.request("GET", address.path.rstrip("/") + target, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(MOST_BYTES)
        finally:
            connection.close()

    def _connection(self, scheme: str, place: str) -> http.client.HTTPConnection:
        if scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(place, timeout=TIMEOUT_SECONDS, context=context)
        return http.client.HTTPConnection(place, timeout=TIMEOUT_SECONDS)

    def _tell(self, release: Release, reason: str) -> None:
        log.info("identity.not_released", employer=release.employer, reason=reason, attempts=release.attempts)
