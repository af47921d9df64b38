"""The mass of what is written in a term: pieces of evidence, one after the other, into people's portfolios.

Whoever was nominated by a load comes here; once their portfolio is open it is filled a piece at a time, everybody in
turn. No HTTP stands here but what a piece is: the load asks, with its own patience, and notes what came of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

PIECES_EACH = 20
"""How many pieces a portfolio gets before its owner is left alone."""
OPENED_AFTER_SECONDS = 3.0
"""When to look for a portfolio, after the nomination and after each time that it was not there yet."""
EVIDENCE = "evidence"
DOMAINS = ("professionalism", "diversity", "knowledge", "critical_reflection_and_analysis", "intervention_and_skills")
_MARK = "w"
"""Begins the reference of every piece that comes from here."""


@dataclass(slots=True)
class Collector:
    """Somebody with a seat, and how many pieces their portfolio was sent."""

    employer: str
    enrolment_id: str
    looked_at: float
    is_open: bool = False
    pieces: int = 0

    def label(self) -> str:
        """Return the name of the newest piece among all pieces of all portfolios."""
        return label_of(self.enrolment_id, self.ref())

    def ref(self) -> str:
        """Return the reference of the newest piece in its portfolio."""
        return f"{_MARK}{self.pieces}"

    def piece(self) -> dict[str, object]:
        """Return the newest piece as it is sent."""
        item = {
            "ref": self.ref(),
            "kind": "work_product",
            "author_role": "practitioner",
            "author_ref": None,
            "made_on": "2026-01-20",
            "domains": [DOMAINS[self.pieces % len(DOMAINS)]],
            "level": "SW",
        }
        return {"items": [item]}


class Collectors:
    """Everybody whose portfolio is filled. Safe to share by threads; one thread at a time has a person."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._waiting: deque[Collector] = deque()
        self._open: deque[Collector] = deque()
        self._lock = threading.Lock()

    def add(self, employer: str, enrolment_id: str) -> None:
        """Take somebody in who was nominated."""
        with self._lock:
            self._waiting.append(Collector(employer, enrolment_id, self._monotonic()))

    def take(self) -> Collector | None:
        """Return whoever is next, None when there is nobody; to be given back.

        One whose portfolio is not known to be open has waited long enough to be looked at again.
        """
        with self._lock:
            if self._waiting and self._monotonic() - self._waiting[0].looked_at >= OPENED_AFTER_SECONDS:
                return self._waiting.popleft()
            return self._open.popleft() if self._open else None

    def give_back(self, who: Collector) -> None:
        """Let somebody have another turn, unless theirs is full."""
        with self._lock:
            if not who.is_open:
                who.looked_at = self._monotonic()
                self._waiting.append(who)
            elif who.pieces < PIECES_EACH:
                self._open.append(who)

    def count(self) -> int:
        """Return how many there are that are nobody's just now."""
        with self._lock:
            return len(self._open) + len(self._waiting)

    def count_open(self) -> int:
        """Return how many have an open portfolio, and are nobody's just now."""
        with self._lock:
            return len(self._open)


def label_of(enrolment_id: str, ref: str) -> str:
    """Return the name of a piece among all pieces of all portfolios."""
    return f"{enrolment_id}/{ref}"


def is_ours(ref: str) -> bool:
    """Say whether a piece was sent from here."""
    return ref.startswith(_MARK)
