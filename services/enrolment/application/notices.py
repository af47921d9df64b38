"""Sending the digests: composed once per role and day, claimed, handed over outside any transaction, and marked.

The claim is committed before anything is sent and the mark afterwards. A worker that dies between the two leaves a
notice whose fate nobody knows; it is marked doubtful and not sent again (`domain/notices.py` says why). That is all
that SMTP allows: it has no transaction across the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from services.enrolment.application.ports import Books, Desk, OpenDesk
from services.enrolment.application.tasks import standings
from services.enrolment.domain import notices
from services.enrolment.domain.notices import Notice, NoticeSettings
from services.enrolment.domain.tasks import ROLES
from shared.clock import london_date
from shared.errors import ConcurrentChange
from shared.mail import Letter, NotTaken, PerhapsTaken
from shared.storage.unit_of_work import UnitOfWork

SILENCE = "an organisation's e-mail is its own"


class Post(Protocol):
    """What hands letters over."""

    def send(self, letter: Letter) -> int:
        """Hand `letter` over and return how many addresses were refused; `NotTaken` or `PerhapsTaken` otherwise."""


def set_addresses(desk: Desk, known: NoticeSettings, addresses: dict[str, tuple[str, ...]]) -> NoticeSettings:
    """Return the settings with these addresses; a role without any gets no e-mail."""
    desk.silent(SILENCE)
    kept = {role: tuple(dict.fromkeys(found)) for role, found in addresses.items() if found}
    return desk.notices.set(NoticeSettings(kept, known.version))


def compose_due(desk: Desk, host: str) -> list[Notice]:
    """Return the digests of today that were not composed yet, kept; none before the morning, none without a task."""
    today = london_date(desk.now)
    if london_date(desk.now - notices.NIGHT) != today:
        return []
    found = []
    for role in ROLES:
        if desk.notices.settings().addresses.get(role) and desk.notices.find(notices.notice_id(today, role)) is None:
            notice = notices.compose(role, today, standings(desk, [role]), f"<{desk.new_id()}@{host}>", desk.now)
            if notice is not None:
                desk.silent(SILENCE)
                desk.notices.add(notice)
                found.append(notice)
    return found


def claim(desk: Desk, notice_id: str) -> Notice | None:
    """Return the digest in this worker's hands, None where it is not due; one that was abandoned becomes doubtful."""
    notice = desk.notices.find(notice_id)
    if notice is None:
        return None
    if notices.is_abandoned(notice, desk.now):
        desk.silent(SILENCE)
        desk.notices.save(notices.ended(notice, notices.DOUBTFUL))
        return None
    if not notices.is_due(notice, desk.now):
        return None
    desk.silent(SILENCE)
    return desk.notices.save(notices.claimed(notice, desk.now))


def mark(desk: Desk, held: Notice, became: Callable[[Notice], Notice]) -> Notice:
    """Return the digest after it was handed over or refused; whoever was overtaken changes nothing."""
    found = desk.notices.find(held.notice_id)
    if found is None or found.version != held.version:
        raise ConcurrentChange("another worker took this notice for abandoned")
    desk.silent(SILENCE)
    return desk.notices.save(became(found))


class NoticeWorker:
    """Composes and sends the digests of some organisations.

    Args:
        unit_of_work: The transactions.
        organisations: Whose digests.
        open_desk: Opens an organisation's desk.
        post: What hands letters over; None: e-mail is off, and no digest is composed.
        sender: The address that digests come from.
        link: Gives the address of an organisation's task list.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        organisations: Sequence[str],
        *,
        open_books: Callable[..., Books],
        open_desk: OpenDesk,
        post: Post | None,
        sender: str,
        link: Callable[[str], str],
    ) -> None:
        self._unit = unit_of_work
        self._organisations = tuple(organisations)
        self._open_books = open_books
        self._open_desk = open_desk
        self._post = post
        self._sender = sender
        self._link = link
        self._is_away = False  # the mail server, as this round found it: nobody waits for it twice in one round

    def work_once(self) -> int:
        """Compose what is due and hand over what waits; return how many notices were taken up."""
        if self._post is None:
            return 0
        self._is_away = False
        return sum(self._send_all(self._post, organisation) for organisation in self._organisations)

    def _send_all(self, post: Post, organisation: str) -> int:
        books = self._open_books(self._unit.reading(organisation))
        if not books.notices.settings().addresses:
            return 0
        host = self._sender.rpartition("@")[2] or "localhost"
        self._unit.run(organisation, lambda work: compose_due(self._open_desk(work), host))
        waiting = books.notices.unfinished()
        return sum(not self._is_away and self._send(post, organisation, notice.notice_id) for notice in waiting)

    def _send(self, post: Post, organisation: str, notice_id: str) -> bool:
        try:
            held = self._unit.run(organisation, lambda work: claim(self._open_desk(work), notice_id))
            if held is None:
                return False
            became = self._hand_over(post, organisation, held)
            self._unit.run(organisation, lambda work: mark(self._open_desk(work), held, became))
        except ConcurrentChange:
            return False  # another worker has it, or took it for abandoned
        return True

    def _hand_over(self, post: Post, organisation: str, held: Notice) -> Callable[[Notice], Notice]:
        """Hand one digest over and return what becomes of it."""
        addresses = self._open_books(self._unit.reading(organisation)).notices.settings().addresses.get(held.role, ())
        if not addresses:  # taken out since it was composed
            return lambda notice: notices.ended(notice, notices.GIVEN_UP)
        subject, text = notices.text_of(held, self._link(organisation))
        try:
            post.send(Letter(held.message_id, self._sender, addresses, subject, text))
        except NotTaken:
            self._is_away = True
            now = self._unit.clock.now()
            return lambda notice: notices.not_taken(notice, now)
        except PerhapsTaken:
            return lambda notice: notices.ended(notice, notices.DOUBTFUL)
        return lambda notice: notices.ended(notice, notices.SENT)
