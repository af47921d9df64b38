"""The daily digest by e-mail, against a real SMTP server on loopback: once per role and day, whatever breaks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from services.enrolment.application.notices import NoticeWorker, claim, compose_due
from services.enrolment.domain import notices
from services.enrolment.domain.tasks import ROLES
from shared.mail import NO_SECURITY, Letter, PerhapsTaken, SmtpPost, SmtpServer
from shared.storage.unit_of_work import UnitOfWork
from tests.enrolment.conftest import House, a_record

MORNING = datetime(2025, 9, 1, 7, 0, tzinfo=UTC)
ADDRESSES = {"hr": ["hr@brent.example"], "supervisor": [], "programme_lead": []}


@dataclass
class Hand:
    """A clock that a test moves."""

    at: datetime = MORNING

    def now(self) -> datetime:
        """Return where it stands."""
        return self.at

    def monotonic(self) -> float:
        """Return the same as seconds."""
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at += timedelta(seconds=seconds)


@dataclass
class Box:
    """A mail server's box; `answers` are given first, then 250."""

    answers: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802, ANN401
        """Take or refuse."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.taken.append(message_from_bytes(bytes(envelope.content or b""), policy=default))  # type: ignore[arg-type]
        return answer


@dataclass
class Desk:
    """The worker, its clock and the box, at Brent."""

    house: House
    clock: Hand
    box: Box
    post: Any

    def worker(self, post: Any = None) -> NoticeWorker:  # noqa: ANN401
        """Return a worker, as one more process would have it."""
        return NoticeWorker(
            self.unit(),
            ["brent"],
            open_books=self.house.opener.books,
            open_desk=self.house.opener.desk,
            post=post or self.post,
            sender="digest@brent.example",
            link=lambda organisation: f"https://enrolment.example/{organisation}",
        )

    def unit(self) -> UnitOfWork:
        """Return the transactions at the time of the hand."""
        own = self.house.unit
        return UnitOfWork(
            client=own.client,
            service=own.service,
            clock=self.clock,
            new_identifier=own.new_identifier,
            prefix=own._prefix,
        )

    def states(self) -> list[str]:
        """Return what became of each digest."""
        return [notice["state"] for notice in self.house.pages("notices")]


@pytest.fixture
def desk(house) -> Iterator[Desk]:
    """Brent with one unanswered request and an address for HR's digest."""
    box = Box()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    house.open_course()
    house.good("POST", "enrolments", json=a_record())
    house.good("PUT", "notice-settings", json={"addresses": ADDRESSES})
    yield Desk(house, Hand(), box, SmtpPost(SmtpServer("127.0.0.1", port, NO_SECURITY, seconds=10)))
    controller.stop()


def test_a_digest_goes_out_once_a_day_and_names_nobody(desk):
    """However often and by however many workers it is looked; tomorrow there is another."""
    for _ in range(3):
        desk.worker().work_once()
    (message,) = desk.box.taken
    text = message.get_content()
    assert message["To"] == "hr@brent.example"
    assert "Requests without an answer: 1" in text
    assert "https://enrolment.example/brent" in text
    assert not any(told in text for told in ("10001", "Aoife", "O'Neill", "SW53380", "aoife@"))
    desk.clock.at += timedelta(days=1)
    desk.worker().work_once()
    assert len(desk.box.taken) == 2
    assert desk.box.taken[0]["Message-ID"] != desk.box.taken[1]["Message-ID"]


def test_nothing_goes_out_before_the_morning_without_an_address_or_without_a_task(desk):
    """An e-mail that nobody needs is one that nobody reads the next time."""
    desk.clock.at = MORNING - timedelta(hours=2)
    assert desk.worker().work_once() == 0
    desk.clock.at = MORNING
    desk.house.settle()
    desk.worker().work_once()
    assert desk.box.taken == []
    assert desk.house.pages("notices") == []


def test_without_a_mail_server_nothing_is_composed(desk):
    """Off by default: no digest is kept that would all go out on the day when somebody switches it on."""
    worker = desk.worker()
    worker._post = None
    assert worker.work_once() == 0
    assert desk.house.pages("notices") == []


def test_a_refused_digest_is_tried_again_later_with_the_same_id_and_arrives_once(desk):
    """The pause is kept; nothing is sent while it lasts."""
    desk.box.answers = ["451 later"]
    desk.worker().work_once()
    desk.worker().work_once()
    assert (desk.states(), desk.box.taken) == (["due"], [])
    desk.clock.at += notices.FIRST_PAUSE
    desk.worker().work_once()
    assert (desk.states(), len(desk.box.taken)) == (["sent"], 1)


