"""The public doors: HTTP as one role of one organisation, with patience.

A call that meets a restarting process is made again with the same Idempotency-Key, as any careful partner would.
No knowledge of the term stands here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx

from shared.clock import Clock
from shared.identifiers import new_identifier

T = TypeVar("T")
Body = Mapping[str, Any]

_TOKEN_LIFE_SECONDS = 240.0
_PATIENCE_SECONDS = 150.0
_PAUSE_SECONDS = 0.25
_TRY_AGAIN = frozenset({408, 425, 429, 502, 503, 504})


class PlayError(Exception):
    """The play cannot go on; the text says which door answered what."""


class Platform(Protocol):
    """What the play needs of the running platform: addresses, tokens, the intake's broker."""

    def url(self, service: str) -> str:
        """Return the base URL of a service's API."""

    def mint(self, organisation: str, role: str, subject: str, audience: str) -> str:
        """Return a token for one person of an organisation, for one service."""

    @property
    def kafka_bootstrap(self) -> str:
        """Return host:port of the broker, for the intake topics."""

    def kafka_config(self, organisation: str) -> Mapping[str, object]:
        """Return how an organisation's HR system connects to the broker where that is not in the clear."""

    def memory_bytes(self) -> int:
        """Return the memory of all processes together."""

    def metrics_url(self, service: str, part: str) -> str:
        """Return the address of the metrics of a service's part."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door answered: its status and its JSON (or None)."""

    status: int
    body: Any

    @property
    def slug(self) -> str:
        """Return the last part of the problem's type, empty where the answer is no problem."""
        kind = self.body.get("type", "") if isinstance(self.body, dict) else ""
        return str(kind).replace("/", ":").rsplit(":", 1)[-1]


class Doors:
    """Every door of the platform, opened with the right person's token each time."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock
        self._tokens: dict[tuple[str, str, str, str], tuple[float, str]] = {}
        self._lock = threading.Lock()
        self._client = httpx.Client(timeout=30.0, limits=httpx.Limits(max_keepalive_connections=0))
        self.calls = 0
        self.retries = 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def as_(self, service: str, organisation: str, role: str, subject: str | None = None) -> Caller:
        """Return the doors of one service as one person sees them; without `subject` a desk of that role."""
        return Caller(self, service, organisation, role, subject or f"{role}-desk")

    def token(self, service: str, organisation: str, role: str, subject: str) -> str:
        """Return a token that still lives for a while."""
        wanted = (service, organisation, role, subject)
        with self._lock:
            held = self._tokens.get(wanted)
            if held is None or held[0] < self._clock.monotonic():
                minted = self._platform.mint(organisation, role, subject, service)
                held = (self._clock.monotonic() + _TOKEN_LIFE_SECONDS, minted)
                self._tokens[wanted] = held
        return held[1]

    def send(self, caller: Caller, method: str, path: str, **content: Any) -> Answer:  # noqa: ANN401 - httpx's own
        """Return the answer of one door; tries again while nobody answers.

        Raises:
            PlayError: when no process answered for two and a half minutes.
        """
        headers = dict(content.pop("headers", {}))
        if method == "POST":
            headers.setdefault("Idempotency-Key", new_identifier())
        deadline = self._clock.monotonic() + _PATIENCE_SECONDS
        while True:
            answer = self._once(caller, method, path, headers, content)
            if answer is not None:
                return answer
            if self._clock.monotonic() > deadline:
                raise PlayError(f"{method} {path}: {caller.service} did not answer; see .local/logs")
            self.retries += 1
            self._clock.sleep(_PAUSE_SECONDS)

    def _once(
        self, caller: Caller, method: str, path: str, headers: Mapping[str, str], content: Mapping[str, Any]
    ) -> Answer | None:
        token = self.token(caller.service, caller.organisation, caller.role, caller.subject)
        url = self._platform.url(caller.service) + path
        self.calls += 1
        try:
            reply = self._client.request(
                method, url, headers={**headers, "Authorization": f"Bearer {token}"}, **content
            )
        except httpx.TransportError:
            return None
        if reply.status_code in _TRY_AGAIN:
            return None
        is_json = "json" in reply.headers.get("content-type", "")
        answer = Answer(reply.status_code, reply.json() if is_json and reply.content else None)
        return None if answer.slug == "concurrent-change" else answer

    def until(self, what: str, question: Callable[[], T | None], seconds: float = _PATIENCE_SECONDS) -> T:
        """Return the first answer of `question` that is something (not None, False or empty), asking again and again.

        Raises:
            PlayError: naming `what` was waited for.
        """
        deadline = self._clock.monotonic() + seconds
        pause = 0.03
        while True:
            answer = question()
            if answer:
                return answer
            if self._clock.monotonic() > deadline:
                raise PlayError(f"waited {seconds:.0f} s for {what}; see .local/logs and the services' /v1/freshness")
            self._clock.sleep(pause)
            pause = min(pause * 1.5, 0.5)


@dataclass(frozen=True, slots=True)
class Caller:
    """One person before one service's doors."""

    doors: Doors
    service: str
    organisation: str
    role: str
    subject: str

    def path(self, rest: str, organisation: str | None = None) -> str:
        """Return the path of an organisation's resource; the caller's own without `organisation`."""
        return f"/v1/organisations/{organisation or self.organisation}/{rest}"

    def ask(self, method: str, path: str, **content: Any) -> Answer:  # noqa: ANN401 - httpx's own
        """Return whatever the door answers."""
        return self.doors.send(self, method, path, **content)

    def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of a GET that must succeed."""
        return self.good("GET", path, self.ask("GET", path, params=query))

    def post(self, path: str, body: Body) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of a POST that must succeed."""
        return self.good("POST", path, self.ask("POST", path, json=body))

    def put(self, path: str, body: Body) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of a PUT that must succeed."""
        return self.good("PUT", path, self.ask("PUT", path, json=body))

    def pages(self, path: str, **query: str | int) -> Iterator[Any]:
        """Yield every item of a list, page by page."""
        after: str | None = None
        while True:
            asked: dict[str, str | int] = {**query, "limit": 200, **({"after": after} if after else {})}
            page = self.get(path, **asked)
            yield from page["items"]
            after = page.get("next")
            if not after:
                return

    def good(self, method: str, path: str, answer: Answer) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of an answer that must be a success.

        Raises:
            PlayError: with the door, the role, the status and the problem's own words.
        """
        if answer.status >= 400:
            body = answer.body if isinstance(answer.body, dict) else {}
            raise PlayError(
                f"{method} {path} as {self.role} of {self.organisation}: {answer.status} {answer.slug} "
                f"{body.get('detail', '')} {body.get('errors', '')}"
            )
        return answer.body
