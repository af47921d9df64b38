"""The daily e-mail of what waits: one per role and day, its text (counts and a link, nobody's data), what became of it.

States: due -> sending -> sent | due again | given_up | doubtful. Doubtful: it was being handed over when the worker or
the connection broke, so the server may have it. It is not sent again: one notice too few is made good by the next
day's, one too many cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from services.enrolment.domain.tasks import Standing

DUE = "due"
SENDING = "sending"
SENT = "sent"
GIVEN_UP = "given_up"
DOUBTFUL = "doubtful"
STATES = (DUE, SENDING, SENT, GIVEN_UP, DOUBTFUL)
FAILED = (GIVEN_UP, DOUBTFUL)
UNFINISHED = (DUE, SENDING)

NIGHT = timedelta(hours=7)
"""How long of a day in England passes first: a digest at midnight tells of a day that nobody has begun."""
MOST_TRIES = 5
FIRST_PAUSE = timedelta(minutes=5)
LEASE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """To which addresses an organisation has its roles' digests sent: role -> addresses; none means no e-mail."""

    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One kind of task in a digest."""

    kind: str
    title: str
    count: int
    is_more: bool
    oldest: date | None


@dataclass(frozen=True, slots=True)
class Notice:
    """One role's digest of one day. Addresses are read when it is sent and never kept here."""

    notice_id: str
    role: str
    day: date
    lines: tuple[NoticeLine, ...]
    message_id: str
    next_try: datetime
    state: str = DUE
    tries: int = 0
    version: int = 1


def notice_id(day: date, role: str) -> str:
    """Return the id that makes a second digest of the same role and day impossible."""
    return f"{day.isoformat()}:{role}"


def compose(role: str, day: date, standings: Sequence[Standing], message_id: str, now: datetime) -> Notice | None:
    """Return the digest, None where nothing waits: an e-mail without a task is one that nobody reads the next time."""
    lines = tuple(
        NoticeLine(one.kind.name, one.kind.title, one.count, one.is_more, one.oldest) for one in standings if one.count
    )
    return Notice(notice_id(day, role), role, day, lines, message_id, now) if lines else None


def text_of(notice: Notice, link: str) -> tuple[str, str]:
    """Return subject and text: counts, ages and one link."""
    things = sum(line.count for line in notice.lines)
    subject = f"{things} {'task' if things == 1 else 'tasks'} waiting on {notice.day.isoformat()}"
    lines = [
        f"- {line.title}: {'more than ' if line.is_more else ''}{line.count}{_age(line, notice.day)}"
        for line in notice.lines
    ]
    end = "This message names nobody on purpose. You get it because your organisation set this address for its digests."
    return subject, "\n".join(["Waiting for you:", "", *lines, "", link, "", end, ""])


def _age(line: NoticeLine, day: date) -> str:
    days = 0 if line.oldest is None else (day - line.oldest).days
    return f" (the oldest for {days} {'day' if days == 1 else 'days'})" if days > 0 else ""


def is_due(notice: Notice, now: datetime) -> bool:
    """Return whether it is time to hand the notice over."""
    return notice.state == DUE and notice.next_try <= now


def is_abandoned(notice: Notice, now: datetime) -> bool:
    """Return whether a worker began to hand it over and did not say how that ended."""
    return notice.state == SENDING and notice.next_try <= now


def claimed(notice: Notice, now: datetime) -> Notice:
    """Return the notice in one worker's hands."""
    return replace(notice, state=SENDING, tries=notice.tries + 1, next_try=now + LEASE)


def not_taken(notice: Notice, now: datetime) -> Notice:
    """Return the notice after a refusal: due again after a pause that doubles, given up after `MOST_TRIES`."""
    if notice.tries >= MOST_TRIES:
        return replace(notice, state=GIVEN_UP)
    return replace(notice, state=DUE, next_try=now + FIRST_PAUSE * 2 ** (notice.tries - 1))


def ended(notice: Notice, state: str) -> Notice:
    """Return the notice sent, given up or doubtful."""
    return replace(notice, state=state)