def test_a_digest_that_is_refused_again_and_again_is_given_up_and_becomes_a_task(desk):
    """Bounded tries; then HR sees it on the list, because the e-mail cannot tell them."""
    desk.box.answers = ["554 no"] * (notices.MOST_TRIES + 1)
    for _ in range(notices.MOST_TRIES + 2):
        desk.worker().work_once()
        desk.clock.at += timedelta(hours=2)
        if desk.clock.at.date() != MORNING.date():
            break
    assert desk.states() == ["given_up"]
    assert len(desk.box.answers) == 1


@pytest.mark.parametrize("when", ["before the send", "after the send"])
def test_a_worker_that_dies_between_claim_and_mark_never_makes_a_second_e_mail(desk, when):
    """At most one, even where nobody knows; it is shown as doubtful, and the next day's digest says it all again."""

    class Power(BaseException):
        """The machine is gone: nothing of the process runs on."""

    class Dying:
        """A way to send that ends the process."""

        def send(self, letter: Letter) -> int:
            """Hand it over, or not, and die."""
            if when == "after the send":
                desk.post.send(letter)
            raise Power

    with pytest.raises(Power):
        desk.worker(Dying()).work_once()
    for _ in range(3):
        desk.worker().work_once()
        desk.clock.at += notices.LEASE
    assert len(desk.box.taken) == (1 if when == "after the send" else 0)
    assert desk.states() == ["doubtful"]


def test_a_connection_that_breaks_at_the_decisive_moment_leaves_a_doubtful_digest(desk):
    """The server may have it: not again."""

    class Cut:
        """A line that breaks before the answer."""

        def send(self, letter: Letter) -> int:
            """Hand it over and never hear."""
            desk.post.send(letter)
            raise PerhapsTaken("cut")

    desk.worker(Cut()).work_once()
    desk.worker().work_once()
    assert (desk.states(), len(desk.box.taken)) == (["doubtful"], 1)


def test_two_workers_at_once_send_one(desk):
    """The claim is one transaction: whoever comes second finds it taken."""
    unit = desk.unit()
    first = desk.worker()
    unit.run("brent", lambda work: compose_due(desk.house.opener.desk(work), "brent.example"))
    (notice,) = desk.house.opener.books(unit.reading("brent")).notices.unfinished()
    held = [unit.run("brent", lambda work: claim(desk.house.opener.desk(work), notice.notice_id)) for _ in range(2)]
    assert held[0] is not None
    assert held[1] is None
    first.work_once()
    assert desk.box.taken == []


def test_settings_that_were_never_set_are_set_with_the_etag_that_was_read(house):
    """Read, changed and sent back, as any client does; the second who read the same is told."""
    read = house.ask("GET", "notice-settings").headers["ETag"]
    wanted = {"addresses": ADDRESSES}
    assert house.ask("PUT", "notice-settings", json=wanted, headers={"If-Match": '"7"'}).status_code == 412
    assert house.ask("PUT", "notice-settings", json=wanted, headers={"If-Match": read}).status_code == 200
    assert house.ask("PUT", "notice-settings", json=wanted, headers={"If-Match": read}).status_code == 412


def test_settings_are_replaced_as_a_whole_and_only_by_who_has_read_them(desk):
    """Addresses that are none are refused; a change needs the ETag."""
    settings = desk.house.ask("GET", "notice-settings")
    assert settings.get_json() == {"addresses": ADDRESSES}
    assert desk.house.ask("PUT", "notice-settings", json={"addresses": ADDRESSES}).status_code == 428
    for wrong in ("nobody", "a@b", "x@y.example\nBcc: z@y.example", "Name <x@y.example>", "ü@y.example"):
        answer = desk.house.ask(
            "PUT", "notice-settings", json={"addresses": {"hr": [wrong]}}, headers={"If-Match": "*"}
        )
        assert answer.status_code == 422, wrong
    changed = desk.house.good(
        "PUT", "notice-settings", json={"addresses": {}}, headers={"If-Match": settings.headers["ETag"]}
    )
    assert changed == {"addresses": {role: [] for role in ROLES}}
    desk.worker().work_once()
    assert desk.box.taken == []
